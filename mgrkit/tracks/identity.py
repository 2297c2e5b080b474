"""What a track is called, wherever it lies: by its collection, else by its sound."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mgrkit.tracks.collections import known

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SOUND, NAME = "sha256:", "name:"
"""Begin the ids of tracks of no known collection: by their sound, or by their file's name."""


class SoundDigest:
    """The SHA-256 of decoded sound, fed in blocks.

    Its bytes are a line ``<rate> <channels>`` and the samples as little-endian float32,
    interleaved: a WAV and a FLAC of the same samples have one digest, and how the sound is cut
    into blocks does not count.

    Parameters
    ----------
    rate : samples per second.
    channels : rows of each block.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self._hash = hashlib.sha256(f"{rate} {channels}\n".encode())

    def update(self, block: NDArray[np.float32]) -> None:
        """Go on with a block, float32 ``(channels, n)``, as `mgrkit.audio.Sound.blocks` gives."""
        self._hash.update(block.T.astype("<f4", order="C", copy=False).data.cast("B"))

    def hexdigest(self) -> str:
        """64 hexadecimal digits of what came so far."""
        return self._hash.hexdigest()


def track_id(path: str, digest: str = "") -> str:
    """A track's id: of its collection, else of its sound, else its file name.

    Parameters
    ----------
    path : POSIX, of the root recording (never of a piece or a noisy copy).
    digest : what `SoundDigest` gave; '' for tables, where there is no sound.

    >>> track_id("blues/blues.00000.wav"), track_id("a/song.mp3")
    ('gtzan:blues.00000', 'name:song.mp3')
    """
    if found := known(path):
        return found.id
    if digest:
        return f"{SOUND}{digest[:32]}"
    # A bundle keeps ids one a line, in UTF-8: neither a line break nor a stray byte fits in.
    name = path.rpartition("/")[2].encode("utf-8", "backslashreplace").decode()
    return f"{NAME}{name.encode('unicode_escape').decode() if not name.isprintable() else name}"
