"""``mgrkit compare --votes``: rows of votes, from what their members gave and nothing else."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.compare import Asked, compare
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments import trials
from mgrkit.experiments.standings import Comparison
from mgrkit.learning.metrics import scores
from tests.datasets.made_tables import rows, write

THREE = ("svm", "random_forest", "logistic_regression")
SMALL = {"random_forest": {"trees": 5}}
VOTES = ("svm+random_forest", "logistic_regression+svm+random_forest")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = rows(artists=5, songs=3, spread=4.0)
    return write(tmp_path_factory.mktemp("votes") / "features.csv", made)


@pytest.fixture(scope="module")
def done(table: Path) -> tuple[Path, Comparison]:
    out = table.parent / "out"
    return out, compare([table], out, Asked(THREE, seeds=2, parameters=SMALL))


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "fit_model", lambda *_, **__: pytest.fail("it was trained"))


def kept(out: Path, name: str, seed: int) -> tuple[np.ndarray, list[dict[str, str]]]:
    """The probabilities of a run as its file holds them."""
    with (out / "runs" / f"{name}-{seed}.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    columns = [column for column in found[0] if column.startswith("p:")]
    return np.array([[float(row[c]) for c in columns] for row in found]), found


def test_a_vote_is_the_geometric_mean_of_what_is_kept(
    table: Path, done: tuple[Path, Comparison], untrained: None
) -> None:
    out, first = done
    found = compare([table], out, Asked(THREE, 2, parameters=SMALL, votes=VOTES))
    by_name = {row.classifier: row for row in found.rows}
    assert set(by_name) == {*THREE, *VOTES}
    assert [row.accuracy for row in found.rows] == sorted(
        (row.accuracy for row in found.rows), reverse=True
    )
    for vote in VOTES:
        measured = []
        for seed in (0, 1):
            runs = [kept(out, name, seed) for name in vote.split("+")]
            pool = np.prod([np.maximum(p, 1e-6) for p, _ in runs], 0) ** (1 / len(runs))
            of_track = runs[0][1]
            labels = [column[2:] for column in of_track[0] if column.startswith("p:")]
            measured.append(
                scores(
                    pool / pool.sum(1, keepdims=True),
                    [labels.index(row["genre"]) for row in of_track],
                    [row["artist"] for row in of_track],
                    labels,
                )
            )
        row, members = by_name[vote], [by_name[name] for name in vote.split("+")]
        for name in ("accuracy", "macro_f1", "top3", "ece"):
            mean = np.mean([one[name] for one in measured])
            assert getattr(row, name) == pytest.approx(mean, abs=1e-5), name
        for name in ("training_seconds", "prediction_ms", "bytes", "parameters"):
            whole = sum(getattr(one, name) for one in members)
            assert getattr(row, name) == pytest.approx(whole, abs=len(members)), name
        assert row.device == "cpu"
        assert row.ties
        assert row.low <= row.accuracy <= row.high
        assert not row.chose
    assert len(found.pairs) == 10
    assert {pair.first for pair in found.pairs} | {pair.second for pair in found.pairs} == {
        *by_name
    }
    assert found.exit_code == 0
    alone = {row.classifier: row for row in first.rows}
    assert all(replace(by_name[name], ties="") == replace(alone[name], ties="") for name in THREE)


def test_votes_of_the_same_members_are_one(
    table: Path, done: tuple[Path, Comparison], untrained: None
) -> None:
    votes = ["svm+random_forest", " random_forest + svm "]
    found = compare([table], done[0], Asked(THREE, 2, parameters=SMALL, votes=votes))
    assert len(found.rows) == 4
    assert "svm+random_forest" in {row.classifier for row in found.rows}


@pytest.mark.parametrize(
    ("vote", "message"),
    [
        ("svm+random_forset", r"names 'random_forset', which is not compared \(did you mean ra"),
        ("svm+cnn", "names 'cnn', which is not compared"),
        ("svm", "two or more, each once, not svm"),
        ("svm+svm", "two or more, each once, not svm\\+svm"),
        ("svm+", "names '', which is not compared"),
    ],
)
def test_a_vote_that_cannot_be_is_said_before_anything_is_done(
    table: Path, tmp_path: Path, untrained: None, vote: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        compare([table], tmp_path / "out", Asked(THREE, votes=[vote]))
    assert not (tmp_path / "out").exists()


def test_a_vote_fails_with_its_member(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = trials.fit_model

    def fit(dataset: Any, split: Any, recipe: Any, out: Path, **named: Any) -> Any:
        if out.stem == "svm-1":
            raise RunError("it broke")
        return real(dataset, split, recipe, out, **named)

    monkeypatch.setattr(trials, "fit_model", fit)
    votes = ["svm+random_forest", "random_forest+logistic_regression"]
    found = compare([table], tmp_path / "out", Asked(THREE, 2, parameters=SMALL, votes=votes))
    reasons = {row.classifier: row.reason for row in found.rows}
    assert reasons.pop("svm+random_forest") == "svm failed"
    assert reasons.pop("svm") == "it broke"
    assert set(reasons) == {*THREE[1:], votes[1]}
    assert not any(reasons.values())
    assert found.exit_code == 1


def test_a_vote_with_a_member_that_chose_on_these_tracks_is_marked(
    table: Path, done: tuple[Path, Comparison], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mgrkit.registry import loader

    real = loader.Registry.classifier

    def choosing(self: Any, name: str) -> Any:
        entry = real(self, name)
        calibrate = "valid" if name == "svm" else "folds"
        return replace(entry, spec=replace(entry.spec, calibrate=calibrate))

    monkeypatch.setattr(loader.Registry, "classifier", choosing)
    votes = ["svm+random_forest", "random_forest+logistic_regression"]
    found = compare([table], done[0], Asked(THREE, 2, parameters=SMALL, votes=votes))
    chose = {row.classifier: row.chose for row in found.rows}
    assert chose == {**dict.fromkeys((*THREE, *votes), False), "svm": True, votes[0]: True}


def test_the_command_takes_them_and_the_table_fits_eighty_columns(
    table: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    words = ["compare", str(table), "--classifiers", "svm,random_forest", "--seeds", "1"]
    asked = [*words, "--param", "random_forest.trees=5"]
    words = [*asked, "--votes", " svm+random_forest,"]
    assert guarded(app, words) == 0
    out, _ = capfd.readouterr()
    assert max(map(len, out.splitlines())) <= 80
    assert any(line.startswith("svm+random") for line in out.splitlines())
    text = (tmp_path / "compare" / "compare.csv").read_text()
    assert "\nsvm+random_forest,ok," in text
    assert "svm+random\\_forest" in (tmp_path / "compare" / "compare.md").read_text()
    assert guarded(app, [*words, "--json", "-q"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert {"svm", "random_forest", "svm+random_forest"} == {
        row["classifier"] for row in result["rows"]
    }
    assert guarded(app, [*asked, "--votes", "svm+crnn"]) == 2
    assert "--votes names 'crnn', which is not compared" in capfd.readouterr().err
