"""Which album a track is of: by tables, by tags, by FMA's own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mgrkit.datasets.entries import DataTrack
from mgrkit.errors import UsageError
from mgrkit.experiments.grouping import groups_of, together
from mgrkit.inputs.kinds import input_of
from tests.audio.made_tags import flac
from tests.datasets.made_tables import write
from tests.experiments.test_common import dataset
from tests.tracks.made_fma import make_fma


def found(
    entries: list[DataTrack], data: Path, table: Path | None = None, by: str = "album"
) -> list[str]:
    folder = data if data.is_dir() else data.parent
    eaten = dataset(entries, input_of("features:gtzan57", "svm"))
    return groups_of(by, eaten, folder, [data], table)


def track(name: str, group: str = "", **more: str) -> DataTrack:
    return DataTrack(name, more.pop("parent", name), "jazz", group, **more)


def test_a_table_says_it_else_the_tags_do(tmp_path: Path) -> None:
    (tmp_path / "jazz").mkdir()
    for name, album in (("a", "In the Tags"), ("b", "In the Tags"), ("c", "")):
        fields = [("ALBUM", album)] if album else []
        (tmp_path / "jazz" / f"{name}.flac").write_bytes(flac(*fields))
    entries = [track(f"jazz/{name}.flac", "Someone") for name in "abc"]
    assert found(entries, tmp_path) == [*["Someone: In the Tags"] * 2, ""]
    stated = [{"path": "jazz/a.flac", "album": "In the Table"}, {"path": "jazz/c.flac"}]
    rows = [{"path": one["path"], "album": one.get("album", "")} for one in stated]
    write(tmp_path / "tracks.csv", rows)  # type: ignore[arg-type]
    expected = ["Someone: In the Table", "Someone: In the Tags", ""]
    assert found(entries, tmp_path) == expected
    (tmp_path / "other").mkdir()
    (tmp_path / "tracks.csv").rename(tmp_path / "other" / "list.csv")
    assert found(entries, tmp_path, tmp_path / "other" / "list.csv") == expected


def test_albums_of_one_title_are_of_their_artists(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    albums = ["Best Of", "best of", "Best of", ""]
    write(table, [{"path": f"{n}.mp3", "album": album} for n, album in enumerate(albums)])
    entries = [track(f"{n}.mp3", who) for n, who in enumerate(["A", "a", "B", "A"])]
    assert found(entries, table) == ["A: Best Of", "A: Best Of", "B: Best of", ""]


def test_pictures_have_the_albums_of_their_sound(tmp_path: Path) -> None:
    write(tmp_path / "tracks.csv", [{"path": "x/a.wav", "album": "One"}])
    assert found([track("x/a.png")], tmp_path) == ["One"]


def test_copies_are_grouped_with_those_of_their_noise(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", [{"path": "a.wav", "album": "One"}])
    made = [
        track("a.pink.wav", parent="a.wav", noise="pink", snr=snr, noisy="1") for snr in ("0", "10")
    ]
    assert found(made, table) == ["One (pink 0)", "One (pink 10)"]
    assert found(made, table, by="folder") == [". (pink 0)", ". (pink 10)"]


def test_folders_are_those_of_the_recordings(tmp_path: Path) -> None:
    entries = [track("jazz/x/1.mp3"), track("jazz/x/2.mp3"), track("jazz/y/1.mp3")]
    assert found(entries, tmp_path, by="folder") == ["jazz/x", "jazz/x", "jazz/y"]


def test_fma_s_albums_are_in_its_tracks_csv(tmp_path: Path) -> None:
    made = make_fma(tmp_path, features=40)
    known = {row["track_id"]: row for row in made.rows}
    rows = [row for row in made.rows if row["track.genre_top"]][:9]
    names = [f"{row['track_id'].zfill(6)[:3]}/{row['track_id'].zfill(6)}.mp3" for row in rows]
    told = found([track(name, "A") for name in names], tmp_path / "features.csv")
    assert told == [f"A: {known[row['track_id']]['album.title']}" for row in rows]
    assert len(set(told)) > 1


def test_without_any_album_the_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no album is known of any track"):
        found([track("a.wav"), track("b.wav")], tmp_path)


def test_probabilities_are_added_up() -> None:
    """One sure track of three does not decide where the sum of the others is larger."""
    entries = [track(f"{name}/{n}.wav", f"artist {name}") for name in "ab" for n in range(3)]
    looked = SimpleNamespace(
        y=[1, 1, 1, 0, 0, 0], labels=["jazz", "folk"],
        dataset=dataset(entries, input_of("features:gtzan57", "svm")),
    )  # fmt: skip
    sure = [[0.9, 0.1], [0.2, 0.8], [0.2, 0.8], [0.4, 0.6], [0.4, 0.6], [0.9, 0.1]]
    names = ["a"] * 3 + ["b"] * 3
    result = together("folder", names, looked, np.array(sure), 0)  # type: ignore[arg-type]
    assert result["verdicts"] == {"a": "folk", "b": "jazz"}
    assert (result["accuracy"], result["groups"]) == (1.0, 2)
    assert result["tracks_accuracy"] == pytest.approx(3 / 6)
