"""Items on a cluster of Dask: the same results, whoever dies on the way."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")
if not Path("/proc").is_dir():
    pytest.skip("workers are found in /proc", allow_module_level=True)

from mgrkit.batch import FolderSink, Item, Options, Report, StreamSink, Summary, TableSink, run
from mgrkit.batch.executors.dask import assignment, client, worker
from mgrkit.batch.executors.dask.assignment import Assignment, Chunk
from mgrkit.batch.journalfiles import is_written
from mgrkit.compute.cluster import Cluster
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.shards import Shard, Worker
from tests.batch import toys
from tests.batch.clusters import ROOT, Foreign, foreign, wait


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Foreign]:
    with foreign(tmp_path_factory.mktemp("cluster"), 2) as found:
        yield found


@pytest.fixture
def there(cluster: Foreign) -> Cluster:
    wait(lambda: len(cluster.workers()) == 2)
    return Cluster.of(cluster.address)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return toys.fill(tmp_path / "in", 40)


class Heard(Report):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.rows = 0

    def note(self, text: str) -> None:
        self.notes.append(text)

    def finished(self, rows, *, kept) -> None:
        self.rows += len(rows)


def go(source: Path, sink, job=toys.copy, report: Report | None = None, **options) -> Summary:
    items = toys.items(source)
    return asyncio.run(run(items, job, sink, toys.COLUMNS, Options(**options), report))


def tree(out: Path) -> dict[str, bytes]:
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".mgrkit" not in path.parts
    }


def done(out: Path) -> list[str]:
    """The keys of all finished items, as often as the journals have them."""
    keys = []
    for file in (out / ".mgrkit" / "journal").glob("*.jsonl"):
        for line in file.read_text().splitlines():
            try:
                keys.append(json.loads(line)["done"])
            except (ValueError, KeyError):
                continue
    return keys


def test_tree_and_table_are_those_of_a_local_run(tmp_path: Path, source: Path, there) -> None:
    (source / "00003").write_text("refuse")
    (source / "00005").write_text("exit")
    for job in (toys.copy, toys.parts):
        one, two = tmp_path / f"{job.__name__}1", tmp_path / f"{job.__name__}2"
        summary = go(source, FolderSink(one, {}), job, cluster=there)
        local = go(source, FolderSink(two, {}), job)
        assert (summary.made, summary.reasons) == (local.made, local.reasons)
        assert tree(one) == tree(two)
        assert sorted(done(one)) == sorted(done(two))
        assert go(source, FolderSink(one, {}), job).made == 0
        assert go(source, FolderSink(two, {}), job, cluster=there).made == 0


def test_tables_and_streams_are_those_of_a_local_run(tmp_path: Path, source: Path, there) -> None:
    (source / "00003").write_text("refuse")
    names = ["length", "tenth"]
    for where, name in ((there, "one"), (None, "two")):
        go(source, TableSink(tmp_path / f"{name}.csv", names, {}), toys.numbers, cluster=where)
        rows: list[dict] = []
        go(source, StreamSink(rows.append, {}, tmp_path / f"{name}.jsonl"), cluster=where,
           job=toys.numbers)  # fmt: skip
        (tmp_path / f"{name}.rows").write_text(json.dumps(sorted(rows, key=lambda r: r["path"])))
    for suffix in ("csv", "rows"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (
            tmp_path / f"two.{suffix}"
        ).read_bytes()
    again: list[dict] = []
    sink = StreamSink(again.append, {}, tmp_path / "one.jsonl")
    assert go(source, sink, toys.numbers).made == 0
    assert len(again) == 40


def test_only_what_crashes_or_hangs_fails(tmp_path: Path, source: Path, there) -> None:
    for name, text in {"00003": "abort", "00011": "hang", "00024": "abort"}.items():
        (source / name).write_text(text)
    local = FolderSink(tmp_path / "two", {})
    go(source, local, processes=True, timeout=4)
    for name, where in (("one", there), ("three", Cluster.of("local:2"))):
        out = tmp_path / name
        summary = go(source, FolderSink(out, {}), cluster=where, timeout=4)
        assert summary.reasons == {"crashed": 2, "timeout": 1}
        assert tree(out) == tree(tmp_path / "two")
        assert sorted(set(done(out))) == [item.key for item in toys.items(source)]


def test_a_stream_blames_only_what_crashes_or_hangs(source: Path, there) -> None:
    (source / "00003").write_text("abort")
    (source / "00011").write_text("hang")
    rows: list[dict] = []
    summary = go(source, StreamSink(rows.append, {}), toys.numbers, cluster=there, timeout=4)
    assert (summary.made, summary.reasons) == (38, {"crashed": 1, "timeout": 1})
    assert len({row["path"] for row in rows}) == len(rows) == 40


def test_a_worker_may_come_in_the_middle(tmp_path: Path) -> None:
    source = toys.fill(tmp_path / "in", 300)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    with foreign(tmp_path / "cluster", 1) as cluster:

        class Hiring(Heard):
            def finished(self, rows, *, kept) -> None:
                if not self.rows:
                    cluster.add_worker()
                super().finished(rows, kept=kept)
                if self.rows == 40:
                    wait(lambda: len(cluster.workers()) == 2)

        out = tmp_path / "out"
        summary = go(
            source, FolderSink(out, {}), report=Hiring(), cluster=Cluster.of(cluster.address)
        )
    assert summary.made == 300


def test_made_again_with_replace_and_from_changed_sources(
    tmp_path: Path, source: Path, there
) -> None:
    out = tmp_path / "out"
    go(source, FolderSink(out, {"seed": 0}), toys.parts)
    (source / "00007").write_text("another")
    assert go(source, FolderSink(out, {"seed": 0}), toys.parts, cluster=there).made == 2
    (source / "00000").unlink()
    summary = go(source, FolderSink(out, {"seed": 1}, replace=True), toys.parts, cluster=there)
    assert (summary.made, summary.deleted) == (78, 2)
    local = tmp_path / "local"
    go(source, FolderSink(local, {"seed": 1}), toys.parts)
    assert tree(out) == tree(local)


def test_a_file_in_the_way_stays(tmp_path: Path, source: Path, there) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "00004.out").write_text("mine")
    summary = go(source, FolderSink(out, {}), cluster=there)
    assert (summary.made, summary.reasons) == (39, {"exists": 1})
    assert (out / "00004.out").read_text() == "mine"


SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from mgrkit.batch import FolderSink, Options, Report, run
from mgrkit.batch.journalfiles import is_written
from mgrkit.compute.cluster import Cluster
from mgrkit.errors import MgrkitError
from tests.batch import toys
class Loud(Report):
    def note(self, text): print(text, flush=True)
    def finished(self, rows, *, kept): print("row", flush=True)
source, out, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
if __name__ == "__main__":
    sink = FolderSink(out, {"seed": 0})
    options = Options(cluster=Cluster.of(where))
    try:
        going = run(toys.items(source), toys.copy, sink, toys.COLUMNS, options, Loud())
        code = asyncio.run(going).exit_code
    except MgrkitError as error:
        print(error, flush=True)
        code = error.exit_code
    os._exit(code)
"""


