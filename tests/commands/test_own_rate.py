"""A feature set that takes sound at the rate of its file does so in every command."""

from __future__ import annotations

import csv
import dataclasses
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.audio import open_sound, pieces
from mgrkit.commands.features import FeaturesSettings, features
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import UsageError
from mgrkit.features.sets import fma518 as module
from mgrkit.features.sets.columns import FMA518_COLUMNS
from mgrkit.inputs.kinds import Features
from mgrkit.models.model import Model
from mgrkit.registry import installed
from mgrkit.registry.checks import fault
from mgrkit.synthetic import music
from mgrkit.synthetic.collection import write_collection


def write(path: Path, rate: int, seconds: float = 3.0) -> Path:
    sound = music.render("techno", 1, 50, seconds, rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def numbers_of(row: dict[str, str]) -> list[float]:
    return [float(row[name]) for name in FMA518_COLUMNS]


def test_the_table_holds_each_file_at_its_rate(tmp_path: Path) -> None:
    folder = tmp_path / "audio"
    folder.mkdir()
    for rate in (22_050, 44_100, 8_000):
        write(folder / f"{rate}.wav", rate)
    summary = features(FeaturesSettings.of("fma518"), [folder], tmp_path / "out.csv")
    assert (summary.made, summary.failed) == (2, 1)
    rows = {row["path"]: row for row in rows_of(tmp_path / "out.csv")}
    assert rows["8000.wav"]["reason"].startswith("rate: FMA's numbers are not defined at 8000 Hz")
    for rate in (22_050, 44_100):
        row = rows[f"{rate}.wav"]
        assert row["rate"] == str(rate)
        with open_sound(folder / f"{rate}.wav") as sound:
            (piece,) = pieces(sound, rate)
        assert numbers_of(row) == module.fma518(piece.samples, rate)[0].tolist()


def test_a_long_song_is_cut_and_workers_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path / "song.wav", 22_050, seconds=50)
    from mgrkit.batch import Options

    found = []
    for workers in (1, 3):
        out = tmp_path / f"{workers}.csv"
        features(FeaturesSettings.of("fma518"), [tmp_path / "song.wav"], out,
                 options=Options(workers))  # fmt: skip
        rows = rows_of(out)
        assert [(row["start"], row["seconds"]) for row in rows] == [
            ("0.0", "30.0"),
            ("30.0", "20.0"),
        ]
        found.append([numbers_of(row) for row in rows])
    assert found[0] == found[1]


def test_pieces_shorter_than_a_window_are_a_wrong_call() -> None:
    with pytest.raises(UsageError, match=r"from 0.256 \(one window\) to 120, not 0.2"):
        FeaturesSettings.of("fma518", 0.2)


def test_a_model_hears_a_song_at_its_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    write_collection(tmp_path / "audio", songs=6, artists=3, seconds=2)
    bundle = tmp_path / "svm.safetensors"
    train("svm", tmp_path / "audio", bundle, TrainSettings(feature_set="fma518"))
    asked: list[tuple[int, int]] = []
    real = Features.piece

    def noting(self: Features, samples: Any, rate: int) -> Any:
        asked.append((len(samples), rate))
        return real(self, samples, rate)

    monkeypatch.setattr(Features, "piece", noting)
    model = Model(bundle)
    for rate in (22_050, 48_000):
        answer = model.judged(write(tmp_path / f"{rate}.wav", rate))
        assert len(answer["pieces"]) == 1
    assert asked == [(3 * 22_050, 22_050), (3 * 48_000, 48_000)]


def test_a_network_needs_a_rate() -> None:
    spec = dataclasses.replace(installed().feature_set("fma518"), batch_size=4)
    assert "a FrontEnd with a sample rate" in fault(spec)
