"""``mgrkit evaluate VOTE DATA...``: each member by the DATA it takes, all by the same tracks."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import load_bundle, save_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.commands.vote import vote
from mgrkit.errors import RunError, UsageError, WeightsError
from mgrkit.features.sets.columns import GTZAN57_COLUMNS
from mgrkit.inputs import extracting
from mgrkit.learning import voting
from mgrkit.learning.calibration import Calibration
from mgrkit.weights.store import place as place_of
from tests.datasets.made_tables import write
from tests.models import voters
from tests.models.shop import HEAVY, put


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Made music as sound, pictures and a table of numbers; models of each, and votes."""
    folder = tmp_path_factory.mktemp("evaluate")
    with voters.plugin(folder):
        put(HEAVY)
        voters.make(folder, ("blobs", "near", "far"))
        write(folder / "t.csv", numbers(folder / "audio"))
        train("svm", folder / "t.csv", folder / "svm.safetensors")
        settings = TrainSettings(seed=3, parameters={"steps": 1, "sharpness": 0.01}, folds=3)
        train("blobs", folder / "pictures", folder / "drawn.safetensors", settings)
        join(folder, "sound", "blobs", "near")
        join(folder, "heavy", "blobs", "far", "near")
        join(folder, "both", "svm", "drawn")
        join(folder, "turned", "drawn", "svm")
        yield folder


@pytest.fixture(autouse=True)
def _here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(place / "cache"))
    put(HEAVY)
    monkeypatch.chdir(place)


def join(folder: Path, name: str, *members: str) -> None:
    models = [str(folder / f"{one}.safetensors") for one in members]
    vote(models, folder / f"{name}.safetensors")


def numbers(audio: Path) -> list[dict[str, object]]:
    """A table of features by which genres are told apart, of the songs of a folder."""
    rng = np.random.default_rng(0)
    with (audio / "tracks.csv").open(encoding="utf-8", newline="") as file:
        songs = list(csv.DictReader(file))
    centres = {
        genre: {column: rng.normal() for column in GTZAN57_COLUMNS}
        for genre in dict.fromkeys(song["genre"] for song in songs)
    }
    return [
        {
            "path": song["path"],
            "genre": song["genre"],
            "group": song["group"],
            **{c: mean + rng.normal(0, 2) for c, mean in centres[song["genre"]].items()},
        }
        for song in songs
    ]  # fmt: skip


