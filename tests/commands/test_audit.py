"""``mgrkit data audit`` on made tables and folders: all that was planted, and nothing else."""

from __future__ import annotations

import random
import wave
from pathlib import Path

import polars as pl
import pytest

from mgrkit.commands.audit import Audited, audit
from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.leaks import KINDS
from tests.tracks.planted import Planter, Row


def written(path: Path, rows: list[Row]) -> Path:
    pl.DataFrame(rows, infer_schema_length=None).fill_null("").write_csv(path)
    return path


def leaks(found: Audited, column: str = "split") -> dict[str, int]:
    (one,) = (one for one in found.splits if one.column == column)
    return {kind: count for kind, count in one.leaks.items() if count}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_of_a_thousand_leaks_of_each_kind_are_found_and_none_else(
    tmp_path: Path, seed: int
) -> None:
    plant = Planter(seed)
    clean = [plant.row() for _ in range(3000)]
    assert leaks(audit(written(tmp_path / "clean.csv", clean))) == {}
    planted = [row for kind in KINDS for _ in range(1000) for row in plant.leak(kind)]
    rows = [*clean, *planted]
    random.Random(seed).shuffle(rows)
    found = audit(written(tmp_path / "t.csv", rows))
    assert leaks(found) == dict.fromkeys(KINDS, 1000)
    assert found.exit_code == 1


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone_is_not_taken_for_another(tmp_path: Path, kind: str) -> None:
    plant = Planter(5)
    rows = [row for _ in range(50) for row in plant.leak(kind)]
    found = audit(written(tmp_path / "t.csv", rows))
    assert leaks(found) == {kind: 50}
    examples = found.splits[0].examples
    assert len(examples) == 3
    assert all(len({part for _, part in one.tracks}) == 2 for one in examples)
    for row in rows:  # the same, all in one part but one row
        row["split"] = "train"
    rows.append(plant.row("test"))
    found = audit(written(tmp_path / "t.csv", rows))
    assert (leaks(found), found.exit_code) == ({}, 0)


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"path": "t2.white_10dB_1.wav"}, "copy"),
        ({"path": "t2.white_10dB_1.wav", "parent": "t2.wav"}, "copy"),
        ({"path": "noisy/1.wav", "kind": "noisy", "parent": "x/t2.wav"}, "copy"),
        ({"path": "t3.wav", "duplicate_of": "x/t2.wav"}, "duplicate"),
        ({"path": "t3.wav", "parent": "x/t2.wav", "start": "30.0"}, "piece"),
    ],
)  # fmt: skip
def test_an_artist_leak_is_not_hidden_by_another_of_the_artist(
    tmp_path: Path, more: Row, kind: str
) -> None:
    more = {**more, "path": f"x/{more['path']}"}
    torn = [{"path": "x/t2.wav", "split": "test"}, {**more, "split": "train"}]
    for part, expected in (("test", {kind: 1}), ("train", {kind: 1, "artist": 1})):
        rows = [*torn[::-1], {"path": "x/t1.wav", "split": part}]
        rows = [{**row, "genre": "rock", "artist": "X"} for row in rows]
        found = audit(written(tmp_path / "t.csv", rows))
        assert leaks(found) == expected
    examples = {one.kind: one.tracks for one in found.splits[0].examples}
    # Not the copy, which is a leak of its own.
    assert examples["artist"] == (("x/t1.wav", "train"), ("x/t2.wav", "test"))


