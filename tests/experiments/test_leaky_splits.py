"""What is leaky, given or published is called so wherever a number is kept or said."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.compare import Asked, compare
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.datasets.entries import DataTrack
from mgrkit.datasets.reading import read_dataset
from mgrkit.experiments.matching import merged
from mgrkit.inputs.kinds import input_of
from mgrkit.reports.comparison import write_report
from mgrkit.tracks.collections.lookup import known
from tests.datasets.made_tables import rows, write

TORN = "leaky: 16 sliced recordings in more than one part"


def torn_by_folders() -> list[dict[str, Any]]:
    """Songs in four slices, of which the folders have one in test and one in valid."""
    made = []
    for n, row in enumerate(rows()):
        genre, song, k = row["genre"], n // 4, n % 4
        part = ("train", "train", "valid", "test")[k]
        made.append({**row, "path": f"{part}/{genre}/s{song}_part{k}.wav", "group": ""})
    return made


def test_slices_on_both_sides_are_in_every_number(tmp_path: Path) -> None:
    table, out = write(tmp_path / "t.csv", torn_by_folders()), tmp_path / "m.safetensors"
    train("svm", table, out)
    bundle = load_bundle(out)
    words = f"given split, {TORN}"
    assert bundle.metrics["split"].startswith(words)
    assert bundle.card["split"] == words
    measured = evaluate(str(out), table)["split"]
    assert measured.startswith(f"the part test of a given split, model trained on a {words}")
    assert measured.endswith(TORN)
    compared = compare([table], tmp_path / "out", Asked(["svm"], seeds=1))
    assert compared.split == words
    paths = write_report(compared, tmp_path / "out")
    with paths[0].open(newline="") as file:
        assert [row["split"] for row in csv.DictReader(file)] == [words]
    assert words in paths[1].read_text()


def test_a_grouped_split_of_the_same_keeps_slices_together(tmp_path: Path) -> None:
    table, out = write(tmp_path / "t.csv", torn_by_folders()), tmp_path / "m.safetensors"
    train("svm", table, out, TrainSettings(split="grouped"))
    assert "leaky" not in load_bundle(out).metrics["split"]


def track(path: str, part: str = "", by: str = "") -> tuple[str, str]:
    one = DataTrack(path, path, "blues", part=part, split_by=by).labelled()
    return one.part, one.by


def test_published_is_only_what_the_collection_itself_has() -> None:
    path = "blues.00000.wav"
    fact = known(path)
    assert fact
    other = "test" if fact.part != "test" else "train"
    assert track(path) == track(path, fact.part) == (fact.part, "published")
    assert track(path, other) == track(path, other, "published") == (other, "")
    assert track(path, fact.part, "random") == (fact.part, "random")
    assert track(path, "", "grouped") == ("", "grouped")
    assert track("song.wav", "test") == ("test", "")
    assert track("fma_small/000/000002.mp3", "test", "published") == ("test", "published")
    unlisted = next(p for p in _gtzan() if (one := known(p)) and not one.part)
    assert track(unlisted, "train", "published") == ("train", "")


def _gtzan() -> list[str]:
    return [f"{genre}.{n:05d}.wav" for genre in ("blues", "jazz", "metal") for n in range(100)]


@pytest.mark.parametrize(("change", "words"), [(False, "published split"), (True, "given split")])
def test_a_table_of_gtzan_is_published_only_with_gtzan_s_own_parts(
    tmp_path: Path, change: bool, words: str
) -> None:
    names = [p for p in _gtzan() if (one := known(p)) and one.part in ("train", "valid")]
    made = rows(artists=8, songs=8)[: len(names)]
    assert len(made) == len(names)
    for row, name in zip(made, names, strict=True):
        fact = known(name)
        assert fact
        row |= {"path": name, "genre": fact.genre, "group": "", "split": fact.part}
    if change:
        swap = next(row for row in made if row["split"] == "valid")
        swap["split"] = "train"
    table, out = write(tmp_path / "t.csv", made), tmp_path / "m.safetensors"
    train("random_forest", table, out, TrainSettings(parameters={"trees": "10"}))
    assert load_bundle(out).card["split"].partition(",")[0] == words
    second = write(tmp_path / "u.csv", [{**row, "split": ""} for row in made])
    asked = Asked(["random_forest"], seeds=1, parameters={"random_forest": {"trees": "10"}})
    found = compare([table, second], tmp_path / "out", asked)
    assert found.split.partition(",")[0] == words


def test_how_parts_were_dealt_is_kept_where_several_data_are_matched(tmp_path: Path) -> None:
    made = rows()
    dealt = [
        {**row, "split": ("train", "train", "valid", "test")[n % 4], "split_by": "random"}
        for n, row in enumerate(made)
    ]
    tables = [write(tmp_path / "a.csv", dealt), write(tmp_path / "b.csv", made)]
    notes: list[str] = []
    wanted = input_of("features:gtzan57", "svm")
    read = [read_dataset(table, wanted) for table in tables]
    _, tracks = merged(read, notes)
    assert {one.by for one in tracks} == {"random"}
    assert {one.by for one in merged(read[::-1], notes)[1]} == {"random"}
