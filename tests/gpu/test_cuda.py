"""What only a CUDA device can show; skipped where there is none. ``nox -s gpu`` runs it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.classifiers import Examples, Run, Task
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import Stopped
from mgrkit.frontend import front_end
from mgrkit.models.model import Model
from mgrkit.registry import installed, resolve, with_parameters
from mgrkit.spectrograms import render
from mgrkit.testing.keeping_promises import has_cuda
from mgrkit.testing.toys import toy
from tests.plugins.made_checkpoint import made_arrays

pytestmark = pytest.mark.skipif(not has_cuda(), reason="no CUDA device is here")
NETWORKS = ("cnn", "crnn", "vit")
COLUMNS = ("svm", "random_forest", "logistic_regression")
DEVICES = ("cpu", "cuda")
SECONDS = 60.0
"""One network on the public pictures takes at most so long on one modern GPU."""

ROWS, WIDE, GENRES = 8000, 518, 8
"""Made data of about the size of FMA's small part."""


@pytest.mark.parametrize("precision", ["float32", "mixed"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_learns_on_cuda_and_answers_alike_on_the_cpu(name: str, precision: str) -> None:
    spec = installed().classifier(name).spec
    toys = toy("image")

    def new():
        return resolve(spec.factory)(toys.task, with_parameters(spec, {"epochs": 15}))

    model = new()
    model.fit(toys.train, toys.valid, Run(0, "cuda", precision))
    probabilities = model.predict_proba(toys.asked)
    held_out = probabilities[: len(toys.held_out)].argmax(1)
    assert (held_out == toys.held_out.y).mean() >= 0.9
    other = new()
    other.restore(model.state(), "cpu")
    assert np.abs(other.predict_proba(toys.asked) - probabilities).max() < 1e-4


@pytest.mark.parametrize("name", NETWORKS)
def test_a_stopped_fit_goes_on_from_its_checkpoint(name: str, tmp_path: Path) -> None:
    spec, toys = installed().classifier(name).spec, toy("image")
    epochs: list[int] = []

    def fit(stop_after: int | None = None) -> None:
        def told(done: int, _: int, metrics: Mapping[str, float]) -> None:
            if metrics:
                epochs.append(done)

        run = Run(
            0, "cuda", folder=tmp_path, progress=told,
            stop_requested=lambda: len(epochs) == stop_after,
        )  # fmt: skip
        model = resolve(spec.factory)(toys.task, with_parameters(spec, {"epochs": 6}))
        model.fit(toys.train, toys.valid, run)

    with pytest.raises(Stopped):
        fit(stop_after=3)
    fit()
    assert len(epochs) == 6


@pytest.mark.parametrize("precision", ["float32", "mixed"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_public_pictures_take_a_minute(
    data: Path, tmp_path: Path, name: str, precision: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = data / "gtzan" / "images_original"
    settings = TrainSettings(device="cuda", precision=precision)
    train(name, pictures, tmp_path / "warm.safetensors", TrainSettings(
        device="cuda", precision=precision, parameters={"epochs": 1}))  # fmt: skip
    begun = time.perf_counter()
    trained = train(name, pictures, tmp_path / "m.safetensors", settings)
    seconds = time.perf_counter() - begun
    accuracy = trained.bundle.metrics["accuracy"]
    with capsys.disabled():
        print(f"\n{name} {precision}: {seconds:.0f} s, {accuracy:.3f} on valid")
    assert accuracy > 0.4
    assert seconds <= SECONDS
    assert Model(trained.path, "cpu").predict(next((data / "gtzan" / "clips").glob("*.flac")))


@pytest.mark.parametrize("layer", ["Tags", "Penultimate", "Pool"])
def test_musicnn_tells_several_tracks_at_once_what_it_tells_them_alone(
    layer: str, tmp_path: Path
) -> None:
    from mgrkit_pretrained import musicnn
    from safetensors.numpy import save_file

    save_file(made_arrays(), tmp_path / "made.safetensors")
    here, there = (getattr(musicnn, layer)(tmp_path / "made.safetensors", d) for d in DEVICES)
    sounds = [np.sin(np.arange(80_000 + 5_000 * k) / (9 + k)).astype(np.float32) for k in range(8)]
    prepared = [here.prepare(sound) for sound in sounds]
    for one, other in zip(here.embed(prepared), there.embed(prepared), strict=True):
        assert np.abs(one - other).max() <= 1e-4 * max(1, np.abs(one).max())


@pytest.fixture(scope="module")
def made() -> Examples:
    """Clouds that overlap, two rows to an artist."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(ROWS) % GENRES)
    centres = rng.normal(size=(GENRES, WIDE)) * 0.15
    x = (centres[y] + rng.normal(size=(ROWS, WIDE))).astype(np.float32)
    n = np.arange(ROWS)
    return Examples(x, y, n, n // 2)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_classifier_of_columns_learns_on_cuda_what_it_learns_on_the_cpu(
    name: str, made: Examples, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = installed().classifier(name).spec
    task = Task(tuple(f"genre{i}" for i in range(GENRES)), (WIDE,))
    told, seconds = {}, {}
    for device in ("cuda", *DEVICES):  # the first time warms the device up
        model = resolve(spec.factory)(task, with_parameters(spec, {}))
        begun = time.perf_counter()
        model.fit(made, None, Run(0, device))
        seconds[device] = time.perf_counter() - begun
        told[device] = model.predict_proba(made.x)
        again = resolve(spec.factory)(task, with_parameters(spec, {}))
        again.restore(model.state(), "cpu")
        assert np.abs(again.predict_proba(made.x) - told[device]).max() < 1e-5
    with capsys.disabled():
        print(
            f"\n{name}, {ROWS} x {WIDE}: cpu {seconds['cpu']:.1f} s, cuda {seconds['cuda']:.1f} s"
        )
    here, there = (probabilities.argmax(1) for probabilities in told.values())
    assert (here == there).mean() > (0.95 if name == "random_forest" else 0.998)
    assert seconds["cuda"] <= seconds["cpu"] / 10


@pytest.mark.parametrize("name", COLUMNS)
def test_a_real_table_is_learnt_evaluated_and_predicted_on_cuda(
    data: Path, tmp_path: Path, name: str
) -> None:
    table = data / "gtzan" / "features_30_sec.csv"
    trained = train(name, table, tmp_path / "m.safetensors", TrainSettings(device="cuda"))
    other = train(name, table, tmp_path / "n.safetensors", TrainSettings(device="cpu"))
    accuracies = [one.bundle.metrics["accuracy"] for one in (trained, other)]
    assert abs(accuracies[0] - accuracies[1]) < 0.05
    assert Model(trained.path, "cuda").predict(next((data / "gtzan" / "clips").glob("*.flac")))


def test_pictures_are_those_of_the_cpu_within_a_level(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips = sorted((data / "gtzan" / "clips").glob("*.flac"))
    sounds = [soundfile.read(clip, dtype="float32")[0] for clip in clips]
    front, seconds, drawn = front_end(), {}, {}
    for device in ("cuda", *DEVICES):
        begun = time.perf_counter()
        drawn[device] = [render(sound, front, device).values for sound in sounds]
        seconds[device] = time.perf_counter() - begun
    with capsys.disabled():
        print(
            f"\n{len(sounds)} mel pictures: cpu {seconds['cpu']:.2f}, cuda {seconds['cuda']:.2f} s"
        )
    for here, there in zip(*drawn.values(), strict=True):
        assert np.abs(here.astype(int) - there).max() <= 1
    assert seconds["cuda"] <= seconds["cpu"] / 10
