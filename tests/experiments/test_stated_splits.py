"""A table that says how its parts were dealt: every number from it says so too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.compare import Asked, compare
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import UsageError
from mgrkit.tracks.splits import Labelled, make_split
from tests.datasets.made_tables import rows, write

PARTS = ("train", "train", "valid", "test")
RANDOM = "random split, artists not separated"


def dealt(how: str, **more: str) -> list[dict[str, Any]]:
    """Of each artist two songs in train, one in valid, one in test."""
    return [
        {**row, "split": PARTS[number % 4], "split_by": how, **more}
        for number, row in enumerate(rows())
    ]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("random", RANDOM),
        ("grouped", "grouped split, leaky: 16 artists in more than one part"),
        ("", "given split, leaky: 16 artists in more than one part"),
    ],
)
def test_what_a_model_learnt_from_is_in_its_bundle(tmp_path: Path, how: str, words: str) -> None:
    out = tmp_path / "m.safetensors"
    train("svm", write(tmp_path / "t.csv", dealt(how)), out)
    bundle = load_bundle(out)
    assert bundle.metrics["split"] == bundle.card["split"] == words


def test_what_it_is_judged_by_is_said_too(tmp_path: Path) -> None:
    out = tmp_path / "m.safetensors"
    table = write(tmp_path / "t.csv", dealt("random"))
    train("svm", table, out)
    words = evaluate(str(out), table)["split"]
    assert words.startswith(f"the part test of a {RANDOM}, model trained on a {RANDOM}")
    table = write(tmp_path / "t.csv", dealt("grouped"))
    assert evaluate(str(out), table)["split"].startswith("the part test of a grouped split, ")


def test_a_comparison_says_it(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", dealt("random"))
    found = compare([table], tmp_path / "out", Asked(["svm"], seeds=1))
    assert found.split == RANDOM


def test_the_least_honest_row_counts() -> None:
    tracks = [
        Labelled(f"{n}", f"genre{n % 2}", "", PARTS[n % 4], by="random" if n == 6 else "published")
        for n in range(8)
    ]
    split = make_split(tracks)
    assert (split.name, split.words) == ("random", RANDOM)
    tracks[6] = Labelled("6", "genre0", "", "", by="random")
    assert make_split(tracks).words == "published split", "a row in no part says nothing"


def test_grouped_says_of_how_many_the_artists_are_unknown() -> None:
    tracks = [
        Labelled(f"{n}", f"genre{n % 2}", "x" * (n > 2), PARTS[n % 4], by="grouped")
        for n in range(4)
    ]
    assert make_split(tracks).words == "grouped split, artists unknown for 3 of 4 tracks"


def test_what_a_deal_left_out_of_a_known_collection_stays_out(tmp_path: Path) -> None:
    made = dealt("grouped")
    for number, row in enumerate(made):
        row["path"] = f"blues.{number:05d}.wav"
    for row in made[::16]:
        row["split"] = ""
    trained = train("svm", write(tmp_path / "t.csv", made), tmp_path / "m.safetensors",
                    TrainSettings(split="published"))  # fmt: skip
    assert trained.counts["none"] == 4


def test_an_unknown_word_is_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", dealt("gruoped"))
    with pytest.raises(UsageError, match=r"split_by holds 'gruoped'.*did you mean grouped"):
        train("svm", table, tmp_path / "m.safetensors")
