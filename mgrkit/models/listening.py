"""What several listeners make of one song, which is decoded once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from mgrkit.audio import open_sound
from mgrkit.batch import Work
from mgrkit.errors import ItemError
from mgrkit.models.excerpts import excerpts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.inputs.kinds import Input
    from mgrkit.models.excerpts import Describe


Known = dict[str, "NDArray[Any] | ItemError"]


def values(
    wanted: Input, samples: NDArray[np.float32], rate: int, known: Known
) -> NDArray[Any] | ItemError:
    """What an input makes of a piece, computed once for all that need the same."""
    if wanted.kept_under not in known:
        try:
            known[wanted.kept_under] = wanted.piece(samples, rate)
        except ItemError as error:
            known[wanted.kept_under] = error
    return known[wanted.kept_under]


class Listener(Protocol):
    """What describes the pieces of a song; ``rate`` is that of the sound it takes.

    None for the rate of the file.
    """

    @property
    def name(self) -> str: ...
    @property
    def rate(self) -> int | None: ...

    def described(
        self, samples: NDArray[np.float32], rate: int, known: Known
    ) -> NDArray[Any] | ItemError:
        """What it makes of a piece, or why nothing.

        ``known`` holds what other listeners needed of the same piece, by `Input.kept_under`: what
        several see is computed once.
        """


def listen(
    path: str | Path,
    members: Sequence[Listener],
    others: Sequence[Listener],
    *,
    max_seconds: float | None,
    allow_truncated: bool,
    work: Work | None,
) -> Heard:
    """What the members of a model make of a song, and other listeners beside them.

    The sound is resampled once for each rate that is not its own.
    """
    listeners = [(one, one.rate) for one in (*members, *others)]  # which may refuse all sound
    at_rate: dict[int, list[Listener]] = {}
    heard = Heard()

    def decoded(seconds: float) -> None:
        heard.seconds = seconds
        if work:
            work.allow(seconds)

    def by(those: Sequence[Listener], rate: int) -> Describe:
        def describe(samples: NDArray[np.float32]) -> list[NDArray[Any] | ItemError]:
            known: Known = {}
            return [listener.described(samples, rate, known) for listener in those]

        return describe

    with open_sound(path, decoded, allow_truncated=allow_truncated) as sound:
        for listener, rate in listeners:
            at_rate.setdefault(rate or sound.rate, []).append(listener)
        describe = {rate: by(those, rate) for rate, those in at_rate.items()}
        found = excerpts(sound, describe, max_seconds)
        heard.warning = sound.warning
    for rate, those in at_rate.items():
        for number, listener in enumerate(those):
            given = [((one.start, one.seconds), one.values[number]) for one in found[rate]]
            if listener in others:
                heard.others[listener.name] = [values for _, values in given]
            else:
                heard.add(listener.name, given)
    return heard


class Heard:
    """What the members made of a file.

    Attributes
    ----------
    rows : by member, the examples of each piece that has some.
    pieces : start and seconds of each piece, and by member its place among the rows.
    refused : by member that has no row, why.
    others : what each listener that is no member made of each piece.
    seconds : of the whole song.
    warning : why the sound is not whole, else ''.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[NDArray[Any]]] = {}
        self.refused: dict[str, ItemError] = {}
        self.others: dict[str, list[NDArray[Any] | ItemError]] = {}
        self.seconds, self.warning = 0.0, ""
        self._places: dict[int, tuple[tuple[float, float], dict[str, int]]] = {}

    def add(
        self, name: str, given: Sequence[tuple[tuple[float, float], NDArray[Any] | ItemError]]
    ) -> None:
        """The examples of a member's pieces, or why one has none."""
        rows: list[NDArray[Any]] = []
        for (start, seconds), values in given:
            if not isinstance(values, ItemError):
                # At another rate a piece begins up to a sample elsewhere.
                piece = self._places.setdefault(round(start), ((start, seconds), {}))
                piece[1][name] = len(rows)
                rows.append(values)
        if rows:
            self.rows[name] = rows
            return
        errors = [values for _, values in given if isinstance(values, ItemError)]
        self.refused[name] = next(iter(errors), ItemError("too-short", "it holds no piece"))

    @property
    def pieces(self) -> list[tuple[tuple[float, float], dict[str, int]]]:
        return [self._places[start] for start in sorted(self._places)]
