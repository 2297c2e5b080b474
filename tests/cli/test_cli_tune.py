"""``mgrkit tune`` as a person calls it."""

from __future__ import annotations

import csv
import itertools
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")

from mgrkit.classifiers import load_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal import fitting
from mgrkit.cli.terminal.errors import guarded
from mgrkit.cli.views import tuning
from mgrkit.commands.plugins import list_classifiers
from mgrkit.experiments import searches as searching
from mgrkit.experiments.searches import Step
from mgrkit.reports.figures import drawn_by
from tests.datasets.made_tables import write
from tests.experiments.toy_tuned import CODE, made
from tests.registry.fakes import installed_site

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "t.csv", made())
    (tmp_path / "site").mkdir()
    with installed_site(tmp_path / "site", monkeypatch) as site:
        site.install("toys", CODE)
        yield


def run(words: str) -> int:
    return guarded(app, shlex.split(words))


def test_the_command_to_copy_makes_the_same_model(capsys: Captured) -> None:
    words = "--seed 3 --split published --columns mfcc,chroma --param flip=true"
    assert run(f"tune quick t.csv --trials 4 --outer 0 --out 'a b' {words} --json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["command"].startswith("mgrkit train quick t.csv --out quick.safetensors --seed 3")
    assert run(told["command"].removeprefix("mgrkit ")) == 0
    assert Path("quick.safetensors").read_bytes() == Path("a b/quick.safetensors").read_bytes()
    assert load_bundle(Path("quick.safetensors")).parameters["flip"] is True
    assert told["searched"] == ["sharpness", "steps", "columns", "kind"]


def test_the_table_tells_what_was_chosen_and_what_was_not(capsys: Captured) -> None:
    assert run("tune quick t.csv --trials 13 --outer 2 --folds 3 --param kind=a -q") == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [line.split() for line in out.splitlines()]
    head = out.splitlines()[0]
    assert head.startswith("quick: 13 trials")
    assert head.endswith("; 48 tracks of train, given split")
    rows = {" ".join(line[:2]): line for line in lines if line}
    assert rows["inner folds"][3:] == ["3,", "chosen", "as", "the", "highest:", "too", "high"]
    assert rows["the defaults"][3:] == ["by", "the", "same", "folds"]
    assert rows["outer folds"][4:] == ["2,", "each", "after", "a", "search", "of", "its", "own"]
    [valid] = [line for line in lines if line[:1] == ["valid"]]
    assert valid[3:] == ["not", "used", "to", "choose"]
    assert next(line for line in lines if line[:1] == ["kind"]) == ["kind", "a", "not", "searched"]
    text = [line for line in out.splitlines() if not line.startswith(("mgrkit train", "wrote"))]
    assert max(map(len, text)) <= 80
    assert "mgrkit train quick t.csv --out quick.safetensors --param" in out
    for name in ("trials.csv", "importance.csv", "history.png", "importance.png"):
        assert f"tune/{name}" in out


def test_where_the_time_was_up_it_says_that_no_score_is_honest(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []
    words = "tune quick t.csv --trials 3 --outer 2 --folds 2 -q"
    with monkeypatch.context() as patch:
        patch.setattr(tuning.SearchBar, "watch", lambda self, step: done.append(step.done))
        patch.setattr(searching.Limit, "late", lambda self: bool(done) and done[-1] >= 3)
        assert run(f"{words} --timeout 6") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "so it is too high. Nothing honest stands beside it, for the time was up" in text
    assert "the same command goes on from here, and a longer --timeout" in text
    assert run(words) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Nothing honest" not in text
    assert "That of the outer folds is not" in text


def test_trials_and_importance_are_written_and_drawn(capsys: Captured) -> None:
    assert run("tune quick t.csv --trials 13 --outer 2 --json") == 0
    told = json.loads(capsys.readouterr().out)
    with Path("tune/trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["search"] for row in rows[12:14]] == ["search", "outer fold 1 of 2"]
    assert len(rows) == 39
    best = rows[told["inner"]["trial"]]
    assert float(best["accuracy"]) == pytest.approx(told["inner"]["accuracy"], abs=1e-6)
    assert {name: best[name] for name in ("steps", "columns", "kind")} == {
        name: str(told["parameters"][name]) for name in ("steps", "columns", "kind")
    }
    with Path("tune/importance.csv").open(newline="") as file:
        importance = {row["parameter"]: float(row["importance"]) for row in csv.DictReader(file)}
    assert importance == pytest.approx(told["importance"])
    assert set(importance) == {"sharpness", "steps", "columns", "kind"}
    assert sum(importance.values()) == pytest.approx(1, abs=1e-4)
    # Scores hang on the columns, not on the parts that sums are made in.
    assert importance["columns"] > 0.5 > importance["steps"]
    for name in ("history.png", "importance.png"):
        assert drawn_by(Path("tune") / name, "mgrkit tune")


def test_what_is_searched_is_shown(capsys: Captured) -> None:
    assert run("classifiers svm") == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "from 0.0001 to 1e+06 tune: 0.01 to 100 (log)" in text
    assert "tune: rbf, linear, poly" in text
    assert "tune: true, false" in text
    assert run("classifiers quick --json") == 0
    told = json.loads(capsys.readouterr().out)
    shown = {one["name"]: one.get("search") for one in told["parameters"]}
    assert shown["steps"] == {"low": 2, "high": 8, "log": False}
    assert shown["kind"] == {"values": ["a", "b"]}
    assert shown["flip"] is None


def test_every_classifier_of_mgrkit_declares_what_to_search() -> None:
    for one in list_classifiers():
        if one["distribution"] == "mgrkit":
            assert any("search" in parameter for parameter in one["parameters"]), one["name"]


def test_one_trial_says_nothing_of_the_parameters(capsys: Captured) -> None:
    assert run("tune quick t.csv --trials 1 --outer 0 -q") == 0
    assert "importance.png" not in capsys.readouterr().out
    assert not Path("tune/importance.csv").exists()
    assert Path("tune/history.png").exists()


def test_lines_go_to_stderr_and_only_the_result_to_stdout(capsys: Captured) -> None:
    assert run("tune quick t.csv --trials 2 --outer 0 --json") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "Traceback" not in err
    assert "[I " not in err, "Optuna's own lines"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("plain --trials 3", "plain declares nothing to search (say by --space FILE which values"),
        ("quick", "--trials"),
        ("quick --trials 0", "--trials must be a whole number from 1 to 100000, not '0'"),
        ("quick --trials 3 --param steps=2 --param steps=3", "--param steps is given twice"),
        ("quick --trials 3 --param step=2", "has no parameter 'step' (did you mean steps?)"),
        ("quick --trials 3 --space no.toml", "no.toml is no TOML"),
        ("quick --trials 3 --space wide.toml", "columns must be from 1 to 57"),
        ("svm --trials 3 --reduce pca:3 --param reduce=none", "--reduce and --param reduce differ"),
        ("svm --trials 3 --space umap.toml", "reduce must be pca:COUNT, pca:SHARE"),
        ("cnn --trials 3 --front-end kaggle", "--front-end"),
    ],
)
def test_a_wrong_call_makes_nothing(words: str, message: str, capsys: Captured) -> None:
    Path("no.toml").write_text("steps: 3")
    Path("umap.toml").write_text("reduce = ['none', 'umap:3']")
    Path("wide.toml").write_text("columns = {low = 1, high = 100}")
    name, *rest = words.split(" ", 1)
    assert run(f"tune {name} t.csv {' '.join(rest)}") == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) <= 2
    assert not Path("tune").exists()


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        f"sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "from mgrkit.cli.app import app\n"
        "from mgrkit.cli.terminal.errors import guarded\n"
        "from mgrkit.cli.views import tuning\n"
        "def watch(self, step):\n"
        "    if step.done == 3 and 'first' in sys.argv: os.kill(os.getpid(), signal.SIGINT)\n"
        "tuning.SearchBar.watch = watch\n"
        "words = 'tune slow t.csv --trials 6 --outer 0 --folds 2 -q --json'\n"
        "raise SystemExit(guarded(app, words.split()))\n"
    )
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    first, second = (
        subprocess.run([*command, name], capture_output=True, text=True, env=environment)
        for name in ("first", "second")
    )
    assert first.returncode == 128 + signal.SIGINT
    words = "stopped after 3 of 6 trials; the same command goes on from there"
    assert words in first.stderr
    assert second.returncode == 0
    assert json.loads(second.stdout)["inner"]["trials"] == 6


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Moves of bars, as on a terminal, the clock at 0, 10, 20 ... seconds."""
    moves: list[Any] = []

    class Noted:
        def __init__(self, name: str) -> None:
            self.name = name

        def move(self, done: int, total: int | None, found: str) -> None:
            moves.append((self.name, done, total, found))

        def close(self) -> None:
            moves.append((self.name, "closed"))

    for module in (tuning, fitting):
        monkeypatch.setattr(module, "wanted", lambda quiet: True)
        monkeypatch.setattr(module, "Bar", Noted)
    ticks = itertools.count(0, 10)
    monkeypatch.setattr(tuning.time, "monotonic", lambda: float(next(ticks)))
    return moves


def test_the_bar_has_the_total_the_best_so_far_and_the_time_left(bars: list[Any]) -> None:
    bar = tuning.SearchBar(quiet=False)
    bar.watch(Step(4, 12, None, "search"))
    bar.watch(Step(5, 12, 0.52, "search"))
    bar.watch(Step(8, 12, 0.55, "outer fold 1 of 2"))
    bar.progress(1, 5, {})
    bar.close()
    assert bars == [
        ("tune", 4, 12, "4 of 12"),
        ("tune", 5, 12, "5 of 12, 70 s left, best 0.520"),
        ("tune", 8, 12, "8 of 12, 20 s left, best 0.550, outer fold 1 of 2"),
        ("tune", "closed"), ("fit", 1, 5, "1 of 5"), ("fit", "closed"),
    ]  # fmt: skip


def test_where_there_is_no_terminal_lines_say_it(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    ticks = itertools.count(0, 6)
    monkeypatch.setattr(tuning.time, "monotonic", lambda: float(next(ticks)))
    bar = tuning.SearchBar(quiet=False)
    for done in range(4):
        bar.watch(Step(done, 12, 0.5, "search"))
    told = capsys.readouterr().err.splitlines()
    assert told == ["tune: 1 of 12, 66 s left, best 0.500", "tune: 3 of 12, 54 s left, best 0.500"]
    quiet = tuning.SearchBar(quiet=True)
    quiet.watch(Step(11, 12, 0.5, "search"))
    assert capsys.readouterr().err == ""
