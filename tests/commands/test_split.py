"""``mgrkit data split`` on tables of all kinds; see tests/cli/test_data_split.py for the rest."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from mgrkit.commands.audit import audit
from mgrkit.commands.split import SplitSettings, split
from mgrkit.commands.train import train
from tests.datasets.made_tables import rows as feature_rows
from tests.datasets.made_tables import write

Row = dict[str, str]
ALBUMS = [
    {"path": f"{genre}-{album}/{song:02}.mp3", "genre": genre, "artist": f"{genre} {album}"}
    for genre in ("blues", "jazz")
    for album in "abcdefgh"
    for song in range(1, 5)
]


def table(path: Path, of: list[Row]) -> Path:
    pl.DataFrame(of).write_csv(path)
    return path


def parts(path: Path) -> dict[str, str]:
    frame = pl.read_csv(path)
    return dict(zip(frame["path"], frame["split"].fill_null(""), strict=True))


def test_numbers_of_parquet_stay_numbers(tmp_path: Path) -> None:
    frame = pl.DataFrame(ALBUMS).with_columns(mfcc=pl.lit(0.1), count=pl.lit(3))
    frame.write_parquet(tmp_path / "t.parquet")
    split(tmp_path / "t.parquet", tmp_path / "o.parquet")
    after = pl.read_parquet(tmp_path / "o.parquet")
    assert (after["mfcc"].dtype, after["count"].dtype) == (pl.Float64, frame["count"].dtype)
    assert after["mfcc"].equals(frame["mfcc"])


def test_a_feature_table_is_split_and_learnt_from(tmp_path: Path) -> None:
    data = write(tmp_path / "t.csv", feature_rows())
    split(data, tmp_path / "o.csv", SplitSettings("random"))
    trained = train("svm", tmp_path / "o.csv", tmp_path / "m.safetensors")
    assert trained.bundle.metrics["split"].startswith("random split, artists not separated")
    assert trained.counts["test"] > 0


def test_songs_of_one_number_on_many_albums_are_many(tmp_path: Path) -> None:
    made = split(table(tmp_path / "t.csv", ALBUMS), tmp_path / "o.csv", SplitSettings("random"))
    assert set(parts(tmp_path / "o.csv").values()) == {"train", "valid", "test"}
    assert "leaky" not in made.words
    [found] = audit(tmp_path / "o.csv").splits
    assert [kind for kind, count in found.leaks.items() if count] == ["artist"]


def test_slices_and_noisy_copies_go_with_their_recording(tmp_path: Path) -> None:
    made: list[Row] = []
    for genre in ("blues", "jazz"):
        for song in range(12):
            name = f"{genre}/s{song}"
            one = {"genre": genre, "parent": "", "kind": ""}
            made += [{**one, "path": f"{name}_part{k}.wav"} for k in (1, 2)]
            made.append({**one, "path": f"{name}.white_10dB_0.wav", "kind": "noisy",
                         "parent": f"{name}_part1.wav"})  # fmt: skip
    split(table(tmp_path / "t.csv", made), tmp_path / "o.csv", SplitSettings("random"))
    found = parts(tmp_path / "o.csv")
    for genre in ("blues", "jazz"):
        for song in range(12):
            start = (f"{genre}/s{song}_", f"{genre}/s{song}.")
            assert len({part for path, part in found.items() if path.startswith(start)}) == 1
    assert set(found.values()) == {"train", "valid", "test"}
