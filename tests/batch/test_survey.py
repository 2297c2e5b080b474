"""What a dry run promises: it says what is to do and for how long, and leaves no trace."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mgrkit.batch import (
    FolderSink,
    Item,
    Options,
    Output,
    Report,
    StreamSink,
    Summary,
    Work,
    run,
    survey,
)
from mgrkit.batch.model import Row
from mgrkit.errors import ItemError, RunError, UsageError
from tests.batch import toys


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return toys.fill(tmp_path / "source", 20)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


class Named(Report):
    def __init__(self) -> None:
        self.rows: list[Row] = []

    def finished(self, rows: Sequence[Row], *, kept: bool) -> None:
        self.rows += rows


def go(
    items: Iterator[Item], out: Path, *, dry: bool = True, replace: bool = False, **more: Any
) -> Summary:
    sink = FolderSink(out, {"seed": more.pop("seed", 0)}, replace)
    job, report = more.pop("job", toys.copy), more.pop("report", None)
    options = Options(dry=dry, **more)
    return asyncio.run(run(items, job, sink, toys.COLUMNS, options, report))


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder, the journal too, with its time."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_counts_and_leaves_no_trace(
    source: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    summary = go(toys.items(source), out)
    assert (summary.to_do, summary.files, summary.kept, summary.failed) == (20, 20, 0, 0)
    assert summary.expected > 0
    assert not out.exists()
    go(toys.items(source, [f"{n:05}" for n in range(7)]), out, dry=False)
    (source / "00003").write_text("something else")
    before = everything(out)
    summary = go(toys.items(source), out)
    assert (summary.to_do, summary.kept, summary.exit_code) == (14, 6, 0)
    assert everything(out) == before
    assert not list((tmp_path / "tmp").iterdir())
    assert go(toys.items(source), out, replace=True).to_do == 20
    assert go(toys.items(source), out, dry=False).made == 14, "as the dry run said"


def test_what_cannot_be_done_is_counted_and_named(source: Path, out: Path) -> None:
    (source / "00004").write_text("refuse")
    go(toys.items(source, ["00004"]), out, dry=False)

    def items() -> Iterator[Item]:
        first, *others = toys.items(source, ["00000", "00004", "gone", "00001"])
        yield dataclasses.replace(first, error=ItemError("coincides", "the name is taken"))
        yield from others

    heard = Named()
    summary = go(items(), out, report=heard)
    assert (summary.to_do, summary.kept, summary.exit_code) == (1, 0, 1)
    assert summary.reasons == {"coincides": 1, "silent": 1, "missing": 1}
    assert [row["source"] for row in heard.rows] == ["00000", "00004", "gone"]


def test_items_of_one_file_are_told_from_files(source: Path, out: Path) -> None:
    items = (
        dataclasses.replace(item, key=f"{item.key} {copy}")
        for item in toys.items(source)
        for copy in range(3)
    )
    summary = go(items, out)
    assert (summary.to_do, summary.files) == (60, 20)


def test_with_nothing_to_do_nothing_is_tried(source: Path, out: Path) -> None:
    go(toys.items(source), out, dry=False)
    summary = go(toys.items(source), out, job=None)
    assert (summary.to_do, summary.kept, summary.expected) == (0, 20, 0.0)


@pytest.mark.parametrize("seconds", [0.0, 3.0, 1e9])
def test_the_rest_goes_on_at_the_pace_of_what_was_tried(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """By a clock that only the job moves: a second for each byte, and ten to begin with."""
    clock = [0.0]
    tried: list[str] = []
    monkeypatch.setattr(survey, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(survey, "SECONDS", seconds)
    (tmp_path / "source").mkdir()
    for number in range(100):
        (tmp_path / "source" / f"{number:03}").write_bytes(b"x" * (number + 1))

    def job(item: Item, work: Work) -> list[Output]:
        clock[0] += os.path.getsize(item.source) + (0 if tried else 10)
        tried.append(item.key)
        return toys.copy(item, work)

    summary = go(toys.items(tmp_path / "source"), out, job=job, workers=1)
    assert summary.expected == pytest.approx(10 + sum(range(101)))
    most = {0.0: 3, 3.0: 5, 1e9: 64}[seconds]
    assert 2 <= len(set(tried)) == len(tried) <= most


def test_failures_of_what_is_tried_end_nothing(source: Path, out: Path) -> None:
    for path in source.iterdir():
        path.write_text("raise")
    summary = go(toys.items(source), out)
    assert (summary.to_do, summary.failed) == (20, 0)


def test_what_would_not_start_is_refused(source: Path, out: Path) -> None:
    go(toys.items(source), out, dry=False)
    with pytest.raises(UsageError, match="seed"):
        go(toys.items(source), out, seed=1)
    others = out.parent / "others"
    others.mkdir()
    (others / "tracks.csv").write_text("mine")
    with pytest.raises(RunError, match="was not made by mgrkit"):
        go(toys.items(source), others)


def test_a_stream_stays_silent(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    heard: list[Row] = []

    def stream(**options: Any) -> Summary:
        sink = StreamSink(heard.append, {}, tmp_path / "done.jsonl")
        items = toys.items(source)
        return asyncio.run(run(items, toys.copy, sink, toys.COLUMNS, Options(**options)))

    assert stream(dry=True).to_do == 20
    assert not (tmp_path / "done.jsonl").exists()
    stream()
    heard.clear()
    assert (stream(dry=True).kept, heard) == (20, [])
