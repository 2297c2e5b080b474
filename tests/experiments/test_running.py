"""A comparison on a cluster: the same results, whoever dies, stops or is killed in the middle."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from mgrkit.commands.compare import Asked, compare
from mgrkit.compute.cluster import Cluster
from mgrkit.errors import RunError, Stopped
from mgrkit.experiments import crews
from mgrkit.experiments.records import LOCK
from mgrkit.experiments.shelf import SHELF
from mgrkit.experiments.standings import Comparison
from mgrkit.files.lock import locked
from mgrkit.reports.comparison import write_report
from tests.compute.foreign_cluster import ROOT, foreign
from tests.datasets.made_tables import rows, write
from tests.experiments.toy_mortal import CODE
from tests.registry.fakes import Site, installed_site

TIMES = {"training_seconds", "prediction_ms", "device"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, and a plugin in ``site``."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "site").mkdir()
    Site(folder / "site").install("toys", CODE)
    write(folder / "t.csv", rows(artists=5, songs=3, spread=4.0))
    return folder


@pytest.fixture(scope="module")
def theirs(place: Path) -> Iterator[Cluster]:
    path = f"{place / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    with foreign(place, 2, PYTHONPATH=path, TOY_FOLDER=str(place)) as (address, _):
        yield Cluster.of(address)


@pytest.fixture(autouse=True)
def _plugin(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TOY_FOLDER", str(place))
    for name in ("log", "dies", "wait"):
        (place / name).unlink(missing_ok=True)
    with installed_site(place / "site", monkeypatch):
        yield


def run(
    place: Path, out: Path, names: tuple[str, ...], cluster: Cluster | None, **more: Any
) -> Comparison:
    said = more.pop("say", lambda line: None)
    asked = Asked(names, **({"seeds": 2} | more))
    found = compare([place / "t.csv"], out, asked, say=said, cluster=cluster)
    write_report(found, out)
    return found


def log(place: Path) -> Counter[str]:
    """How often each fit was begun."""
    path = place / "log"
    return Counter(path.read_text().splitlines() if path.exists() else [])


def results(out: Path) -> dict[str, Any]:
    """All that is in OUT but for times and devices."""
    found: dict[str, Any] = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith("compare.")
        and not (path.parent.name == "runs" and path.suffix == ".json")
    }  # fmt: skip
    with (out / "compare.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert TIMES & set(table[0])
    record = json.loads((out / "compare.json").read_bytes())
    for row in (*table, *record["rows"]):
        for name in TIMES:
            row.pop(name, None)
    return {**found, "table": table, "record": record}


REAL = ("svm", "random_forest", "lda")


@pytest.mark.parametrize("more", [{}, {"folds": 3, "seeds": 1, "votes": ["svm+lda"]}])
def test_the_results_are_those_of_one_machine(
    place: Path, tmp_path: Path, theirs: Cluster, more: dict[str, Any]
) -> None:
    parameters = {"random_forest": {"trees": 5}}
    said: list[str] = []
    run(place, tmp_path / "there", REAL, theirs, parameters=parameters, say=said.append, **more)
    run(place, tmp_path / "here", REAL, None, parameters=parameters, **more)
    assert results(tmp_path / "there") == results(tmp_path / "here")
    assert sum(": accuracy " in line for line in said) == (9 if more else 6)
    shown: list[str] = []
    run(place, tmp_path / "there", REAL, theirs, parameters=parameters, say=shown.append, **more)
    assert all(line.endswith("kept") for line in shown if ": accuracy " in line)


def test_who_dies_in_a_fit_costs_that_fit_only(
    place: Path, tmp_path: Path, theirs: Cluster
) -> None:
    run(place, tmp_path / "here", ("quick", "mortal"), None, seeds=3)
    (place / "log").unlink()
    (place / "dies").write_text("1 once")
    said: list[str] = []
    found = run(place, tmp_path / "there", ("quick", "mortal"), theirs, seeds=3, say=said.append)
    assert found.exit_code == 0
    assert results(tmp_path / "there") == results(tmp_path / "here")
    assert sum("has died at work" in line for line in said) == 1
    expected = {f"{name} {seed}": 1 for name in ("quick", "mortal") for seed in range(3)}
    assert log(place) == expected | {"mortal 1": 2}


def test_a_fit_that_kills_two_workers_is_a_failed_run(
    place: Path, tmp_path: Path, theirs: Cluster
) -> None:
    (place / "dies").write_text("0")
    found = run(place, tmp_path / "out", ("mortal", "quick"), theirs)
    assert found.exit_code == 1
    assert [(row.classifier, bool(row.reason)) for row in found.rows] == [
        ("quick", False), ("mortal", True),
    ]  # fmt: skip
    assert "died of it (was there memory enough?" in found.rows[1].reason
    assert log(place)["mortal 0"] == 2
    assert not (tmp_path / "out" / SHELF).exists()


def test_a_classifier_that_fails_has_the_reason_that_it_has_here(
    place: Path, tmp_path: Path, theirs: Cluster
) -> None:
    names = ("failing", "quick")
    there, here = (
        run(place, tmp_path / str(bool(where)), names, where, seeds=3) for where in (theirs, None)
    )
    assert [row.reason for row in there.rows] == [row.reason for row in here.rows]
    assert "ValueError: oh 0" in there.rows[1].reason
    assert log(place)["failing 2"] == 0, "the other runs are passed over"


def test_another_version_is_refused_by_name(
    place: Path, tmp_path: Path, theirs: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = crews.version
    monkeypatch.setattr(crews, "version", lambda name: "2.0" if name == "toys" else own(name))
    said: list[str] = []
    with pytest.raises(RunError, match=r"can do it: it has toys 1\.0, here is 2\.0") as caught:
        run(place, tmp_path / "out", ("quick",), theirs, say=said.append)
    assert caught.value.exit_code == 3
    assert sum("is left out: it has toys 1.0" in line for line in said) == 2
    assert not log(place)


def test_two_clusters_in_one_folder_are_refused(
    place: Path, tmp_path: Path, theirs: Cluster
) -> None:
    out = tmp_path / "out"
    run(place, out, ("quick",), None, seeds=1)
    (out / SHELF).mkdir()
    words = "another cluster is at work in"
    with locked(out / SHELF / LOCK), pytest.raises(RunError, match=words):
        run(place, out, ("quick",), theirs)
    run(place, out, ("quick",), theirs)
    assert not (out / SHELF).exists()


def command(place: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    """The command line, in a group of its own."""
    path = f"{place / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    return subprocess.Popen(
        [sys.executable, "-m", "mgrkit", "compare", str(place / "t.csv"), "--classifiers",
         "quick,waiting", "--seeds", "2", "--out", str(out), *words],
        cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip


def at_wait(place: Path, out: Path) -> None:
    """Until all is done but the last fit, and that is at work."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if log(place)["waiting 1"] and (out / "waiting-0.safetensors").exists():
            time.sleep(0.3)
            return
        time.sleep(0.05)
    raise AssertionError(f"only {log(place)}")


