"""The network against a plain one, and what of a sound reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import soxr
from mgrkit_pretrained import network
from mgrkit_pretrained.layout import FRONT_END, HEARD, HOP, PENULTIMATE, POOL, TAGS, WINDOW
from mgrkit_pretrained.musicnn import Penultimate, Pool, Tags
from safetensors.numpy import save_file

from mgrkit.errors import ItemError
from mgrkit.features.windows import windows
from mgrkit.registry import installed, resolve
from mgrkit.seeds import generator
from mgrkit.spectrograms import compressed
from tests.plugins.made_checkpoint import LIVING, made_arrays, plain

LAYERS = {"tags": (Tags, TAGS), "penultimate": (Penultimate, PENULTIMATE), "pool": (Pool, POOL)}
RATE, FRAMES = FRONT_END.sample_rate, FRONT_END.transform.hop_length


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "made.safetensors"
    save_file(made_arrays(), path)
    return path


def sound(seconds: float, rate: int = RATE) -> np.ndarray:
    """Chords and beats, float32 mono; below 8 kHz, so that any rate holds them."""
    rng = generator(0, "test_musicnn")
    t = np.arange(round(seconds * rate)) / rate
    out = np.zeros_like(t)
    for hz in rng.uniform(60, 6000, 30):
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 3) * t + rng.uniform(0, 6))
        out += swell * np.sin(2 * np.pi * hz * t + rng.uniform(0, 6))
    out *= np.exp(-3 * (t % 0.5))
    return (0.6 * out / np.abs(out).max()).astype(np.float32)


def levels(frames: int, variant: int = 0) -> np.ndarray:
    """Log-mel as a sound has it that grows louder, 0 to 5."""
    drawn = generator(0, "levels", (variant,)).random((frames, 96), np.float32)
    return 5 * drawn**2 * np.linspace(0.2, 1, frames, dtype=np.float32)[:, None]


def test_tells_what_the_plain_network_tells(weights: Path) -> None:
    piece = levels(WINDOW + 2 * HOP)
    wanted = plain(made_arrays(), windows(piece, WINDOW, HOP))
    assert wanted["tags"].std(axis=0).min() > 1e-3, "the made network tells the same of all"
    for name, (make, columns) in LAYERS.items():
        (rows,) = make(weights, "cpu").embed([piece])
        assert rows.dtype == np.float32
        assert rows.shape == (3, len(columns))
        scale = np.maximum(1, np.abs(wanted[name]))
        assert (np.abs(rows - wanted[name]) / scale).max() < 1e-5


def test_leaves_out_dead_filters_only(weights: Path) -> None:
    made = network.Network(made_arrays(), "cpu")
    live = [-(-number // LIVING) for number in (204, 204, 51, 51, 51)]
    assert [len(kernel) for kernel in made._kernels] == live


def test_a_filter_that_hardly_lives_is_not_left_out() -> None:
    """A kernel not far above what is dead still changes what the plain network tells."""
    arrays = {name: values.copy() for name, values in made_arrays().items()}
    arrays["conv2d_2/bias"][1] = 1
    arrays["conv2d_5/kernel"][:, 408 + 1] *= 100
    cut = windows(levels(WINDOW), WINDOW, HOP)
    dead = plain(arrays, cut)["pool"]
    arrays["conv2d_2/kernel"][..., 1] = 1e-4
    wanted = plain(arrays, cut)["pool"]
    pool = network.Network(arrays, "cpu")(torch.from_numpy(np.array(cut))).pool.numpy()
    assert np.abs(dead - wanted).max() > 1e-2
    assert (np.abs(pool - wanted) / np.maximum(1, np.abs(wanted))).max() < 1e-5


def test_negative_scales_turn_the_maximum_round() -> None:
    """Without a ReLU's zero in between, which would hide it."""
    arrays = {name: values.copy() for name, values in made_arrays().items()}
    for number in range(5):
        layer = f"conv2d_{number}" if number else "conv2d"
        arrays[f"{layer}/bias"][:] = 8
    cut = windows(levels(WINDOW), WINDOW, HOP)
    wanted = plain(arrays, cut)["pool"][:, :HEARD]
    made = network.Network(arrays, "cpu")
    pool = made(torch.from_numpy(np.array(cut))).pool[:, :HEARD].numpy()
    assert (np.abs(pool - wanted) / np.maximum(1, np.abs(wanted))).max() < 1e-5


def test_the_sets_name_these_classes(weights: Path) -> None:
    for name, (make, columns) in LAYERS.items():
        spec = installed().feature_set(f"musicnn-{name}")
        assert resolve(spec.factory) is make
        assert spec.columns == columns
        assert (spec.window, spec.hop) == (2.992, 0.976)
        assert spec.weights is not None


