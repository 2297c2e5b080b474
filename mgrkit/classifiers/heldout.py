"""What a model answered on tracks that it was not fit on, kept so that nobody need fit again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.bundlefields import lines
from mgrkit.errors import BundleError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NAMES = ("probabilities", "y", "folds", "ids", "groups")
_TRACKS = "out-of-fold predictions"
_SUMS = 0.01
"""How far a row of float16 may be from one."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Out-of-fold predictions: each track of train, by a fit on other artists.

    Parameters
    ----------
    probabilities : float16 ``(n, labels)``, of tracks, before calibration.
    y : int64 ``(n,)``: the true label of each.
    folds : uint8 ``(n,)``: the fold that held each back.
    ids : of the tracks, each once.
    groups : the artist of each, or the track itself where nobody knows.
    """

    probabilities: NDArray[np.float16]
    y: NDArray[np.int64]
    folds: NDArray[np.uint8]
    ids: tuple[str, ...]
    groups: tuple[str, ...]

    def rows(self, which: Sequence[int] | slice = slice(None)) -> NDArray[np.float32]:
        """The probabilities of these tracks, float32, rows summing to one."""
        rows = self.probabilities[which].astype(np.float32)
        scaled: NDArray[np.float32] = rows / rows.sum(1, keepdims=True)
        return scaled

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """As a bundle keeps them."""
        texts = {"ids": self.ids, "groups": self.groups}
        arrays: dict[str, NDArray[Any]] = {
            name: np.frombuffer("\n".join(text).encode(), np.uint8) for name, text in texts.items()
        }
        return {n: arrays[n] if n in arrays else getattr(self, n) for n in _NAMES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], labels: int) -> HeldOut:
        """What `to_arrays` gave.

        Raises
        ------
        BundleError : an array is missing, or has another shape, type or values than can be.
        """
        if odd := set(arrays) ^ set(_NAMES):
            names = ", ".join(sorted(odd))
            raise BundleError(f"the out-of-fold predictions lack, or should not have: {names}")
        made = cls(
            arrays["probabilities"], arrays["y"], arrays["folds"],
            lines(arrays["ids"], _TRACKS), lines(arrays["groups"], _TRACKS),
        )  # fmt: skip
        if wrong := made._wrong(labels):
            raise BundleError(f"the out-of-fold predictions have {wrong}")
        return made

    def _wrong(self, labels: int) -> str:
        count, wanted = len(self.ids), {"probabilities": "float16", "y": "int64", "folds": "uint8"}
        for name, kind in wanted.items():
            array = getattr(self, name)
            shape = (count, labels) if name == "probabilities" else (count,)
            if (array.dtype.name, array.shape) != (kind, shape):
                return f"{name} as {array.dtype} of shape {array.shape}, not {kind} of {shape}"
        if len(self.groups) != count or len(set(self.ids)) != count or not count:
            return "ids that are none or not each once, or not an artist for each"
        rows = self.probabilities.astype(np.float32)
        if not np.isfinite(rows).all() or (rows < 0).any() or (abs(rows.sum(1) - 1) > _SUMS).any():
            return "rows that are no probabilities"
        if (self.y < 0).any() or (self.y >= labels).any():
            return "labels that there are not"
        return ""
