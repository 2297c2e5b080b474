"""The engine's promises, one by one, with toy jobs."""

from __future__ import annotations

import asyncio
import csv
import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from mgrkit.batch import FolderSink, Item, Options, Output, Report, Summary, Work, run, run_now
from mgrkit.batch.executors.threads import Threads
from mgrkit.batch.sinks.base import Sink
from mgrkit.batch.sinks.table import TableSink
from mgrkit.errors import ItemError, RunError, UsageError
from tests.batch import toys

ROOT = Path(__file__).parent.parent.parent


def go(
    source: Path,
    out: Path,
    *,
    job=toys.copy,
    seed: int = 0,
    replace: bool = False,
    names=None,
    report: Report | None = None,
    **options,
) -> Summary:
    sink = FolderSink(out, {"seed": seed}, replace)
    return asyncio.run(
        run(toys.items(source, names), job, sink, toys.COLUMNS, Options(**options), report)
    )


def tree(out: Path) -> dict[str, bytes]:
    """Every file of OUT but the state folder."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".mgrkit" not in path.parts
    }


def table(out: Path) -> list[dict[str, str]]:
    with (out / "tracks.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return toys.fill(tmp_path / "in", 20)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise", "internal: ValueError: a bad file (please report it)"),
        ("refuse", "silent: nothing to hear"),
        ("exit", "internal: SystemExit: 3 (please report it)"),
        ("stopiteration", "internal: StopIteration:  (please report it)"),
        ("touch", "changed: the file changed while it was read (run again)"),
    ],
)
@pytest.mark.parametrize("processes", [False, True])
def test_one_failure_is_one_row(source: Path, out: Path, text, reason, processes) -> None:
    (source / "00007").write_text(text)
    summary = go(source, out, processes=processes)
    rows = {row["source"]: row for row in table(out)}
    assert (summary.made, summary.failed, summary.exit_code) == (19, 1, 1)
    assert rows["00007"]["status"] == "failed"
    assert (
        rows["00007"]["reason"]
        .replace("internal: internal", "internal")
        .startswith(reason.partition(" (")[0])
    )
    assert len(tree(out)) == 20
    assert not list((out / ".mgrkit" / "tmp").iterdir()), "a failed item leaves nothing"


def test_missing_source_is_a_row(source: Path, out: Path) -> None:
    summary = go(source, out, names=["00001", "gone"])
    assert summary.reasons == {"missing": 1}
    (source / "gone").write_text("here now")
    assert go(source, out, names=["00001", "gone"]).made == 1


def test_a_part_that_fails_leaves_the_others(source: Path, out: Path) -> None:
    summary = go(source, out, job=toys.parts, names=["00003"])
    assert (summary.made, summary.failed) == (2, 1)
    assert set(tree(out)) == {"00003.0.out", "00003.2.out", "tracks.csv"}


@pytest.mark.parametrize("workers", [1, 2, 16])
@pytest.mark.parametrize("processes", [False, True])
def test_same_bytes_for_any_workers(source: Path, out: Path, workers, processes) -> None:
    go(source, out.with_name("reference"), workers=3)
    go(source, out, workers=workers, processes=processes)
    assert tree(out) == tree(out.with_name("reference"))


def test_workers_are_items_in_flight_and_threads_are_cores(source: Path, out: Path) -> None:
    seen: list[int] = []
    lock, running = threading.Lock(), set()

    def job(item: Item, work: object) -> list:
        with lock:
            running.add(item.key)
            seen.append(len(running))
        time.sleep(0.005)
        with lock:
            running.discard(item.key)
        return []

    drawn: list[str] = []

    def lazily():
        for item in toys.items(source):
            drawn.append(item.key)
            yield item

    options = Options(workers=16)
    summary = asyncio.run(run(lazily(), job, FolderSink(out, {}), toys.COLUMNS, options))
    assert max(seen) == options.threads == min(16, os.cpu_count() or 1)
    assert len(drawn) == 20
    assert summary.failed == 0


def test_again_does_nothing(source: Path, out: Path) -> None:
    go(source, out)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.out")}
    summary = go(source, out)
    assert (summary.made, summary.kept) == (0, 20)
    assert before == {path: path.stat().st_mtime_ns for path in out.glob("*.out")}


def test_again_makes_what_is_missing_vanished_or_changed(source: Path, out: Path) -> None:
    go(source, out, names=[f"{n:05}" for n in range(19)])
    (out / "00002.out").unlink()
    (source / "00003").write_text("another content")
    assert go(source, out).made == 3
    go(source, out.with_name("reference"))
    assert tree(out) == tree(out.with_name("reference"))


def test_a_failed_item_waits_for_another_source(source: Path, out: Path) -> None:
    (source / "00001").write_text("refuse")
    go(source, out)
    again = go(source, out)
    assert (again.made, again.kept, again.failed, again.exit_code) == (0, 19, 1, 1)
    (source / "00001").write_text("good now")
    assert go(source, out).made == 1


def test_what_a_bad_source_had_made_goes(source: Path, out: Path) -> None:
    go(source, out)
    (source / "00001").write_text("refuse")
    go(source, out)
    assert "00001.out" not in tree(out)


def test_foreign_files_are_kept(source: Path, out: Path) -> None:
    go(source, out.with_name("reference"))
    out.mkdir()
    (out / "00001.out").write_text("mine")
    (out / "00002.out").write_bytes((out.with_name("reference") / "00002.out").read_bytes())
    summary = go(source, out)
    assert summary.reasons == {"exists": 1}
    assert (out / "00001.out").read_text() == "mine"
    assert summary.made == 19, "equal bytes are adopted"
    assert go(source, out, replace=True).reasons == {"exists": 1}
    assert (out / "00001.out").read_text() == "mine"
    (out / "00001.out").unlink()
    assert go(source, out).made == 1


def test_a_file_that_somebody_changed_is_not_ours_any_more(source: Path, out: Path) -> None:
    go(source, out)
    (out / "00001.out").write_text("mine now")
    assert go(source, out).reasons == {"exists": 1}
    assert (out / "00001.out").read_text() == "mine now"


def test_other_settings_are_refused_with_the_difference(source: Path, out: Path) -> None:
    go(source, out)
    with pytest.raises(UsageError, match="other settings: --seed 0 instead of 1"):
        go(source, out, seed=1)


def test_replace_makes_again_and_deletes_the_rest(source: Path, out: Path) -> None:
    go(source, out)
    (out / "note.txt").write_text("mine")
    summary = go(source, out, seed=1, replace=True, names=["00004"])
    assert (summary.made, summary.deleted) == (1, 19)
    assert set(tree(out)) == {"00004.out", "note.txt", "tracks.csv"}
    assert len(table(out)) == 1
    assert go(source, out, seed=1).kept == 1


def test_replace_goes_on_after_a_cut(source: Path, out: Path) -> None:
    go(source, out)
    sink = FolderSink(out, {"seed": 1}, replace=True)

    def half():
        yield from list(toys.items(source))[:10]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(run(half(), toys.copy, sink, toys.COLUMNS))
    summary = go(source, out, seed=1, replace=True)
    assert summary.kept > 0
    assert summary.kept + summary.made == 20
    assert go(source, out, seed=1, replace=True).made == 20, "a complete one starts anew"


def test_two_at_once_are_refused(source: Path, out: Path) -> None:
    first = FolderSink(out, {})
    first.open([])
    with pytest.raises(RunError, match="another mgrkit"):
        go(source, out)
    first.close()


def test_a_foreign_table_is_refused(source: Path, out: Path) -> None:
    out.mkdir()
    (out / "tracks.csv").write_text("path\n")
    with pytest.raises(RunError, match="not made by mgrkit"):
        go(source, out)
    assert (out / "tracks.csv").read_text() == "path\n"


def test_torn_and_damaged_journal_lines_count_as_not_written(source: Path, out: Path) -> None:
    go(source, out)
    journal = out / ".mgrkit" / "journal" / "0.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    done = [number for number, line in enumerate(lines) if b'"done"' in line]
    lines[done[3]] = lines[done[3]][:40] + b"\n"
    journal.write_bytes(b"".join(lines[: done[-1]]) + lines[done[-1]][:25])
    summary = go(source, out)
    assert (summary.made, summary.kept) == (2, 18)
    assert go(source, out).kept == 20


def test_the_union_of_several_journals_is_read(source: Path, out: Path) -> None:
    go(source, out, names=["00001", "00002"])
    journal = out / ".mgrkit" / "journal"
    (journal / "0.jsonl").rename(journal / "1.jsonl")
    assert go(source, out).kept == 2
    assert len(table(out)) == 20


class Clock:
    """Time for the engine's threads, which stands still but where an item lets it go by."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0
        self.over = threading.Event()

    def monotonic(self) -> float:
        self.asked += 1
        return self.now

    def hang(self) -> None:
        self.now += 100
        self.over.wait()

    def linger(self) -> None:
        """Until the engine has looked for overdue calls once more."""
        self.now += 100
        seen = self.asked
        while self.asked < seen + 2 and not self.over.wait(0.001):
            pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr("mgrkit.batch.executors.threads.time", clock)
    monkeypatch.setattr(toys, "hang", clock.hang)
    monkeypatch.setattr(toys, "linger", clock.linger)
    yield clock
    clock.over.set()


