"""What of a sound reaches musicnn, and what it tells of it on a CPU."""

from __future__ import annotations

import subprocess
import sys
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from mgrkit_pretrained import musicnn, numpy_network
from mgrkit_pretrained.layout import FRONT_END, HOP, PENULTIMATE, POOL, TAGS, WINDOW
from mgrkit_pretrained.musicnn import Penultimate, Pool, Tags
from safetensors.numpy import save_file

from mgrkit.errors import ItemError, RunError
from mgrkit.inputs import extracting
from mgrkit.inputs.extracting import extractor
from mgrkit.registry import installed, resolve
from mgrkit.seeds import generator
from mgrkit.spectrograms import compressed
from tests.plugins.made_checkpoint import levels, made_arrays

LAYERS = {"tags": (Tags, TAGS), "penultimate": (Penultimate, PENULTIMATE), "pool": (Pool, POOL)}
RATE, FRAMES = FRONT_END.rate, FRONT_END.transform.hop_length


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


@pytest.mark.parametrize("name", LAYERS)
def test_threads_tell_what_one_tells(weights: Path, name: str) -> None:
    """Pieces of many lengths at the same time."""
    embedder = LAYERS[name][0](weights, "cpu")
    pieces = [levels(frames, frames) for frames in (1900, 187, 900, 260, 400, 188)] * 2
    alone = [embedder.embed([piece])[0].tobytes() for piece in pieces]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = [rows.tobytes() for [rows] in pool.map(embedder.embed, [[p] for p in pieces])]
    finally:
        sys.setswitchinterval(interval)
    assert found == alone


def test_frames_behind_the_last_window_are_not_heard(weights: Path) -> None:
    embedder = Pool(weights, "cpu")
    piece = levels(WINDOW + 2 * HOP - 1)
    cut = np.ascontiguousarray(piece[: WINDOW + HOP])
    for [rows] in (embedder.embed([piece]), embedder.embed([cut])):
        assert rows.tobytes() == embedder.embed([cut])[0].tobytes()
        assert len(rows) == 2


def test_rows_of_a_window_are_the_same_wherever_it_lies(weights: Path) -> None:
    """What windows share does not leak from one to the other; but for rounding."""
    embedder = Pool(weights, "cpu")
    piece = levels(WINDOW + 9 * HOP)
    [rows] = embedder.embed([piece])
    for number, row in enumerate(rows):
        [[alone]] = embedder.embed([piece[number * HOP : number * HOP + WINDOW]])
        assert (np.abs(alone - row) / np.maximum(1, np.abs(row))).max() < 1e-5


