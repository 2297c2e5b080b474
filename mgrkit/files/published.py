"""A file that is published somewhere, as data: nothing here fetches it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """A file that is published, with its sum.

    Parameters
    ----------
    name : of the file.
    url : where it lies, by HTTP or HTTPS.
    size : in bytes, about: what is not half as large, or twice, is another file.
    digest : the algorithm, a colon and hexadecimal digits, such as ``sha1:f0df49ff...``.
    """

    name: str
    url: str
    size: int
    digest: str
