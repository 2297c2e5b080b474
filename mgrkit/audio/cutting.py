"""A track as the pieces that models and pictures are made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from mgrkit.audio.piece_lengths import PIECE_SECONDS, REMAINDER_SECONDS, WHOLE_SECONDS
from mgrkit.audio.reading import Mixdown
from mgrkit.audio.resampling import Resampler
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Blocks(Protocol):
    """An open sound, as `mgrkit.audio.Sound` is, or one that is held in memory."""

    @property
    def rate(self) -> int: ...

    def blocks(self) -> Iterable[NDArray[np.float32]]: ...


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


def pieces(sound: Blocks, rate: int, seconds: float | None = None) -> Iterator[Piece]:
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
    for _, piece in pieces_at(sound, (rate,), seconds):
        yield piece


def pieces_at(
    sound: Blocks, rates: Sequence[int], seconds: float | None = None
) -> Iterator[tuple[int, Piece]]:
    """As `pieces`, at several rates of one decoding: each piece with its rate, as it is full."""
    cutters = [(rate, Resampler(sound.rate, rate), _Cutter(rate, seconds)) for rate in rates]
    mixdown = Mixdown()
    for block in sound.blocks():
        mix = mixdown.push(block)
        for rate, resampler, cutter in cutters:
            for piece in cutter.push(resampler.push(mix)):
                yield rate, piece
    # Judged before resampling, which makes a click of the start of a constant.
    mixdown.check()
    for rate, resampler, cutter in cutters:
        for piece in cutter.push(resampler.push(np.empty(0, np.float32), last=True)):
            yield rate, piece
        for piece in cutter.rest():
            yield rate, piece


class _Cutter:
    """Cuts a stream of samples at one rate."""

    def __init__(self, rate: int, seconds: float | None) -> None:
        self._rate, self._seconds = rate, seconds
        self._size = round((seconds or PIECE_SECONDS) * rate)
        # Full, this buffer proves that the track is longer than one piece may be.
        self._capacity = self._size if seconds else round(WHOLE_SECONDS * rate) + 1
        self._held = np.empty(self._capacity, np.float32)
        self._count = self._index = 0

    def push(self, block: NDArray[np.float32]) -> Iterator[Piece]:
        """The pieces that the next samples fill."""
        while len(block):
            taken = min(self._capacity - self._count, len(block))
            self._held[self._count : self._count + taken] = block[:taken]
            block, self._count = block[taken:], self._count + taken
            if self._count == self._capacity:
                full, self._held = self._held, np.empty(self._capacity, np.float32)
                self._count = self._capacity - self._size
                self._held[: self._count] = full[self._size :]
                yield self._piece(full)
                del full  # or three buffers would live at the next turn

    def rest(self) -> Iterator[Piece]:
        """The pieces that are left at the end: of a track that was cut, at most two."""
        rest = self._held[: self._count]
        if not self._index:
            if self._seconds:
                message = (
                    f"the track has {len(rest) / self._rate:.6g} s, a piece {self._seconds:g} s"
                )
                raise AudioError("too-short", message, "ask for shorter pieces")
            yield Piece(None, 0.0, rest)
        elif not self._seconds:
            while len(rest) >= round(REMAINDER_SECONDS * self._rate):
                yield self._piece(rest)
                rest = rest[self._size :]

    def _piece(self, samples: NDArray[np.float32]) -> Piece:
        start = self._index * self._size / self._rate
        self._index += 1
        return Piece(self._index - 1, start, samples[: self._size])