def test_a_hanging_item_is_given_up_and_its_thread_replaced(
    source: Path, out: Path, clock: Clock
) -> None:
    for name in ("00000", "00001", "00002"):
        (source / name).write_text("hang")
    summary = go(source, out, timeout=50, workers=1)
    assert summary.reasons == {"timeout": 3}
    assert summary.made == 17
    assert summary.examples[0][1] == "timeout: gave up after 50 s (raise --timeout)"


def test_a_timeout_is_tried_again(source: Path, out: Path, clock: Clock) -> None:
    (source / "00000").write_text("hang")
    go(source, out, timeout=50, workers=1)
    (source / "00000").write_text("no more")
    assert go(source, out).made == 1


def test_a_job_extends_its_own_deadline(source: Path, out: Path, clock: Clock) -> None:
    (source / "00000").write_text("allow")
    assert go(source, out, names=["00000"]).made == 1
    fixed = go(source, out.with_name("fixed"), names=["00000"], timeout=60)
    assert fixed.reasons == {"timeout": 1}


def test_a_job_in_a_process_extends_its_own_deadline(
    source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source / "00000").write_text("allow")

    def late() -> None:
        """From the third look at the clock on, when the job has asked for more."""
        times = itertools.chain((0.0, 0.0), itertools.repeat(100.0))
        clock = SimpleNamespace(monotonic=lambda: next(times))
        monkeypatch.setattr("mgrkit.batch.executors.isolated.time", clock)

    late()
    assert go(source, out, names=["00000"], processes=True).made == 1
    late()
    fixed = go(source, out.with_name("fixed"), names=["00000"], timeout=60, processes=True)
    assert fixed.reasons == {"timeout": 1}


