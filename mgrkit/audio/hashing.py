"""Sound that is hashed while it is decoded, so that a track is known wherever it lies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.audio.reading import BLOCK_FRAMES, Sound

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class HashedSound(Sound):
    """A `Sound` with the digest of what the last pass over its blocks has decoded."""

    def __init__(self, path: str | Path, heard: Callable[[float], None] | None = None) -> None:
        super().__init__(path, heard)
        self.digest = SoundDigest(self.rate, self.channels)

    def __enter__(self) -> HashedSound:
        return self

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[NDArray[np.float32]]:
        """See `Sound.blocks`."""
        self.digest = SoundDigest(self.rate, self.channels)
        for block in super().blocks(frames):
            self.digest.update(block)
            yield block


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
