"""FMA's tracks.csv and genres.csv as a track table, and what is refused of them."""

from __future__ import annotations

import csv
import gzip
import shutil
from pathlib import Path

import polars as pl
import pytest

from mgrkit.errors import MgrkitError, RunError, UsageError
from mgrkit.tracks.collections.lookup import known
from mgrkit.tracks.fma.metadata import EXTRAS, read_fma
from mgrkit.tracks.fma.tree import read_tree
from mgrkit.tracks.schema import CATALOGUE
from mgrkit.tracks.splits import group_key
from mgrkit.tracks.table import read_tracks, write_tracks
from tests.tracks.made_fma import BELOW, ROOTS, Made, make_fma, root, write, write_tracks_csv


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_fma(tmp_path_factory.mktemp("fma") / "fma_metadata")


def test_every_track_is_told_as_the_file_has_it(made: Made) -> None:
    table = read_fma(made.folder, "full", [])
    assert table.columns == [*CATALOGUE, *EXTRAS]
    assert set(table.dtypes) == {pl.String}
    assert not table.null_count().sum_horizontal()[0]
    parts = {"training": "train", "validation": "valid", "test": "test"}
    rows = {row["track_id"]: row for row in made.rows if row["track.genre_top"]}
    assert len(table) == len(rows)
    assert set(table["split_by"]) == {"published"}
    for row in table.iter_rows(named=True):
        number = row["source_id"].removeprefix("fma:")
        of = rows[str(int(number))]
        assert row["path"] == f"{number[:3]}/{number}.mp3"
        assert known(row["path"]).id == row["source_id"]  # type: ignore[union-attr]
        for ours, theirs in {
            "genre": "track.genre_top", "title": "track.title", "album": "album.title",
            "licence": "track.license", "subset": "set.subset",
            "artist_id": "artist.id", "album_id": "album.id", "bit_rate": "track.bit_rate",
        }.items():  # fmt: skip
            assert row[ours] == of[theirs], ours
        assert row["seconds"] == of["track.duration"].removeprefix("0")
        assert row["split"] == parts[of["set.split"]]
        assert f"[{row['genre_ids'].replace(' ', ', ')}]" == of["track.genres"]
    assert [*table["path"]] == sorted(table["path"])


def test_what_is_read_is_a_track_table(made: Made, tmp_path: Path) -> None:
    table = read_fma(made.folder, "full", [], "first")
    assert any("\n" in title for title in table["title"])
    for name in ("t.csv", "t.parquet"):
        write_tracks(tmp_path / name, table)
        assert read_tracks(tmp_path / name).equals(table)


def test_rows_may_stand_in_any_order(tmp_path: Path) -> None:
    made = make_fma(tmp_path, tracks=60)
    table = read_fma(tmp_path, "full", [], "most")
    with (tmp_path / "tracks.csv").open(newline="", encoding="utf-8") as file:
        rows = [*csv.reader(file)]
    write(tmp_path / "tracks.csv", rows[:2], reversed(rows[3:]))
    assert len(made.rows) == len(rows) - 3
    assert read_fma(tmp_path, "full", [], "most").equals(table)


def test_a_subset_holds_the_smaller_ones(made: Made) -> None:
    held: set[str] = set()
    for subset, own in (("small", "small"), ("medium", "medium"), ("large", "large")):
        table = read_fma(made.folder, subset, [])
        held.add(own)
        assert set(table["subset"]) == held
    assert read_fma(made.folder, "full", [])["path"].equals(table["path"])


def test_clips_are_of_thirty_seconds_at_most(made: Made) -> None:
    clips = read_fma(made.folder, "large", [])["seconds"].cast(int, strict=False)
    whole = read_fma(made.folder, "full", [])["seconds"].cast(int, strict=False)
    assert clips.max() == 30
    assert clips.equals(whole.clip(upper_bound=30))


def test_a_group_is_an_artist_by_number(made: Made) -> None:
    notes: list[str] = []
    table = read_fma(made.folder, "full", notes)
    pairs = table.select("group", "artist_id").unique()
    assert len(pairs) == table["group"].n_unique() == table["artist_id"].n_unique()
    assert table["group"].map_elements(group_key, pl.String).n_unique() == len(pairs)
    named = {"Nobody #0", "NOBODY #11", "Nobody 0 #22", "Motörhead", "#35", "Artist 1"}
    assert named <= set(table["group"])
    assert "artists who share a name, told apart by their number: 3" in notes
    parts = table.group_by("group").agg(pl.col("split").n_unique())
    assert parts["split"].max() == 1