PRELOADS = [(), ("tests.batch.toys", "no.such.module")]


@pytest.mark.parametrize("preload", PRELOADS)
def test_crash_and_hang_in_processes_are_rows(source: Path, out: Path, preload) -> None:
    (source / "00003").write_text("abort")
    (source / "00005").write_text("hang")
    summary = go(source, out, processes=True, timeout=5, preload=preload)
    assert summary.reasons == {"crashed": 1, "timeout": 1}
    assert summary.made == 18


def test_planned_failures_are_rows(source: Path, out: Path) -> None:
    bad = Item("x", "", {"path": "x.out"}, error=ItemError("coincides", "with y", again=True))
    sink = FolderSink(out, {})
    summary = asyncio.run(run([bad, *toys.items(source)], toys.copy, sink, toys.COLUMNS))
    assert (summary.reasons, summary.made) == ({"coincides": 1}, 20)


def test_a_full_disk_ends_the_run_and_keeps_what_is_finished(
    source: Path, out: Path, monkeypatch
) -> None:
    def full(item: Item, work: object) -> list:
        if item.key > "00009":
            raise OSError(28, "No space left on device")
        return toys.copy(item, work)

    with pytest.raises(RunError, match="disk is full"):
        go(source, out, job=full, workers=1)
    assert len(table(out)) == 10
    assert go(source, out).kept == 10


def test_a_run_error_of_the_plan_keeps_what_is_finished(source: Path, out: Path) -> None:
    def plan():
        yield from list(toys.items(source))[:5]
        raise RunError("the folder went away")

    with pytest.raises(RunError, match="went away"):
        asyncio.run(run(plan(), toys.copy, FolderSink(out, {"seed": 0}), toys.COLUMNS))
    assert go(source, out).kept == 5


def test_the_report_hears_everything(source: Path, out: Path) -> None:
    class Heard(Report):
        wants_total = True
        rows, totals, closed = 0, 0, 0

        def finished(self, rows, *, kept):
            self.rows += len(rows)

        def total(self, items):
            self.totals = items

        def close(self):
            self.closed += 1

    report = Heard()
    sink = FolderSink(out, {})
    items = toys.items(source)
    asyncio.run(run(items, toys.copy, sink, toys.COLUMNS, None, report, count=lambda: 20))
    assert (report.rows, report.totals, report.closed) == (20, 20, 1)


