"""Tags beside a genre, and tags alone."""

from __future__ import annotations

import csv
import json
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import mgrkit
from mgrkit.commands.train import train
from mgrkit.errors import ItemError, UsageError, WeightsError
from mgrkit.frontend import FrontEnd
from mgrkit.models import model as modelling
from mgrkit.registry import FeatureSetSpec, Weights, installed
from mgrkit.registry.catalogue import Plugin, Registry
from mgrkit.synthetic.collection import write_collection
from tests.cli.test_commands import mgrkit as cli

HERE = "tests.models.test_tagging"
RATE = 8000


def moods(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """How loud, calm and odd each second is; silence fits no mood."""
    if len(samples) < RATE:
        raise ItemError("too-short", "moods hears a second at least")
    level = np.abs(samples[: len(samples) // RATE * RATE]).reshape(-1, RATE).mean(1)
    return np.stack([level, 1 - level, level / 2], 1).astype(float)


SPEC = FeatureSetSpec(
    "moods", "for tests", f"{HERE}:moods", FrontEnd(sample_rate=RATE, mel=None, kind="stft"),
    ("loud", "calm", "odd"),
    window=1.0, hop=1.0, tags=True,
)  # fmt: skip
LOST = Weights("lost", "x", "lost-weights", "1", "a" * 64, 9, "a.b:c", "b" * 64, "free", "A. Bee")


def offering(monkeypatch: pytest.MonkeyPatch, *sets: FeatureSetSpec) -> None:
    shipped = [
        replace(one, feature_sets=tuple(spec for spec in one.feature_sets if not spec.tags))
        for one in installed().plugins
    ]
    known = Registry([*shipped, Plugin("moods", "1", feature_sets=sets)])
    for module in ("models.tagging", "models.choosing", "inputs.kinds"):
        monkeypatch.setattr(f"mgrkit.{module}.installed", lambda: known)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    write_collection(folder / "audio", songs=4, artists=2, seconds=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGRKIT_CACHE", str(folder / "cache"))
        train("svm", folder / "audio", folder / "svm.safetensors")
    return folder


@pytest.fixture
def song(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    offering(monkeypatch, SPEC)
    monkeypatch.chdir(place)
    return tone(tmp_path / "song.wav", 65)


def tone(path: Path, seconds: float) -> Path:
    samples = 0.5 * np.sin(np.arange(int(seconds * RATE)) * 0.3)
    samples[: 30 * RATE] /= 2  # the first piece is quieter
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(np.rint(samples * 32767).astype("<i2").tobytes())
    return path


def expected(path: Path) -> dict[str, float]:
    """Over all windows of both pieces: 30 s at half the level and 30 s of the rest."""
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
    rows = moods(samples[: 60 * RATE].astype(np.float32))
    return dict(zip(SPEC.columns, rows.mean(0), strict=True))


def test_tags_beside_a_genre_of_one_decoding(place: Path, song: Path, monkeypatch: Any) -> None:
    opened: list[str] = []
    real = modelling.listen
    monkeypatch.setattr(
        modelling, "listen", lambda path, *a, **more: opened.append(path) or real(path, *a, **more)
    )
    model = mgrkit.load(place / "svm.safetensors")
    row = model.predict(song, tags=2)
    assert len(opened) == 1
    plain = model.predict(song)
    assert {**row, "tags": None} == {**plain, "tags": None}
    assert "tags" not in plain
    wanted = expected(song)
    assert [one["tag"] for one in row["tags"]] == ["calm", "loud"]
    for one in row["tags"]:
        assert one["value"] == pytest.approx(wanted[one["tag"]], abs=2e-3)


def test_tags_alone(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli("predict", str(song), "--model", "moods", "--json") == 0
    [row] = json.loads(capfd.readouterr().out)
    assert set(row) == {"path", "seconds", "model", "warning", "tags"}
    assert (row["model"], row["seconds"]) == ("moods", 65.0)
    assert [one["tag"] for one in row["tags"]] == ["calm", "loud", "odd"]
    assert cli("predict", str(song), "-m", "moods", "--tags", "1") == 0
    assert capfd.readouterr().out == f"{song}: calm {row['tags'][0]['value']:.2f}\n"


def test_tags_in_each_form(song: Path, capfd: pytest.CaptureFixture[str]) -> None:
    call = ("predict", str(song), "--model", "svm.safetensors", "--tags", "2")
    assert cli(*call, "--jsonl") == 0
    row = json.loads(capfd.readouterr().out)
    calm, loud = (one["value"] for one in row["tags"])
    assert cli(*call) == 0
    assert f"\n  tags: calm {calm:.2f}, loud {loud:.2f}\n" in capfd.readouterr().out
    assert cli(*call, "--csv") == 0
    [line] = csv.DictReader(capfd.readouterr().out.splitlines())
    assert line["tags"] == f"calm {calm:g}; loud {loud:g}"
    assert cli(*call[:-2], "--csv") == 0
    assert ",tags" not in capfd.readouterr().out


def test_a_journal_keeps_all_tags_and_refuses_runs_without(
    song: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    call = ("predict", str(song), "-m", "svm.safetensors", "--jsonl")
    kept = ("--resume", str(tmp_path / "done.jsonl"))
    assert cli(*call, "--tags", "1", *kept) == 0
    assert cli(*call, "--tags", "3", *kept) == 0
    first, second = map(json.loads, capfd.readouterr().out.splitlines())
    assert (len(first["tags"]), len(second["tags"])) == (1, 3)
    assert cli(*call, *kept) == 2


def test_sound_that_has_no_tags(place: Path, song: Path, tmp_path: Path) -> None:
    short = tone(tmp_path / "short.wav", 0.5)
    row = mgrkit.load(place / "svm.safetensors").predict(short, tags=2)
    assert row["tags"] == []
    assert row["warning"].startswith("it has no tags: ")
    assert "a second at least" in row["warning"]
    assert cli("predict", str(short), "-m", "moods") == 1


def test_weights_that_are_not_here(
    place: Path, song: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "none"))
    offering(
        monkeypatch,
        FeatureSetSpec(**{**vars(SPEC), "name": "far", "weights": LOST, "batch_size": 4}),
    )
    assert cli("predict", str(song), "-m", "svm.safetensors", "--tags", "1") == 3
    assert cli("predict", str(song), "-m", "far") == 3
    with pytest.raises(WeightsError, match="lost"):
        mgrkit.load(place / "svm.safetensors").ready(tags=True)


def test_no_plugin_gives_tags(place: Path, song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offering(monkeypatch)
    with pytest.raises(UsageError, match="no feature set that is installed gives tags"):
        mgrkit.load(place / "svm.safetensors").predict(song, tags=1)
    assert cli("predict", str(song), "-m", "svm.safetensors", "--tags", "1") == 2
