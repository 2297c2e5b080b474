"""The table and the stream sink."""

from __future__ import annotations

import asyncio
import csv
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
    with pytest.raises(UsageError, match="seed 0; this call has seed 1"):
        to_table(source, out, seed=1)


def to_stream(source: Path, resume: Path | None, names=None) -> tuple[Summary, list[str]]:
    emitted: list[str] = []
    sink = StreamSink(lambda row: emitted.append(row["path"]), {}, resume)
    items = toys.items(source, names)
    return asyncio.run(run(items, toys.nothing, sink, ["path"])), emitted


def test_a_stream_emits_every_row(source: Path) -> None:
    summary, emitted = to_stream(source, None)
    assert summary.made == 12
    assert sorted(emitted) == [f"{n:05}.out" for n in range(12)]


def test_a_resumed_stream_is_whole_without_work(source: Path, tmp_path: Path) -> None:
    resume = tmp_path / "state" / "resume.jsonl"
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
