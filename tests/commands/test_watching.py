"""Files are predicted as they arrive, each once; what is half there waits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mgrkit.batch import Item, Options, Output, Summary, Work, run
from mgrkit.commands.predict import COLUMNS, PredictSettings, predict
from mgrkit.commands.watching import Arrivals, Watcher, WatchSink, remembered, watch
from mgrkit.errors import ItemError, RunError
from mgrkit.tracks.find import SOUND
from tests.cli.test_commands import tone

SETTINGS = {"command": "predict", "model": "toy"}
Step = Callable[[], object]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mgrkit.commands.watching._PAUSE", 0)  # here nothing waits for a clock
    Path("in").mkdir()


class Clock:
    """Seconds that go on when a test says so, far behind the times of all files."""

    now = 1e10

    def __call__(self) -> float:
        return self.now


class Silent(NamedTuple):
    """A step that no change tells of."""

    step: Step

    def __call__(self) -> object:
        return self.step()


def job(item: Item, work: Work) -> list[Output]:
    text = Path(item.source).read_text()
    if text == "bad":
        raise ItemError("silent", "no sound")
    if text == "growing":
        Path(item.source).write_text("growing on")
    if text == "going" and not os.path.exists("went"):
        os.replace(item.source, "went")
    return [Output({"text": text})]


def watched(
    *steps: Step | float, journal: str = "done.jsonl", paths: Sequence[str] = ("in",), **more: Any
) -> tuple[list[tuple[str, str]], Summary]:
    """What is emitted while these steps are done one by one; a number lets seconds go by."""
    rows: list[tuple[str, str]] = []
    clock = Clock()

    async def changes() -> AsyncGenerator[Collection[object], None]:
        yield ()
        for step in steps:
            if isinstance(step, float):
                clock.now += step
                yield ()
            else:
                step()
                yield [] if isinstance(step, Silent) else ["something"]

    def emit(row: dict[str, Any]) -> None:
        rows.append((row["path"], row.get("text") or row["reason"]))

    sink = WatchSink(emit, SETTINGS, Path(journal))
    work = partial(run, job=job, sink=sink, columns=COLUMNS, options=Options(1), report=None)
    arrivals = Arrivals(2, clock)
    watcher = Watcher([Path(path) for path in paths], SOUND, sink, work, arrivals)
    try:
        sink.open(COLUMNS)
        return rows, asyncio.run(watcher.follow(changes()))
    finally:
        sink.shut()


def write(name: str, text: str = "song") -> Step:
    return lambda: Path("in", name).write_text(text)


def rename(old: str, new: str) -> Step:
    return lambda: os.replace(f"in/{old}", f"in/{new}")


def test_what_is_there_comes_first_and_what_comes_after_it_stood_still() -> None:
    write("b.wav")()
    rows, summary = watched(write("a.wav"), 1.0, 1.0, write("c.wav"), 2.0)
    assert rows == [("in/b.wav", "song"), ("in/a.wav", "song"), ("in/c.wav", "song")]
    assert (summary.made, summary.warnings, summary.exit_code) == (3, [], 0)


def test_a_file_that_grows_waits_until_it_stands_still() -> None:
    steps: list[Step | float] = []
    for size in range(5):
        steps += [write("a.wav", "s" * (size + 1)), 1.5]
    assert watched(*steps)[0] == []
    Path("done.jsonl").unlink()
    Path("in/a.wav").unlink()
    assert watched(*steps, 0.5)[0] == [("in/a.wav", "sssss")]


def test_a_file_that_is_half_there_at_the_start_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.wav")()
    monkeypatch.setattr(Clock, "now", os.stat("in/a.wav").st_ctime + 1)
    os.utime("in/a.wav", (0, 0))  # as a copy that is given its times first
    rows, summary = watched(0.5)
    assert rows == []
    assert summary.warnings == ["not predicted, as it was not finished: in/a.wav"]
    assert watched(0.5, 0.6)[0] == [("in/a.wav", "song")]


def test_a_time_in_the_future_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.wav")()
    now = os.stat("in/a.wav").st_mtime
    monkeypatch.setattr(Clock, "now", now)
    os.utime("in/a.wav", (now, now + 1e6))
    assert watched(1.0)[0] == []
    assert watched(1.0, 1.0)[0] == [("in/a.wav", "song")]


def test_pictures_are_no_songs() -> None:
    assert watched(write("cover.png"), 2.0)[0] == []


@pytest.mark.parametrize("name", [".a.wav.Xy12Zz", "a.wav.part", "a.wav.crdownload", "a.tmp"])
def test_temporary_names_are_none_of_songs(name: str) -> None:
    rows, summary = watched(write(name), 5.0, rename(name, "a.wav"), 2.0)
    assert rows == [("in/a.wav", "song")]
    assert (summary.made, summary.failed) == (1, 0)


@pytest.mark.parametrize("end", [".part", ".crdownload", ".aria2"])
def test_a_file_waits_while_another_one_says_that_more_comes(end: str) -> None:
    beside = f"a.wav{end}"
    rows, _ = watched(write("a.wav"), write(beside), 9.0, lambda: os.unlink(f"in/{beside}"))
    assert rows == [("in/a.wav", "song")]
    Path("done.jsonl").unlink()
    write(beside)()
    assert watched(9.0, 9.0)[0] == []


def test_an_empty_file_waits_and_is_named_at_the_end() -> None:
    rows, summary = watched(write("a.wav", ""), write("b.wav", ""), 9.0)
    assert rows == []
    assert summary.warnings == ["not predicted, as it was not finished: in/a.wav and 1 more"]
    assert watched(write("a.wav"), 2.0)[0] == [("in/a.wav", "song")]


def test_each_file_once_across_restarts() -> None:
    write("a.wav")()
    write("bad.wav", "bad")()
    rows, summary = watched()
    assert rows == [("in/a.wav", "song"), ("in/bad.wav", "silent: no sound")]
    assert (summary.made, summary.failed) == (1, 1)
    rows, summary = watched(write("c.wav"), 2.0, lambda: None)
    assert rows == [("in/c.wav", "song")]
    assert (summary.made, summary.kept, summary.failed) == (1, 1, 1)


def test_renamed_replaced_and_deleted_files() -> None:
    write("a.wav")()
    write("b.wav")()
    rows, _ = watched(
        rename("a.wav", "c.wav"), 2.0,
        write("b.wav", "another"), 2.0,
        write("d.wav"), lambda: os.unlink("in/d.wav"), 2.0,
        rename("c.wav", "away.txt"), rename("away.txt", "c.wav"), 2.0,
    )  # fmt: skip
    names = [("in/a.wav", "song"), ("in/b.wav", "song"), ("in/c.wav", "song")]
    assert rows == [*names, ("in/b.wav", "another")]


def test_a_folder_that_is_moved_in_and_one_with_a_link() -> None:
    Path("album").mkdir()
    Path("album/a.wav").write_text("song")
    Path("other").mkdir()
    Path("other/b.wav").write_text("song")
    rows, _ = watched(
        lambda: os.replace("album", "in/album"), 2.0,
        lambda: os.symlink(os.path.abspath("other"), "in/link"), 2.0,
    )  # fmt: skip
    assert rows == [("in/album/a.wav", "song"), ("in/link/b.wav", "song")]


def test_what_nobody_tells_of_is_found_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what comes into a folder behind a link that came itself, or on a network drive."""
    Path("other").mkdir()
    steps: list[Step | float] = [
        lambda: os.symlink(os.path.abspath("other"), "in/link"), 2.0, Silent(write("link/a.wav")),
        2.0, 2.0,
    ]  # fmt: skip
    assert watched(*steps)[0] == []
    Path("in/link").unlink()
    Path("other/a.wav").unlink()
    monkeypatch.setattr("mgrkit.commands.watching._ANEW", 0)
    assert watched(*steps)[0] == [("in/link/a.wav", "song")]


