"""``mgrkit data split``: whole groups, the asked shares, stable parts, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import polars as pl
import pytest

from mgrkit.commands.audit import audit
from mgrkit.commands.split import SplitSettings, split
from mgrkit.commands.train import train
from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.dealing import Shares
from tests.cli.test_commands import mgrkit, tone
from tests.datasets.made_tables import rows as feature_rows
from tests.datasets.made_tables import write

Row = dict[str, str]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def rows(artists: Iterable[int] = range(10), songs: int = 3) -> list[Row]:
    return [
        {
            "path": f"{genre}/{LETTERS[a]}{LETTERS[s]}.wav",
            "genre": genre,
            "artist": f"{genre} {a}",
            "mood": "calm",
        }
        for genre in ("blues", "jazz")
        for a in artists
        for s in range(songs)
    ]


def table(path: Path, of: list[Row] | None = None) -> Path:
    pl.DataFrame(of or rows()).write_csv(path)
    return path


def parts(path: Path) -> dict[str, str]:
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    return dict(zip(frame["path"], frame["split"].fill_null(""), strict=True))


@pytest.mark.parametrize("name", ["o.csv", "o.parquet"])
def test_artists_are_not_divided_and_all_else_is_kept(tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    made = split(table(tmp_path / "t.csv"), out)
    assert (made.split, made.words) == ("grouped", "grouped split")
    frame = pl.read_csv(out) if name == "o.csv" else pl.read_parquet(out)
    assert frame["path"].to_list() == [row["path"] for row in rows()], "in their order"
    assert set(frame["mood"]) == {"calm"}
    assert set(frame["split_by"]) == {"grouped"}
    assert all(len(set(parts)) == 1 for _, parts in frame.group_by("group").agg("split").rows())
    assert audit(out).exit_code == 0
    counts = Counter(zip(frame["genre"], frame["split"], strict=True))
    assert counts["blues", "train"] == 18
    assert counts["jazz", "test"] == 6


def test_the_words_of_the_split_go_with_the_table(tmp_path: Path) -> None:
    data = write(tmp_path / "t.csv", feature_rows())
    split(data, tmp_path / "o.csv", SplitSettings("random"))
    trained = train("svm", tmp_path / "o.csv", tmp_path / "m.safetensors")
    assert trained.bundle.metrics["split"].startswith("random split, artists not separated")


def test_numbers_of_parquet_stay_numbers(tmp_path: Path) -> None:
    frame = pl.DataFrame(rows()).with_columns(mfcc=pl.lit(0.1), count=pl.lit(3))
    frame.write_parquet(tmp_path / "t.parquet")
    split(tmp_path / "t.parquet", tmp_path / "o.parquet")
    after = pl.read_parquet(tmp_path / "o.parquet")
    assert (after["mfcc"].dtype, after["count"].dtype) == (pl.Float64, frame["count"].dtype)
    assert after["mfcc"].equals(frame["mfcc"])


def test_the_seed_decides_and_the_order_does_not(tmp_path: Path) -> None:
    first, turned = table(tmp_path / "a.csv"), table(tmp_path / "b.csv", rows()[::-1])
    split(first, tmp_path / "1.csv", SplitSettings(seed=4))
    split(turned, tmp_path / "2.csv", SplitSettings(seed=4))
    split(first, tmp_path / "3.csv", SplitSettings(seed=5))
    assert parts(tmp_path / "1.csv") == parts(tmp_path / "2.csv") != parts(tmp_path / "3.csv")


@pytest.mark.parametrize("how", ["grouped", "random"])
def test_earlier_tracks_keep_their_parts_and_new_ones_fill_the_gap(
    tmp_path: Path, how: str
) -> None:
    split(table(tmp_path / "old.csv"), tmp_path / "1.csv", SplitSettings(how, seed=1))
    more = table(tmp_path / "new.csv", [*rows(), *rows(range(10, 20)), *rows([3], songs=6)[3:6]])
    settings = SplitSettings(how, seed=2, keep=tmp_path / "1.csv")
    split(more, tmp_path / "2.csv", settings)
    before, after = parts(tmp_path / "1.csv"), parts(tmp_path / "2.csv")
    assert {path: after[path] for path in before} == before
    assert abs(Counter(after.values())["test"] - len(after) / 5) <= 6
    if how == "grouped":
        assert after["blues/de.wav"] == before["blues/da.wav"], "its artist's part"
        assert audit(tmp_path / "2.csv").exit_code == 0


def test_folds_are_equal_and_the_asked_one_is_test(tmp_path: Path) -> None:
    data = table(tmp_path / "t.csv")
    for test_fold in (0, 2):
        settings = SplitSettings(shares=Shares.of_folds(5), test_fold=test_fold)
        split(data, tmp_path / f"{test_fold}.csv", settings)
    first, third = (pl.read_csv(tmp_path / f"{fold}.csv") for fold in (0, 2))
    assert first["fold"].equals(third["fold"])
    assert Counter(first["fold"]) == dict.fromkeys(range(5), 12)
    assert set(first.filter(pl.col("split") == "test")["fold"]) == {0}
    assert set(third.filter(pl.col("split") == "test")["fold"]) == {2}
    assert set(third.filter(pl.col("split") == "valid")["fold"]) == {3}
    assert audit(tmp_path / "2.csv").exit_code == 0


def test_slices_copies_and_duplicates_go_with_their_recording(tmp_path: Path) -> None:
    made: list[Row] = []
    for genre in ("blues", "jazz"):
        for song in range(12):
            name = f"{genre}/s{song}"
            one = {"genre": genre, "parent": "", "duplicate_of": "", "kind": ""}
            made += [{**one, "path": f"{name}_part{k}.wav"} for k in (1, 2)]
            made.append({**one, "path": f"{genre}/other{song}.wav",
                         "duplicate_of": f"{name}_part1.wav"})  # fmt: skip
            made.append({**one, "path": f"{name}.white_10dB_0.wav", "kind": "noisy",
                         "parent": f"{name}_part1.wav"})  # fmt: skip
    split(table(tmp_path / "t.csv", made), tmp_path / "o.csv", SplitSettings("random"))
    found = parts(tmp_path / "o.csv")
    for genre in ("blues", "jazz"):
        for song in range(12):
            belong = {part for path, part in found.items()
                      if path.startswith((f"{genre}/s{song}_", f"{genre}/s{song}.",
                                          f"{genre}/other{song}."))}  # fmt: skip
            assert len(belong) == 1
    assert set(found.values()) == {"train", "valid", "test"}


def test_failed_rows_are_kept_in_no_part(tmp_path: Path) -> None:
    made = [{**row, "status": "ok", "reason": ""} for row in rows()]
    made[5] |= {"status": "failed", "reason": "silent: all of it"}
    split(table(tmp_path / "t.csv", made), tmp_path / "o.csv")
    found = pl.read_csv(tmp_path / "o.csv")
    assert found["path"].to_list() == [row["path"] for row in made]
    assert found.filter(pl.col("status") == "failed")["split"].to_list() == [None]


def test_a_folder_becomes_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for genre in ("blues", "jazz"):
        for number in range(4):
            tone(tmp_path / "music" / genre / f"artist{number}" / "a.wav", hz=200 + 40 * number)
    out = tmp_path / "music" / "tracks.csv"
    words = ["data", "split", str(tmp_path / "music"), str(out), "--json"]
    assert mgrkit(*words, "--ratio", "50/50") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["genres"]["blues"] == {"tracks": 4, "train": 2, "valid": 0, "test": 2}
    assert result["words"] == "grouped split"
    assert set(parts(out).values()) == {"train", "test"}
    assert mgrkit(*words) == 2
    assert "is there already" in capsys.readouterr().err


def test_a_table_elsewhere_says_how_to_use_it(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made = split(table(tmp_path / "t.csv"), tmp_path / "other" / "o.csv")
    assert any("--table" in note for note in made.notes)


def test_the_table_itself_is_replaced_whole(tmp_path: Path) -> None:
    data = table(tmp_path / "t.csv")
    with pytest.raises(UsageError, match="is there already"):
        split(data, data)
    split(data, data, replace=True)
    assert set(parts(data).values()) == {"train", "valid", "test"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"path": "blues/aa.wav"}, "contradicts itself: paths under two genres: 1"),
        ({"genre": "polka", "artist": "one"}, "polka has 1 artist, nothing for test, valid"),
        ({"split_by": "by hand"}, "no kind of split"),
    ],
)
def test_tables_that_cannot_be_split(tmp_path: Path, change: dict[str, str], message: str) -> None:
    made = [{**row, "split_by": ""} for row in rows()]
    made[-1] |= change
    data = table(tmp_path / "t.csv", made)
    settings = SplitSettings("grouped" if "split_by" not in change else None)
    with pytest.raises(UsageError, match=message):
        split(data, tmp_path / "o.csv", settings)
    assert not (tmp_path / "o.csv").exists()


def test_one_artist_in_a_genre_is_allowed_when_asked_for(tmp_path: Path) -> None:
    made = [*rows(), *({**row, "genre": "polka", "artist": "one"} for row in rows([20]))]
    data = table(tmp_path / "t.csv", made)
    done = split(data, tmp_path / "o.csv", SplitSettings(allow_missing=True))
    assert any("polka has one artist only: all of it is in train" in note for note in done.notes)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", RunError, "cannot read"),
        ("path,genre\n", RunError, "lists no files"),
        ("file_name,genre\na.wav,jazz\n", UsageError, "has no column path"),
        ("path,genre\na.wav,\n", UsageError, "none of 1 tracks has a genre"),
    ],
)
def test_tables_without_tracks(
    tmp_path: Path, content: str, error: type[Exception], message: str
) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(error, match=message):
        split(tmp_path / "t.csv", tmp_path / "o.csv")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ratio", "1"], "--ratio must be like"),
        (["--counts", "train=3"], "--counts must be like"),
        (["--folds", "2"], "--folds must be from 3"),
        (["--folds", "3", "--test-fold", "3"], "--test-fold must be from 0 to 2"),
        (["--test-fold", "1"], "--test-fold must be from 0 to 0"),
        (["--ratio", "8/2", "--folds", "3"], "exclude each other"),
        (["--split", "published", "--folds", "3"], "taken as it is"),
        (["--split", "published"], "no track has a part"),
        (["--keep", "t.csv"], "t.csv has no split to keep"),
        (["--keep", "t.csv", "--folds", "3"], "--keep goes with parts"),
    ],
)
def test_options_that_cannot_be(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "t.csv")
    assert mgrkit("data", "split", "t.csv", "o.csv", *words) == 2
    assert message in capsys.readouterr().err
    assert not Path("o.csv").exists()
