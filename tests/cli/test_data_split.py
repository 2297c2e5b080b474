"""`mgrkit data split`: what is dealt, kept, refused and said."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.cli.test_commands import mgrkit, tone

Rows = list[dict[str, str]]


def rows(artists: int = 10, songs: int = 3, first: int = 0) -> Rows:
    """``songs`` of each of ``artists`` of two genres."""
    return [
        {"path": f"{g}/{g}{a}-song{s}x.wav", "genre": g, "artist": f"{g} {a}", "mood": f"m{s}"}
        for g in ("jazz", "rock")
        for a in range(first, artists)
        for s in range(songs)
    ]


def write(name: str, made: Rows) -> str:
    frame = pl.DataFrame(made)
    frame.write_parquet(name) if name.endswith("parquet") else frame.write_csv(name)
    return name


def read(name: str = "out.csv") -> Rows:
    if name.endswith("parquet"):
        return pl.read_parquet(name).to_dicts()
    return pl.read_csv(name, infer_schema=False).fill_null("").to_dicts()


def parts(name: str = "out.csv", column: str = "split") -> dict[str, str]:
    return {row["path"]: row[column] for row in read(name)}


def of_artists(name: str = "out.csv", column: str = "split") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in read(name):
        found.setdefault(row["group"], set()).add(row[column])
    return found


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def split(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capfd.readouterr()
    assert mgrkit("data", "split", *words, "--json") == 0
    found: dict[str, Any] = json.loads(capfd.readouterr().out)
    return found


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_artists_are_undivided_and_columns_kept(
    form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    made = split(capfd, write(f"t.{form}", rows()), f"out.{form}")
    assert (made["split"], made["words"]) == ("grouped", "grouped split")
    assert made["genres"]["jazz"] == {"train": 18, "test": 6, "valid": 6}
    found = read(f"out.{form}")
    assert all(len(held) == 1 for held in of_artists(f"out.{form}").values())
    assert {row["split_by"] for row in found} == {"grouped"}
    assert [row["mood"] for row in found] == [row["mood"] for row in rows()]
    assert [row["path"] for row in found] == [row["path"] for row in rows()]


def test_random_says_so_and_train_says_it_again(capfd: pytest.CaptureFixture[str]) -> None:
    for number, row in enumerate(made := rows(songs=1)):
        tone(Path(row["path"]), seconds=1, hz=300 + 9 * number + 1500 * (row["genre"] == "jazz"))
    split(capfd, write("t.csv", made), "out.csv", "--split", "random")
    assert {row["split_by"] for row in read()} == {"random"}
    assert mgrkit("train", "svm", "out.csv", "-o", "m.safetensors", "--json") == 0
    trained = json.loads(capfd.readouterr().out)
    assert trained["metrics"]["split"].startswith("random split, artists not separated")
    assert trained["tracks"] == {**Counter(parts().values()), "none": 0}


def test_ratio_and_counts(capfd: pytest.CaptureFixture[str]) -> None:
    table = write("t.csv", rows(songs=1))
    made = split(capfd, table, "out.csv", "--ratio", "80/10/10")
    assert made["genres"]["rock"] == {"train": 8, "test": 1, "valid": 1}
    made = split(capfd, table, "two.csv", "--ratio", "70/30")
    assert made["genres"]["rock"] == {"train": 7, "test": 3}
    made = split(capfd, table, "three.csv", "--counts", "test=2,valid=1")
    assert made["genres"]["rock"] == {"train": 7, "test": 2, "valid": 1}
    made = split(capfd, write("u.csv", rows()), "four.csv", "--counts", "test=4")
    assert any("not 4: no artist is divided" in note for note in made["notes"])


@pytest.mark.parametrize("how", ["grouped", "random"])
def test_folds_are_the_same_and_each_is_the_test_once(
    how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    table = write("t.csv", rows())
    tested: list[str] = []
    for number in range(5):
        split(capfd, table, "out.csv", "--split", how, "--folds", "5", "--test-fold",
              str(number), "--replace")  # fmt: skip
        folds = parts(column="fold")
        tested += [path for path, part in parts().items() if part == "test"]
        assert {folds[path] for path, part in parts().items() if part == "test"} == {str(number)}
        assert {folds[path] for path, part in parts().items() if part == "valid"} == {
            str((number + 1) % 5)
        }
    assert sorted(tested) == sorted(row["path"] for row in rows())
    assert set(Counter(folds.values()).values()) == {12}
    torn = any(len(held) > 1 for held in of_artists(column="fold").values())
    assert torn == (how == "random")


@pytest.mark.parametrize("more", [[], ["--folds", "5"]])
def test_old_tracks_keep_their_part_and_new_ones_fill_the_gap(
    more: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    column = "fold" if more else "split"
    split(capfd, write("t.csv", rows()), "old.csv", "--seed", "3", *more)
    new = [*rows(20), *rows(songs=4)[3::4]]  # more artists, and a song more of the old ones
    made = split(capfd, write("new.csv", new), "out.csv", "--keep", "old.csv", *more)
    before, after = parts("old.csv", column), parts(column=column)
    assert {path: after[path] for path in before} == before
    assert all(len(held) == 1 for held in of_artists(column=column).values())
    assert "" not in after.values()
    assert "60 tracks keep their part, 80 are new" in made["notes"]
    if not more:
        assert Counter(after.values())["train"] == pytest.approx(0.6 * len(after), abs=6)


def test_what_keep_refuses(capfd: pytest.CaptureFixture[str]) -> None:
    table = write("t.csv", rows())
    split(capfd, table, "r.csv", "--split", "random")
    for words, message in (
        (["--keep", "r.csv", "--split", "grouped"], "r.csv was dealt random, not grouped"),
        (["--keep", "t.csv"], "t.csv has no parts to keep"),
        (["--keep", "r.csv", "--folds", "4"], "r.csv has no parts to keep"),
    ):
        assert mgrkit("data", "split", table, "out.csv", *words) == 2
        assert message in capfd.readouterr().err
    write("other.csv", [{"path": "x.wav", "split": "train"}])
    assert mgrkit("data", "split", table, "out.csv", "--keep", "other.csv") == 2
    assert "have no track in common" in capfd.readouterr().err


def test_a_genre_of_one_artist_is_refused_with_what_can_be_done(
    capfd: pytest.CaptureFixture[str],
) -> None:
    polka = [{**row, "genre": "polka", "path": f"p{row['path']}"} for row in rows(1)[:3]]
    table = write("t.csv", [*rows(), *({**row, "artist": "Po"} for row in polka)])
    assert mgrkit("data", "split", table, "out.csv") == 2
    err = capfd.readouterr().err
    assert "polka has 1 artist, nothing for test, valid" in err
    assert "--allow-missing" in err
    assert "--split random" in err
    assert not Path("out.csv").exists()
    made = split(capfd, table, "out.csv", "--allow-missing")
    assert made["genres"]["polka"] == {"train": 3}
    assert mgrkit("data", "split", table, "c.csv", "--counts", "test=40") == 2
    assert "jazz has 30 tracks, asked are test=40" in capfd.readouterr().err


def test_rows_of_no_use_are_in_no_part_and_counted(capfd: pytest.CaptureFixture[str]) -> None:
    made = [{**row, "status": "", "duplicate_of": ""} for row in rows()]
    made[0]["status"], made[1]["duplicate_of"] = "failed", made[2]["path"]
    found = split(capfd, write("t.csv", made), "out.csv")
    assert found["passed_over"] == {"failed": 1, "duplicate": 1}
    assert [row["split"] == "" for row in read()][:3] == [True, True, False]


def test_a_folder_gets_a_table(capfd: pytest.CaptureFixture[str]) -> None:
    for row in rows(3, 1):
        tone(Path("audio") / row["path"], seconds=0.1)
    assert split(capfd, "audio", "--split", "random")["out"] == "audio/tracks.csv"
    assert set(parts("audio/tracks.csv").values()) == {"train", "valid", "test"}
    assert mgrkit("data", "split", "audio") == 2, "not written over"
    assert "is there already" in capfd.readouterr().err
    split(capfd, "audio", "elsewhere.csv", "--split", "random")
    assert min(parts("elsewhere.csv")) == "audio/jazz/jazz0-song0x.wav"
    write("some.csv", rows(3, 1)[::2])
    split(capfd, "audio", "some2.csv", "--table", "some.csv", "--allow-missing")
    assert len(parts("some2.csv")) == 3


def test_artists_of_tags(capfd: pytest.CaptureFixture[str], monkeypatch) -> None:
    from mgrkit.audio.tags import artist

    monkeypatch.setattr(artist, "artist_tag", lambda path: Path(path).stem.partition("-")[0])
    made = [{**row, "artist": ""} for row in rows()]
    for row in made:
        tone(Path(row["path"]), seconds=0.01)
    assert split(capfd, write("t.csv", made), "no.csv")["split"] == "random"
    assert split(capfd, "t.csv", "out.csv", "--tags")["words"] == "grouped split"
    assert of_artists().keys() == {f"{g}{a}" for g in ("jazz", "rock") for a in range(10)}


def test_published_is_what_the_collection_says_even_after_a_deal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    gtzan = [
        {"path": f"{g}.{n:05d}.wav", "genre": g} for g in ("blues", "jazz") for n in range(100)
    ]
    made = split(capfd, write("t.csv", gtzan), "p.csv")
    assert made["words"] == "published split"
    split(capfd, "p.csv", "g.csv", "--split", "grouped")
    split(capfd, "g.csv", "again.csv", "--split", "published")
    assert parts("again.csv") == parts("p.csv") != parts("g.csv")
    assert read("g.csv")[0]["group"] == "John Lee Hooker"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--ratio 80", "--ratio must be like"),
        ("--ratio 0/50/50", "leaves nothing to learn"),
        ("--ratio 80/20 --counts test=1", "exclude each other"),
        ("--counts train=3", "--counts must be like"),
        ("--folds 2", "--folds must be"),
        ("--folds 4 --test-fold 4", "--test-fold must be from 0 to 3"),
        ("--test-fold 1", "given with --folds"),
        ("--folds 4 --ratio 80/20", "--folds are equal"),
        ("--split published --folds 4", "taken as it is"),
        ("--split gruoped", "did you mean grouped"),
    ],
)
def test_wrong_calls(words: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert mgrkit("data", "split", write("t.csv", rows()), "out.csv", *words.split()) == 2
    assert message in capfd.readouterr().err
    assert not Path("out.csv").exists()


def test_a_path_of_two_genres_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    made = [*rows(), {**rows()[0], "genre": "rock"}]
    assert mgrkit("data", "split", write("t.csv", made), "out.csv") == 2
    assert "jazz/jazz0-song0x.wav has two genres, jazz and rock" in capfd.readouterr().err
    split(capfd, write("u.csv", [*rows(), {**rows()[0], "genre": "JAZZ"}]), "out.csv")