STOPPABLE = """
import asyncio, sys
from pathlib import Path
from mgrkit.batch import FolderSink, Options, Report, run
from tests.batch import toys
class Loud(Report):
    def note(self, text): print(text, flush=True)
    def finished(self, rows, *, kept): print("row", flush=True)
source, out = Path(sys.argv[1]), Path(sys.argv[2])
if __name__ == "__main__":
    s = asyncio.run(run(toys.items(source), toys.copy, FolderSink(out, {"seed": 0}),
                        toys.COLUMNS, Options(workers=4), Loud()))
    sys.stdout.flush()
    import os; os._exit(s.exit_code)
"""


def stoppable(source: Path, out: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPABLE, source, out],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "row\n"
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_finishes_what_has_begun(tmp_path: Path, out: Path, number, code) -> None:
    source = toys.fill(tmp_path / "many", 400)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    process = stoppable(source, out)
    process.send_signal(number)
    output = process.communicate(timeout=20)[0]
    assert process.returncode == code
    assert "press again to stop at once" in output
    rows = table(out)
    assert 0 < len(rows) < 400
    assert {row["path"] for row in rows} == set(tree(out)) - {"tracks.csv"}
    journal = (out / ".mgrkit" / "journal" / "0.jsonl").read_text().splitlines()
    assert json.loads(journal[-1]) == {"end": code}
    assert go(source, out).kept == len(rows)


def test_after_a_signal_nothing_that_waits_begins(tmp_path: Path, out: Path) -> None:
    source = toys.fill(tmp_path / "many", 400)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    script = STOPPABLE.replace("Options(workers=4)", "Options(workers=200)")
    process = subprocess.Popen(
        [sys.executable, "-c", script, source, out], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "row\n"
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=20)[0]
    begun = output.partition("press again")[2].count("row")
    assert begun < 50, "what has begun, and what had ended but was not yet handed over"


def test_the_second_signal_stops_at_once(tmp_path: Path, out: Path) -> None:
    source = toys.fill(tmp_path / "in", 4)
    for name in ("00001", "00002", "00003"):
        (source / name).write_text("hang")
    process = stoppable(source, out)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    assert "press again" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    sink = FolderSink(out, {"seed": 0})
    sink.open([])
    assert sink.journal.suspects == [], "the person did it, not the items"
    sink.close()


def test_items_are_drawn_as_places_become_free(tmp_path: Path, out: Path) -> None:
    source = toys.fill(tmp_path / "in", 50)
    drawn: list[str] = []

    def lazily():
        for item in toys.items(source):
            drawn.append(item.key)
            yield item

    ahead: list[int] = []

    class Watch(Report):
        done = 0

        def finished(self, rows, *, kept):
            self.done += 1
            ahead.append(len(drawn) - self.done)

    sink = FolderSink(out, {})
    asyncio.run(run(lazily(), toys.copy, sink, toys.COLUMNS, Options(workers=4), Watch()))
    assert max(ahead) <= 4 + 1, "never more than those in flight and the next one"


def test_an_item_costs_less_than_200_bytes_of_memory(out: Path) -> None:
    def items(count: int):
        for number in range(count):
            name = f"genre/{number:07}.wav"
            yield Item(f"{name}\tabcdef", "", {"path": f"{name}.png", "source": name})

    def peak(count: int) -> int:
        tracemalloc.start()
        sink = FolderSink(out.with_name(str(count)), {})
        asyncio.run(run(items(count), toys.nothing, sink, toys.COLUMNS, Options(workers=16)))
        result = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return result

    peak(100)
    assert (peak(10_000) - peak(2000)) / 8000 < 200


def test_temporary_files_of_a_killed_run_are_emptied_at_start(source: Path, out: Path) -> None:
    go(source, out)
    (out / ".mgrkit" / "tmp" / "7.1").write_text("half")
    go(source, out)
    assert not list((out / ".mgrkit" / "tmp").iterdir())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere each is spawned")
def test_what_all_processes_need_is_imported_once(source: Path, out: Path, tmp_path: Path) -> None:
    """In a process of its own: a server that runs already takes no further modules."""
    (tmp_path / "slow_to_import.py").write_text(
        f"open({str(tmp_path / 'imported')!r}, 'a').write('once\\n')"
    )
    options = "Options(workers=2, processes=True, preload=('slow_to_import',))"
    script = STOPPABLE.replace("Options(workers=4)", options)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(tmp_path)])}
    subprocess.run([sys.executable, "-c", script, source, out], cwd=ROOT, env=env, check=True)
    assert (tmp_path / "imported").read_text() == "once\n"
    assert len(table(out)) == 20


def test_more_items_add_to_what_is_there(source: Path, out: Path) -> None:
    go(source, out, names=["00001"])
    assert go(source, out, names=["00002"]).made == 1
    assert [row["source"] for row in table(out)] == ["00001", "00002"]


