"""The table and the stream sink."""

from __future__ import annotations

import asyncio
import csv
import json
import os
from pathlib import Path

import pytest

from mgrkit.batch import Options, StreamSink, Summary, TableSink, run
from mgrkit.errors import RunError, UsageError
from tests.batch import toys


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return toys.fill(tmp_path / "in", 12)


def to_table(source: Path, out: Path, seed: int = 0, names=None, workers: int = 4) -> Summary:
    sink = TableSink(out, ["length", "tenth"], {"seed": seed})
    columns = ["path", "status", "reason"]
    items = toys.items(source, names)
    return asyncio.run(run(items, toys.numbers, sink, columns, Options(workers=workers)))


def test_a_table_is_whole_sorted_and_exact(source: Path, tmp_path: Path) -> None:
    (source / "00003").write_text("refuse")
    out = tmp_path / "numbers.csv"
    summary = to_table(source, out)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [f"{n:05}.out" for n in range(12)]
    assert rows[3] == {
        "path": "00003.out",
        "status": "failed",
        "reason": "silent: nothing to hear",
        "length": "",
        "tenth": "",
    }
    assert rows[4]["length"] == "9.0"
    assert float(rows[4]["tenth"]) == 0.1
    assert (summary.made, summary.failed) == (11, 1)


def test_a_table_resumes_to_the_same_bytes(source: Path, tmp_path: Path) -> None:
    whole, pieces = tmp_path / "whole.csv", tmp_path / "pieces.csv"
    to_table(source, whole, workers=1)
    to_table(source, pieces, names=["00008", "00002"])
    assert to_table(source, pieces).kept == 2
    assert whole.read_bytes() == pieces.read_bytes()


def test_a_torn_spool_is_never_read(source: Path, tmp_path: Path) -> None:
    whole, torn = tmp_path / "whole.csv", tmp_path / "torn.csv"
    to_table(source, whole)
    to_table(source, torn, names=["00000", "00001"])
    with (tmp_path / ".mgrkit" / "torn.csv" / "0.spool").open("ab") as spool:
        spool.write(b"half")
    to_table(source, torn)
    assert whole.read_bytes() == torn.read_bytes()


def test_foreign_tables_and_other_settings_are_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "numbers.csv"
    out.write_text("mine")
    with pytest.raises(RunError, match="not made by mgrkit"):
        to_table(source, out)
    assert out.read_text() == "mine"
    out.unlink()
    to_table(source, out)
    with pytest.raises(UsageError, match="other settings: --seed 0 instead of 1"):
        to_table(source, out, seed=1)


def to_stream(
    source: Path, resume: Path | None, names=None, command: str = "test", top: int = 3
) -> tuple[Summary, list[str]]:
    emitted: list[str] = []
    settings = {"command": command, "top": top}
    sink = StreamSink(lambda row: emitted.append(row["path"]), settings, resume)
    items = toys.items(source, names)
    return asyncio.run(run(items, toys.nothing, sink, ["path"])), emitted


def test_a_row_that_cannot_be_taken_ends_the_run(source: Path) -> None:
    """It was dropped: no line, no count, exit code 0."""

    def emit(row: dict[str, object]) -> None:
        if row["path"] == "00003.out":
            raise ValueError("no room for it")

    items = toys.items(source, None)
    with pytest.raises(RunError, match="ValueError: no room for it"):
        asyncio.run(run(items, toys.nothing, StreamSink(emit, {}), ["path"]))


def test_a_stream_emits_every_row(source: Path) -> None:
    summary, emitted = to_stream(source, None)
    assert summary.made == 12
    assert sorted(emitted) == [f"{n:05}.out" for n in range(12)]


def test_a_resumed_stream_is_whole_without_work(source: Path, tmp_path: Path) -> None:
    resume = tmp_path / "resume.jsonl"
    to_stream(source, resume, names=["00004", "00005"])
    summary, emitted = to_stream(source, resume)
    assert (summary.made, summary.kept) == (10, 2)
    assert len(emitted) == 12