@pytest.mark.parametrize("rule", ["top", "most", "first"])
def test_rules_for_tracks_of_several_genres(made: Made, rule: str) -> None:
    notes: list[str] = []
    table = read_fma(made.folder, "full", notes, rule)
    chosen = dict(table.select("source_id", "genre").iter_rows())
    several = unnamed = 0
    for row in made.rows:
        roots = [ROOTS[root(int(n))] for n in row["track.genres"].strip("[]").split(", ") if n]
        most = sorted({roots.count(one) for one in roots})
        leading = [one for one in dict.fromkeys(roots) if roots.count(one) == most[-1]]
        want = {
            "top": roots[0] if len(set(roots)) == 1 else None,
            "most": leading[0] if len(leading) == 1 else None,
            "first": roots[0] if roots else None,
        }[rule]
        assert chosen.get(f"fma:{int(row['track_id']):06d}") == want
        several += bool(roots) and want is None
        unnamed += not roots
    assert f"left out, without a genre: {unnamed} tracks" in notes
    assert (f"left out, of several root genres: {several} tracks" in notes) == bool(several)
    assert {"top": several > 0, "most": several > 0, "first": not several}[rule]


def test_genres_below_others_count_for_their_root() -> None:
    assert root(89) == 12
    assert BELOW[89][0] == 25


@pytest.mark.parametrize(
    ("rule", "kept", "several"),
    [("top", 49_598, 54_688), ("most", 75_421, 28_368), ("first", 103_789, 0)],
)
def test_all_real_genres_by_every_rule(
    data: Path, tmp_path: Path, rule: str, kept: int, several: int
) -> None:
    """All 106,574 numbers and genres of FMA; the rest of each row is made."""
    with gzip.open(data / "fma" / "track_genres.csv.gz", "rt") as file:
        rows = [
            {
                "track_id": row["track_id"], "artist.id": "1", "set.split": "test",
                "set.subset": "large", "track.genre_top": row["genre_top"], "track.tags": "[]",
                "track.genres": f"[{row['genre_ids'].replace(' ', ', ')}]",
            }
            for row in csv.DictReader(file)
        ]  # fmt: skip
    write_tracks_csv(tmp_path, rows)
    shutil.copyfile(data / "fma" / "genres.csv", tmp_path / "genres.csv")
    notes: list[str] = []
    assert len(read_fma(tmp_path, "large", notes, rule)) == kept
    assert (f"left out, of several root genres: {several:,} tracks" in notes) == bool(several)


def damaged(made: Made, folder: Path, file: str, old: bytes, new: bytes) -> Path:
    """The folder again, with one thing changed in a file."""
    for name in ("tracks.csv", "genres.csv"):
        content = (made.folder / name).read_bytes()
        if name == file:
            assert old in content
            content = content.replace(old, new, 1)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("file", "old", "new", "error", "message"),
    [
        ("tracks.csv", b",subset,", b",part,", UsageError, "has no column set.subset"),
        ("tracks.csv", b"track_id,,", b"track_id,x,", UsageError, "does not begin as FMA's"),
        ("tracks.csv", b",album,", b";album;", UsageError, "does not begin as FMA's"),
        ("tracks.csv", b",large,", b",huge,", RunError, "has the subset 'huge'"),
        ("tracks.csv", b",training,", b",,", RunError, "has the split ''"),
        ("tracks.csv", b'"[76, 25, 89]"', b"[76, 25, 89]", RunError, "cut off or damaged"),
        ("tracks.csv", b'"[76, 25, 89]"', b'"[76, 25, 7777]"', RunError, "has the genre 7777"),
        ("tracks.csv", "Déjà".encode(), b"D\xe9j\xe0", RunError, "cannot read"),
        ("genres.csv", b"parent", b"above", UsageError, "has no column parent"),
        ("genres.csv", b"1,1,38", b"1,1,39", RunError, "parent 39 of the genre Avant-Garde"),
        ("genres.csv", b"25,1,12", b"25,1,89", RunError, "lies under itself"),
        ("genres.csv", b"25,1,12", b"12,1,12", RunError, "genre 12 has no title, or is in two"),
        ("genres.csv", b",Punk,", b",,", RunError, "genre 25 has no title, or is in two"),
        ("genres.csv", b"25,1,12", b"25,1,", RunError, "'Punk' has no number, or no parent's"),
    ],
)
def test_what_is_refused(
    made: Made, tmp_path: Path, file: str, old: bytes, new: bytes,
    error: type[MgrkitError], message: str,
) -> None:  # fmt: skip
    with pytest.raises(error) as refused:
        read_fma(damaged(made, tmp_path, file, old, new), "full", [])
    assert message in str(refused.value)
    assert file in str(refused.value)


