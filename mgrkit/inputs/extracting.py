"""Runs the code of feature sets: functions of one piece, and networks that take several."""

from __future__ import annotations

import functools
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.compute.device import KINDS, resolve_device
from mgrkit.errors import ItemError
from mgrkit.features.windows import summary
from mgrkit.registry import Embedder, FeatureSetSpec, SummarySpec, require, resolve, unable
from mgrkit.weights.store import weights_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Extract = Callable[[NDArray[np.float32], int], NDArray[np.float64]]


def extractor(feature_set: FeatureSetSpec, device: str = "auto") -> Extract:
    """What gives the features ``(rows, columns)`` of a piece: samples ``(frames,)`` and their rate.

    It raises ItemError for sound that the set cannot describe, and ``internal`` when what the
    set's author returns has another shape than the spec says or is not finite. It may be called
    on several threads at the same time.

    Parameters
    ----------
    device : as for a classifier; a set that cannot use that kind computes on the CPU.

    Raises
    ------
    RunError : the set's code cannot be loaded, a module that it needs is not installed, or its
        weights are not here.
    UsageError : there is no such device here.
    """
    if isinstance(feature_set, SummarySpec):
        of_windows = extractor(feature_set.windows, device)
        return lambda samples, rate: summed(feature_set, of_windows(samples, rate))
    usable = feature_set.devices
    unusable = set(KINDS).difference(usable)
    place = "cpu" if device.partition(":")[0] in unusable else device
    return _loaded(feature_set, resolve_device(place, usable))


def summed(feature_set: FeatureSetSpec, values: NDArray[Any]) -> NDArray[Any]:
    """The rows of a set, ``(rows, columns)``, of the windows of a piece."""
    return summary(values, feature_set.form) if isinstance(feature_set, SummarySpec) else values


@functools.cache
def _loaded(feature_set: FeatureSetSpec, device: str) -> Extract:
    require(f"the feature set {feature_set.name}", feature_set.requires)
    made = resolve(feature_set.factory)
    if feature_set.batch_size is not None:
        weights = weights_path(feature_set.weights) if feature_set.weights else None
        try:
            embedder = made(weights, device)
        except (ImportError, OSError) as error:
            what = f"the feature set {feature_set.name}"
            raise unable(what, error, feature_set.factory) from error
        made = Lane(embedder, feature_set.batch_size) if device != "cpu" else _alone(embedder)
    columns, at_own_rate = len(feature_set.columns), feature_set.frontend.sample_rate is None

    def extract(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
        rows = made(samples, rate) if at_own_rate else made(samples)
        values: NDArray[np.float64] = np.ascontiguousarray(rows, np.float64)
        if values.ndim != 2 or values.shape[1] != columns or not len(values):
            raise ItemError(
                "internal",
                f"{feature_set.factory} returned {values.shape}, not (rows, {columns})",
                "please tell its author",
            )
        if not np.isfinite(values).all():
            message = f"{feature_set.factory} returned values that are not finite"
            raise ItemError("internal", message, "please tell its author")
        return values

    return extract


def _alone(embedder: Embedder) -> Callable[[NDArray[np.float32]], NDArray[Any]]:
    """Each piece by itself, on its piece thread: a CPU gains nothing by batches."""

    def embed(samples: NDArray[np.float32]) -> NDArray[Any]:
        rows = embedder.embed([embedder.prepare(samples)])
        if len(rows) != 1:
            raise ItemError("internal", f"{len(rows)} results for 1 pieces")
        return rows[0]

    return embed


class _Waiting:
    """A piece that waits for its rows."""

    def __init__(self, prepared: NDArray[Any]) -> None:
        self.prepared = prepared
        self.rows: NDArray[Any] | None = None
        self.error: BaseException | None = None

    @property
    def done(self) -> bool:
        return self.rows is not None or self.error is not None


class Lane:
    """One way to a GPU for all threads: what has come by then goes through the network at once.

    Whoever finds the lane free takes everybody's pieces along; it has no thread.

    Parameters
    ----------
    batch_size : the most pieces at once.
    """

    def __init__(self, embedder: Embedder, batch_size: int) -> None:
        self._embedder = embedder
        self._batch_size = batch_size
        self._queue: deque[_Waiting] = deque()
        self._free = threading.Lock()

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[Any]:
        """The rows of one piece; raises what the embedder raises for it."""
        piece = _Waiting(self._embedder.prepare(samples))
        self._queue.append(piece)
        while not piece.done:
            with self._free:
                if not piece.done:
                    count = min(len(self._queue), self._batch_size)
                    self._run([self._queue.popleft() for _ in range(count)])
        if piece.error is not None:
            raise piece.error
        assert piece.rows is not None
        return piece.rows

    def _run(self, batch: Sequence[_Waiting]) -> None:
        """Give each its rows; where several together fail, each alone, so that one fails alone."""
        try:
            rows = list(self._embedder.embed([one.prepared for one in batch]))
            if len(rows) != len(batch):
                raise ItemError("internal", f"{len(rows)} results for {len(batch)} pieces")
        except BaseException as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for one in batch:
                self._run([one])
            return
        for one, found in zip(batch, rows, strict=True):
            one.rows = found
