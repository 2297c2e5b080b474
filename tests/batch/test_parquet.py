"""The table sink's Parquet: the CSV's values, with types."""

from __future__ import annotations

import asyncio
import csv
from pathlib import Path

import polars as pl
import pytest

from mgrkit.batch import TableSink, run
from mgrkit.batch.sinks.csv_parquet import write_parquet
from tests.batch import toys


def to_table(source: Path, out: Path) -> None:
    sink = TableSink(out, ["length", "tenth"], {})
    asyncio.run(run(toys.items(source), toys.numbers, sink, ["path", "status", "reason", "genre"]))


def test_parquet_holds_what_csv_holds(tmp_path: Path) -> None:
    source = toys.fill(tmp_path / "in", 12)
    (source / "00003").write_text("refuse")
    to_table(source, tmp_path / "numbers.csv")
    to_table(source, tmp_path / "numbers.parquet")
    table = pl.read_parquet(tmp_path / "numbers.parquet")
    with (tmp_path / "numbers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    shown = [{k: "" if v is None else str(v) for k, v in row.items()} for row in table.to_dicts()]
    assert shown == rows
    assert table.schema == {
        "path": pl.String, "status": pl.String, "reason": pl.String, "genre": pl.String,
        "length": pl.Float64, "tenth": pl.Float64,
    }  # fmt: skip
    assert table["length"][3] is None
    assert not list((tmp_path / ".mgrkit").glob("*/tmp/*"))


def written(tmp_path: Path, columns: list[str], rows: list[list[object]]) -> pl.DataFrame:
    write_parquet(tmp_path / "t.parquet", tmp_path / "temp", columns, rows)
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]
    return pl.read_parquet(tmp_path / "t.parquet")


def test_types_are_those_of_the_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgrkit.batch.sinks.csv_parquet._CHUNK", 2)
    rows: list[list[object]] = [
        [None, None, None, None, 1],
        [None, 1, None, None, 2],
        ["a", 2, 0.5, None, 0.25],
    ]
    table = written(tmp_path, ["text", "whole", "real", "empty", "mixed"], rows)
    assert table.dtypes == [pl.String, pl.Int64, pl.Float64, pl.String, pl.Float64]
    assert [list(row) for row in table.rows()] == rows


def test_without_rows_there_are_columns(tmp_path: Path) -> None:
    assert written(tmp_path, ["a", "b"], []).schema == {"a": pl.String, "b": pl.String}


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    assert written(tmp_path, ["path"], [["b\udce4d.wav"]])["path"][0] == "b\\udce4d.wav"
