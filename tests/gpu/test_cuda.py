"""What only a CUDA device can show; skipped where there is none. ``nox -s gpu`` runs it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from mgrkit.classifiers import Run
from mgrkit.commands.train import TrainSettings, train
from mgrkit.models.model import Model
from mgrkit.registry import installed, resolve, with_parameters
from mgrkit.testing.keeping_promises import has_cuda
from mgrkit.testing.toys import toy
from tests.plugins.made_checkpoint import made_arrays

pytestmark = pytest.mark.skipif(not has_cuda(), reason="no CUDA device is here")
NETWORKS = ("cnn", "crnn", "vit")
DEVICES = ("cpu", "cuda")
SECONDS = 60.0
"""One network on the public pictures takes at most so long on one modern GPU."""


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