def judged(model: str, *data: str, out: Path, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What evaluate gives, and by song the row of its table."""
    table = out / f"{model}.csv"
    result = evaluate(f"{model}.safetensors", *map(Path, data), predictions=table, **more)
    with table.open(encoding="utf-8", newline="") as file:
        rows = {Path(row["path"]).stem: row for row in csv.DictReader(file)}
    return result, rows


def probabilities(row: dict[str, str], labels: Any) -> list[float]:
    return [float(row[label]) for label in labels]


@pytest.mark.parametrize(
    ("model", "members", "data"),
    [
        ("sound", {"blobs": ("audio",), "near": ("audio",)}, ("audio",)),
        ("both", {"drawn": ("pictures",), "svm": ("t.csv",)}, ("t.csv", "pictures")),
        ("both", {"drawn": ("pictures",), "svm": ("t.csv",)}, ("pictures", "t.csv")),
    ],
)
def test_it_is_the_vote_of_what_the_members_say_of_the_same_tracks(
    model: str, members: dict[str, Any], data: tuple[str, ...], tmp_path: Path
) -> None:
    result, rows = judged(model, *data, out=tmp_path, part="all", seen=True)
    bundle = load_bundle(Path(f"{model}.safetensors"))
    labels = bundle.task.labels
    alone = {n: judged(n, *d, out=tmp_path, part="all", seen=True)[1] for n, d in members.items()}
    assert result["tracks"] == len(rows) == 36
    calibration = Calibration.from_dict(bundle.calibration)
    right = 0
    for song, row in rows.items():
        answers = [[probabilities(alone[name][song], labels)] for name in sorted(members)]
        expected = calibration.apply(voting.vote("geometric", np.array(answers)))[0]
        assert probabilities(row, labels) == pytest.approx(expected.tolist(), abs=2e-3)
        unsure = row["unsure"] == "true"
        assert unsure == (max(probabilities(row, labels)) < calibration.unsure_below)
        right += row["genre"] == row["predicted"]
    assert result["accuracy"] == pytest.approx(right / 36)


def test_what_any_member_has_seen_is_left_out(tmp_path: Path) -> None:
    """By whichever id: the table knows songs by name, pictures by what they show."""
    sound, _ = judged("sound", "audio", out=tmp_path)
    seen = [set(load_bundle(Path(f"{n}.safetensors")).seen) for n in ("blobs", "near")]
    assert seen[0] == seen[1]
    assert sound["dropped_as_seen"] == sum(one.startswith("sha256:") for one in seen[0])
    unseen = {}
    for name, data in (("svm", "t.csv"), ("drawn", "pictures")):
        unseen[name] = set(judged(name, data, out=tmp_path)[1])
    assert unseen["svm"] - unseen["drawn"]
    assert unseen["drawn"] - unseen["svm"]
    left = unseen["svm"] & unseen["drawn"]
    assert left
    for model in ("both", "turned"):
        for data in (("t.csv", "pictures"), ("pictures", "t.csv")):
            result, rows = judged(model, *data, out=tmp_path)
            assert set(rows) == left
            assert result["dropped_as_seen"] == 36 - len(left)


def test_tracks_that_one_data_lacks_are_said(tmp_path: Path) -> None:
    shutil.copytree("pictures", tmp_path / "pictures")
    lost = sorted((tmp_path / "pictures").rglob("*.png"))[:2]
    with (tmp_path / "pictures" / "tracks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = {path.name for path in lost}
    write(tmp_path / "pictures" / "tracks.csv", [
        row for row in rows if Path(row["path"]).name not in names
    ])  # fmt: skip
    for path in lost:
        path.unlink()
    data = ("t.csv", str(tmp_path / "pictures"))
    result, found = judged("both", *data, out=tmp_path, part="all", seen=True)
    assert result["tracks"] == 34
    assert not {path.stem for path in lost} & set(found)
    assert "t.csv: 2 tracks left out, which a member of the vote lacks" in result["notes"]


def test_data_without_a_common_track(tmp_path: Path) -> None:
    made = [{**row, "path": f"x/y{n}.wav"} for n, row in enumerate(numbers(Path("audio")))]
    write(tmp_path / "others.csv", made)
    with pytest.raises(RunError, match=r"pictures, .*others.csv have no track in common"):
        evaluate("both.safetensors", tmp_path / "others.csv", Path("pictures"))


def test_data_that_gives_a_member_nothing_names_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=r"nothing for the member drawn: t.csv holds numbers, not"):
        evaluate("both.safetensors", Path("t.csv"))
    with pytest.raises(UsageError, match="nothing for the member svm: pictures holds pictures"):
        evaluate("both.safetensors", Path("pictures"))
    assert guarded(app, ["evaluate", "both.safetensors", "t.csv"]) == 2
    assert "the member drawn" in capfd.readouterr().err
    with pytest.raises(UsageError) as caught:
        evaluate("drawn.safetensors", Path("t.csv"))
    assert "member" not in str(caught.value), "a model that is no vote has none"


def test_a_model_that_is_no_vote_takes_one_data(capfd: pytest.CaptureFixture[str]) -> None:
    for more in ([], ["--under", "white@10"]):
        assert guarded(app, ["evaluate", "svm.safetensors", "t.csv", "pictures", *more]) == 2
        expected = "mgrkit: svm is no vote and takes one DATA, not 2 (one call for each)\n"
        assert capfd.readouterr().err == expected


def test_data_that_no_member_takes_is_named(tmp_path: Path) -> None:
    words = "is not used: each member takes the first DATA that it can"
    result, _ = judged("sound", "audio", "pictures", out=tmp_path, part="all", seen=True)
    assert [note for note in result["notes"] if "not used" in note] == [f"pictures {words}"]
    result, _ = judged("both", "t.csv", "pictures", out=tmp_path)
    assert not [note for note in result["notes"] if "not used" in note]


@pytest.mark.parametrize("data", [("audio",), ("audio", "pictures"), ("pictures", "audio")])
def test_without_weights_the_others_are_judged_and_it_is_said(
    data: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    extracting._loaded.cache_clear()  # as in a new process
    result, rows = judged("heavy", *data, out=tmp_path, part="all", seen=True)
    assert any(note.startswith("without far: ") and "fetch hum" in note for note in result["notes"])
    expected, of_light = judged("sound", *data, out=tmp_path, part="all", seen=True)
    assert result["accuracy"] == expected["accuracy"]
    labels = load_bundle(Path("heavy.safetensors")).task.labels
    for song, row in rows.items():
        same = probabilities(of_light[song], labels)
        assert probabilities(row, labels) == pytest.approx(same, abs=2e-3)


def test_without_any_weights_there_is_nothing_to_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(Path("far.safetensors"))
    for seed in (1, 2):
        save_bundle(tmp_path / f"far{seed}.safetensors", replace(bundle, seed=seed))
    join(tmp_path, "two", "far1", "far2")
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    extracting._loaded.cache_clear()
    with pytest.raises(WeightsError, match="mgrkit models fetch hum"):
        evaluate(str(tmp_path / "two.safetensors"), Path("audio"))
    assert not place_of(HEAVY).exists()


def test_a_file_that_cannot_be_used_counts_once_for_each_data(tmp_path: Path) -> None:
    shutil.copytree("audio", tmp_path / "audio")
    shutil.copytree("pictures", tmp_path / "pictures")
    next((tmp_path / "audio").rglob("*.wav")).write_bytes(b"no sound")
    for path in sorted((tmp_path / "pictures").rglob("*.png"))[-2:]:
        path.write_bytes(b"no picture")
    seen = {"part": "all", "seen": True}
    assert judged("sound", str(tmp_path / "audio"), out=tmp_path, **seen)[0]["failed"] == 1
    data = [str(tmp_path / name) for name in ("pictures", "audio")]
    result, _ = judged("sound", *data, out=tmp_path, **seen)
    assert result["failed"] == 3
    assert result["tracks"] == 33


def test_data_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no none"):
        evaluate("both.safetensors", Path("t.csv"), Path("pictures"), Path("none"))
