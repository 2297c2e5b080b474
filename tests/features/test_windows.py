"""Windows of a piece, and what sums them up."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit.errors import ItemError
from mgrkit.features.windows import summary, windows

VALUES = np.arange(60).reshape(20, 3)


@pytest.mark.parametrize(
    ("length", "hop", "starts"),
    [(20, 5, [0]), (10, 5, [0, 5, 10]), (10, 4, [0, 4, 8]), (7, 13, [0, 13]), (7, 14, [0])],
)
def test_as_many_windows_as_fit(length: int, hop: int, starts: list[int]) -> None:
    cut = windows(VALUES, length, hop)
    assert cut.shape == (len(starts), length, 3)
    for start, window in zip(starts, cut, strict=True):
        assert np.array_equal(window, VALUES[start : start + length])


@pytest.mark.parametrize("size", [5, 6, 9])
def test_half_a_window_and_more_is_repeated(size: int) -> None:
    cut = windows(VALUES[:size], 10, 4)
    assert np.array_equal(cut, VALUES[np.arange(10) % size][None])


@pytest.mark.parametrize(("size", "length"), [(4, 10), (5, 11), (0, 1)])
def test_less_than_half_a_window_is_too_short(size: int, length: int) -> None:
    with pytest.raises(ItemError, match=f"too-short: {size} frames, half a window has"):
        windows(VALUES[:size], length, 4)


def test_mean_and_deviation() -> None:
    rows = np.array([[1, 10], [3, 10], [5, 40]], np.float32)
    assert summary(rows, "mean").tolist() == [[3, 20]]
    row = summary(rows, "mean-sd")
    assert row.tolist() == [[3, 20, np.sqrt(8 / 3), np.sqrt(200)]]
