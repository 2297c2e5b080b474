"""A search on a cluster: the same trials, whoever dies or stops in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")
pytest.importorskip("optuna")

from mgrkit.commands import tune as module
from mgrkit.commands.tune import TuneSettings, tune
from mgrkit.compute.cluster import Cluster
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.searches import Tuned
from mgrkit.experiments.shelf import SHELF
from tests.compute.foreign_cluster import ROOT, foreign
from tests.datasets.made_tables import write
from tests.experiments.toy_tuned import made
from tests.experiments.toy_tuned_mortal import CODE
from tests.registry.fakes import Site, installed_site


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, and a plugin in ``site``."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "site").mkdir()
    Site(folder / "site").install("toys", CODE)
    write(folder / "t.csv", made())
    return folder


def env(place: Path) -> dict[str, str]:
    path = f"{place / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    return {"PYTHONPATH": path, "TOY_FOLDER": str(place)}


def clustered(place: Path, workers: int) -> Iterator[Cluster]:
    (place / str(workers)).mkdir()
    with foreign(place / str(workers), workers, **env(place)) as (address, _):
        yield Cluster.of(address)


@pytest.fixture(scope="module")
def one(place: Path) -> Iterator[Cluster]:
    yield from clustered(place, 1)


@pytest.fixture(scope="module")
def two(place: Path) -> Iterator[Cluster]:
    yield from clustered(place, 2)


@pytest.fixture(autouse=True)
def _plugin(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TOY_FOLDER", str(place))
    for name in ("log", "dies", "wait"):
        (place / name).unlink(missing_ok=True)
    with installed_site(place / "site", monkeypatch):
        yield


def search(place: Path, out: Path, name: str, cluster: Cluster | None, **more: Any) -> Tuned:
    settings: dict[str, Any] = {"trials": 14, "outer": 0, "folds": 3, **more}
    watch = settings.pop("watch", module.unwatched)
    say = settings.pop("say", lambda line: None)
    settings = TuneSettings(**settings)
    return tune(name, place / "t.csv", out, settings, cluster=cluster, watch=watch, say=say)


def told(found: Tuned) -> list[Mapping[str, Any]]:
    """What was tried and what came of it, without times."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in found.rows]


def log(place: Path) -> list[str]:
    path = place / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_one_worker_makes_the_very_same_search(place: Path, tmp_path: Path, one: Cluster) -> None:
    steps: list[Any] = []
    there = search(place, tmp_path / "there", "steady", one, outer=2, watch=steps.append)
    pids = {line.split()[0] for line in log(place)}
    here = search(place, tmp_path / "here", "steady", None, outer=2)
    assert told(there) == told(here)
    assert there.path == tmp_path / "there" / "steady.safetensors"
    assert there.path.read_bytes() == here.path.read_bytes()
    path = {"bundle": str(here.path)}
    assert {**there.result, **path} == here.result
    assert pids
    assert str(os.getpid()) not in pids, "the last fit is a worker's, too"
    assert (steps[0].done, steps[-1].done, steps[-1].total) == (0, 42, 42)
    assert not (tmp_path / "there" / SHELF).exists()
    assert not list((tmp_path / "there" / ".workers").iterdir())
    more = search(place, tmp_path / "there", "steady", None, outer=2, trials=16)
    assert told(more)[:14] == told(there)[:14]


def test_two_workers_share_the_trials(place: Path, tmp_path: Path, two: Cluster) -> None:
    found = search(place, tmp_path / "out", "steady", two, outer=2, trials=8)
    assert len({line.split()[0] for line in log(place)}) == 2
    names = [row["search"] for row in found.rows]
    assert {name: names.count(name) for name in names} == {
        "search": 8, "outer fold 1 of 2": 8, "outer fold 2 of 2": 8,
    }  # fmt: skip
    assert found.result["nested"]


def test_who_dies_in_a_trial_costs_that_trial_only(
    place: Path, tmp_path: Path, one: Cluster
) -> None:
    here = search(place, tmp_path / "here", "mortal", None)
    (place / "dies").write_text("1")
    said: list[str] = []
    there = search(place, tmp_path / "there", "mortal", one, say=said.append)
    assert told(there) == told(here)
    assert sum("has died at work" in line for line in said) == 1
    assert there.path.read_bytes() == here.path.read_bytes()


def test_a_trial_that_kills_two_workers_has_failed(
    place: Path, tmp_path: Path, one: Cluster
) -> None:
    (place / "dies").write_text("2")
    found = search(place, tmp_path / "out", "mortal", one, trials=6)
    [failed] = [row for row in found.rows if row["status"] == "failed"]
    assert "died of it" in failed["reason"]
    assert failed["columns"] > 8
    assert len(found.rows) == 6
    deaths = [line for line in log(place) if line.startswith("dies")]
    assert len(deaths) == 2
    assert len(set(deaths)) == 1, "both in one trial"
    assert found.result["inner"]["failed"] == 1


def test_a_device_that_no_worker_has_is_an_error(place: Path, tmp_path: Path, one: Cluster) -> None:
    with pytest.raises(RunError, match=r"can do it: it has no device cuda:77"):
        search(place, tmp_path / "out", "steady", one, device="cuda:77")
    with pytest.raises(UsageError, match=r"there is no device|cannot be used"):
        search(place, tmp_path / "out", "steady", None, device="cuda:77")


def test_when_the_time_is_up_what_is_at_work_is_given_back(
    place: Path, tmp_path: Path, one: Cluster
) -> None:
    (place / "wait").touch()
    found = search(place, tmp_path / "out", "waiting", one, timeout=3.0, space={"columns": [8, 9]})
    assert 1 <= len(found.rows) < 14
    assert any("the time was up after" in note for note in found.result["notes"])
    (place / "wait").unlink()
    more = search(place, tmp_path / "out", "waiting", None, space={"columns": [8, 9]})
    assert told(more)[: len(found.rows)] == told(found)
    assert len(more.rows) == 14


def command(place: Path, out: Path, cluster: str) -> subprocess.Popen[str]:
    """The command line, in a group of its own, until the first trial that waits."""
    (place / "wait").touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "mgrkit", "tune", "waiting", str(place / "t.csv"), "--trials", "4",
         "--folds", "3", "--outer", "0", "--out", str(out), "--cluster", cluster],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env={**os.environ, **env(place)},
    )  # fmt: skip
    end = time.monotonic() + 60
    while not any(not line.endswith(" 8") for line in log(place)) and time.monotonic() < end:
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("how", ["local:1", "theirs", "killed"])
def test_what_was_stopped_goes_on_here(place: Path, tmp_path: Path, one: Cluster, how: str) -> None:
    out = tmp_path / "out"
    process = command(place, out, "local:1" if how == "local:1" else str(one))
    if how == "killed":
        process.kill()
        process.communicate()
    else:
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=30)
        assert process.returncode == 130
        assert not stdout
        words = "mgrkit: stopped after 1 of 4 trials; the same command goes on from there"
        assert stderr.splitlines()[-1] == words
        assert not list((out / ".workers").iterdir())
    time.sleep(0.5 if how == "killed" else 0)
    (place / "wait").unlink()
    (place / "log").unlink()
    found = search(place, out, "waiting", None, trials=4)
    assert told(found) == told(search(place, tmp_path / "whole", "waiting", None, trials=4))
