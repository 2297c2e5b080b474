"""Columns of texts as columns of their categories: chosen by name, kept by a model's columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgrkit.datasets.categories import MOST
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import UsageError
from mgrkit.inputs.columns import Columns, TableChoice
from mgrkit.inputs.kinds import input_of

GTZAN57 = input_of("features:gtzan57", "svm")
SONGS = """\
path,genre,artist,energy,key,mode
a.mp3,rock,x,0.9,C#,major
b.mp3,jazz,y,0.2, D ,minor
c.mp3,rock,z,0.7,n/a,minor
d.mp3,jazz,w,0.4,C#,minor
"""


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    path = tmp_path / "songs.csv"
    path.write_text(SONGS)
    return path


def read(path: Path, *columns: str) -> Dataset:
    return read_dataset(path, GTZAN57, choice=TableChoice(columns))


def test_a_column_of_texts_that_is_named_becomes_one_for_each_category(songs: Path) -> None:
    dataset = read(songs, "en*", "key")
    assert dataset.input == Columns(("energy", "key=C#", "key=D"))
    expected = np.array([[0.9, 1, 0], [0.2, 0, 1], [0.7, 0, 0], [0.4, 1, 0]], np.float32)
    assert np.array_equal(dataset.x, expected)
    [note] = dataset.notes
    assert note.startswith("songs.csv: key is 2 categories, a column each, by those in train")
    assert note.endswith("; 1 rows have none and are 0 in all")


def test_texts_that_nobody_names_stay_out(songs: Path) -> None:
    assert read(songs, "*").input.columns == ("energy",)
    assert read(songs, "*", "mode").input.columns == ("energy", "mode=major", "mode=minor")
    assert "songs.csv: 1 columns left out, no numbers: key" in read(songs, "*", "mode").notes


def test_parquet_gives_the_same_as_csv_and_categories_of_its_own(songs: Path) -> None:
    import polars as pl

    other = songs.with_suffix(".parquet")
    frame = pl.read_csv(songs)
    for kind in (pl.String, pl.Categorical):
        frame.with_columns(pl.col("key").str.strip_chars().cast(kind)).write_parquet(other)
        assert np.array_equal(read(other, "energy", "key").x, read(songs, "energy", "key").x)
        assert read(other, "*").input.columns == ("energy",)


def test_a_model_finds_its_categories_in_another_table(songs: Path) -> None:
    wanted = read(songs, "energy", "key", "mode").input
    other = songs.with_name("other.csv")
    other.write_text("mode,path,genre,key,energy\nminor,e.mp3,rock,D,1\n,f.mp3,jazz,H,2\n")
    dataset = read_dataset(other, wanted)
    assert dataset.input == wanted
    assert wanted.columns == ("energy", "key=C#", "key=D", "mode=major", "mode=minor")
    assert dataset.x.tolist() == [[1, 0, 1, 0, 1], [2, 0, 0, 0, 0]]
    assert dataset.notes == ("other.csv: 1 values of key are none of the model's categories",)
    other.write_text("path,genre,energy,mode\ne.mp3,rock,1,major\n")
    with pytest.raises(UsageError, match=r"other.csv lacks 2 of 5 columns: key=C#, key=D"):
        read_dataset(other, wanted)


def test_a_model_of_categories_alone_knows_its_table(songs: Path) -> None:
    wanted = read(songs, "key").input
    assert wanted.columns == ("key=C#", "key=D")
    assert read_dataset(songs, wanted).x.tolist() == [[1, 0], [0, 1], [0, 0], [1, 0]]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([f"song {n}" for n in range(MOST + 1)], "holds 51 different texts in title, and at most"),
        (["so much to say of it, " * 5, "little"], "holds free text in title .'so much to say"),
        (["a\tb", "c"], "holds free text in title"),
    ],
)
def test_free_text_is_refused(tmp_path: Path, texts: list[str], message: str) -> None:
    path = tmp_path / "t.csv"
    rows = [f'{n}.mp3,{("rock", "jazz")[n % 2]},"{text}"' for n, text in enumerate(texts)]
    path.write_text("\n".join(["path,genre,title", *rows, ""]))
    with pytest.raises(UsageError, match=message):
        read(path, "title")
    path.write_text("\n".join(["path,genre,title", *rows[:MOST], ""]))
    if len(texts) > MOST:
        assert len(read(path, "title").input.columns) == MOST


def test_one_category_in_all_rows_tells_nothing(songs: Path) -> None:
    songs.write_text(SONGS.replace("major", "minor"))
    dataset = read(songs, "energy", "mode")
    assert dataset.input.columns == ("energy",)
    assert "songs.csv: 1 columns left out, one value only: mode=minor" in dataset.notes


def test_a_column_that_is_called_as_a_category_is_refused(songs: Path) -> None:
    songs.write_text(SONGS.replace("energy", "key=D"))
    with pytest.raises(UsageError, match="has a column key=D, as a category is called, too"):
        read(songs, "*", "key")