def test_a_file_that_changes_or_goes_while_it_is_read_is_no_failure() -> None:
    write("a.wav", "growing")()
    write("b.wav", "going")()
    rows, summary = watched(2.0, lambda: None, 2.0)
    assert rows == [("in/a.wav", "growing on")]
    assert (summary.made, summary.failed) == (1, 0)
    Path("went").unlink()
    write("b.wav", "going")()
    rows, _ = watched(2.0, lambda: os.link("went", "in/b.wav"), 2.0)
    assert rows == [("in/b.wav", "going")]
    assert watched()[0] == []


def test_a_folder_that_cannot_be_read_is_told_once() -> None:
    blocked = Path("in/sub")
    blocked.mkdir()
    real = os.scandir

    def scandir(path: Any) -> Any:
        if os.fspath(path) == os.fspath(blocked):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return real(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "scandir", scandir)
        rows, _ = watched(2.0, write("a.wav"), 2.0, write("b.wav"), 2.0)
    assert [path for path, _ in rows] == ["in/sub", "in/a.wav", "in/b.wav"]


def test_a_folder_that_is_gone_ends_it() -> None:
    with pytest.raises(RunError, match="in is not there any more"):
        watched(lambda: os.replace("in", "elsewhere"))
    os.replace("elsewhere", "in")
    watched()  # and the journal is free again