def test_folds_are_audited_beside_the_parts(tmp_path: Path) -> None:
    rows = [
        {"path": f"{n}x.wav", "genre": "ab"[n % 2], "artist": f"A{n % 4}", "fold": str(n // 3 % 2)}
        for n in range(12)
    ]
    found = audit(written(tmp_path / "t.csv", rows))
    assert leaks(found, "fold") == {"artist": 4}
    assert found.splits[0].words.startswith("2 folds, leaky: 4 artists")
    for row in rows:
        row["split"] = "train" if row["artist"] < "A2" else "test"
    found = audit(written(tmp_path / "t.csv", rows))
    assert (leaks(found), leaks(found, "fold")) == ({}, {"artist": 4})
    assert found.splits[0].words == "given split"


@pytest.mark.parametrize(
    ("starts", "expected"), [(("0.0", "30.0"), {"piece": 1}), (("", ""), {"duplicate": 1})]
)
def test_rows_of_one_path_in_two_parts(
    tmp_path: Path, starts: tuple[str, str], expected: dict[str, int]
) -> None:
    rows = [
        {"path": "a.wav", "genre": "rock", "split": part, "start": start}
        for part, start in zip(("train", "test"), starts, strict=True)
    ]
    assert leaks(audit(written(tmp_path / "t.csv", rows))) == expected


def test_contradicting_genres_of_a_path_and_a_sound_in_two_genres_are_said(tmp_path: Path) -> None:
    rows = [
        {"path": "a.wav", "genre": "rock", "split": "train", "sound": "1"},
        {"path": "a.wav", "genre": "jazz", "split": "train", "sound": "1"},
        {"path": "b.wav", "genre": "rock", "split": "test", "sound": "2"},
        {"path": "c.wav", "genre": "pop", "split": "test", "sound": "2"},
    ]
    notes = audit(written(tmp_path / "t.csv", rows)).notes
    assert "paths under two genres: 1 (a.wav: jazz and rock)" in notes
    assert "sounds under two genres: 1 (b.wav rock, c.wav pop)" in notes


def test_tracks_of_unknown_artists_are_no_leak_and_counted(tmp_path: Path) -> None:
    rows = [
        {"path": f"{n}x.wav", "genre": "rock", "artist": "Unknown", "split": part}
        for n, part in enumerate(("train", "test"))
    ]
    found = audit(written(tmp_path / "t.csv", rows))
    assert leaks(found) == {}
    assert "artists unknown for 2 of 2 tracks" in found.notes


def test_failed_rows_are_no_leak(tmp_path: Path) -> None:
    rows = [
        {"path": "a.wav", "split": "train", "artist": "X", "status": "ok"},
        {"path": "b.wav", "split": "test", "artist": "X", "status": "failed"},
        {"path": "c.wav", "split": "test", "artist": "Y", "status": "ok"},
    ]
    assert leaks(audit(written(tmp_path / "t.csv", rows))) == {}


def touched(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(folder / path), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(b"\0\0" * 80)
    return folder


def test_a_folder_with_parts_and_its_own_table(tmp_path: Path) -> None:
    folder = touched(
        tmp_path / "music", "train/rock/hello_part1.wav", "test/rock/hello_part2.wav",
        "train/rock/b.wav", "test/jazz/c.wav",
    )  # fmt: skip
    found = audit(folder)
    assert leaks(found) == {"piece": 1}
    assert "the split is that of the folders train, test" in found.notes
    (folder / "tracks.csv").write_text("path,artist\ntrain/rock/b.wav,X\ntest/jazz/c.wav,x\n")
    assert leaks(audit(folder)) == {"piece": 1, "artist": 1}


@pytest.mark.parametrize("form", ["{part}/rock/{name}", "rock/{part}/{name}"])
def test_a_noisy_copy_in_another_part_folder_is_a_leak(tmp_path: Path, form: str) -> None:
    files = {"song.wav": "test", "song.white_10dB_1.wav": "train", "other.wav": "train"}
    paths = [form.format(part=part, name=name) for name, part in files.items()]
    found = audit(touched(tmp_path / "music", *paths))
    assert (leaks(found), found.exit_code) == ({"copy": 1}, 1)


def test_artists_of_a_folder_are_read_from_tags_and_how_far_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = touched(tmp_path / "music", "train/rock/a.wav", "test/rock/b.wav", "test/jazz/c.wav")
    (folder / "tracks.csv").write_text("path,artist\ntest/jazz/c.wav,Other\n")
    monkeypatch.setattr("mgrkit.audio.tags.artist.artist_tag", lambda path: "The Band")
    steps: list[tuple[int, int]] = []
    found = audit(folder, lambda done, total: steps.append((done, total)))
    assert leaks(found) == {"artist": 1}
    assert steps == [(1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"path": "a.wav", "genre": "rock"}], "has no split.*mgrkit data split"),
        ([{"path": "a.wav", "split": "train"}] * 2, "all tracks of .* are in train"),
        ([{"path": "a.wav", "split": "fold3"}, {"path": "b", "split": "test"}], "no part 'fold3'"),
        ([{"name": "a.wav", "split": "train"}], "no column path"),
        ([{"path": "a.wav", "split": "test", "split_by": "chance"}], "split_by holds 'chance'"),
    ],
)
def test_what_cannot_be_audited(tmp_path: Path, rows: list[Row], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        audit(written(tmp_path / "t.csv", rows))


def test_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,split\n")
    with pytest.raises(RunError, match="lists no files"):
        audit(tmp_path / "t.csv")


def test_a_table_from_elsewhere_says_how_a_folder_is_split(tmp_path: Path) -> None:
    rows = []
    for number, part in enumerate(("train", "test")):
        path = f"jazz/{'ab'[number]}.wav"
        (tmp_path / "music" / "jazz").mkdir(parents=True, exist_ok=True)
        (tmp_path / "music" / path).touch()
        rows.append({"path": path, "genre": "jazz", "group": "Ella", "split": part})
    table = written(tmp_path / "t.csv", rows)
    with pytest.raises(UsageError, match="has no split"):
        audit(tmp_path / "music")
    assert leaks(audit(tmp_path / "music", table=table)) == {"artist": 1}
