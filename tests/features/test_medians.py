"""The running median, bit for bit against scipy's filter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from mgrkit.features.descriptors.medians import running_median


def expected(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return median_filter(values, size=(31, 1), mode="reflect")


@pytest.mark.parametrize(
    "shape", [(1, 1), (5, 3), (15, 2), (16, 7), (17, 4), (31, 1), (32, 5), (33, 2), (200, 40)]
)
def test_equal_to_scipy(shape: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random(shape, np.float32)
    np.testing.assert_array_equal(running_median(values), expected(values))


@given(st.integers(5, 70), st.integers(1, 9), st.integers(0, 2**32 - 1), st.sampled_from([2, 9]))
@settings(max_examples=60, deadline=None)
def test_equal_values_and_zeros(rows: int, columns: int, seed: int, levels: int) -> None:
    values = np.random.default_rng(seed).integers(0, levels, (rows, columns)).astype(np.float32)
    np.testing.assert_array_equal(running_median(values), expected(values))


def test_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((100, 50), np.float32)
    monkeypatch.setattr("mgrkit.features.descriptors.medians._HELD", 2**15)
    np.testing.assert_array_equal(running_median(values), expected(values))


def test_any_strides_and_the_input_stays() -> None:
    held = np.random.default_rng(0).random((40, 120), np.float32)
    before = held.copy()
    held.flags.writeable = False
    np.testing.assert_array_equal(running_median(held.T).T, expected(held.T).T)
    np.testing.assert_array_equal(running_median(held[:, ::3]), expected(held[:, ::3].copy()))
    np.testing.assert_array_equal(held, before)


def test_tiny_and_large_numbers_keep_their_order() -> None:
    values = (10.0 ** np.random.default_rng(0).integers(-44, 38, (90, 6))).astype(np.float32)
    np.testing.assert_array_equal(running_median(values), expected(values))
