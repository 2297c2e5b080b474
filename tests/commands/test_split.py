"""``mgrkit data split`` on tables of all kinds; see tests/cli/test_data_split.py for the rest."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import polars as pl
import pytest

from mgrkit.commands.audit import audit
from mgrkit.commands.split import SplitSettings, split
from mgrkit.commands.train import train
from tests.datasets.made_tables import rows as feature_rows
from tests.datasets.made_tables import write
from tests.tracks.made_fma import make_fma

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


def test_fma_s_own_table_is_split_and_audited(tmp_path: Path) -> None:
    make_fma(tmp_path, tracks=300)
    found = audit(tmp_path / "tracks.csv")
    assert found.exit_code == 0
    assert any("without a genre" in note for note in found.notes)
    made = split(tmp_path / "tracks.csv", tmp_path / "o.csv")
    assert (made.split, made.words) == ("published", "published split")
    made_rows = pl.read_csv(tmp_path / "o.csv", infer_schema=False)
    assert made_rows["source_id"].str.starts_with("fma:").all()


def test_names_that_are_not_utf_8_are_split_and_audited(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for genre in ("blues", "jazz"):
            folder = tmp_path / "music" / part / genre
            folder.mkdir(parents=True)
            (folder / os.fsdecode(b"b\xe4d-" + part.encode() + b".wav")).touch()
    assert audit(tmp_path / "music").tracks == 4
    split(tmp_path / "music", tmp_path / "o.csv", SplitSettings("random", allow_missing=True))
    assert any("\\udce4" in path for path in pl.read_csv(tmp_path / "o.csv")["path"])


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
def test_a_full_disk_is_called_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = table(tmp_path / "t.csv", ALBUMS)

    def full(self: Path, content: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), os.fspath(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as caught:
        split(data, tmp_path / name)
    assert caught.value.filename == str(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv"}
