"""Feature sets at work: which one a model eats, and its extractor, held to its spec."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.errors import ItemError, UsageError
from mgrkit.registry import FeatureSetSpec, registry, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

Extract = Callable[["NDArray[np.float32]"], "NDArray[np.float64]"]


def feature_set_of(name: str, eats: str) -> FeatureSetSpec:
    """The feature set that a classifier or a bundle eats.

    Raises
    ------
    UsageError : it eats something else, or a set that no plugin provides.
    """
    kind, _, which = eats.partition(":")
    if kind != "features":
        raise UsageError(f"{name} eats {kind}, which mgrkit cannot prepare yet")
    return registry().feature_set(which)


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
