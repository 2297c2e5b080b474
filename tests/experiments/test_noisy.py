"""evaluate on noisy copies: which count, which the model has seen, and a row for each noise."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mgrkit.classifiers import load_bundle, save_bundle
from mgrkit.commands.augment import AugmentSettings as Noise
from mgrkit.commands.augment import augment
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import UsageError
from mgrkit.models.model import Model
from tests.datasets.made_tables import rows, write

NOISES = [("pink", "0.0"), ("pink", "10.0"), ("white", "10.0")]


def copies(made: list[dict[str, object]], noises: Any = NOISES) -> list[dict[str, object]]:
    """A copy of each row for each noise; the louder the noise, the less is left of it."""
    return [
        {
            **{name: v + (60 if snr == "0.0" else 0) if isinstance(v, float) else v
               for name, v in row.items()},
            "path": f"{str(row['path'])[:-4]}.{noise}_{float(snr or 0):g}dB_1.wav",
            "parent": row["path"],
            "kind": "noisy",
            "noise": noise,
            "snr": snr,
        }
        for row in made
        for noise, snr in noises
    ]  # fmt: skip


def clean(made: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{**row, "parent": row["path"], "kind": "", "noise": "", "snr": ""} for row in made]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noisy")
    return train("svm", write(folder / "t.csv", rows()), folder / "m.safetensors").path


def test_copies_are_judged_where_nothing_else_is_there(bundle: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", copies(rows()))
    result = evaluate(str(bundle), table)
    unseen = 64 - len(Model(bundle).known_tracks)
    assert result["dropped_as_seen"] == 3 * len(Model(bundle).known_tracks)
    assert result["tracks"] == 3 * unseen
    assert result["split"].startswith(f"noisy copies of {unseen} recordings, all unseen tracks")
    assert [(row["noise"], row["snr"], row["tracks"]) for row in result["by_noise"]] == [
        ("pink", 0.0, unseen), ("pink", 10.0, unseen), ("white", 10.0, unseen),
    ]  # fmt: skip
    loud, soft, _ = result["by_noise"]
    assert list(loud) == [
        "noise", "snr", "accuracy", "accuracy_low", "accuracy_high", "macro_f1",
        "macro_f1_genres", "tracks",
    ]  # fmt: skip
    assert loud["accuracy"] < soft["accuracy"]
    assert loud["accuracy_low"] <= loud["accuracy"] <= loud["accuracy_high"]
    accuracies = [row["accuracy"] for row in result["by_noise"]]
    assert result["accuracy"] == pytest.approx(np.mean(accuracies))
    everything = evaluate(str(bundle), table, seen=True)
    assert everything["tracks"] == 3 * 64
    assert (
        f"{result['dropped_as_seen']} tracks included that it was fit or chosen on"
        in everything["split"]
    )


def test_the_interval_takes_an_artist_s_copies_together(bundle: Path, tmp_path: Path) -> None:
    few = evaluate(str(bundle), write(tmp_path / "f.csv", copies(rows(), NOISES[:1])))
    many = copies(rows(), [(f"rain {n}", "0.0") for n in range(8)])
    result = evaluate(str(bundle), write(tmp_path / "m.csv", many))
    for bound in ("accuracy", "accuracy_low", "accuracy_high"):
        assert result[bound] == pytest.approx(few[bound], abs=1e-6)


def test_beside_recordings_copies_are_judged_when_asked_for(bundle: Path, tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", [*clean(rows()), *copies(rows())])
    result = evaluate(str(bundle), table)
    assert result["tracks"] == 64 - len(Model(bundle).known_tracks)
    assert result["by_noise"] == []
    assert "192 noisy copies left out (--copies judges them instead)" in result["notes"]
    noisy = evaluate(str(bundle), table, copies=True)
    assert noisy["tracks"] == 3 * result["tracks"]
    assert noisy["dropped_as_seen"] == 3 * result["dropped_as_seen"]
    assert len(noisy["by_noise"]) == 3
    with pytest.raises(UsageError, match="holds no noisy copies"):
        evaluate(str(bundle), write(tmp_path / "c.csv", rows()), copies=True)


def test_copies_are_of_the_part_of_their_recordings(tmp_path: Path) -> None:
    parts = ("train", "train", "valid", "test")
    made = [{**row, "split": parts[int(str(row["path"])[-7])]} for row in clean(rows())]
    out = tmp_path / "m.safetensors"
    train("svm", write(tmp_path / "t.csv", made), out)
    result = evaluate(str(out), write(tmp_path / "n.csv", copies(made)))
    assert (result["tracks"], result["dropped_as_seen"]) == (3 * 16, 0)
    words = "noisy copies of 16 recordings, the part test of a given split"
    assert result["split"] == f"{words}, model trained on a given split"
    with pytest.raises(
        UsageError, match="has seen all 48 tracks of the part valid of a given split"
    ):
        evaluate(str(out), tmp_path / "n.csv", part="valid")


@pytest.mark.parametrize(
    ("snr", "why"),
    [
        ("", "no column snr of tracks.csv says it"),
        ("loud", "'loud' is no number"),
        ("nan", "'nan' is no number"),
        ("inf", "'inf' is no number"),
    ],
)
def test_an_snr_that_is_missing_or_no_number_is_a_row_of_its_own(
    snr: str, why: str, bundle: Path, tmp_path: Path
) -> None:
    made = copies(rows(), [("pink", "10.0")])
    for row in made[::2]:
        row["snr"] = snr
    result = evaluate(str(bundle), write(tmp_path / "t.csv", made), seen=True)
    assert [(row["noise"], row["snr"], row["tracks"]) for row in result["by_noise"]] == [
        ("pink", 10.0, 32), ("pink", None, 32),
    ]  # fmt: skip
    [note] = [note for note in result["notes"] if "SNR" in note]
    assert note.startswith("the SNR of 32 noisy copies is unknown (")
    assert why in note


def test_without_columns_all_copies_are_one_row(bundle: Path, tmp_path: Path) -> None:
    made = [
        {k: v for k, v in row.items() if k not in ("noise", "snr", "kind", "parent")}
        for row in copies(rows(), [*NOISES[:2], ("my rain.v2", "10.0")])
    ]
    result = evaluate(str(bundle), write(tmp_path / "t.csv", made))
    unseen = 64 - len(Model(bundle).known_tracks)
    [row] = result["by_noise"]
    assert (row["noise"], row["snr"], row["tracks"]) == ("", None, 3 * unseen)
    for name in ("accuracy", "accuracy_low", "accuracy_high", "macro_f1"):
        assert row[name] == result[name]


def sounds(folder: Path) -> Iterator[list[str]]:
    """Sounds of two genres by four artists, and the rows of their table."""
    random = np.random.default_rng(3)
    for number in range(16):
        genre, artist = ("hum", "hiss")[number % 2], number // 2 % 4
        time = np.arange(22050) / 22050
        wave = np.sin(2 * np.pi * (200 + 10 * number) * time)
        hiss = random.normal(0, 1, len(time))
        mixed = 0.1 * (wave + 0.01 * hiss if genre == "hum" else hiss)
        path = folder / genre / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, mixed, 22050)
        yield [f"{genre}/{number}.wav", genre, f"{genre} {artist}"]


def test_a_copy_of_sound_is_seen_as_its_recording_is(tmp_path: Path) -> None:
    made = list(sounds(tmp_path / "audio"))
    with (tmp_path / "audio" / "tracks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "genre", "artist"], *made])
    augment(Noise(), tmp_path / "audio", tmp_path / "noisy", noises=["pink"], snrs=[20.0, 40.0])
    out = tmp_path / "m.safetensors"
    trained = train("svm", tmp_path / "audio", out, TrainSettings(split="grouped"))
    heard = trained.counts["train"] + trained.counts["valid"]
    result = evaluate(str(out), tmp_path / "noisy")
    assert result["dropped_as_seen"] == 2 * heard
    assert result["tracks"] == 2 * (16 - heard)
    assert "artists" not in result["split"]
    assert [row["snr"] for row in result["by_noise"]] == [20.0, 40.0]
    # Where no table names the recording, the copies' own names do.
    (tmp_path / "noisy" / "tracks.csv").unlink()
    bare = evaluate(str(out), tmp_path / "noisy")
    assert (bare["dropped_as_seen"], bare["tracks"]) == (
        result["dropped_as_seen"],
        result["tracks"],
    )

    # A bundle made before names were kept cannot tell.
    bundle = load_bundle(out)
    old = tuple(one for one in bundle.seen if not one.startswith("file:"))
    save_bundle(tmp_path / "old.safetensors", replace(bundle, seen=old))
    asked = evaluate(str(tmp_path / "old.safetensors"), tmp_path / "noisy")
    assert asked["dropped_as_seen"] == 0
    assert "unknown whether 32 of 32 tracks were seen" in asked["split"]
