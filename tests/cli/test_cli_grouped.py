"""evaluate --group: the tracks of one album or folder judged together; and its pictures."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.train import train
from tests.datasets.made_tables import GENRES, rows, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grouped")
    train("svm", write(folder / "t.csv", rows(spread=4.0)), folder / "m.safetensors")
    return folder


@pytest.fixture(autouse=True)
def inside(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "80")


def evaluate(*words: str) -> int:
    return guarded(app, ["evaluate", "m.safetensors", *words])


def albums(**more: Any) -> list[dict[str, object]]:
    """Each artist has two albums, all of which are called alike."""
    found = []
    for row in rows(spread=4.0):
        number = int(str(row["path"])[-5])
        values = {key: value for key, value in row.items() if key not in ("path", "group")}
        path = f"new/{row['group']}/{number}.wav"
        record = {"path": path, "group": row["group"], "album": f"Best {number % 2}", **values}
        found.append({**record, **more})
    return found


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_an_album_s_verdict_is_that_of_the_largest_sum(capfd: Captured) -> None:
    write(Path("albums.csv"), albums())
    words = ["albums.csv", "--part", "all", "--group", "album", "--predictions", "p.csv"]
    assert evaluate(*words, "--json") == 0
    result = json.loads(capfd.readouterr().out)
    found = read("p.csv")
    assert list(found[0])[8:13] == ["verdict", "artist", "artist_heard", "album", "album_predicted"]
    by_album: dict[str, list[dict[str, str]]] = {}
    for row in found:
        assert row["album"] == f"{row['artist']}: Best {int(row['path'][-5]) % 2}"
        by_album.setdefault(row["album"], []).append(row)
    right = []
    for members in by_album.values():
        sums = {genre: sum(float(row[genre]) for row in members) for genre in GENRES}
        best = max(sums, key=lambda genre: sums[genre])
        assert {row["album_predicted"] for row in members} == {best}
        right.append(best == members[0]["genre"])
    grouped = result["grouped"]
    assert len(by_album) == grouped["groups"] == 32
    assert grouped["accuracy"] == pytest.approx(np.mean(right))
    assert grouped["accuracy_low"] <= grouped["accuracy"] <= grouped["accuracy_high"]
    assert grouped["tracks"] == result["tracks"] == 64
    assert grouped["tracks_accuracy"] == pytest.approx(result["accuracy"])
    alone = [row["predicted"] == row["genre"] for row in found]
    assert np.mean(alone) == pytest.approx(result["accuracy"])
    assert grouped["accuracy"] != result["accuracy"], "or nothing was decided together"


def test_the_grouped_accuracy_stands_beside_the_plain_one(capfd: Captured) -> None:
    write(Path("albums.csv"), albums())
    assert evaluate("albums.csv", "--part", "all", "--group", "album") == 0
    out = capfd.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert "\nby album: accuracy 0." in out
    assert "of 32 albums; track by track 0." in " ".join(out.split())


def test_folders_are_groups_and_one_a_genre_is_said(capfd: Captured) -> None:
    write(Path("albums.csv"), albums())
    assert evaluate("albums.csv", "--part", "all", "--group", "folder", "--json") == 0
    out, err = capfd.readouterr()
    grouped = json.loads(out)["grouped"]
    assert (grouped["by"], grouped["groups"]) == ("folder", 16)
    assert "for each genre" not in err
    write(Path("genres.csv"), [{**row, "path": f"x/{row['path']}"} for row in rows()])
    assert evaluate("genres.csv", "--part", "all", "--group", "folder", "--json") == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["grouped"]["groups"] == 4
    assert "there is one folder for each genre: that many verdicts say next to nothing" in err


def test_albums_of_several_genres_and_tracks_without_one_are_said(capfd: Captured) -> None:
    made = albums()
    for row in made:
        row["album"] = "" if str(row["path"]).endswith("3.wav") else row["album"]
    made[0] |= {"genre": "waltz"}
    write(Path("odd.csv"), made)
    assert evaluate("odd.csv", "--part", "all", "--group", "album", "--json") == 0
    out, err = capfd.readouterr()
    result = json.loads(out)
    assert "album unknown for 16 of 64 tracks: each counts alone" in err
    assert "left out by album: 1 of several genres, 2 tracks" in err
    assert result["tracks"] == 64
    assert result["grouped"]["tracks"] == 62
    assert result["grouped"]["groups"] == 47


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--group", "artist"], "--group must be album or folder, not 'artist'"),
        (["--group", "album"], "--group album: no album is known of any track"),
        (["--group", "album", "--under", "gsm"], "--group goes without --under"),
        (["--confusion", "c.png", "--under", "gsm"], "--confusion goes without --under"),
        (["--percent", "--under", "gsm"], "--percent goes without --under"),
        (["--confusion", "c.jpg"], "--confusion must end in .png, .pdf or .svg, not c.jpg"),
        (["--confusion", "none/c.pdf"], "there is no folder none"),
        (["--confusion", "foreign.pdf"], "foreign.pdf was not drawn by mgrkit evaluate"),
        (["--confusion", "foreign.svg"], "foreign.svg was not drawn by mgrkit evaluate"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], expected: str, capfd: Captured) -> None:
    for name in ("foreign.pdf", "foreign.svg"):
        Path(name).write_bytes(b"%PDF-1.4 of others")
    assert evaluate("t.csv", *words) == 2
    out, err = capfd.readouterr()
    assert expected in err
    assert (len(err.splitlines()), out) == (1, "")
    assert Path("foreign.pdf").read_bytes() == b"%PDF-1.4 of others"


@pytest.mark.parametrize(
    ("form", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("SVG", b"<?xml")]
)
def test_the_matrix_is_drawn_as_its_suffix_says_and_always_the_same(
    form: str, start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(f"c.{form}")
    assert evaluate("t.csv", "--confusion", str(path), "-q") == 0
    first = path.read_bytes()
    assert first.startswith(start)
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 1e8)
    assert evaluate("t.csv", "--confusion", str(path), "-q") == 0, "its own is replaced"
    assert path.read_bytes() == first
    assert b"CreationDate" not in first
    assert b"<dc:date>" not in first
    assert evaluate("t.csv", "--confusion", str(path), "--percent", "-q") == 0
    assert path.read_bytes() != first


def test_a_matrix_in_per_cent(capfd: Captured) -> None:
    assert evaluate("t.csv", "--json") == 0
    counts = json.loads(capfd.readouterr().out)["confusion"]
    assert evaluate("t.csv", "--percent") == 0
    lines = capfd.readouterr().out.split("\n\n")[1].splitlines()[1:]
    for line, row in zip(lines, counts, strict=True):
        cells = line.split()[1:-2]
        expected = [f"{100 * n / sum(row):.0f}" if n else "." for n in row]
        assert cells == expected


def test_a_matrix_of_many_genres_is_no_larger_than_can_be_drawn(tmp_path: Path) -> None:
    from PIL import Image

    from mgrkit.reports.confusion import draw_confusion

    count = 161
    result = {
        "labels": [f"genre {n}" for n in range(count)], "model": "m", "split": "split",
        "confusion": np.eye(count, dtype=int).tolist(), "accuracy": 1.0, "accuracy_low": 0.9,
        "accuracy_high": 1.0, "tracks": count,
    }  # fmt: skip
    draw_confusion(result, tmp_path / "large.png")
    with Image.open(tmp_path / "large.png") as picture:
        assert picture.size == (4800, 4800)
