"""Raw sound from the file to the verdict: windows, rates, the cache, the crops on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

torch = pytest.importorskip("torch")

from mgrkit_neural import augmentation
from mgrkit_neural.hooks import CNNParameters
from mgrkit_neural.literature.specs import SampleCNNParameters

from mgrkit.classifiers import Task, load_bundle
from mgrkit.commands.train import TrainSettings, train
from mgrkit.frontend import front_end
from mgrkit.inputs import kinds
from mgrkit.models.model import load_model
from mgrkit.synthetic.collection import write_collection, write_wav

SMALL: dict[str, Any] = {
    "architecture": "3^5", "width": 8, "stride": 9, "epochs": 30, "batch": 4,
    "learning_rate": 0.01, "average": 0.8, "views": 5,
}  # fmt: skip


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same songs at the model's rate and at another."""
    folder = tmp_path_factory.mktemp("songs")
    write_collection(folder / "22050", songs=6, artists=6, seconds=4.0)
    for path in (folder / "22050").rglob("*.wav"):
        (folder / "44100" / path.parent.name).mkdir(parents=True, exist_ok=True)
        sound, rate = soundfile.read(path, dtype="float32")
        faster = soxr.resample(sound, rate, 2 * rate)
        write_wav(folder / "44100" / path.parent.name / path.name, faster.clip(-1, 1), 2 * rate)
    return folder


@pytest.fixture(scope="module")
def model(songs: Path) -> Path:
    out, threads = songs / "raw.safetensors", torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGRKIT_CACHE", str(songs / "cache"))
        trained = train("sample_cnn", songs / "22050", out, TrainSettings(parameters=SMALL))
    torch.set_num_threads(threads)
    assert trained.bundle.eats == "samples"
    assert trained.bundle.task.shape == (4 * 22_050,)
    return out


def test_sound_at_another_rate_is_brought_to_the_model_s(songs: Path, model: Path) -> None:
    model = load_model(str(model), "cpu")
    names = [path.relative_to(songs / "22050") for path in (songs / "22050").rglob("*.wav")]
    assert len(names) == 24
    right = []
    for name in names:
        told, other = (model.predict(songs / rate / name, top=4) for rate in ("22050", "44100"))
        right.append(told["genre"] == name.parent.name)
        wanted = {one["genre"]: one["probability"] for one in other["genres"]}
        found = {one["genre"]: one["probability"] for one in told["genres"]}
        assert found == pytest.approx(wanted, abs=0.03)
    assert np.mean(right) > 0.5


def test_what_was_heard_is_kept_in_the_cache(
    songs: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(songs / "cache"))
    kept = [path for path in (songs / "cache" / "samples").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) > 24 * 4 * 22_050 * 4

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the sound is prepared again")

    monkeypatch.setattr(kinds.Samples, "piece", never)
    again = train(
        "sample_cnn", songs / "22050", tmp_path / "again.safetensors",
        TrainSettings(parameters=SMALL),
    )  # fmt: skip
    assert again.counts["none"] == 0
    before = load_bundle(model).state
    assert again.bundle.state.keys() == before.keys()
    assert all(np.array_equal(again.bundle.state[name], before[name]) for name in before)


def test_crops_of_samples_are_the_samples_themselves() -> None:
    sound = torch.randn(5, 400, generator=torch.Generator().manual_seed(1))
    rows, starts = torch.tensor([4, 0, 4]), torch.tensor([300, 0, 7])
    told = augmentation.crops(sound, rows, starts, 100, "cpu")
    assert told.shape == (3, 1, 100)
    for one, row, start in zip(told, rows.tolist(), starts.tolist(), strict=True):
        assert torch.equal(one[0], sound[row, start : start + 100])


def test_samples_are_mixed_and_masked() -> None:
    recipe = SampleCNNParameters(mixup=1.0, time_mask=0.5)
    sound = torch.arange(1.0, 1201).reshape(3, 400)
    draws = augmentation.drawn(np.random.default_rng(2), 3, 1, 400, 100, recipe)
    told = augmentation.applied(sound, draws, 100, recipe, "cpu")
    plain = augmentation.applied(sound, draws, 100, SampleCNNParameters(), "cpu")
    other = augmentation.crops(sound, draws.mixed_rows, draws.mixed_starts, 100, "cpu")
    assert told.shape == (3, 1, 100)
    assert draws.columns.diff(dim=1).max() > 0
    for i, (first, end) in enumerate(draws.columns.tolist()):
        wanted = torch.lerp(other[i, 0], plain[i, 0], draws.share[i])
        wanted[first:end] = 0
        torch.testing.assert_close(told[i, 0], wanted)


def test_crops_are_as_many_samples_as_published_or_as_asked() -> None:
    front = front_end(sample_rate=16_000)
    task = Task(("a", "b"), (480_000,), frontend=front)
    assert SampleCNNParameters().columns(task) == 59_049
    assert SampleCNNParameters(architecture="3^7", stride=27).columns(task) == 59_049
    assert SampleCNNParameters(architecture="shallow").columns(task) == 1000
    assert SampleCNNParameters(crop_seconds=2.5).columns(task) == 40_000
    assert SampleCNNParameters().columns(Task(("a", "b"), (500,))) == 500
    assert CNNParameters(crop_seconds=15.0).columns(Task(("a", "b"), (128, 334))) == 167