@pytest.mark.parametrize("name", LAYERS)
def test_a_piece_does_not_see_its_neighbours(weights: Path, name: str) -> None:
    embedder = LAYERS[name][0](weights, "cpu")
    pieces = [levels(frames, frames) for frames in (400, 187, 900, 260)]
    alone = [embedder.embed([piece])[0] for piece in pieces]
    together = embedder.embed(pieces)
    backwards = embedder.embed(pieces[::-1])[::-1]
    assert [len(rows) for rows in together] == [4, 1, 12, 2]
    for one, two, three in zip(alone, together, backwards, strict=True):
        assert one.tobytes() == two.tobytes() == three.tobytes()


def test_pieces_that_go_together_come_back_apart(weights: Path) -> None:
    """As on a GPU, where the windows of all pieces are one batch, cut in blocks."""
    embedder = Tags(weights, "cpu")
    pieces = [levels(frames, frames) for frames in (400, 187, 900)]
    alone = embedder.embed(pieces)
    embedder._device = "cpu:0"
    for one, two in zip(alone, embedder.embed(pieces), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-6)


def test_hears_log_mel(weights: Path) -> None:
    samples = sound(4)
    prepared = Tags(weights, "cpu").prepare(samples)
    assert prepared.dtype == np.float32
    assert prepared.shape == (1 + len(samples) // FRAMES, 96)
    np.testing.assert_array_equal(prepared, compressed(samples, FRONT_END))


def test_a_quiet_piece_is_heard_as_loud_as_music_is(weights: Path) -> None:
    embedder = Tags(weights, "cpu")
    loud = sound(4)
    half = loud * np.float32(0.5 / np.abs(loud).max())
    for gain in (0.3, 0.01):
        np.testing.assert_allclose(
            embedder.prepare(half * np.float32(gain)), embedder.prepare(half), atol=1e-3
        )
    assert not np.allclose(embedder.prepare(half * 2), embedder.prepare(half), atol=1e-2)
    with pytest.raises(ItemError, match="silent"):
        embedder.prepare(half * np.float32(1e-5))


def test_a_short_sound_is_repeated_until_it_fills_a_window(weights: Path) -> None:
    embedder = Tags(weights, "cpu")
    samples = sound(2)
    prepared = embedder.prepare(samples)
    heard = compressed(samples, FRONT_END)
    assert len(heard) == 126
    np.testing.assert_array_equal(prepared, np.concatenate([heard, heard])[:WINDOW])
    assert embedder.embed([prepared])[0].shape == (1, 50)


@pytest.mark.parametrize("frames", [93, 4])
def test_less_than_half_a_window_is_too_short(weights: Path, frames: int) -> None:
    samples = sound(3)
    embedder = Tags(weights, "cpu")
    size = (frames - 1) * FRAMES
    with pytest.raises(ItemError, match=rf"{size / RATE:.2f} s; musicnn hears 1.5 s at least"):
        embedder.prepare(samples[:size])
    embedder.prepare(samples[: 93 * FRAMES])


def test_silence_and_what_is_no_number_are_named(weights: Path) -> None:
    embedder = Tags(weights, "cpu")
    with pytest.raises(ItemError, match="silent"):
        embedder.prepare(np.zeros(4 * RATE, np.float32))
    with pytest.raises(ItemError, match="non-finite"):
        embedder.prepare(np.full(4 * RATE, np.nan, np.float32))


def test_silence_around_a_sound_is_no_fault(weights: Path) -> None:
    samples = np.concatenate([np.zeros(4 * RATE, np.float32), sound(1)])
    embedder = Tags(weights, "cpu")
    (rows,) = embedder.embed([embedder.prepare(samples)])
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("rate", [44_100, 22_050])
def test_the_rate_of_a_file_hardly_matters(weights: Path, rate: int) -> None:
    embedder = Tags(weights, "cpu")
    copies = (soxr.resample(sound(6, rate), rate, RATE, "HQ"), sound(6))
    rows: list[Any] = [embedder.embed([embedder.prepare(copy)])[0] for copy in copies]
    assert np.corrcoef(rows[0].ravel(), rows[1].ravel())[0, 1] > 0.999


def test_leaves_the_number_of_threads_and_the_random_state_alone(weights: Path) -> None:
    before = torch.get_num_threads(), torch.get_rng_state()
    Tags(weights, "cpu").embed([levels(WINDOW)])
    assert torch.get_num_threads() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
