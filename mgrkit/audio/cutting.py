"""A track as the pieces that models and pictures are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.audio.lengths import PIECE_SECONDS, REMAINDER_SECONDS, WHOLE_SECONDS
from mgrkit.audio.reading import Mixdown, Sound
from mgrkit.audio.resampling import Resampler
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a track.

    Attributes
    ----------
    index : 0, 1, ... along the track; None when the piece is the whole track.
    start : seconds from the start of the track.
    samples : float32 ``(frames,)``, mono, at the rate that was asked for.
    """

    index: int | None
    start: float
    samples: NDArray[np.float32]


def pieces(sound: Sound, rate: int, seconds: float | None = None) -> Iterator[Piece]:
    """Mix a sound to mono, resample it and cut it, holding one piece at a time.

    Parameters
    ----------
    sound : an open sound.
    rate : samples per second of the pieces.
    seconds : None for the rule of this module: at most 45 s is one piece, anything longer
        is cut every 30 s, a remainder of 15 s or more is kept. A number cuts exactly so
        many seconds, and drops the remainder.

    Raises
    ------
    AudioError : what reading raises, ``silent`` for a track that is so as a whole (known only
        at its end), and ``too-short`` for less than ``seconds``.
    """
    size = round((seconds or PIECE_SECONDS) * rate)
    # Full, this buffer proves that the track is longer than one piece may be.
    capacity = size if seconds else round(WHOLE_SECONDS * rate) + 1
    held = np.empty(capacity, np.float32)
    count = index = 0
    for block in _resampled(sound, rate):
        while len(block):
            taken = min(capacity - count, len(block))
            held[count : count + taken] = block[:taken]
            block, count = block[taken:], count + taken
            if count == capacity:
                yield Piece(index, index * size / rate, held[:size])
                full, held = held, np.empty(capacity, np.float32)
                count, index = capacity - size, index + 1
                held[:count] = full[size:]
                del full  # or three buffers would live at the next turn
    if index == 0:
        if seconds:
            message = f"the track has {count / rate:.6g} s, a piece {seconds:g} s"
            raise AudioError("too-short", message, "ask for shorter pieces")
        yield Piece(None, 0.0, held[:count])
    elif not seconds:
        yield from _remainder(held[:count], rate, index)


def _remainder(rest: NDArray[np.float32], rate: int, index: int) -> Iterator[Piece]:
    """The last up to 45 s of a longer track: at most two pieces."""
    size = round(PIECE_SECONDS * rate)
    while len(rest) >= round(REMAINDER_SECONDS * rate):
        yield Piece(index, index * size / rate, rest[:size])
        rest, index = rest[size:], index + 1


def _resampled(sound: Sound, rate: int) -> Iterator[NDArray[np.float32]]:
    resampler = Resampler(sound.rate, rate)
    mixdown = Mixdown()
    for block in sound.blocks():
        yield resampler.push(mixdown.push(block))
    # Judged before resampling, which makes a click of the start of a constant.
    mixdown.check()
    yield resampler.push(np.empty(0, np.float32), last=True)
