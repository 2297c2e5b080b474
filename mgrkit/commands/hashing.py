"""Sound that is hashed while it is decoded, so that a track is known wherever it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.audio.reading import BLOCK_FRAMES, Sound
from mgrkit.tracks.identity import SoundDigest

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
