"""Which pieces of a song are listened to, without holding a long one in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mgrkit.audio import Piece, Sound
from mgrkit.audio.cutting import pieces_at
from mgrkit.audio.piece_lengths import PIECE_SECONDS
from mgrkit.errors import ItemError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Describe = Callable[[NDArray[np.float32]], Any]

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
    sound: Sound, describe: Mapping[int, Describe], max_seconds: float | None = None
) -> dict[int, list[Excerpt]]:
    """What describes a song's pieces in their order: of all, or of some, evenly spread.

    A song is cut as `mgrkit.audio.pieces` cuts it. While it is not known to be long, each piece
    is described as it comes; once it is, every third, ninth, ... piece waits as samples, so
    that never more than thrice the asked number is held and the choice depends on nothing but
    the number of pieces.

    Parameters
    ----------
    describe : by sample rate, what describes the pieces at it.
    max_seconds : None for all of a song up to ten minutes, and 60 s of a longer one.
    """
    least = max(1, int((SPREAD_SECONDS if max_seconds is None else max_seconds) // PIECE_SECONDS))
    is_long = max_seconds is not None or sound.promised_seconds > LONG_SECONDS
    chosen = {rate: _Chosen(rate, of_rate, least, is_long) for rate, of_rate in describe.items()}
    for rate, piece in pieces_at(sound, list(describe)):
        chosen[rate].push(piece)
    return {rate: of_rate.final() for rate, of_rate in chosen.items()}


class _Chosen:
    """The excerpts of one rate, while they come."""

    def __init__(self, rate: int, describe: Describe, least: int, is_long: bool) -> None:
        self._rate, self._describe = rate, describe
        self._spread, self._is_long = _Spread(least), is_long
        self._held: list[tuple[int, Piece | Excerpt]] = []
        self._count = 0

    def push(self, piece: Piece) -> None:
        """The next piece."""
        end = piece.start + len(piece.samples) / self._rate
        self._is_long = self._is_long or end > LONG_SECONDS
        self._held.append((self._count, piece if self._is_long else self._described(piece)))
        self._count += 1
        if self._is_long:
            self._held = self._spread.thinned(self._held, self._count)

    def final(self) -> list[Excerpt]:
        """Those that are listened to, described."""
        held = self._held
        if self._is_long:
            held = self._spread.final(held, self._count)
        return [one if isinstance(one, Excerpt) else self._described(one) for _, one in held]

    def _described(self, piece: Piece) -> Excerpt:
        seconds = len(piece.samples) / self._rate
        try:
            return Excerpt(piece.start, seconds, self._describe(piece.samples))
        except ItemError as error:
            return Excerpt(piece.start, seconds, error)


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