def test_a_stream_tells_failures(source: Path) -> None:
    emitted = []
    (source / "00003").write_text("refuse")
    sink = StreamSink(emitted.append, {})
    asyncio.run(run(toys.items(source), toys.numbers, sink, ["path"]))
    failures = [row for row in emitted if row["status"] == "failed"]
    assert [row["reason"] for row in failures] == ["silent: nothing to hear"]


def test_a_stream_reads_no_journal_but_its_own(source: Path, tmp_path: Path) -> None:
    to_stream(source, tmp_path / "one.jsonl", names=["00004"], top=1)
    before = (tmp_path / "one.jsonl").read_bytes()
    summary, _ = to_stream(source, tmp_path / "two.jsonl")
    assert (summary.made, summary.kept) == (12, 0)
    assert (tmp_path / "one.jsonl").read_bytes() == before
    assert to_stream(source, tmp_path / "two.jsonl")[0].kept == 12


def test_other_settings_of_a_stream_are_told_in_its_words(source: Path, tmp_path: Path) -> None:
    resume = tmp_path / "done.jsonl"
    to_stream(source, resume)
    with pytest.raises(UsageError) as error:
        to_stream(source, resume, top=1)
    message = f"{resume} was made with other settings: --top 3 instead of 1 "
    message += "(give another --resume FILE)"
    assert str(error.value) == message


@pytest.mark.parametrize(
    "content",
    [
        b"buy milk\n",
        b"path,genre\na.wav,jazz\n",
        b"fLaC\x00\x00\x00\x22\x10\x00" * 300,
        b"\n",
        b"5\n",
        b"[]\n",
        b'{"run": 5}\n',
        b'{"path": "a.wav", "genre": "jazz"}\n',
        b'{"run":{"command":"other"},"replace":false,"columns":["path"]}\n',
        b"[" * 100_000,
    ],
)
def test_a_stream_appends_to_nobody_elses_file(
    source: Path, tmp_path: Path, content: bytes
) -> None:
    resume = tmp_path / "mine.txt"
    resume.write_bytes(content)
    with pytest.raises(UsageError, match=r"mine\.txt was not made by mgrkit test \(give another"):
        to_stream(source, resume)
    assert resume.read_bytes() == content


def test_a_stream_takes_an_empty_file(source: Path, tmp_path: Path) -> None:
    resume = tmp_path / "new"
    resume.touch()
    to_stream(source, resume)
    assert to_stream(source, resume)[0].kept == 12


def test_a_stream_makes_no_folder_for_its_journal(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*none/deep \(make it"):
        to_stream(source, tmp_path / "none" / "deep" / "done.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_folder_or_a_pipe_is_no_journal(source: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(UsageError, match=f"{name} is not a file"):
            to_stream(source, tmp_path / name)
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_stream_that_is_being_written_is_left_alone(source: Path, tmp_path: Path) -> None:
    first = StreamSink(print, {"command": "test"}, tmp_path / "done.jsonl")
    first.open([])
    with pytest.raises(RunError, match="wait for it, or give another --resume FILE"):
        to_stream(source, tmp_path / "done.jsonl")
    first.close()


@pytest.mark.parametrize(
    "line",
    ["5", '"done"', "null", "[1]", "{", '{"done": 5}', '{"done": "00003"}', '{"done": ["x"]}',
     '{"began": []}', '{"run": 5}', '{"end": "x"}', "[" * 100_000, "\x00"],
)  # fmt: skip
def test_lines_that_are_none_count_as_not_written(source: Path, tmp_path: Path, line: str) -> None:
    resume = tmp_path / "done.jsonl"
    to_stream(source, resume, names=["00004", "00005"])
    with resume.open("a") as file:
        file.write(f"{line}\n")
    summary, _ = to_stream(source, resume)
    assert (summary.made, summary.kept) == (10, 2)
    assert json.loads(resume.read_text().splitlines()[-1]) == {"end": 0}
