"""Folds whose groups never lie on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit import seeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Indices = NDArray[np.int64]


def group_folds(
    y: NDArray[Any], groups: NDArray[Any], k: int = 5, seed: int = 0
) -> list[tuple[Indices, Indices]]:
    """Divide tracks into k folds of undivided groups, each label as evenly as that allows.

    Groups are dealt out one by one, large ones first, each to the fold where the shares of
    the labels stay the most even: what scikit-learn's StratifiedGroupKFold does.

    Parameters
    ----------
    y : integers ``(n,)``, the label of each track.
    groups : ``(n,)``, the group of each track.
    k : folds; with fewer groups there are as many folds as groups.
    seed : decides among groups that are alike.

    Returns
    -------
    For each fold the indices to fit on and those that are held back, both rising. Folds that
    would leave fewer than two labels to fit on are left out, so there may be none.
    """
    y = np.asarray(y)
    if not len(y):
        return []
    names, group = np.unique(groups, return_inverse=True)
    labels, label = np.unique(y, return_inverse=True)
    counts = np.zeros((len(names), len(labels)))
    np.add.at(counts, (group, label), 1)
    share = counts / counts.sum(0)
    ties = seeds.generator(seed, "folds").random(len(names))
    filled = np.zeros((min(k, len(names)), len(labels)))
    fold_of = np.empty(len(names), np.int64)
    for index in np.lexsort((ties, -counts.sum(1))):
        # What the sum of squares grows by; empty folds first among equals.
        growth = (filled * share[index]).sum(1)
        fold = int(np.lexsort((filled.sum(1), growth))[0])
        fold_of[index] = fold
        filled[fold] += share[index]
    held = fold_of[group][None] == np.arange(len(filled))[:, None]
    return [
        (np.flatnonzero(~mask), np.flatnonzero(mask))
        for mask in held
        if mask.any() and len(np.unique(y[~mask])) >= 2
    ]
