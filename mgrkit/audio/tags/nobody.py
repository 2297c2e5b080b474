"""Names of artists that name none."""

from __future__ import annotations

_NOBODY = {"", "-", "na", "none", "unknown", "unknownartist", "va", "various", "variousartists"}


def somebody(artist: str) -> str:
    """The name of an artist as it is; '' for one that stands for nobody, however it is spelt.

    >>> somebody("Various Artists"), somebody("n/a"), somebody("The Unknown"), somebody("!!!")
    ('', '', 'The Unknown', '!!!')
    """
    letters = "".join(filter(str.isalnum, artist.casefold()))
    return "" if (letters or artist.strip()) in _NOBODY else artist
