"""SIGKILL in the middle of a search: what was finished stays, what was begun is done again."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

optuna = pytest.importorskip("optuna")

from tests.crash import harness
from tests.datasets.made_tables import write
from tests.experiments.toy_tuned import CODE, made
from tests.registry.fakes import Site

TUNE = """
import sys
sys.path.insert(0, sys.argv[1])
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
raise SystemExit(guarded(app, sys.argv[2:]))
"""
EACH = 6
"""Trials from one kill to the next, or fewer."""
SHARED = 60
"""Trials of two: so many that one is not done before the other has begun."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write(tmp_path / "t.csv", made())
    (tmp_path / "site").mkdir()
    Site(tmp_path / "site").install("toys", CODE)
    return tmp_path


def start(place: Path, out: str, trials: int) -> subprocess.Popen[bytes]:
    words = ["tune", "slow", str(place / "t.csv"), "--trials", str(trials), "--folds", "2"]
    words += ["--outer", "0", "--out", str(place / out), "--json", "-q"]
    command = [sys.executable, "-c", TUNE, str(place / "site"), *words]
    with (place / "told.json").open("w") as told:
        return subprocess.Popen(command, cwd=harness.ROOT, stdout=told)


def ended(place: Path, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the process that was started last says at its end."""
    assert process.wait() == 0
    return dict(json.loads((place / "told.json").read_text()))


def journal(place: Path) -> int:
    path = place / "out" / "study.jsonl"
    return path.stat().st_size if path.exists() else 0


def trials(place: Path, out: str = "out") -> list[Any]:
    """FileNotFoundError where no journal is, which Optuna would begin before OUT has settings."""
    (place / out / "study.jsonl").stat()
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(place / out / "study.jsonl"))
    )
    return optuna.load_study(study_name="search", storage=storage).get_trials()


def finished(place: Path, out: str = "out") -> dict[int, tuple[Any, ...]]:
    """What each trial that was finished came to, by its number."""
    done = [one for one in trials(place, out) if one.state.name in ("COMPLETE", "PRUNED")]
    return {one.number: (one.state, one.value, str(one.params)) for one in done}


def running(place: Path) -> list[int]:
    return [one.number for one in trials(place) if one.state.name in ("RUNNING", "WAITING")]


def wait_for_growth(place: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the process has written something, or has ended."""
    before = journal(place)
    while process.poll() is None and journal(place) == before:
        time.sleep(0.002)


def test_killed_at_random_moments_it_loses_no_trial_and_leaves_none_running(place: Path) -> None:
    kills = int(os.environ.get("MGRKIT_KILLS", "3"))
    draw = random.Random(int(os.environ.get("MGRKIT_SEED", "1")))
    asked, before = EACH * kills, dict[int, tuple[Any, ...]]()
    for _ in range(kills):
        process = start(place, "out", asked)
        wait_for_growth(place, process)
        time.sleep(draw.uniform(0, 0.15 * EACH))
        assert process.poll() is None, "it ended before it was killed"
        process.kill()
        process.wait()
        if (place / "out" / "study.jsonl").exists() and journal(place):
            now = finished(place)
            assert before.items() <= now.items(), "a finished trial is lost, or another"
            before = now
    told = ended(place, start(place, "out", asked))
    assert before.items() <= finished(place).items()
    assert not running(place)
    assert len(finished(place)) == told["inner"]["trials"] == asked
    assert not list((place / "out" / ".workers").iterdir())
    whole = ended(place, start(place, "whole", asked))
    assert whole["parameters"] == told["parameters"]
    assert [*finished(place).values()] == [*finished(place, "whole").values()]


def test_two_share_a_search_and_one_that_dies_leaves_its_trial_to_the_other(place: Path) -> None:
    asked = SHARED
    dies, lives = start(place, "out", asked), start(place, "out", asked)
    while len(_workers(place)) < 2:
        assert dies.poll() is None
        time.sleep(0.01)
    dies.kill()
    dies.wait()
    told = ended(place, lives)
    assert not running(place)
    assert len(finished(place)) == told["inner"]["trials"] == asked
    assert len(_workers(place)) == 2


def test_two_that_both_live_do_as_many_as_are_asked_for(place: Path) -> None:
    both = [start(place, "out", SHARED) for _ in range(2)]
    assert both[0].wait() == 0
    told = ended(place, both[1])
    assert told["inner"]["trials"] == SHARED
    assert not list((place / "out" / ".workers").iterdir())
    assert len(finished(place)) == len(trials(place)) == SHARED
    assert len(_workers(place)) == 2


def _workers(place: Path) -> set[str]:
    """The processes that have begun trials."""
    try:
        return {one.user_attrs["worker"] for one in trials(place) if "worker" in one.user_attrs}
    except (FileNotFoundError, KeyError):  # it is not there yet
        return set()
