"""The extractor of a feature set, loaded once in each process and held to its spec."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.errors import ItemError
from mgrkit.registry import FeatureSetSpec, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

Extract = Callable[["NDArray[np.float32]"], "NDArray[np.float64]"]


@functools.cache
def extractor(feature_set: FeatureSetSpec) -> Extract:
    """What gives the features of a piece: samples float32 ``(frames,)`` to ``(rows, columns)``.

    It raises ItemError for sound that the set cannot describe, and ``internal`` when what the
    set's author returns has another shape than the spec says.

    Raises
    ------
    RunError : the set's code cannot be loaded.
    """
    function = resolve(feature_set.factory)
    columns = len(feature_set.columns)

    def extract(samples: NDArray[np.float32]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = np.ascontiguousarray(function(samples), np.float64)
        if values.ndim != 2 or values.shape[1] != columns or not len(values):
            raise ItemError(
                "internal",
                f"{feature_set.factory} returned {values.shape}, not (rows, {columns})",
                "please tell its author",
            )
        return values

    return extract
