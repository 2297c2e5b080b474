"""Which tracks several DATA have in common, and how they are split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.datasets.building import of_rows
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.entries import DataTrack
from mgrkit.datasets.genres import GenreMap
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments import common as matching
from mgrkit.experiments.common import read_common
from mgrkit.inputs.kinds import Features, Input, input_of
from tests.datasets.made_tables import GENRES


def dataset(entries: list[DataTrack], wanted: Input) -> Dataset:
    return Dataset(
        entries=tuple(entries),
        input=wanted,
        build=of_rows(
            np.arange(len(entries) * 57, dtype=np.float32).reshape(-1, 57), np.arange(len(entries))
        ),
        places=np.arange(len(entries)),
        labelled=tuple(entry.labelled() for entry in entries),
    )


def entry(name: str, genre: str = "", **more: str) -> DataTrack:
    found = {"parent": name, "genre": genre or name.split("/")[-2], "group": f"by {name}"} | more
    return DataTrack(name, **found)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Reads two DATA, a for features and b for images, as the entries that are given."""

    def read(a: list[DataTrack], b: list[DataTrack], how: str | None = None, **more: Any) -> Any:
        held = {
            "a": dataset(a, input_of("features:gtzan57", "svm")),
            "b": dataset(b, input_of("image", "cnn")),
        }
        for name in held:
            (tmp_path / name).touch()

        def fake(data: Path, wanted: Input, *more: Any) -> Dataset:
            if (data.name == "a") != isinstance(wanted, Features):
                raise UsageError(f"{data.name} is of another kind")
            return held[data.name]

        monkeypatch.setattr(matching, "read_dataset", fake)
        wanted: Mapping[str, str] = {"features:gtzan57": "svm", "image": "cnn"}
        return read_common([tmp_path / "a", tmp_path / "b"], wanted, how, **more)

    return read


def songs(suffix: str, numbers: range = range(4), **more: str) -> list[DataTrack]:
    return [entry(f"{g}/{g}-{n}.{suffix}", **more) for g in GENRES[:2] for n in numbers]


def names(common: Any, eats: str) -> list[str]:
    return [one.name.rpartition(".")[0] for one in common.eaten[eats].dataset.entries]


def test_tracks_are_matched_by_path_and_those_of_one_data_left_out(two: Any) -> None:
    common = two(songs("wav"), songs("png", range(1, 5))[::-1])
    assert len(common.tracks) == 6
    assert names(common, "image") == names(common, "features:gtzan57")
    assert common.eaten["image"].split.parts == common.split.parts
    assert common.eaten["image"].split.parts == common.eaten["features:gtzan57"].split.parts
    assert sum("2 of 8 tracks left out" in note for note in common.notes) == 2
    x = common.eaten["image"].dataset
    order = [int(x.x[x.tracks == number][0, 0]) // 57 for number in range(6)]
    assert [songs("png", range(1, 5))[::-1][i].name for i in order] == [e.name for e in x.entries]


def test_ids_of_a_collection_match_whatever_the_path(two: Any) -> None:
    a = [entry(f"{g}.000{n:02d}.wav", g) for g in ("blues", "jazz") for n in range(4)]
    b = [entry(f"x/{g}/{g}000{n:02d}.png") for g in ("blues", "jazz") for n in range(3)]
    common = two(a, b, "random")
    assert [track.id for track in common.tracks] == [
        f"gtzan:{g}.0000{n}" for g in ("blues", "jazz") for n in range(3)
    ]


def test_one_name_in_two_folders_proves_nothing(two: Any) -> None:
    a = [entry(f"{genre}/{n}.wav") for genre in GENRES[:2] for n in range(4)]
    b = [entry(f"{genre}/{n}.png") for genre in GENRES[:2] for n in range(4)]
    assert len(two(a, b).tracks) == 8


def test_what_one_data_knows_counts_for_all(two: Any) -> None:
    common = two(songs("wav", group="", part=""), songs("png"))
    assert {track.group for track in common.tracks} == {f"by {one.name}" for one in songs("png")}
    assert common.split.words == "grouped split"
    groups = {name: one.dataset.groups() for name, one in common.eaten.items()}
    assert groups["image"] == groups["features:gtzan57"]


def test_two_genres_of_one_track_are_left_out(two: Any) -> None:
    b = songs("png")
    b[0] = entry(b[0].name, "polka")
    common = two(songs("wav"), b)
    assert len(common.tracks) == 7
    assert any("another genre" in note for note in common.notes)


def test_two_spellings_of_a_genre_are_one_and_the_first_data_s_is_kept(two: Any) -> None:
    a = [entry(f"Hip-Hop/{n}.wav") for n in range(4)] + [entry(f"jazz/{n}.wav") for n in range(4)]
    b = [replace(one, genre=one.genre.lower().replace("-", " ")) for one in a]
    common = two(a, b)
    assert {track.genre for track in common.tracks} == {"Hip-Hop", "jazz"}
    assert len(common.tracks) == 8
    for eaten in common.eaten.values():
        assert {one.genre for one in eaten.dataset.entries} == {"Hip-Hop", "jazz"}
        assert {one.genre for one in eaten.dataset.labelled} == {"Hip-Hop", "jazz"}


def test_a_map_holds_for_all_data_and_each_of_theirs_is_in_one(two: Any) -> None:
    a = [entry(f"{genre}/{n}.wav") for genre in ("hiphop", "jazz") for n in range(4)]
    b = [replace(one, genre={"hiphop": "Rap"}.get(one.genre, one.genre)) for one in a]
    common = two(a, b, genres=GenreMap((("rap", "hiphop"),)))
    assert [track.genre for track in common.tracks] == ["hiphop"] * 4 + ["jazz"] * 4
    with pytest.raises(UsageError, match=r"no track of DATA is Rep \(did you mean Rap\?\)"):
        two(a, b, genres=GenreMap((("Rep", "hiphop"),)))


def test_copies_count_where_all_data_have_them(two: Any) -> None:
    def copies(suffix: str) -> list[DataTrack]:
        return [
            entry(f"{one.name}.pink.{suffix}", one.genre, parent=one.name, group=one.group)
            for one in songs(suffix)
        ]

    both = two(songs("wav") + copies("wav"), songs("png") + copies("png"))
    assert len(both.eaten["image"].dataset.entries) == 16
    assert not any("copies" in note for note in both.notes)
    one = two(songs("wav") + copies("wav"), songs("png"))
    assert len(one.eaten["features:gtzan57"].dataset.entries) == 8
    assert len(one.eaten["features:gtzan57"].split.parts) == 8
    assert any("noisy copies left out" in note for note in one.notes)


def test_nothing_in_common_is_an_error(two: Any) -> None:
    with pytest.raises(RunError, match="no track in common"):
        two(songs("wav"), songs("png", range(10, 14)))


def test_one_data_read_twice_keeps_what_both_readings_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Sound is made into features and into pictures, and each loses files of its own."""
    asked: list[Input] = []

    def fake(data: Path, wanted: Input, *more: Any) -> Dataset:
        asked.append(wanted)
        kind = wanted.eats.partition(":")[0]
        failed = {"features": 2, "image": 1}[kind]
        return replace(dataset(songs("wav"), wanted), notes=(f"lost as {kind}",), failed=failed)

    monkeypatch.setattr(matching, "read_dataset", fake)
    wanted = {"features:gtzan57": "svm", "image": "cnn"}
    common = read_common([tmp_path], wanted, device="cuda:1")
    assert common.notes[:2] == ("lost as features", "lost as image")
    assert common.failed == 3
    assert [one.device for one in asked if isinstance(one, Features)] == ["cuda:1"]
