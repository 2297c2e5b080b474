"""The features command with sets of other authors."""

from __future__ import annotations

import csv
import dataclasses
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mgrkit.batch import Options, Summary
from mgrkit.commands.features import FeaturesSettings, features
from mgrkit.datasets import prepared
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import ItemError, RunError
from mgrkit.frontend import FrontEnd
from mgrkit.inputs.kinds import Features
from mgrkit.registry import FeatureSetSpec, SummarySpec

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


class Ears:
    """Rows (first sample, loudest) of every half second; refuses pieces that begin softly."""

    heard = 0

    def __init__(self, weights: Path | None, device: str) -> None:
        pass

    def prepare(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        Ears.heard += 1
        if np.abs(samples[:100]).max() < 1e-3:
            raise ItemError("soft", "it begins softly", "louder")
        return windows(samples).astype(np.float32)

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        return list(prepared)


NETWORK = dataclasses.replace(SPEC, name="ears", factory=f"{HERE}:Ears", batch_size=4)


@pytest.fixture(autouse=True)
def _own_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    Ears.heard = 0


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two and a half seconds of sound."""
    return recorded(tmp_path / "audio", np.sin(np.arange(55125) / 9))


def recorded(folder: Path, sound: NDArray[np.float64]) -> Path:
    """The folder, with this sound as a track of jazz."""
    (folder / "jazz").mkdir(parents=True)
    with wave.open(str(folder / "jazz" / "a.wav"), "wb") as file:
        file.setparams((1, 2, 22050, 0, "NONE", ""))
        file.writeframes((sound * 9000).astype("<i2").tobytes())
    return folder


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


def kept(source: Path) -> list[Path]:
    return sorted((source.parent / "cache").rglob("*.safetensors"))


def examples(source: Path, spec: FeatureSetSpec) -> list[list[float]]:
    """As ``train`` and ``evaluate`` make them."""
    return read_dataset(source, Features(spec)).x.tolist()


def again(source: Path, spec: FeatureSetSpec) -> bytes:
    """The table, made anew."""
    out = source.parent / "again.csv"
    features(FeaturesSettings(spec), [source], out, replace=True)
    return out.read_bytes()


@pytest.mark.parametrize("first", ["features", "train"])
def test_windows_of_a_network_are_made_once_for_features_and_train(
    source: Path, first: str
) -> None:
    """Whichever comes first, and for all summaries of them."""
    calls = {"features": lambda: again(source, NETWORK), "train": lambda: examples(source, NETWORK)}
    calls[first]()
    assert (Ears.heard, len(kept(source))) == (1, 1)
    content = [path.read_bytes() for path in kept(source)]
    summary = SummarySpec.of(NETWORK, "mean-sd")
    rows = examples(source, NETWORK)
    [summed] = examples(source, summary)
    _, [row] = table(source, summary)
    calls["features"]()
    assert Ears.heard == 1
    assert [path.read_bytes() for path in kept(source)] == content
    assert summed == pytest.approx([*np.mean(rows, axis=0), *np.std(rows, axis=0)], abs=1e-6)
    assert [float(row[name]) for name in summary.columns] == pytest.approx(summed, abs=1e-6)


def test_a_table_from_the_cache_has_the_same_bytes(tmp_path: Path) -> None:
    """Of several pieces, of which one has no rows."""
    sound = np.sin(np.arange(100 * 22050) / 9 + 1)
    sound[30 * 22050 : 31 * 22050] = 0
    recorded(tmp_path / "audio", sound)
    made = again(tmp_path / "audio", NETWORK)
    assert Ears.heard == 3
    assert again(tmp_path / "audio", NETWORK) == made
    assert Ears.heard == 3
    text = made.decode()
    assert "soft: it begins softly (louder)" in text
    assert text.count(",ok,") == 2 * 60
    [path] = kept(tmp_path / "audio")
    path.unlink()
    assert again(tmp_path / "audio", NETWORK) == made
    assert Ears.heard == 6


def test_a_track_without_any_row_fails_by_its_pieces_and_is_not_kept(tmp_path: Path) -> None:
    sound = np.sin(np.arange(22050) / 9)
    sound[:100] = 0
    recorded(tmp_path / "audio", sound)
    summary, [row] = table(tmp_path / "audio", NETWORK)
    assert summary.failed == 1
    assert (row["start"], row["seconds"]) == ("0.0", "1.0")
    assert row["reason"] == "soft: it begins softly (louder)"
    with pytest.raises(RunError, match=r"no sound .* can be used"):
        examples(tmp_path / "audio", NETWORK)
    assert not kept(tmp_path / "audio")


def test_what_was_kept_without_the_places_of_pieces_serves_train_and_is_made_again_for_features(
    source: Path,
) -> None:
    """As mgrkit kept it before features used the cache."""
    made, rows = again(source, NETWORK), examples(source, NETWORK)
    [path] = kept(source)
    read = prepared._read(path, (2,))
    assert read is not None
    prepared._write(path, dataclasses.replace(read, places=()))
    assert examples(source, NETWORK) == rows
    assert Ears.heard == 1
    assert again(source, NETWORK) == made
    assert Ears.heard == 2
    assert again(source, NETWORK) == made
    assert Ears.heard == 2


def test_damaged_places_are_made_again(source: Path) -> None:
    made = again(source, NETWORK)
    [path] = kept(source)
    content = path.read_bytes()
    for wrong in (b"[[0.0, 2.4, null]]", b"[[0.0, null,   5]]", b"[[0.0, 2.5, null}}"):
        assert b"[[0.0, 2.5, null]]" in content
        path.write_bytes(content.replace(b"[[0.0, 2.5, null]]", wrong))
        assert again(source, NETWORK) == made
        assert path.read_bytes() == content


def test_functions_and_pieces_of_other_lengths_are_not_kept(source: Path) -> None:
    table(source, SPEC)
    out = source.parent / "pieces.csv"
    features(FeaturesSettings(NETWORK, 1.0), [source], out)
    assert not kept(source)
    assert Ears.heard == 2


def test_a_cache_that_cannot_be_written_to_is_told_before_there_is_a_table(source: Path) -> None:
    (source.parent / "cache").touch()
    with pytest.raises(RunError, match=r"cannot keep ears in .*\(MGRKIT_CACHE names another"):
        table(source, NETWORK)
    assert not (source.parent / "f.csv").exists()