def test_walks_do_not_follow_one_another_without_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgrkit.commands.watching._PAUSE", float("inf"))
    write("a.wav")()
    assert watched(write("b.wav"), 2.0, 2.0)[0] == [("in/a.wav", "song")]
    assert watched(2.0)[0] == [("in/b.wav", "song")]


def test_two_do_not_watch_by_one_journal() -> None:
    with pytest.raises(RunError, match="another mgrkit is writing there"):
        watched(lambda: watched())


def test_after_a_crash_only_the_first_files_go_through_processes_of_their_own() -> None:
    header = '{"run":{"command":"predict","model":"toy"},"replace":false,"columns":[]}\n'
    Path("done.jsonl").write_text(header + '{"began":"in/a.wav"}\n')
    write("a.wav")()
    pids: list[str] = []
    sink = WatchSink(lambda row: pids.append(row["text"]), SETTINGS, Path("done.jsonl"))
    work = partial(run, job=whose, sink=sink, columns=COLUMNS, options=Options(1))
    watcher = Watcher([Path("in")], SOUND, sink, work, Arrivals(0, Clock()))

    async def changes() -> AsyncGenerator[Collection[object], None]:
        yield ()
        write("b.wav")()
        yield ["something"]

    sink.open(COLUMNS)
    asyncio.run(watcher.follow(changes()))
    sink.shut()
    assert [pid == str(os.getpid()) for pid in pids] == [False, True]


def whose(item: Item, work: Work) -> list[Output]:
    return [Output({"text": str(os.getpid())})]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_between_two_files_ends_in_order(number: int, code: int) -> None:
    write("a.wav")()
    rows, summary = watched(lambda: os.kill(os.getpid(), number), write("b.wav"), 2.0)
    assert rows == [("in/a.wav", "song")]
    assert summary.exit_code == code


def test_a_signal_while_it_looks_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    write("a.wav")()
    look = Watcher._look

    def stopping(watcher: Watcher) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return look(watcher)

    monkeypatch.setattr(Watcher, "_look", stopping)
    rows, summary = watched()
    assert (rows, summary.exit_code) == ([], 130)