def started(source: Path, out: Path, where: str) -> subprocess.Popen[str]:
    """A run in a process group of its own that has handed over its first rows."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, source, out, where], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    told = iter(process.stdout.readline, "")
    lines = (line for line in told if not line.startswith("waiting for workers"))
    assert [*itertools.islice(lines, 5)] == ["row\n"] * 5
    return process


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    source = toys.fill(tmp_path / "slow", 800)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    return source


def resumes(slow: Path, out: Path) -> None:
    """What is finished stays as it is, and the rest is made here."""
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.out")}
    journalled = set(done(out))
    assert 0 < len(journalled) < 800
    # What was published and not yet noted when the process was killed is made again.
    assert len(set(before) - {out / f"{key}.out" for key in journalled}) <= 2
    summary = go(slow, FolderSink(out, {"seed": 0}))
    assert (summary.kept, summary.made) == (len(journalled), 800 - len(journalled))
    for key in journalled:
        path = out / f"{key}.out"
        assert path.stat().st_mtime_ns == before[path]


@pytest.mark.parametrize("where", ["foreign", "local:2"])
def test_a_signal_to_all_ends_in_order(tmp_path: Path, slow: Path, cluster, there, where) -> None:
    out = tmp_path / "out"
    where = cluster.address if where == "foreign" else where
    process = started(slow, out, where)
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130
    assert "press again to stop at once" in output
    assert {f"{key}.out" for key in done(out)} == {path.name for path in out.glob("*.out")}
    resumes(slow, out)
    # The cluster is there, and has nothing of ours to do.
    assert len(cluster.workers()) == 2
    began = time.monotonic()
    assert (
        go(toys.fill(tmp_path / "few", 3), FolderSink(tmp_path / "b", {}), cluster=there).made == 3
    )
    assert time.monotonic() - began < 20


def test_a_killed_client_is_no_loss(tmp_path: Path, slow: Path, cluster, there) -> None:
    out = tmp_path / "out"
    process = started(slow, out, cluster.address)
    process.kill()
    process.communicate()
    folder = out / ".mgrkit" / "journal"
    wait(lambda: not any(is_written(file) for file in folder.glob("*.jsonl")))
    resumes(slow, out)


def test_the_loss_of_the_scheduler_ends_the_run_and_no_more(tmp_path: Path, slow: Path) -> None:
    out = tmp_path / "out"
    with foreign(tmp_path / "cluster", 2) as cluster:
        process = started(slow, out, cluster.address)
        cluster.scheduler.kill()
        output = process.communicate(timeout=60)[0]
        assert process.returncode == 3
        assert "is lost (the same command goes on from here, with --cluster or without)" in output
        resumes(slow, out)


def test_two_clusters_on_one_out(tmp_path: Path, slow: Path, source: Path, cluster, there) -> None:
    out = tmp_path / "out"
    process = started(slow, out, cluster.address)
    with pytest.raises(RunError, match="another mgrkit is writing there"):
        go(slow, FolderSink(out, {"seed": 0}), cluster=there)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


PRELOAD = """
from mgrkit.batch.executors.dask import assignment
found = assignment.versions()  # Dask loads this twice
assignment.versions = lambda: {**found, "mgrkit": "0.0.1"}
"""


def test_a_worker_that_cannot_is_named_and_left_out(tmp_path: Path, source: Path) -> None:
    preload = tmp_path / "old.py"
    preload.write_text(PRELOAD)
    with foreign(tmp_path / "cluster", 0) as cluster:
        cluster.add_worker("--preload", preload)
        wait(lambda: len(cluster.workers()) == 1)
        there = Cluster.of(cluster.address)
        with pytest.raises(RunError, match=r"no worker at .* can do this; .*: it has mgrkit 0.0.1"):
            go(source, FolderSink(tmp_path / "none", {}), cluster=there)
        cluster.add_worker()
        wait(lambda: len(cluster.workers()) == 2)
        report = Heard()
        for attempt in range(50):  # the second says hello to the scheduler when it likes
            try:
                summary = go(source, FolderSink(tmp_path / "one", {}), report=report, cluster=there)
                break
            except RunError:
                assert attempt < 49
                time.sleep(0.2)
    assert summary.made == 40
    assert any("is left out: it has mgrkit 0.0.1" in note for note in report.notes)


def test_no_worker_is_waited_for_and_then_an_error(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.5)
    with foreign(tmp_path / "cluster", 0) as cluster, pytest.raises(RunError, match="no worker at"):
        go(source, FolderSink(tmp_path / "out", {}), cluster=Cluster.of(cluster.address))
    assert not (tmp_path / "out").exists(), "nothing is left of a run that never began"


def test_a_share_goes_not_with_a_cluster(tmp_path: Path, source: Path) -> None:
    sink = FolderSink(tmp_path / "out", {}, shard=Shard(1, 2))
    with pytest.raises(UsageError, match="--cluster takes no --shard"):
        go(source, sink, cluster=Cluster.of("local:1"))


@pytest.fixture
def assigned(tmp_path: Path, source: Path) -> Assignment:
    """As a worker gets it, for a run that goes on."""
    sink = FolderSink(tmp_path / "out", {})
    sink.open([])
    (sink.temporary / "call").mkdir()
    item = next(toys.items(source))
    return Assignment(
        Worker("call", 1), toys.copy, Options(), sink.at_worker(), assignment.versions(),
        (item, item.fingerprint()),
    )  # fmt: skip


def test_each_worker_is_asked_whether_it_can(
    assigned: Assignment, tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert assigned.problem() == ""
    real = shutil.disk_usage
    with monkeypatch.context() as full:
        full.setattr(shutil, "disk_usage", lambda path: real(path)._replace(free=0))
        assert assigned.problem() == "the disk of OUT is full there"

    def refuse(self: Path, *args: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    with monkeypatch.context() as closed:
        closed.setattr(Path, "touch", refuse)
        assert assigned.problem().startswith("it cannot write to")
    shutil.rmtree(tmp_path / "out" / ".mgrkit" / "tmp")
    assert assigned.problem().startswith("it does not see")
    (source / "00000").write_text("something else")
    assert "or another file of that name" in assigned.problem()


def test_a_worker_that_may_not_read_from_the_store_is_left_out(
    assigned: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = Item("a", "s3://music/a.wav", {}, version=(7, '"etag"'))
    asked = dataclasses.replace(assigned, sample=(url, url.fingerprint()))
    there: list[object] = [(7, '"etag"')]

    def version(url: str) -> object:
        if there:
            return there.pop()
        raise PermissionError(errno.EACCES, "there are no credentials", url)

    monkeypatch.setattr(assignment, "version", version)
    assert asked.problem() == ""
    assert asked.problem() == "it cannot read s3://music/a.wav: there are no credentials"
    there.append(None)
    assert "does not see s3://music/a.wav" in asked.problem()


def test_only_what_was_begun_is_blamed_and_not_for_ever(tmp_path: Path, source: Path) -> None:
    outcomes: list[object] = []

    async def lost(begun: bool, times: int) -> client.Dask:
        sink = FolderSink(tmp_path / f"out{begun}", {})
        sink.open([])
        dask = client.Dask(Cluster.of("local:1"), toys.copy, sink, Options(), Report(), None)
        dask._settle = lambda item, outcome: outcomes.append(outcome)
        item = next(toys.items(source))
        journal = tmp_path / f"out{begun}" / ".mgrkit" / "journal" / f"{dask.call}-1.jsonl"
        journal.write_text('{"began":"00000"}\n' if begun else "")
        for _ in range(times):
            await dask._recover(client._Hand("tcp://x:1", 1, 1), Chunk([item], alone=True))
        sink.close()
        return dask

    dask = asyncio.run(lost(begun=False, times=30))
    assert not outcomes
    assert all(chunk.alone for chunk in dask._again)
    asyncio.run(lost(begun=True, times=10))
    [error] = outcomes
    assert isinstance(error, ItemError)
    assert (error.reason, error.again) == ("crashed", True)


def no_weights() -> None:
    raise RunError("the weights of musicnn are not here")


def test_a_worker_is_asked_for_weights(assigned: Assignment) -> None:
    asked = Assignment(
        assigned.worker, assigned.job, assigned.options, assigned.sink, assigned.versions,
        assigned.sample, no_weights,
    )  # fmt: skip
    assert asked.problem() == "the weights of musicnn are not here"


def test_a_full_disk_ends_the_chunk_and_the_run(assigned: Assignment, source: Path) -> None:
    asked = Assignment(
        assigned.worker,
        toys.full,
        assigned.options,
        assigned.sink,
        assigned.versions,
        assigned.sample,
    )
    assert worker.assign(asked) == ""
    answer = worker.work("call", Chunk(list(toys.items(source))))
    worker.dismiss("call")
    assert [str(one) for one in answer.outcomes] == [
        "the disk is full or read-only (make room, then run the same command again)"
    ]


def test_the_disk_of_a_worker_fills_up(tmp_path: Path, source: Path, there) -> None:
    with pytest.raises(RunError, match="the disk is full"):
        go(source, FolderSink(tmp_path / "out", {}), toys.full, cluster=there)


def test_a_chunk_of_a_run_that_is_over_does_nothing(
    assigned: Assignment, tmp_path: Path, source: Path
) -> None:
    worker.assign(assigned)
    shutil.rmtree(tmp_path / "out" / ".mgrkit" / "tmp")
    answer = worker.work("call", Chunk(list(toys.items(source))))
    worker.dismiss("call")
    assert [str(one) for one in answer.outcomes] == ["the run that this was for is over"]
    assert not list((tmp_path / "out").glob("*.out"))