@pytest.mark.parametrize("preload", PRELOADS)
def test_no_process_is_left_behind(source: Path, out: Path, preload) -> None:
    (source / "00003").write_text("hang")
    go(source, out, processes=True, timeout=0.5, workers=2, preload=preload)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("preload", PRELOADS)
def test_children_end_with_a_killed_parent(source: Path, out: Path, preload) -> None:
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    (source / "00003").write_text("hang")
    options = f"Options(workers=4, processes=True, preload={preload})"
    script = STOPPABLE.replace("Options(workers=4)", options)
    process = subprocess.Popen(
        [sys.executable, "-c", script, source, out], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "row\n"
    time.sleep(1)  # until one hangs
    process.kill()
    process.communicate(timeout=20)  # ends when the last process that holds the pipe is gone


def test_names_that_no_file_system_takes_are_rows(source: Path, out: Path) -> None:
    item = Item("long", "", {"path": "n" * 252 + ".out"})

    def job(item: Item, work: Work) -> list[Output]:
        temp = work.temp()
        Path(temp).touch()
        return [Output({}, temp)]

    summary = asyncio.run(run([item], job, FolderSink(out, {}), toys.COLUMNS))
    assert summary.reasons == {"name-too-long": 1}
    assert not list((out / ".mgrkit" / "tmp").iterdir())


def test_a_file_of_another_item_is_neither_adopted_nor_replaced(tmp_path: Path, out: Path) -> None:
    def one(name: str, text: str):
        (tmp_path / name).write_text(text)
        item = Item(name, str(tmp_path / name), {"path": "x.out", "source": name})
        return asyncio.run(run([item], toys.copy, FolderSink(out, {"seed": 0}), toys.COLUMNS))

    assert one("a", "same").made == 1
    assert one("b", "same").reasons == {"coincides": 1}, "equal bytes, but another's"
    assert one("b", "other").reasons == {"coincides": 1}
    assert one("a", "again").made == 1, "its own it may replace"


def test_stopping_a_replacing_run_deletes_nothing(tmp_path: Path, out: Path) -> None:
    source = toys.fill(tmp_path / "in", 300)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    go(source, out)
    script = STOPPABLE.replace('{"seed": 0})', '{"seed": 1}, replace=True)')
    command = [sys.executable, "-c", script, source, out]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "row\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert len(tree(out)) == 301
    assert 0 < len(table(out)) < 300, "the table holds what was made again"
    with pytest.raises(UsageError, match="run it again with --replace"):
        go(source, out, seed=1)
    assert go(source, out, seed=1, replace=True).failed == 0, "what is left may be replaced"
    assert len(table(out)) == 300


def test_a_run_inside_a_running_loop(source: Path, out: Path) -> None:
    async def notebook() -> Summary:
        return run_now(run(toys.items(source), toys.copy, FolderSink(out, {}), toys.COLUMNS))

    assert asyncio.run(notebook()).made == 20


def test_many_signals_still_end_in_the_exit_code(tmp_path: Path, out: Path) -> None:
    source = toys.fill(tmp_path / "in", 300)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    process = stoppable(source, out)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.003)
    assert process.stdout is not None
    assert "Traceback" not in process.communicate()[0]
    assert process.returncode == 130


def test_the_last_names_are_known_when_nothing_runs_any_more() -> None:
    async def names() -> tuple[list[str], list[str]]:
        threads = Threads(2)
        before = threads.names
        for name in ("a", "b", "c"):
            await threads.submit(name, lambda _: None, 9.0)
        threads.close()
        return before, threads.names

    assert asyncio.run(names()) == ([], ["b", "c"])


def failing() -> Iterator[Item]:
    raise RunError("it cannot start")
    yield


def start(sink: Sink) -> None:
    with pytest.raises(RunError, match="it cannot start"):
        asyncio.run(run(failing(), toys.copy, sink, toys.COLUMNS))


def test_a_run_that_cannot_start_leaves_nothing(tmp_path: Path) -> None:
    start(FolderSink(tmp_path / "out", {}))
    start(TableSink(tmp_path / "new" / "t.csv", ["a"], {}))
    assert not list(tmp_path.iterdir())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").touch()
    start(FolderSink(tmp_path / "out", {}))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_run_that_cannot_start_leaves_what_was_there(tmp_path: Path) -> None:
    source, out = toys.fill(tmp_path / "in", 3), tmp_path / "out"
    go(source, out)
    before = tree(out)
    start(FolderSink(out, {"seed": 0}))
    assert tree(out) == before
    assert go(source, out).kept == 3