@pytest.mark.parametrize("shape", [(186, 96), (187, 95), (187,), (0, 96), (1, 187, 96)])
def test_levels_of_another_shape_are_refused(weights: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"log-mel \(.*, not \(187 or more, 96\)"):
        Tags(weights, "cpu").embed([np.zeros(shape, np.float32)])


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the network and the front end have run since."""
    counted: Counter[str] = Counter()
    pass_, levels_ = numpy_network.Network.__call__, musicnn._levels

    def network(self: numpy_network.Network, pieces: Any) -> Any:
        counted["network"] += len(pieces)
        return pass_(self, pieces)

    def front_end(samples: np.ndarray) -> np.ndarray:
        counted["front end"] += 1
        return levels_(samples)

    monkeypatch.setattr(numpy_network.Network, "__call__", network)
    monkeypatch.setattr(musicnn, "_levels", front_end)
    return counted


def test_three_layers_of_a_piece_cost_one_pass(weights: Path, passes: Counter[str]) -> None:
    layers = [make(weights, "cpu") for make, _ in LAYERS.values()]
    pieces = sound(4), sound(5), sound(4)[::-1].copy()
    rows = [[layer.embed([layer.prepare(piece.copy())])[0] for layer in layers] for piece in pieces]
    assert passes == {"network": 3, "front end": 3}
    for piece, told in zip(pieces, rows, strict=True):
        for layer, one in zip(layers, told, strict=True):
            layer.prepare(sound(3))
            assert layer.embed([layer.prepare(piece)])[0].tobytes() == one.tobytes()


def test_a_buffer_that_is_filled_again_is_another_piece(
    weights: Path, passes: Counter[str]
) -> None:
    embedder, buffer = Tags(weights, "cpu"), sound(4)
    [first] = embedder.embed([embedder.prepare(buffer)])
    buffer[:] = buffer[::-1].copy()
    [second] = embedder.embed([embedder.prepare(buffer)])
    assert not np.array_equal(first, second)
    assert passes == {"network": 2, "front end": 2}


def test_what_is_kept_for_the_next_layer_cannot_be_changed(weights: Path) -> None:
    embedder = Tags(weights, "cpu")
    prepared = embedder.prepare(sound(4))
    for values in (prepared, embedder.embed([prepared])[0]):
        with pytest.raises(ValueError, match="read-only"):
            values[0, 0] = 1


def test_a_piece_that_is_refused_leaves_the_last_one_alone(weights: Path) -> None:
    embedder = Tags(weights, "cpu")
    wanted = embedder.prepare(sound(4)).copy()
    with pytest.raises(ItemError, match="musicnn hears"):
        embedder.prepare(sound(1))
    assert embedder.prepare(sound(4)).tobytes() == wanted.tobytes()


AWAY = """
import sys
sys.modules.update(dict.fromkeys(["torch", "torchvision", "sklearn", "librosa"]))
"""
"""For a new interpreter: where something imports one of these, it fails."""


def test_a_cpu_needs_no_torch(weights: Path) -> None:
    code = f"""{AWAY}
import numpy as np
from mgrkit.registry import installed, resolve
for name in ("musicnn-tags", "musicnn-penultimate", "musicnn-pool"):
    spec = installed().feature_set(name)
    made = resolve(spec.factory)({str(weights)!r}, "cpu")
    [rows] = made.embed([made.prepare(np.sin(np.arange(80_000, dtype=np.float32)))])
    print(rows.shape == (3, len(spec.columns)), spec.requires)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["True ()"] * 3, done.stderr


@pytest.mark.parametrize("words", [
    ["features", "a.wav", "a.csv", "--set", "musicnn-tags"], ["predict", "a.wav", "-m", "musicnn"],
])  # fmt: skip
def test_commands_on_a_cpu_need_no_torch(ears: Path, tmp_path: Path, words: list[str]) -> None:
    soundfile.write(tmp_path / "a.wav", sound(5), RATE)
    code = f"{AWAY}from mgrkit.cli.app import app\nprint(app({words!r}, standalone_mode=False))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", LAYERS)
def test_a_gpu_without_torch_is_told(
    weights: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its plain import error, of which the command line makes what can be done."""
    for module in ("torch", "mgrkit_pretrained.network"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.delattr("mgrkit_pretrained.network", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    spec = replace(installed().feature_set(f"musicnn-{name}"), weights=None)
    monkeypatch.setattr(extracting, "resolve_device", lambda *_: "cuda")
    monkeypatch.setattr(musicnn, "_ears", lambda _, device: musicnn._Ears(weights, device))
    with pytest.raises(RunError, match=r"musicnn.* cannot run.*torch.*\(pip install torch\)"):
        extractor(spec, "cuda")


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


@pytest.mark.parametrize("gain", [1, 1e4])
def test_noise_of_any_level_gives_numbers(weights: Path, gain: float) -> None:
    samples = generator(0, "noise").standard_normal(4 * RATE, np.float32) * np.float32(gain)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for make, _ in LAYERS.values():
            embedder = make(weights, "cpu")
            [rows] = embedder.embed([embedder.prepare(samples)])
            assert np.isfinite(rows).all()
