"""Feature tables of every origin: what is read, what is left out and said, what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.entries import labelled
from mgrkit.datasets.reading import read_dataset
from mgrkit.datasets.tables import is_feature_table, read_feature_table
from mgrkit.errors import RunError, UsageError
from mgrkit.frontend import FrontEnd
from mgrkit.inputs.kinds import Features
from mgrkit.registry import FeatureSetSpec
from mgrkit.tracks.linked import linked

SET = FeatureSetSpec("three", "Three numbers.", "nowhere:at_all", FrontEnd(), ("a", "b", "c"))
OTHER = FeatureSetSpec("two", "Two numbers.", "nowhere:at_all", FrontEnd(), ("x", "y"))
KAGGLE = (
    "filename,length,a,b,c,label\r\n"
    "blues.00000.wav,661794,1,2,3,blues\r\n"
    "jazz.00001.wav,661794,4,5,7.5,jazz\r\n"
)


NEW = "7.5,5,4"


class Sets:
    def feature_set(self, name: str) -> FeatureSetSpec:
        return {"three": SET, "two": OTHER}[name]

    def feature_sets(self) -> list[FeatureSetSpec]:
        return [SET, OTHER]


@pytest.fixture(autouse=True)
def _sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mgrkit.datasets.tables.installed", Sets)


def read(path: Path, text: str) -> Dataset:
    path.write_bytes(text.encode())
    return read_feature_table(path, SET)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t,
        lambda t: t.replace("\r\n", "\n"),
        lambda t: "\ufeff" + t,
        lambda t: t.replace(".wav", ".au"),
        lambda t: t.replace("length,", "").replace("661794,", ""),
        lambda t: t.replace("a,b,c", "c,b,a").replace("1,2,3", "3,2,1").replace("4,5,7.5", NEW),
        lambda t: t.replace("filename", "path").replace("label", "genre"),
        lambda t: t.rstrip("\r\n"),
        lambda t: t.replace("filename", " filename").replace("label", "label "),
    ],
    ids=["original", "lf", "bom", "au", "no-length", "order", "our-names", "no-last-end", "spaces"],
)  # fmt: skip
def test_the_altered_forms_of_the_kaggle_table_give_the_same(table: Path, change) -> None:
    dataset = read(table, change(KAGGLE))
    assert dataset.x.dtype == np.float32
    assert dataset.x.tolist() == [[1, 2, 3], [4, 5, 7.5]]
    assert [entry.genre for entry in dataset.entries] == ["blues", "jazz"]
    assert [entry.labelled().id for entry in dataset.entries] == [
        "gtzan:blues.00000",
        "gtzan:jazz.00001",
    ]
    assert dataset.notes == ()


SLICES = "filename,length,a,b,c,label\n" + "".join(
    f"{track}.{k}.wav,66149,{k},2,3,{track[:-6]}\n"
    for track in ("blues.00000", "blues.00012", "jazz.00001")
    for k in range(10)
)


def test_three_second_slices_are_pieces_of_their_track(table: Path) -> None:
    table.write_text(SLICES)
    dataset = read_dataset(table, Features(SET))
    assert [entry.name for entry in dataset.entries] == [
        "blues.00000.0.wav", "blues.00012.0.wav", "jazz.00001.0.wav",
    ]  # fmt: skip
    assert dataset.tracks.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert dataset.x[:, 0].tolist() == [*range(10)] * 3
    assert [one.id for one in dataset.labelled] == [
        "gtzan:blues.00000", "gtzan:blues.00012", "gtzan:jazz.00001",
    ]  # fmt: skip
    assert dataset.notes == ("table.csv: the same value in every row: b, c",)


@pytest.mark.parametrize("name", ["blues/{}.wav", "x/{}.png", "Data/genres/blues/{}.au"])
@pytest.mark.parametrize("slice_of", ["{}.{}", "{}_{}", "{}-{}", "{}.part{}", "{}_segment_{}"])
def test_our_own_table_of_slices_keeps_all_rows(table: Path, name: str, slice_of: str) -> None:
    slices = [name.format(slice_of.format("blues.00006", k)) for k in range(5)]
    lines = [ours(path=path, parent=path).splitlines()[1] for path in slices]
    table.write_text("\n".join([ours().splitlines()[0], *lines]) + "\n")
    dataset = read_dataset(table, Features(SET))
    assert (len(dataset.x), len(dataset.entries)) == (5, 1)
    assert not dataset.entries[0].is_copy


def test_two_columns_of_one_name_are_refused(table: Path) -> None:
    with pytest.raises(UsageError, match=r"table.csv has more than one column b \("):
        read(table, KAGGLE.replace("length", "b"))


def test_slices_of_one_name_are_exact_duplicates_of_each_other(table: Path) -> None:
    table.write_text(SLICES + "again/blues.00000.3.wav,66149,9,9,9,blues\n")
    dataset = read_dataset(table, Features(SET))
    assert len(dataset.x) == 30
    assert any("again/blues.00000.3.wav = blues.00000.3.wav" in note for note in dataset.notes)


def test_slices_that_somebody_dealt_out_count_as_learnt_from(table: Path) -> None:
    text = SLICES.replace("blues.00000.", "train/blues.00000.", 9).replace("\nb", "\ntest/b")
    table.write_text(text.replace("\nj", "\ntest/j"))
    dataset = read_dataset(table, Features(SET))
    assert [one.part for one in dataset.labelled] == ["train", "test", "test"]
    assert "gtzan:blues.00000 is in train and test: counted as train" in dataset.notes
    assert "table.csv: the split is that of the folders train, test" in dataset.notes


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "", "word", "1e39"])
def test_a_row_with_no_finite_number_is_left_out_and_said(table: Path, value: str) -> None:
    dataset = read(table, KAGGLE.replace("1,2,3", f"1,{value},3"))
    assert [entry.genre for entry in dataset.entries] == ["jazz"]
    assert any("1 rows with a value that is no finite number" in note for note in dataset.notes)


def test_a_column_without_any_number_is_refused_by_name(table: Path) -> None:
    text = KAGGLE.replace("1,2,3", "1,nan,3").replace("4,5,7.5", "4,inf,7.5")
    with pytest.raises(UsageError, match=r"no finite number in b"):
        read(table, text)


def test_a_constant_column_is_said(table: Path) -> None:
    dataset = read(table, KAGGLE.replace("4,5,7.5", "4,2,7.5"))
    assert any("the same value in every row: b" in note for note in dataset.notes)


def test_a_repeated_path_counts_once_and_is_said(table: Path) -> None:
    dataset = read(table, KAGGLE + "blues.00000.wav,661794,9,9,9,blues\r\n")
    assert dataset.x[:, 0].tolist() == [1, 4]
    assert any("1 rows that repeat a path" in note for note in dataset.notes)


def test_extra_columns_do_not_matter(table: Path) -> None:
    plain = read(table, KAGGLE)
    text = KAGGLE.replace(",label", ",mood,label").replace(",blues\r", ",9,blues\r")
    wide = read(table, text.replace(",jazz\r", ",9,jazz\r"))
    assert np.array_equal(plain.x, wide.x)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a,b,c", "a,B_mean,c", "lacks 1 of the 3 columns of three: b"),
        ("filename", "song", "no column path or filename"),
        ("label", "style", "no column genre or label"),
    ],
)
def test_missing_and_renamed_columns_are_named(
    table: Path, old: str, new: str, expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        read(table, KAGGLE.replace(".0000", "-").replace(old, new))


def test_where_no_column_tells_the_genre_the_paths_do(table: Path) -> None:
    found = read(table, KAGGLE.replace("label", "style"))
    assert [entry.genre for entry in found.entries] == ["blues", "jazz"]


def test_a_table_of_another_set_names_it(table: Path) -> None:
    table.write_text("path,x,y\nrock/a.wav,1,2\n")
    with pytest.raises(UsageError, match=r"holds two, not three .*--set two"):
        read_dataset(table, Features(SET))


def test_the_nearest_name_of_a_renamed_column_is_given(table: Path) -> None:
    wide = FeatureSetSpec("wide", "", "n:a", FrontEnd(), ("mfcc1_mean", "mfcc1_var"))
    table.write_text("filename,mfcc_1_mean,mfcc1_var,label\nx.wav,1,2,rock\n")
    with pytest.raises(UsageError, match="did you mean mfcc_1_mean"):
        read_feature_table(table, wide)


def ours(**changes: str) -> str:
    row = {
        "path": "a.wav", "genre": "rock", "group": "An artist", "split": "train",
        "parent": "a.wav", "start": "0", "kind": "three", "status": "ok",
        "settings": SET.digest, "a": "1", "b": "2", "c": "3", **changes,
    }  # fmt: skip
    return ",".join(row) + "\n" + ",".join(row.values()) + "\n"


def test_our_own_table_brings_artist_part_and_parent(table: Path) -> None:
    entry = read(table, ours(path="n/a.white_10dB_1.wav")).entries[0]
    assert (entry.group, entry.part, entry.parent) == ("An artist", "train", "a.wav")
    assert entry.is_copy


def test_files_that_were_heard_to_be_of_one_recording_belong_together(table: Path) -> None:
    lines = [
        *ours(path="a.flac", parent="a.flac", recording_of="a.flac").splitlines(),
        ours(path="b.mp3", parent="b.mp3", recording_of="a.flac").splitlines()[1],
        ours(path="c.mp3", parent="c.mp3", recording_of="").splitlines()[1],
    ]
    labels = labelled(read(table, "\n".join(lines)).entries)
    assert [len(one) for one in linked(label.dealt_with for label in labels)] == [2, 1]


def test_failed_rows_are_left_out(table: Path) -> None:
    lines = ours().splitlines()
    failed = lines[1].replace("a.wav", "b.wav").replace(",ok,", ",failed,").replace(",1,2,3", ",,,")
    dataset = read(table, "\n".join([*lines, failed]) + "\n")
    assert len(dataset.entries) == 1
    assert "table.csv: 1 failed rows left out" in dataset.notes


def test_a_table_of_another_registered_set_is_taken_for_what_it_is(table: Path) -> None:
    text = ours(kind="two", settings=OTHER.digest).replace(",a,b,c", ",x,y,z")
    assert read(table, text).input == Features(OTHER)


def test_a_table_of_another_front_end_is_refused_without_digests(table: Path) -> None:
    message = (
        rf"another release of {SET.name} \(make it again by mgrkit features --set {SET.name}\)"
    )
    with pytest.raises(UsageError, match=message):
        read(table, ours(settings="0123"))


def test_a_table_of_two_sets_is_refused(table: Path) -> None:
    text = ours() + ours(path="b.wav", kind="two").splitlines()[1] + "\n"
    with pytest.raises(UsageError, match="several feature sets: three, two"):
        read(table, text)


def test_parquet_gives_the_same_as_csv(table: Path, tmp_path: Path) -> None:
    import polars as pl

    plain = read(table, KAGGLE)
    other = tmp_path / "table.parquet"
    pl.read_csv(table).write_parquet(other)
    again = read_feature_table(other, SET)
    assert np.array_equal(plain.x, again.x)
    assert plain.entries == again.entries


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02", b"PAR1 and then nothing", b"a,b\n1\n1,2,3\n"]
)
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_that_is_no_table_is_an_error(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    with pytest.raises((RunError, UsageError), match=path.name):
        read_dataset(path, Features(SET))


def test_a_list_of_files_is_not_taken_for_a_feature_table(table: Path) -> None:
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "genre"), ("a.wav", "rock")])
    assert not is_feature_table(table, SET.columns)
    table.write_text("filename,A,B,label\nx.wav,1,2,rock\n")
    assert not is_feature_table(table, SET.columns)


def test_rows_without_a_genre_are_left_out_and_said(table: Path) -> None:
    text = KAGGLE.replace(",blues\r", ",\r")
    table.write_bytes(text.encode())
    dataset = read_dataset(table, Features(SET))
    assert [entry.genre for entry in dataset.entries] == ["jazz"]
    assert "1 tracks without a genre left out" in dataset.notes
    table.write_bytes(text.replace(",jazz\r", ",\r").encode())
    with pytest.raises(RunError, match=r"no track in .* has a genre"):
        read_dataset(table, Features(SET))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (KAGGLE.replace(",", ";").encode(), "table.csv is separated by semicolons"),
        (KAGGLE.encode("utf-16"), "table.csv is text in UTF-16"),
    ],
)
def test_tables_of_office_programs_are_named(table: Path, content: bytes, expected: str) -> None:
    table.write_bytes(content)
    with pytest.raises(UsageError, match=expected):
        read_dataset(table, Features(SET))


def test_data_that_is_not_there_or_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no"):
        read_dataset(tmp_path / "none.csv", Features(SET))
    song = tmp_path / "song.mp3"
    song.write_bytes(b"x")
    with pytest.raises(UsageError, match="neither a folder nor a table"):
        read_dataset(song, Features(SET))


def test_a_header_without_rows_is_an_error(table: Path) -> None:
    with pytest.raises(RunError, match="has no rows"):
        read(table, KAGGLE.splitlines()[0] + "\n")