@pytest.mark.parametrize("cut", [1, 10, 400])
def test_a_file_that_is_cut_off_is_said_to_be(made: Made, tmp_path: Path, cut: int) -> None:
    whole = (made.folder / "tracks.csv").read_bytes()
    folder = damaged(made, tmp_path, "tracks.csv", whole, whole[:-cut])
    with pytest.raises(RunError, match="its last row does not end"):
        read_fma(folder, "full", [])
    bio = whole.rindex(b"</p>\n") + 5  # the line ends, the row does not
    folder = damaged(made, tmp_path, "tracks.csv", whole, whole[:bio])
    with pytest.raises(RunError, match=r"malformed|cut off or damaged"):
        read_fma(folder, "full", [])
    *_, last = csv.reader(whole.decode().splitlines(keepends=True))
    for fields, name in ((-13, "genres"), (-3, "tags")):
        quoted = [field.replace('"', '""') for field in ["155320", *last[1:fields]]]
        row = ",".join(f'"{field}"' for field in quoted).encode()
        folder = damaged(made, tmp_path, "tracks.csv", whole, whole + row + b"\n")
        with pytest.raises(RunError, match=f"damaged: track 155320 has no list of {name}"):
            read_fma(folder, "full", [])


def test_a_file_without_rows_twice_a_track_and_no_file(made: Made, tmp_path: Path) -> None:
    whole = (made.folder / "tracks.csv").read_bytes()
    lines = whole.splitlines(keepends=True)
    folder = damaged(made, tmp_path, "tracks.csv", whole, b"".join(lines[:3]))
    with pytest.raises(RunError, match=r"tracks\.csv has no rows"):
        read_fma(folder, "full", [])
    last = whole[whole.rindex(made.rows[-1]["track_id"].encode() + b",") :]
    folder = damaged(made, tmp_path, "tracks.csv", whole, whole + last)
    with pytest.raises(RunError, match=f"has track {made.rows[-1]['track_id']} in two rows"):
        read_fma(folder, "full", [])
    with pytest.raises(RunError, match=r"cannot read .*tracks\.csv"):
        read_fma(tmp_path / "elsewhere", "full", [])
    (folder / "tracks.csv").write_bytes(whole)
    (folder / "genres.csv").write_bytes(b"genre_id,#tracks,parent,title,top_level\n")
    with pytest.raises(RunError, match=r"genres\.csv has no rows"):
        read_fma(folder, "full", [])
    (folder / "genres.csv").unlink()
    with pytest.raises(RunError, match=r"cannot read .*genres\.csv"):
        read_fma(folder, "full", [])


def test_a_subset_or_a_rule_that_is_not_there(made: Made, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no subset 'fma-small' \(did you mean small\?\)"):
        read_fma(tmp_path, "fma-small", [])
    with pytest.raises(UsageError, match=r"no rule for genres 'root' \(there are first, most, top"):
        read_fma(tmp_path, "small", [], "root")
    whole = (made.folder / "tracks.csv").read_bytes()
    (tmp_path / "tracks.csv").write_bytes(whole.replace(b",small,", b",large,"))
    with pytest.raises(RunError, match="has no track of fma-small"):
        read_fma(tmp_path, "small", [])


def test_the_rule_top_is_that_of_fma_on_its_real_tree(data: Path) -> None:
    roots = read_tree(data / "fma" / "genres.csv").roots()
    with gzip.open(data / "fma" / "track_genres.csv.gz", "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["genre_ids"]]
    assert len(rows) == 103_789
    for row in rows:
        over = {roots[int(number)] for number in row["genre_ids"].split()}
        assert (over.pop() if len(over) == 1 else "") == row["genre_top"]