def test_a_real_folder_with_a_real_model_until_ctrl_c() -> None:
    """Each answer brings the next file: what is there, a new one, one in a new folder, the end."""
    tone(Path("in/1.wav"))
    rows: list[dict[str, Any]] = []
    steps: list[Step] = [
        lambda: tone(Path("in/2.wav"), hz=900),
        lambda: tone(Path("in/new/3.wav"), hz=1200),
        lambda: os.replace("in/1.wav", "in/4.wav"),
        lambda: os.kill(os.getpid(), signal.SIGINT),
    ]

    def emit(row: dict[str, Any]) -> None:
        rows.append(row)
        steps[len(rows) - 1]()

    settings, folders = PredictSettings("svm"), [Path("in")]
    journal = remembered(settings, folders)
    summary = watch(settings, folders, emit, journal, still=0.01)
    assert [row["path"] for row in rows] == ["in/1.wav", "in/2.wav", "in/new/3.wav", "in/4.wav"]
    assert all(row["genre"] for row in rows)
    assert (summary.exit_code, summary.made, summary.failed) == (130, 4, 0)


@pytest.mark.parametrize("polling", [False, True])
def test_names_that_are_not_utf_8_do_not_end_it(
    monkeypatch: pytest.MonkeyPatch, polling: bool
) -> None:
    """The watcher has no words for them, and ends; what comes with and after them is found."""
    if polling:
        monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    tone(Path("in/1.wav"))
    rows: list[str] = []

    def odd(name: bytes, song: str) -> Step:
        def step() -> None:
            Path("in", os.fsdecode(name)).write_text("no song")
            tone(Path("in", song))

        return step

    steps: list[Step] = [
        odd(b"\xff.txt", "2.wav"),
        odd(b"\xfe.txt", "3\udcff.wav"),
        lambda: tone(Path("in/4.wav"), hz=900),
        lambda: os.kill(os.getpid(), signal.SIGINT),
    ]

    def emit(row: dict[str, Any]) -> None:
        rows.append(row["path"])
        steps[len(rows) - 1]()

    summary = watch(PredictSettings("svm"), [Path("in")], emit, Path("done.jsonl"), still=0.01)
    assert rows == ["in/1.wav", "in/2.wav", "in/3\udcff.wav", "in/4.wav"]
    assert (summary.exit_code, summary.made, summary.failed) == (130, 4, 0)


def test_a_system_that_watches_no_more_folders_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def awatch(*folders: Path, **more: Any) -> AsyncGenerator[Collection[object], None]:
        raise OSError(28, "OS file watch limit reached")
        yield ()

    monkeypatch.setattr("watchfiles.awatch", awatch)
    with pytest.raises(RunError, match=r"cannot watch: .*limit reached"):
        watch(PredictSettings("svm"), [Path("in")], print, Path("done.jsonl"))


def test_it_goes_on_from_what_predict_remembers() -> None:
    tone(Path("in/1.wav"))
    settings, rows = PredictSettings("svm"), []
    predict(settings, [Path("in")], rows.append, resume=Path("done.jsonl"))
    tone(Path("in/2.wav"))

    def emit(row: dict[str, Any]) -> None:
        rows.append(row)
        os.kill(os.getpid(), signal.SIGTERM)

    summary = watch(settings, [Path("in")], emit, Path("done.jsonl"), still=0.01)
    assert [row["path"] for row in rows] == ["in/1.wav", "in/2.wav"]
    assert (summary.exit_code, summary.made) == (143, 1)


def test_a_cache_that_is_a_file_names_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("cache").touch()
    monkeypatch.setenv("MGRKIT_CACHE", os.path.abspath("cache"))
    with pytest.raises(RunError, match=r"cannot write to .*cache.*name a file with --resume"):
        remembered(PredictSettings("svm"), [Path("in")])


def test_another_model_or_folder_has_another_journal() -> None:
    Path("other").mkdir()
    asked = [("svm", "in"), ("svm", "other"), ("svm", "./in/../in"), ("cnn", "in")]
    found = [remembered(PredictSettings(model), [Path(folder)]) for model, folder in asked]
    assert len(set(found)) == 4
    assert found[0] == remembered(PredictSettings("svm", top=9, threshold=0.5), [Path("in")])
