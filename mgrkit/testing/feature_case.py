"""A feature set under test, with what several checks need made once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError
from mgrkit.registry import Embedder, FeatureSetSpec, resolve
from mgrkit.synthetic.music import STYLES, render
from mgrkit.testing.case import NotApplicable, hold, in_new_process
from mgrkit.testing.watching import Traces, unpickling, watched

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SKIPPED = 2.0
"""Seconds of each song that are left out: some begin softly."""


@dataclass(frozen=True)
class Function:
    """A function of one piece as an `Embedder` that does all in ``prepare``."""

    prepare: Callable[[Floats], NDArray[Any]]

    def embed(self, prepared: Sequence[NDArray[Any]]) -> Sequence[NDArray[Any]]:
        return prepared


class FeatureCase:
    """A feature set under test.

    Parameters
    ----------
    spec : what its plugin says of it.
    weights : the file of its weights, for a set that needs them.
    hooks : the modules that are imported when plugins are listed; empty if not known.

    Raises
    ------
    UsageError : it needs weights and none are given.
    """

    def __init__(self, spec: FeatureSetSpec, weights: Path | None, hooks: tuple[str, ...]) -> None:
        if spec.weights and weights is None:
            raise UsageError(f"{spec.name} needs its weights", "give weights=PATH, made ones do")
        self.spec = spec
        self.weights = weights
        self.hooks = hooks

    @property
    def rate(self) -> int:
        """The front end's; for a set at the rate of the file, that of most files."""
        return self.spec.frontend.sample_rate or 44_100

    def frames(self, seconds: float) -> int:
        """So many samples at that rate."""
        return round(seconds * self.rate)

    @property
    def least(self) -> int:
        """Samples of one window of the set, or of its transform if it has none."""
        window = self.spec.window
        return self.frames(window) if window else self.spec.frontend.transform.n_fft

    @property
    def step(self) -> int:
        """Samples from one window to the next, or of a second."""
        return self.frames(self.spec.hop or 1.0)

    def music(self, frames: int, song: int = 0) -> Floats:
        """So many samples of a song."""
        rate = max(self.rate, 4000)  # slower and lower where it is less
        style = STYLES[song % len(STYLES)]
        sound = render(style, 1, song, _SKIPPED + (frames + 1) / rate, rate)
        return sound[round(_SKIPPED * rate) :][:frames]

    @functools.cached_property
    def songs(self) -> tuple[Floats, ...]:
        """Three pieces of several windows, none as long as another; to be given as copies."""
        sizes = (self.least + round(hops * self.step) for hops in (3.3, 1.6, 5.2))
        return tuple(self.music(size, song) for song, size in enumerate(sizes))

    def new(self, device: str = "cpu") -> Embedder:
        """The set's code, made anew; raises what is wrong with it."""
        made = resolve(self.spec.factory)
        hold(callable(made), f"{self.spec.factory} is no function and no class")
        if self.spec.frontend.sample_rate is None:
            return Function(lambda samples: made(samples, self.rate))
        if self.spec.batch_size is None:
            return Function(made)
        embedder: Embedder = made(self.weights, device)
        for name in ("prepare", "embed"):
            hold(callable(getattr(embedder, name, None)), f"{self.spec.factory} has no {name}")
        return embedder

    @functools.cached_property
    def made(self) -> Embedder:
        """The set's code on a CPU; NotApplicable where there is none."""
        try:
            return self.new()
        except Exception as error:
            raise NotApplicable(f"it cannot be loaded: {error}") from None

    def rows(self, pieces: Sequence[Floats], made: Embedder | None = None) -> list[NDArray[Any]]:
        """The rows of each piece, in batches as large as the set takes."""
        made = made or self.made
        prepared = [made.prepare(piece.copy()) for piece in pieces]
        size = self.spec.batch_size or 1
        found: list[NDArray[Any]] = []
        for first in range(0, len(prepared), size):
            batch = prepared[first : first + size]
            rows = list(made.embed(batch))
            hold(len(rows) == len(batch), f"embed gave {len(rows)} results for {len(batch)} pieces")
            found += rows
        return found

    @functools.cached_property
    def described(self) -> list[NDArray[Any]]:
        """The rows of `songs`; NotApplicable where they are none."""
        try:
            found = self.rows(self.songs)
        except Exception as error:
            raise NotApplicable(f"it gives no rows of music: {error}") from None
        for rows in found:
            if wrong := self.fault(rows):
                raise NotApplicable(wrong)
        return found

    def fault(self, rows: object) -> str:
        """What is wrong with the rows of a piece; empty if nothing is."""
        columns = len(self.spec.columns)
        if not isinstance(rows, np.ndarray) or rows.dtype.kind != "f":
            kind = getattr(rows, "dtype", type(rows).__name__)
            return f"rows are {kind}, not an array of floating-point numbers"
        if rows.ndim != 2 or rows.shape[1] != columns or not len(rows):
            return f"rows have the shape {rows.shape}, not (rows, {columns}) with a row at least"
        return "" if np.isfinite(rows).all() else "a row holds what is no finite number"

    @functools.cached_property
    def traces(self) -> tuple[Traces, Traces]:
        """Of making it and of describing `songs`, twice; by then all late imports are done."""
        assert self.described
        return self._traces(), self._traces()

    def _traces(self) -> Traces:
        with watched() as traces, unpickling(traces.unsafe):
            self.rows(self.songs, self.new())
        return traces

    @functools.cached_property
    def loaded(self) -> list[str]:
        """What a new process has loaded by its hooks: heavy modules, the set's module."""
        if not self.hooks:
            raise NotApplicable("whose hooks provide it is not known: give its name, not its spec")
        order = {"hooks": self.hooks, "module": self.spec.factory.partition(":")[0]}
        code = 'answer = hooks + [order["module"]] * (order["module"] in sys.modules)'
        found: list[str] = in_new_process(code, order)
        return found
