"""Another sample rate, block by block, with soxr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import soxr
    from numpy.typing import NDArray


class Resampler:
    """A stream through soxr at its setting HQ; the same samples as in one go.

    Parameters
    ----------
    rate_in, rate_out : samples per second. When they agree, blocks pass untouched.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self._rates = rate_in, rate_out
        self._stream: soxr.ResampleStream | None = None

    def push(self, block: NDArray[np.float32], last: bool = False) -> NDArray[np.float32]:
        """Resample the next block.

        Parameters
        ----------
        block : float32 ``(frames,)`` or ``(channels, frames)``, alike in every call; may
            hold no frames.
        last : True with the last block, which also gets what the filter still holds.

        Returns
        -------
        float32 of the same layout; of n frames in all come n * rate_out / rate_in, rounded.
        """
        if self._rates[0] == self._rates[1]:
            return block
        if self._stream is None:
            import soxr

            channels = 1 if block.ndim == 1 else len(block)
            self._stream = soxr.ResampleStream(*self._rates, channels, "float32", "HQ")
        # soxr wants (frames, channels) in C order.
        out = self._stream.resample_chunk(np.ascontiguousarray(block.T), last)
        return np.ascontiguousarray(out.reshape(-1, *block.T.shape[1:]).T)
