"""What belongs together, because it has something in common."""

from __future__ import annotations

from collections.abc import Hashable, Iterable


def linked(marks: Iterable[Iterable[Hashable]]) -> list[list[int]]:
    """Sets of items that share a mark, directly or by way of others (union-find).

    Parameters
    ----------
    marks : of each item.

    Returns
    -------
    The items' indices: each set rising, the sets by their first index.

    >>> linked([["a"], ["b"], ["a", "c"], ["c"], []])
    [[0, 2, 3], [1], [4]]
    """
    parent: list[int] = []
    holder: dict[Hashable, int] = {}

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for index, found in enumerate(marks):
        parent.append(index)
        for mark in found:
            one, other = sorted((root(holder.setdefault(mark, index)), root(index)))
            parent[other] = one  # the smallest index is the root
    sets: dict[int, list[int]] = {}
    for index in range(len(parent)):
        sets.setdefault(root(index), []).append(index)
    return list(sets.values())
