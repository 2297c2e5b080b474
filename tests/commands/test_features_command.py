"""The features command with sets of other authors."""

from __future__ import annotations

import csv
import dataclasses
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mgrkit.batch import Options, Summary
from mgrkit.commands.features import FeaturesSettings, features
from mgrkit.errors import RunError
from mgrkit.frontend import FrontEnd
from mgrkit.registry import FeatureSetSpec

HERE = "tests.commands.test_features_command"


def windows(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """A row for every half second: its first sample and its loudest."""
    halves = samples[: len(samples) // 11025 * 11025].reshape(-1, 11025).astype(float)
    return np.stack([halves[:, 0], halves.max(axis=1)], axis=1)


def of_wrong_shape(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.zeros(2)


def of_no_rows(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.zeros((0, 2))


def not_finite(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.full((1, 2), np.nan)


SPEC = FeatureSetSpec(
    name="halves",
    summary="for tests",
    factory=f"{HERE}:windows",
    frontend=FrontEnd(),
    columns=("first", "loudest"),
    window=0.5,
    hop=0.5,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two and a half seconds of sound."""
    (tmp_path / "audio").mkdir()
    with wave.open(str(tmp_path / "audio" / "a.wav"), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((np.sin(np.arange(55125) / 9) * 9000).astype("<i2").tobytes())
    return tmp_path / "audio"


def table(source: Path, spec: FeatureSetSpec, **options: bool) -> tuple[Summary, list[dict]]:
    out = source.parent / "f.csv"
    summary = features(FeaturesSettings(spec), [source], out, options=Options(**options))
    with out.open(newline="") as file:
        return summary, list(csv.DictReader(file))


@pytest.mark.parametrize("processes", [False, True])
def test_a_set_with_windows_has_a_row_for_each(source: Path, processes: bool) -> None:
    summary, rows = table(source, SPEC, processes=processes)
    assert summary.made == 5
    assert [row["start"] for row in rows] == ["0.0", "0.5", "1.0", "1.5", "2.0"]
    assert {row["seconds"] for row in rows} == {"0.5"}
    assert float(rows[1]["first"]) == pytest.approx(np.sin(11025 / 9) * 9000 / 32768, abs=1e-4)


@pytest.mark.parametrize(
    ("factory", "expected"),
    [
        ("of_wrong_shape", "returned (2,), not (rows, 2)"),
        ("of_no_rows", "returned (0, 2), not (rows, 2)"),
        ("not_finite", "returned values that are not finite"),
    ],
)
def test_a_set_that_returns_rubbish_fails_its_items(
    source: Path, factory: str, expected: str
) -> None:
    wrong = dataclasses.replace(SPEC, factory=f"{HERE}:{factory}")
    summary, rows = table(source, wrong)
    assert summary.failed == 1
    assert expected in rows[0]["reason"]


def test_a_set_whose_code_is_not_there_ends_before_anything_is_written(source: Path) -> None:
    with pytest.raises(RunError, match="cannot load nowhere:x"):
        table(source, dataclasses.replace(SPEC, factory="nowhere:x"))
    assert [path.name for path in source.parent.iterdir()] == ["audio"]
