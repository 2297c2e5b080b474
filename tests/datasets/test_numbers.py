"""Columns of tables: what is learnt from, what is missing, what is left out and said."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.features.sets.columns import GTZAN57_COLUMNS
from mgrkit.inputs.columns import ALL, Columns, TableChoice
from mgrkit.inputs.kinds import Features, Input, input_of
from tests.datasets import made_tables
from tests.tracks.made_fma import ECHONEST, make_fma

GTZAN57 = input_of("features:gtzan57", "svm")
MOODS = """\
path,genre,artist,energy,valence,mood,nothing,same,again,key
a.mp3,rock,x,0.9,0.1,sad,,1,0.9,C
b.mp3,jazz,y, 0.2 ,,sad,,1,0.2,3
c.mp3,rock,z,NA,0.5,glad,nan,1,,4
d.mp3,jazz,w,0.4,0.6,glad,-,1,0.4,5
"""


def read(path: Path, *columns: str, wanted: Input = GTZAN57, **more: Any) -> Dataset:
    return read_dataset(path, wanted, choice=TableChoice(columns, **more))


@pytest.fixture
def moods(tmp_path: Path) -> Path:
    path = tmp_path / "moods.csv"
    path.write_text(MOODS)
    return path


def test_rows_stay_whatever_they_lack(moods: Path) -> None:
    dataset = read(moods, "energy", "valence")
    assert isinstance(dataset.input, Columns)
    assert dataset.input.columns == ("energy", "valence")
    nan = float("nan")
    expected = np.array([[0.9, 0.1], [0.2, nan], [nan, 0.5], [0.4, 0.6]], np.float32)
    assert dataset.x.dtype == np.float32
    assert np.array_equal(dataset.x, expected, equal_nan=True)
    assert [one.group for one in dataset.labelled] == ["x", "y", "z", "w"]
    assert dataset.notes == (
        "moods.csv: 2 missing values in 2 columns: each is taken for its column's median in train",
    )


def test_what_cannot_be_learnt_from_is_left_out_and_said(moods: Path) -> None:
    dataset = read(moods, "*")
    assert dataset.input.columns == ("energy", "valence", "key")
    assert set(dataset.notes) >= {
        "moods.csv: 1 columns left out, no numbers: mood",
        "moods.csv: 1 columns left out, no value: nothing",
        "moods.csv: 1 columns left out, one value only: same",
        "moods.csv: 1 columns left out, what another column holds: again = energy",
        "moods.csv: 1 values of key are no numbers ('C')",
    }


@pytest.mark.parametrize("how", ["drop", "columns"])
def test_what_is_dropped_is_not_there(moods: Path, how: str) -> None:
    columns = ("*",) if how == "columns" else ()
    assert read(moods, *columns, drop=("k*", "val*")).input.columns == ("energy",)


@pytest.mark.parametrize("name", ["genre", "artist", "path"])
def test_what_names_the_row_or_its_genre_is_no_feature(moods: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"--columns: {name} is no feature"):
        read(moods, "energy", name)
    assert name not in read(moods, "*").input.columns


def test_a_table_without_numbers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("path,genre,mood,one\na.mp3,rock,sad,1\nb.mp3,jazz,glad,1\n")
    with pytest.raises(UsageError, match=r"no column of .* holds different numbers"):
        read(path, "*")


def test_a_name_that_no_column_has_is_refused_with_the_nearest(moods: Path, data: Path) -> None:
    with pytest.raises(UsageError, match=r"no column valance \(did you mean valence\?\)"):
        read(moods, "energy", "valance")
    with pytest.raises(UsageError, match=r"no column valance \(did you mean valence\?\)"):
        read(moods, "valance")
    with pytest.raises(UsageError, match=r"features_30_sec.csv has no column mfc \(did you mean"):
        read(data / "gtzan" / "features_30_sec.csv", "mfc")


def test_genre_and_artist_may_stand_in_columns_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,style,band,energy\n1,rock,x,1\n2,jazz,y,2\n3,jazz,y,3\n")
    dataset = read(path, "*", label="style", group="band")
    assert [(one.genre, one.group) for one in dataset.labelled] == [
        ("rock", "x"), ("jazz", "y"), ("jazz", "y"),
    ]  # fmt: skip
    assert dataset.input.columns == ("energy",)
    with pytest.raises(UsageError, match=r"--columns: style is no feature"):
        read(path, "style", label="style")
    with pytest.raises(UsageError, match=r"--label-column: .* has no column stile \(it has id\)"):
        read(path, "*", label="stile")


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,genre,energy,energy\n1,rock,1,7\n2,jazz,2,8\n")
    with pytest.raises(UsageError, match=r"t.csv has more than one column energy \("):
        read(path, "*")


def test_whole_sets_take_other_names_of_genre_and_artist_too(tmp_path: Path) -> None:
    rows = [
        {"style" if name == "genre" else name: value for name, value in row.items()}
        for row in made_tables.rows()
    ]
    table = made_tables.write(tmp_path / "t.csv", rows)
    dataset = read_dataset(table, GTZAN57, choice=TableChoice(label="style", group="path"))
    assert {entry.genre for entry in dataset.entries} == set(made_tables.GENRES)
    assert dataset.labelled[0].group == dataset.entries[0].name
    assert dataset.input == GTZAN57


def test_columns_of_a_table_that_has_a_whole_set_are_of_that_set(tmp_path: Path) -> None:
    table = made_tables.write(tmp_path / "t.csv", made_tables.rows())
    whole = read_dataset(table, GTZAN57)
    part = read(table, "tempo", "mfcc[12]_mean")
    assert part.input == Features(GTZAN57.feature_set, chosen=("tempo", "mfcc1_mean", "mfcc2_mean"))
    places = [GTZAN57_COLUMNS.index(name) for name in part.input.columns]
    assert np.array_equal(part.x, whole.x[:, places])
    rows = [{k: v for k, v in row.items() if k != "rms_mean"} for row in made_tables.rows()]
    assert isinstance(read(made_tables.write(table, rows), "tempo", "mfcc").input, Columns)


def test_a_model_reads_its_columns_of_another_table_in_any_order(moods: Path) -> None:
    wanted = read(moods, "energy", "valence").input
    other = moods.with_name("other.csv")
    other.write_text("valence,path,energy,genre\n1,e.mp3,2,rock\n,f.mp3,4,jazz\n3,g.mp3,4,jazz\n")
    dataset = read_dataset(other, wanted)
    assert dataset.input == wanted
    assert dataset.x[0].tolist() == [2, 1]
    assert dataset.x[:, 0].tolist() == [2, 4, 4]
    other.write_text("path,energy,genre\ne.mp3,1,rock\n")
    with pytest.raises(UsageError, match=r"other.csv lacks 1 of 2 columns: valence"):
        read_dataset(other, wanted)
    other.write_text("path,energy,valense,genre\ne.mp3,1,2,rock\n")
    with pytest.raises(UsageError, match=r"valence \(did you mean valense\?\)"):
        read_dataset(other, wanted)
    other.write_text("path,energy,valence,genre\ne.mp3,1,low,rock\nf.mp3,1,high,jazz\n")
    with pytest.raises(UsageError, match=r"other.csv holds no numbers in valence"):
        read_dataset(other, wanted)


def test_parquet_gives_the_same_as_csv(moods: Path) -> None:
    import polars as pl

    other = moods.with_suffix(".parquet")
    frame = pl.read_csv(moods, infer_schema=False)
    known = pl.col("valence").cast(pl.Float64)
    frame.with_columns(known).write_parquet(other)
    plain, again = read(moods, "energy", "valence"), read(other, "energy", "valence")
    assert plain.entries == again.entries
    # A CSV file may have spaces around its numbers; in Parquet they are a text.
    assert np.array_equal(plain.x[[0, 2, 3]], again.x[[0, 2, 3]], equal_nan=True)


def test_failed_and_repeated_rows_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "path,genre,status,energy\na.mp3,rock,ok,1\nb.mp3,jazz,failed,\nc.mp3,jazz,,2\n"
        "a.mp3,rock,ok,3\n"
    )
    dataset = read(path, "energy")
    assert dataset.x[:, 0].tolist() == [1, 2]
    assert dataset.notes == (
        "t.csv: 1 failed rows left out", "t.csv: 1 rows that repeat a path left out",
    )  # fmt: skip


def test_many_columns_with_gaps_are_read_in_turns(tmp_path: Path) -> None:
    names = [f"n{k}" for k in range(150)]
    path = tmp_path / "t.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["path", "genre", *names])
        for row in range(4):
            values = ["" if row == k % 4 else f" {row}{k}" for k in range(150)]
            out.writerow([f"{row}.mp3", ("rock", "jazz")[row % 2], *values])
    x = read(path, "n").x
    assert x.shape == (4, 150)
    assert [[int(v) for v in row if not np.isnan(v)] for row in x] == [
        [int(f"{row}{k}") for k in range(150) if row != k % 4] for row in range(4)
    ]


def test_a_row_with_a_value_too_many_is_refused(moods: Path) -> None:
    moods.write_text(MOODS + "e.mp3,rock,a, b,1,2,3,4,5,6,7\n")
    with pytest.raises(RunError, match=r"cannot read .*moods.csv: found more fields"):
        read(moods, "energy")


def test_sound_and_lists_of_files_take_no_columns_of_tables(tmp_path: Path) -> None:
    (tmp_path / "rock").mkdir()
    for choice in (TableChoice(label="a"), TableChoice(group="a"), TableChoice(subset="small")):
        with pytest.raises(UsageError, match=r"is for tables of numbers, and .* is none"):
            read_dataset(tmp_path, GTZAN57, choice=choice)
    with pytest.raises(UsageError, match="--columns: gtzan57 has no column valence"):
        read(tmp_path, "valence")


def test_fma_s_features_are_joined_with_its_tracks(tmp_path: Path) -> None:
    made = make_fma(tmp_path, 400, features=390)
    dataset = read(tmp_path / "features.csv", "mfcc", "chroma", subset="medium")
    tracks = {int(row["track_id"]): row for row in made.rows[:390]}
    expected = {
        f"fma:{number:06d}": row["track.genre_top"]
        for number, row in tracks.items()
        if row["track.genre_top"] and row["set.subset"] in ("small", "medium")
    }
    assert {one.id: one.genre for one in dataset.labelled} == expected
    assert len(dataset.input.columns) == 7 * (20 + 36)
    parts = {"training": "train", "validation": "valid", "test": "test"}
    for one in dataset.labelled:
        assert one.part == parts[tracks[int(one.id[4:])]["set.split"]]
        assert one.group
    with (tmp_path / "features.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    names = ["_".join(levels) for levels in zip(*(line[1:] for line in lines[:3]), strict=True)]
    rows = {f"fma:{int(line[0]):06d}": line[1:] for line in lines[4:]}
    places = [names.index(name) for name in dataset.input.columns]
    for one, x in zip(dataset.labelled, dataset.x, strict=True):
        assert np.array_equal(x, np.array([rows[one.id][p] for p in places], np.float32))


def test_echonest_s_audio_features_and_the_numbers_of_tracks_are_columns_too(
    tmp_path: Path,
) -> None:
    make_fma(tmp_path, 400, echonest=100)
    found = read(tmp_path / "echonest.csv", "audio_features")
    assert found.input.columns == tuple(
        f"audio_features_{name}" for name in ECHONEST["audio_features"].split()
    )
    assert any("left out, not in the table" in note for note in found.notes)
    numbers = read(tmp_path / "tracks.csv", "track_duration", "track_bit_rate")
    assert len(numbers.entries) > len(found.entries)


def test_fma_s_tables_need_what_lies_beside_them(tmp_path: Path) -> None:
    make_fma(tmp_path, 100, features=100)
    with pytest.raises(UsageError, match="FMA has no subset 'tiny'"):
        read(tmp_path / "features.csv", "mfcc", subset="tiny")
    with pytest.raises(UsageError, match=r"lacks 57 of 57 .* has by --set fma518"):
        read_dataset(tmp_path / "features.csv", GTZAN57, choice=ALL)
    (tmp_path / "tracks.csv").unlink()
    with pytest.raises(RunError, match=r"one of FMA's tables, and there is no .*tracks.csv"):
        read(tmp_path / "features.csv", "mfcc")
    path = made_tables.write(tmp_path / "t.csv", made_tables.rows())
    with pytest.raises(UsageError, match="--subset is for FMA's tables"):
        read(path, "mfcc", subset="small")


def test_columns_of_a_set_beside_one_of_none_are_the_table_s_own(tmp_path: Path) -> None:
    rows = [{**row, "mood": place} for place, row in enumerate(made_tables.rows())]
    table = made_tables.write(tmp_path / "t.csv", rows)
    assert isinstance(read(table, "mood", "tempo").input, Columns)
    with pytest.raises(UsageError, match="gtzan57 has no column mood"):
        read(table, "mood", "tempo", wanted=input_of("features:gtzan57", "svm", None, "gtzan57"))


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e39", "NA", "?"])
def test_what_is_no_finite_number_is_missing(moods: Path, value: str) -> None:
    moods.write_text(MOODS.replace("0.9,0.1", f"0.9,{value}"))
    x = read(moods, "valence").x[:, 0]
    assert np.array_equal(np.isnan(x), [True, True, False, False])


def test_our_own_table_is_of_the_set_that_it_names(tmp_path: Path) -> None:
    known = {"kind": "gtzan57", "settings": GTZAN57.digest, "status": "ok"}
    rows = [{**row, **known} for row in made_tables.rows()]
    table = made_tables.write(tmp_path / "t.csv", rows)
    assert read(table, "mfcc").input.eats == "features:gtzan57"
    made_tables.write(table, [{**row, "settings": "0123"} for row in rows])
    with pytest.raises(UsageError, match="another release of gtzan57"):
        read(table, "mfcc")
