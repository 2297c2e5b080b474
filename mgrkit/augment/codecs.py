"""Lossy codecs as conditions: what a file or a telephone leaves of a sound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.audio.transcoding import MP3_KBITS, check_codec, transcoded
from mgrkit.augment.altered import Altered
from mgrkit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RANGES = {"opus": (6.0, 256.0), "aac": (8.0, 320.0), "vorbis": (0.0, 10.0)}
"""In kbit/s (RFC 6716; what FFmpeg's encoder of AAC makes of one channel), of vorbis its quality
(``oggenc -q``, without what is below 0: libsndfile makes 0 of it)."""
_ODD_SHARE = 0.15
"""A bit rate that is further from what was asked for is said."""


@dataclass(frozen=True)
class Codec:
    """A sound encoded and decoded, see `mgrkit.audio.transcoding.transcoded`.

    Parameters
    ----------
    codec : mp3, opus, aac, vorbis or gsm.
    amount : the bit rate in kbit/s, of vorbis the quality; of gsm None.
    """

    codec: str
    amount: float | None = None
    processes: bool = False
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.codec == "gsm":
            if self.amount is not None:
                raise UsageError("gsm has one bit rate, 13 kbit/s", "write gsm alone")
            return
        assert self.amount is not None
        amount = self.amount
        if self.codec == "mp3":
            if amount not in MP3_KBITS:
                near = min(MP3_KBITS, key=lambda one: abs(one - amount))
                raise UsageError(f"mp3 has no bit rate of {amount:g} kbit/s", f"{near} is nearest")
            return
        low, high = _RANGES[self.codec]
        what, unit = ("quality", "") if self.codec == "vorbis" else ("bit rate", " kbit/s")
        if not low <= amount <= high or (unit and amount != round(amount)):
            every = "" if self.codec == "vorbis" else "whole numbers "
            raise UsageError(
                f"{self.codec} has no {what} of {amount:g}{unit}",
                f"{every}from {low:g} to {high:g}{unit}",
            )

    @property
    def name(self) -> str:
        return self.codec if self.amount is None else f"{self.codec}@{self.amount:g}"

    @property
    def digest(self) -> str:
        """With the versions of the libraries that decide what is heard."""
        import av
        import soundfile

        used = (
            soundfile.__libsndfile_version__ if self.codec in ("vorbis", "gsm") else av.__version__
        )
        return f"{self.name} {used} 1"

    def ready(self, folder: Path) -> Codec:
        """See `Condition.ready`; RunError where the libraries here lack the codec."""
        del folder
        check_codec(self.codec)
        return self

    def apply(
        self, samples: NDArray[np.float32], rate: int, seed: int, path: str, k: int
    ) -> Altered:
        """See `Ready.apply`."""
        del seed, path, k
        coded = transcoded(samples, rate, self.codec, self.amount or 0)
        drawn = {"codec": self.name, "kbits": round(coded.kbits, 1)}
        warnings = []
        pairs = (len(samples) + 1) // 2
        if self.codec in ("mp3", "opus", "aac") and self.amount:
            share = coded.kbits / pairs / self.amount
            if abs(share - 1) > _ODD_SHARE:
                warnings.append(f"other-bit-rate: {self.name} came to {coded.kbits:.0f} kbit/s")
        return Altered(coded.samples, rate, [drawn], 0.0, tuple(warnings))
