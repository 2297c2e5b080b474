"""FMA's tables of numbers: names, order, values, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.fma.tables import FEATURE_COLUMNS, is_fma_table, read_fma_table
from tests.tracks.made_fma import feature_columns, make_fma


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_fma(tmp_path_factory.mktemp("fma"), tracks=40, features=30, echonest=7).folder


def cells(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [*csv.reader(file)]


def test_the_names_of_the_features_are_those_of_the_header_rows(folder: Path) -> None:
    assert tuple("_".join(column) for column in feature_columns()) == FEATURE_COLUMNS
    assert len(set(FEATURE_COLUMNS)) == 518
    assert (FEATURE_COLUMNS[0], FEATURE_COLUMNS[-1]) == ("chroma_cens_kurtosis_01", "zcr_std_01")
    table = read_fma_table(folder / "features.csv")
    assert table.columns == ["track_id", *FEATURE_COLUMNS]


def test_every_feature_is_the_one_of_the_file(folder: Path) -> None:
    rows = cells(folder / "features.csv")[4:]
    table = read_fma_table(folder / "features.csv")
    assert [*table["track_id"]] == [int(row[0]) for row in rows]
    wanted = np.array([row[1:] for row in rows], dtype=np.float32)
    assert np.array_equal(table.drop("track_id").to_numpy(), wanted)
    assert set(table.dtypes[1:]) == {pl.Float32}


def test_columns_are_chosen_by_how_they_begin(folder: Path) -> None:
    whole = read_fma_table(folder / "features.csv")
    for starts, number in (
        (("mfcc",), 140), (("mfcc_mean", "zcr"), 27), (("chroma_stft", "rmse_std_01"), 85),
    ):  # fmt: skip
        part = read_fma_table(folder / "features.csv", starts)
        assert len(part.columns) == number + 1
        assert part.equals(whole.select(part.columns))
        assert part.columns[1:] == [n for n in FEATURE_COLUMNS if n in part.columns]
    for wrong in ("mfc", "mfcc_", "mfcc_mean_1"):
        with pytest.raises(UsageError, match=r"no column of .* begins with mfc"):
            read_fma_table(folder / "features.csv", ("zcr", wrong))


def test_echonest_loses_its_first_row_of_names_and_keeps_texts(folder: Path) -> None:
    names = ["_".join(pair) for pair in zip(*cells(folder / "echonest.csv")[1:3], strict=True)]
    table = read_fma_table(folder / "echonest.csv")
    assert table.columns == ["track_id", *names[1:]]
    assert len(table.columns) == 250
    texts = [name for name in table.columns if table[name].dtype == pl.String]
    assert texts == [
        "metadata_album_date", "metadata_album_name", "metadata_artist_location",
        "metadata_artist_name", "metadata_release",
    ]  # fmt: skip
    assert table["metadata_album_date"].null_count() == len(table)
    assert table["metadata_release"][0] == "Two\nlines"
    assert table["ranks_artist_discovery_rank"].dtype == pl.Float64
    for row, line in zip(table.iter_rows(), cells(folder / "echonest.csv")[4:], strict=True):
        assert [str(row[0]), *(f"{x:.10f}" for x in row[1:9])] == line[:9]


def test_other_tables_are_not_taken_for_these(folder: Path, tmp_path: Path) -> None:
    found = {path.name for path in folder.iterdir() if is_fma_table(path)}
    assert found == {"features.csv", "echonest.csv"}
    (tmp_path / "empty.csv").touch()
    assert not is_fma_table(tmp_path / "empty.csv")


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda text: "", UsageError, "does not begin as FMA's features.csv: 3 rows of names"),
        (lambda text: text[text.index("track_id") :], UsageError, "does not begin as FMA's"),
        (lambda text: text.replace("track_id", "id"), UsageError, "does not begin as FMA's"),
        (lambda text: "".join(text.splitlines(True)[:4]), RunError, "has no rows"),
        (lambda text: text + text.splitlines(True)[-1], RunError, "in two rows"),
        (lambda text: text.replace("e+00", "e+oo", 1), RunError, "cannot read"),
        (lambda text: text[:-3], RunError, "its last row does not end"),
        (lambda text: text + ",1\n", RunError, "1 rows have no track_id"),
    ],
)
def test_what_is_refused(folder: Path, tmp_path: Path, change, error, message) -> None:  # type: ignore[no-untyped-def]
    text = (folder / "features.csv").read_text(encoding="utf-8")
    (tmp_path / "features.csv").write_text(change(text), encoding="utf-8")
    with pytest.raises(error) as refused:
        read_fma_table(tmp_path / "features.csv")
    assert message in str(refused.value)


def test_a_table_in_utf_16_or_not_there(folder: Path, tmp_path: Path) -> None:
    text = (folder / "features.csv").read_text(encoding="utf-8")
    (tmp_path / "features.csv").write_text(text, encoding="utf-16")
    with pytest.raises(UsageError, match="UTF-16"):
        read_fma_table(tmp_path / "features.csv")
    with pytest.raises(RunError, match="cannot read"):
        read_fma_table(tmp_path / "echonest.csv")
