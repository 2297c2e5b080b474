"""musicnn in NumPy and in torch against one another, and against a plain one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_pretrained import network, numpy_network
from mgrkit_pretrained.folding import Front
from mgrkit_pretrained.layout import HEARD, HOP, TENSORS, WINDOW, Layers
from safetensors.numpy import load_file

from mgrkit.features.windows import windows
from mgrkit.seeds import generator
from tests.plugins.made_checkpoint import LIVING, levels, made_arrays, plain

Arrays = Mapping[str, np.ndarray]

LENGTHS = (187, 188, 246, 247, 248, 249, 309, 430, 431, 432, 1876, 2813)
"""Frames: a window exactly and one more, two windows less one, exactly and so on; with products
of four windows at once, with one left over, with none; a clip of 30 s and a piece of 45."""


def all_living() -> dict[str, np.ndarray]:
    """Random weights where no filter is dead; a third of the scales are negative."""
    rng = generator(0, "all_living")
    arrays = {name: values.copy() for name, values in made_arrays().items()}
    for name, shape in TENSORS.items():
        if name.endswith("kernel"):
            drawn = rng.standard_normal(shape, np.float32)
            arrays[name] = (drawn / np.sqrt(np.prod(shape[:-1]))).astype(np.float32)
    return arrays


def partly_dead() -> dict[str, np.ndarray]:
    """In each layer of the middle others are dead, so that some are in two and in three."""
    arrays = {name: values.copy() for name, values in made_arrays().items()}
    for number, step in ((5, 2), (6, 3), (7, 5)):
        arrays[f"conv2d_{number}/kernel"][..., ::step] *= 1e-12
    return arrays


WEIGHTS = {"made": made_arrays, "all living": all_living, "partly dead": partly_dead}


def apart(
    one: Mapping[str, np.ndarray] | Layers, other: Mapping[str, np.ndarray] | Layers
) -> float:
    """The largest difference; of numbers beyond 1, in units of them."""
    pairs = zip(*(x._asdict() if isinstance(x, Layers) else x for x in (one, other)), strict=True)
    assert all(a == b for a, b in pairs)
    found = 0.0
    for name in ("tags", "penultimate", "pool"):
        a, b = (getattr(x, name) if isinstance(x, Layers) else x[name] for x in (one, other))
        assert a.shape == b.shape
        found = max(found, float((np.abs(a - b) / np.maximum(1, np.abs(b))).max()))
    return found


@pytest.mark.parametrize("weights", WEIGHTS)
def test_both_tell_what_the_plain_network_tells(weights: str) -> None:
    arrays, piece = WEIGHTS[weights](), levels(WINDOW + 2 * HOP)
    wanted = plain(arrays, windows(piece, WINDOW, HOP))
    assert np.median(wanted["tags"].std(axis=0)) > 1e-3, "the made network tells the same of all"
    for made in (numpy_network.Network(arrays), network.Network(arrays, "cpu")):
        [told] = made([piece])
        assert {rows.dtype for rows in told} == {np.dtype(np.float32)}
        assert apart(told, wanted) < 3e-5


@pytest.mark.parametrize("weights", WEIGHTS)
def test_they_agree_on_pieces_of_any_length(weights: str) -> None:
    arrays = WEIGHTS[weights]()
    ours, torchs = numpy_network.Network(arrays), network.Network(arrays, "cpu")
    pieces = [levels(frames, frames) for frames in LENGTHS[: 12 if weights == "made" else 9]]
    for told, wanted in zip(ours(pieces), torchs(pieces), strict=True):
        assert apart(told, wanted) < 3e-5


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("level", [0.0, 0.01, 8.0])
def test_they_agree_on_zeros_and_on_loud_noise(weights: str, level: float) -> None:
    arrays = WEIGHTS[weights]()
    drawn = generator(0, "noise").random((WINDOW + HOP + 7, 96), np.float32)
    [told] = numpy_network.Network(arrays)([drawn * np.float32(level)])
    [wanted] = network.Network(arrays, "cpu")([drawn * np.float32(level)])
    assert apart(told, wanted) < 3e-5


@pytest.mark.parametrize("weights", WEIGHTS)
def test_they_agree_where_the_edges_of_windows_are_loudest(weights: str) -> None:
    """The frames at edges, which see zeros, are computed apart from all others."""
    arrays = WEIGHTS[weights]()
    piece = levels(WINDOW + 4 * HOP) * np.float32(0.1)
    for start in range(0, 5 * HOP, HOP):
        piece[[start, start + 1, start + 2, start + WINDOW - 3, start + WINDOW - 1]] = 6
    [told] = numpy_network.Network(arrays)([piece])
    [wanted] = network.Network(arrays, "cpu")([piece])
    assert apart(told, wanted) < 3e-5


def test_they_agree_by_the_real_weights(musicnn_weights: Path) -> None:
    """Tags, which are what people see, within 1e-5; maps that are pooled reach 100."""
    arrays = load_file(musicnn_weights)
    pieces = [levels(frames, frames) for frames in (187, 247, 700)]
    for told, wanted in zip(
        numpy_network.Network(arrays)(pieces), network.Network(arrays, "cpu")(pieces), strict=True
    ):
        assert np.abs(told.tags - wanted.tags).max() < 1e-5
        assert apart(told, wanted) < 5e-4


def test_torchs_pieces_go_together_and_come_back_apart() -> None:
    made = network.Network(made_arrays(), "cpu")
    pieces = [levels(frames, frames) for frames in (400, 187, 900)]
    for [alone], together in zip((made([piece]) for piece in pieces), made(pieces), strict=True):
        assert apart(together, alone) < 1e-5


def test_leaves_out_dead_filters_only() -> None:
    live = [-(-number // LIVING) for number in (204, 204, 51, 51, 51)]
    assert [len(kernel) for kernel in Front(made_arrays()).kernels] == live
    assert [len(kernel) for kernel in Front(all_living()).kernels] == [204, 204, 51, 51, 51]
    middle = [
        [len(one.kernel) for one in numpy_network.Network(make())._middle]
        for make in (made_arrays, partly_dead)
    ]
    assert middle == [[64, 64, 64], [32, 42, 51]]


def test_a_filter_that_hardly_lives_is_not_left_out() -> None:
    """A kernel not far above what is dead still changes what the plain network tells."""
    arrays = {name: values.copy() for name, values in made_arrays().items()}
    arrays["conv2d_2/bias"][1] = 1
    arrays["conv2d_5/kernel"][:, 408 + 1] *= 100
    piece = levels(WINDOW)
    dead = plain(arrays, piece[None])["pool"]
    arrays["conv2d_2/kernel"][..., 1] = 1e-4
    wanted = plain(arrays, piece[None])
    assert np.abs(dead - wanted["pool"]).max() > 1e-2
    for made in (numpy_network.Network(arrays), network.Network(arrays, "cpu")):
        assert apart(made([piece])[0], wanted) < 3e-5


def test_negative_scales_turn_the_maximum_round() -> None:
    """Without a ReLU's zero in between, which would hide it."""
    arrays = {name: values.copy() for name, values in made_arrays().items()}
    for number in range(5):
        layer = f"conv2d_{number}" if number else "conv2d"
        arrays[f"{layer}/bias"][:] = 8
    piece = levels(WINDOW)
    wanted = plain(arrays, piece[None])["pool"][:, :HEARD]
    for made in (numpy_network.Network(arrays), network.Network(arrays, "cpu")):
        told = made([piece])[0].pool[:, :HEARD]
        assert (np.abs(told - wanted) / np.maximum(1, np.abs(wanted))).max() < 1e-5
