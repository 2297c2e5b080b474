"""Which pieces of a song are listened to, without holding a long one in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mgrkit.audio import Piece, Sound, pieces
from mgrkit.audio.cutting import PIECE_SECONDS
from mgrkit.commands.extracting import Extract
from mgrkit.errors import ItemError

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
    features : of the piece, or why it has none.
    """

    start: float
    seconds: float
    features: Any


@dataclass
class Excerpts:
    """The ``pieces`` in their order, of a song of so many ``seconds``."""

    pieces: list[Excerpt] = field(default_factory=list)
    seconds: float = 0.0


def excerpts(
    sound: Sound, rate: int, extract: Extract, max_seconds: float | None = None
) -> Excerpts:
    """The features of a song's pieces: of all, or of some that are spread evenly.

    A song is cut as `mgrkit.audio.pieces` cuts it. While it is not known to be long, each piece
    is described as it comes; once it is, every second, fourth, ... piece waits as samples,
    so that never more than twice the asked number is held and the choice depends on nothing but
    the number of pieces.

    Parameters
    ----------
    max_seconds : None for all of a song up to ten minutes, and 60 s of a longer one.
    """
    least = max(1, int((SPREAD_SECONDS if max_seconds is None else max_seconds) // PIECE_SECONDS))
    is_long = max_seconds is not None or sound.promised_seconds > LONG_SECONDS
    chosen = _Spread(least)
    end = 0.0
    held: list[tuple[int, Piece | Excerpt]] = []
    for index, piece in enumerate(pieces(sound, rate)):
        end = piece.start + len(piece.samples) / rate
        is_long = is_long or end > LONG_SECONDS
        held.append((index, piece if is_long else _described(piece, rate, extract)))
        if is_long:
            held = chosen.thinned(held, index + 1)
    if is_long:
        held = chosen.final(held)
    told = [p if isinstance(p, Excerpt) else _described(p, rate, extract) for _, p in held]
    return Excerpts(told, end)


class _Spread:
    """Keeps every n-th of a stream of unknown length, n the power of two that keeps few enough."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.stride = 1

    def thinned(
        self, held: list[tuple[int, Piece | Excerpt]], total: int
    ) -> list[tuple[int, Piece | Excerpt]]:
        while -(-total // self.stride) > 2 * self.count:
            self.stride *= 2
        return [(index, piece) for index, piece in held if index % self.stride == 0]

    def final(self, held: list[tuple[int, Piece | Excerpt]]) -> list[tuple[int, Piece | Excerpt]]:
        if len(held) <= self.count:
            return held
        step = len(held) / self.count
        return [held[int((k + 0.5) * step)] for k in range(self.count)]


def _described(piece: Piece, rate: int, extract: Extract) -> Excerpt:
    seconds = len(piece.samples) / rate
    try:
        return Excerpt(piece.start, seconds, extract(piece.samples))
    except ItemError as error:
        return Excerpt(piece.start, seconds, error)
