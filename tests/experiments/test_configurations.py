"""Grids: one row and one name for each combination of values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.compare import Asked, compare
from mgrkit.errors import UsageError
from mgrkit.experiments.configurations import Configuration, configurations
from mgrkit.registry import installed
from tests.datasets.made_tables import rows, write


def grid(name: str = "svm", given: Any = None, **values: list[object]) -> list[Configuration]:
    return configurations(installed().classifier(name), given or {}, values)


def test_without_a_grid_a_classifier_is_itself() -> None:
    (one,) = grid(given={"C": "17"})
    assert (one.name, one.stem, one.given) == ("svm", "svm", {"C": "17"})


def test_all_combinations_are_named_by_what_differs() -> None:
    found = grid(given={"whiten": "0.1"}, C=["1", "10"], kernel=["rbf", "linear"])
    assert [one.name for one in found] == [
        "svm C=1 kernel=rbf", "svm C=1 kernel=linear", "svm C=10 kernel=rbf",
        "svm C=10 kernel=linear",
    ]  # fmt: skip
    assert found[1].given == {"whiten": "0.1", "C": "1", "kernel": "linear"}
    assert found[1].stem == "svm-C=1-kernel=linear"


def test_files_have_names_that_any_system_takes() -> None:
    texts = ["pca:5", "pca:50", "lda:2"]
    found = [one.stem for one in grid("lda", reduce=texts)]  # type: ignore[arg-type]
    assert all(re.fullmatch(r"[A-Za-z0-9_.=+-]+", stem) for stem in found)
    assert len({stem.lower() for stem in found}) == 3
    assert grid("lda", reduce=["pca:5", "none"])[0].stem == found[0], "whatever else is there"
    entry = installed().classifier("lda")
    odd = [{"a": "../x"}, {"a": "..\\x"}, {"a": "X"}, {"a": "x"}, {"a": "x" * 300}, {"a": "x."}]
    stems = [Configuration(entry, {}, varied).stem for varied in odd]
    assert len({stem.lower() for stem in stems}) == len(odd)
    assert all(re.fullmatch(r"[A-Za-z0-9_.=+-]{1,100}", stem) for stem in stems)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"C": ["1", "1.0"]}, r"--param svm\.C=1 is given twice"),
        ({"C": ["1", "-1"]}, "svm: C must be from 0.0001 to 1e\\+06, not '-1'"),
        ({"c": ["1", "2"]}, "svm has no parameter 'c' .*did you mean C"),
        ({"C": range(1, 60), "gamma": range(1, 60)}, "the grid of svm has 3,481 combinations"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(values: dict[str, Any], expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        grid(**values)


def test_each_combination_is_a_row_with_its_model(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows(artists=5, songs=3, spread=4.0))
    values = {"svm": {"C": ["0.1", "10"]}}
    lines: list[str] = []
    asked = Asked(("svm", "lda"), seeds=1, grids=values)
    found = compare([table], tmp_path / "out", asked, say=lines.append)
    assert lines[:2] == [
        "a grid of svm: 2 combinations, each a row of its own",
        "3 runs to do, 18 fits with those for calibration",
    ]
    assert {row.classifier for row in found.rows} == {"svm C=0.1", "svm C=10", "lda"}
    for text in ("0.1", "10"):
        bundle = load_bundle(tmp_path / "out" / f"svm-C={text}-0.safetensors")
        assert bundle.parameters["C"] == float(text)
    (note,) = found.notes
    assert note.startswith("svm is there with 2 settings: to take the best of them is to choose")
    assert "choose by valid" in note
    lines.clear()
    more = Asked(("svm", "lda"), seeds=1, grids={"svm": {"C": ["10", "100"]}})
    compare([table], tmp_path / "out", more, say=lines.append)
    assert lines[1] == "1 run to do, 6 fits with those for calibration, 2 are kept"


def test_votes_of_a_grid_are_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows())
    asked = Asked(("svm", "lda"), grids={"svm": {"C": ["1", "10"]}}, votes=["svm+lda"])
    with pytest.raises(UsageError, match="--votes names svm, of which there are several"):
        compare([table], tmp_path / "out", asked)