def resumed(place: Path, out: Path, last: tuple[int, ...] = (2,)) -> None:
    """Go on here: what was finished is not done again, and the last fit so often in all."""
    (place / "wait").unlink()
    assert run(place, out, ("quick", "waiting"), None).exit_code == 0
    begun = log(place)
    assert begun.pop("waiting 1") in last
    assert begun == {"quick 0": 1, "quick 1": 1, "waiting 0": 1}


@pytest.mark.parametrize("where", ["local:2", "theirs"])
def test_ctrl_c_ends_it_in_order_and_the_same_command_goes_on(
    place: Path, tmp_path: Path, theirs: Cluster, where: str
) -> None:
    (place / "wait").touch()
    out = tmp_path / "out"
    process = command(place, out, "--cluster", str(theirs) if where == "theirs" else where)
    at_wait(place, out)
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert not stdout
    assert stderr.splitlines()[-1] == (
        "mgrkit: stopped after 3 of 4 runs; the same command goes on from there"
    )
    resumed(place, out)


def test_a_second_ctrl_c_ends_it_at_once(place: Path, tmp_path: Path) -> None:
    (place / "wait").touch()
    process = command(place, tmp_path / "out", "--cluster", "local:1")
    at_wait(place, tmp_path / "out")
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.02)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped after 3 of 4 runs" in stderr


def test_after_sigkill_it_goes_on_here(place: Path, tmp_path: Path, theirs: Cluster) -> None:
    (place / "wait").touch()
    out = tmp_path / "out"
    process = command(place, out, "--cluster", str(theirs))
    at_wait(place, out)
    process.kill()
    process.communicate()
    resumed(place, out, (1, 2))  # the worker may end it before it knows that nobody waits


def test_after_the_scheduler_has_gone_it_goes_on_here(place: Path, tmp_path: Path) -> None:
    (place / "wait").touch()
    out = tmp_path / "out"
    path = f"{place / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    env = {"PYTHONPATH": path, "TOY_FOLDER": str(place)}
    with foreign(tmp_path, 2, **env) as (address, scheduler):
        process = command(place, out, "--cluster", address)
        at_wait(place, out)
        scheduler.kill()
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 3
    assert f"mgrkit: lost the scheduler at {address} (the same command goes on" in stderr
    resumed(place, out)


def test_it_says_how_far_long_fits_are(
    place: Path, tmp_path: Path, theirs: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "wait").touch()
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "loss 0.5" in line:
            (place / "wait").unlink(missing_ok=True)

    run(place, tmp_path / "out", ("waiting",), theirs, say=say)
    assert "2 of 2: waiting, seed 1: 1 of 2, loss 0.5" in said


def test_a_stop_before_anything_is_begun_is_a_stop(
    place: Path, tmp_path: Path, theirs: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = crews.gathered

    def gathered(*words: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return own(*words)

    monkeypatch.setattr(crews, "gathered", gathered)
    with pytest.raises(Stopped, match="stopped after 0 of 2 runs") as caught:
        run(place, tmp_path / "out", ("quick",), theirs)
    assert caught.value.exit_code == 143
    assert not log(place)
