"""The track table: both forms, what is kept, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.schema import CATALOGUE
from mgrkit.tracks.table import is_table, read_tracks, write_tracks


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_what_is_written_is_read(tmp_path: Path, name: str) -> None:
    table = pl.DataFrame({"path": ["a.wav", "b.wav"], "genre": ["jazz", ""], "mood": ["", "blue"]})
    table.write_csv(tmp_path / "first.csv")
    read = read_tracks(tmp_path / "first.csv")
    assert read.columns == [*CATALOGUE, "mood"]
    write_tracks(tmp_path / name, read)
    again = read_tracks(tmp_path / name)
    assert again.equals(read)
    kept = pl.read_csv if name.endswith("csv") else pl.read_parquet
    assert kept(tmp_path / name).columns == ["path", "genre", "mood"], "without empty columns"


def test_numbers_of_parquet_are_texts_and_artists_groups(tmp_path: Path) -> None:
    table = pl.DataFrame({"path": ["a.wav"], "artist": ["Nina"], "seconds": [30.5]})
    table.write_parquet(tmp_path / "t.parquet")
    read = read_tracks(tmp_path / "t.parquet")
    assert read.row(0, named=True) | {"group": "Nina", "seconds": "30.5"} == read.row(0, named=True)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", RunError, "cannot read"),
        (b"path,genre\n", RunError, "has no rows"),
        (b"file,genre\na.wav,jazz\n", UsageError, "has no column path, but file, genre"),
        (b"path,genre\n,jazz\na.wav,jazz\n", UsageError, "1 rows have no path"),
        (b"path,genre, genre\na.wav,jazz,pop\n", RunError, "cannot read"),
        (b"path,genre,genre\na.wav,jazz,pop\n", UsageError, "more than one column genre \\("),
        (b"path;genre\na.wav;jazz\n", UsageError, "separated by semicolons"),
        ("path,genre\na.wav,jazz\n".encode("utf-16"), UsageError, "UTF-16"),
        (b"path,genre\n\xe9.wav,jazz\n", RunError, "cannot read"),
    ],
)
def test_what_is_refused(
    tmp_path: Path, content: bytes, error: type[Exception], message: str
) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(error, match=message):
        read_tracks(tmp_path / "t.csv")


def test_quotes_in_the_names_of_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('path,"the ""best"" one","a, b"\na.wav,"so ""x""",1\n')
    read = read_tracks(tmp_path / "t.csv")
    assert read.columns == [*CATALOGUE, 'the "best" one', "a, b"]
    write_tracks(tmp_path / "again.csv", read)
    assert read_tracks(tmp_path / "again.csv").equals(read)


def test_columns_without_a_name_may_be_many(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"path,genre,,\na.wav,jazz,,\n")
    assert read_tracks(tmp_path / "t.csv")["genre"].to_list() == ["jazz"]


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot read"):
        read_tracks(tmp_path / "t.csv")


def test_names_of_tables() -> None:
    assert [is_table(Path(n)) for n in ("a.CSV", "a.csv.gz", "a.parquet", "a.wav", "csv")] == [
        True, True, True, False, False,
    ]  # fmt: skip
