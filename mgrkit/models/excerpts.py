"""Which pieces of a song are listened to, without holding a long one in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgrkit.audio import Piece, Sound, pieces
from mgrkit.audio.lengths import PIECE_SECONDS
from mgrkit.errors import ItemError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Describe = Callable[[NDArray[np.float32]], NDArray[Any]]

LONG_SECONDS = 600.0
"""Of songs beyond this, pieces spread over them are enough..."""
SPREAD_SECONDS = 60.0
"""...with this much sound in all."""


@dataclass
class Excerpt:
    """A piece that is listened to.

    Parameters
    ----------
    start, seconds : where in the song.
    values : what describes the piece, or why nothing does.
    """

    start: float
    seconds: float
    values: Any


def excerpts(
    sound: Sound, rate: int, describe: Describe, max_seconds: float | None = None
) -> list[Excerpt]:
    """What describes a song's pieces in their order: of all, or of some, evenly spread.

    A song is cut as `mgrkit.audio.pieces` cuts it. While it is not known to be long, each piece
    is described as it comes; once it is, every third, ninth, ... piece waits as samples, so
    that never more than thrice the asked number is held and the choice depends on nothing but
    the number of pieces.

    Parameters
    ----------
    max_seconds : None for all of a song up to ten minutes, and 60 s of a longer one.
    """
    least = max(1, int((SPREAD_SECONDS if max_seconds is None else max_seconds) // PIECE_SECONDS))
    is_long = max_seconds is not None or sound.promised_seconds > LONG_SECONDS
    chosen = _Spread(least)
    held: list[tuple[int, Piece | Excerpt]] = []
    for index, piece in enumerate(pieces(sound, rate)):
        is_long = is_long or piece.start + len(piece.samples) / rate > LONG_SECONDS
        held.append((index, piece if is_long else _described(piece, rate, describe)))
        if is_long:
            held = chosen.thinned(held, index + 1)
    if is_long:
        held = chosen.final(held, index + 1)
    return [p if isinstance(p, Excerpt) else _described(p, rate, describe) for _, p in held]


class _Spread:
    """Keeps the middle of every n of a stream of unknown length.

    n is the power of three that keeps few enough; with those alone the middles of longer
    stretches are middles of shorter ones.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.stride = 1

    def thinned(
        self, held: list[tuple[int, Piece | Excerpt]], total: int
    ) -> list[tuple[int, Piece | Excerpt]]:
        while len(range(self.stride // 2, total, self.stride)) > 3 * self.count:
            self.stride *= 3
        return [pair for pair in held if pair[0] % self.stride == self.stride // 2]

    def final(
        self, held: list[tuple[int, Piece | Excerpt]], total: int
    ) -> list[tuple[int, Piece | Excerpt]]:
        """Those next to the middles of ``count`` equal parts; they are different ones."""
        if len(held) <= self.count:
            return held
        middles = [(k + 0.5) * total / self.count - 0.5 for k in range(self.count)]
        return [min(held, key=lambda pair: abs(pair[0] - middle)) for middle in middles]


def _described(piece: Piece, rate: int, describe: Describe) -> Excerpt:
    seconds = len(piece.samples) / rate
    try:
        return Excerpt(piece.start, seconds, describe(piece.samples))
    except ItemError as error:
        return Excerpt(piece.start, seconds, error)
