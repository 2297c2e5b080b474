"""What every known collection keeps to; a new one is a file and a line, as CONTRIBUTING.md says."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.train import train
from mgrkit.tracks import collections
from mgrkit.tracks.collections.base import Known
from mgrkit.tracks.collections.lookup import COLLECTIONS, collection, has_published_split, known
from mgrkit.tracks.identity import track_id
from tests.datasets.made_tables import rows, write

FILE = '''"""Quartets: four songs of each of four artists of every genre."""

import re

from mgrkit.tracks.collections.base import About, Collection, Known

_NAME = re.compile(r"([a-z]+)-([0-3])-([0-3])([_.].+)?")


def _track(folder, name, stem):
    if match := _NAME.fullmatch(stem):
        genre, artist, song, piece = match.groups("")
        part = ("train", "train", "valid", "test")[int(artist)]
        return Known(f"quartets:{genre}-{artist}-{song}", f"{genre} {artist}", part, piece, genre)
    return None


_ABOUT = About("Quartets", "", "", "", ())
COLLECTION = Collection("quartets", _track, _ABOUT, "jazz/jazz-2-3.wav", has_published_split=True)
'''


@pytest.fixture
def quartets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "quartets.py").write_text(FILE)
    monkeypatch.setattr(collections, "__path__", [*collections.__path__, str(tmp_path)])
    lines = (*COLLECTIONS, "quartets")
    monkeypatch.setattr("mgrkit.tracks.collections.lookup.COLLECTIONS", lines)


def test_a_new_collection_is_a_file_and_a_line(quartets: None, tmp_path: Path) -> None:
    assert known("polka/polka-2-3.wav") == Known(
        "quartets:polka-2-3", "polka 2", "valid", genre="polka"
    )
    assert track_id("polka/polka-2-3_part1.wav", "ab" * 32) == "quartets:polka-2-3"
    assert known("blues.00000.au")
    assert has_published_split("quartets:polka-2-3")
    nameless = [{**row, "group": ""} for row in rows()]
    train("svm", write(tmp_path / "t.csv", nameless), tmp_path / "m.safetensors")
    made = load_bundle(tmp_path / "m.safetensors")
    assert made.metrics["split"] == "published split"
    tracks = {one for one in made.seen if one.startswith("quartets:")}
    assert tracks == {
        f"quartets:{Path(str(row['path'])).stem}"
        for row in rows()
        if str(row["path"]).split("-")[1] in "012"  # train and valid
    }
    keeps_to_it("quartets")


@pytest.mark.parametrize("file", COLLECTIONS)
def test_what_a_collection_keeps_to(file: str) -> None:
    keeps_to_it(file)


def keeps_to_it(file: str) -> None:
    """Ids, parts, slices and foreign names of one collection."""
    of = collection(file)
    assert of.name.isidentifier()
    assert of.name == of.name.lower()
    path = PurePosixPath(of.example)
    track = known(of.example)
    assert track
    assert track.id.startswith(f"{of.name}:")
    assert track.id.isprintable()
    assert track.part in ("", "train", "valid", "test")
    assert of.has_published_split or not track.part
    assert has_published_split(track.id) == of.has_published_split
    assert track.piece == ""
    cut = [f"{path.stem}{tail}" for tail in ("_part2", "_003", ".3", "_0.0_3.0")]
    for name in (*cut, f"{path.stem}/chunk3"):
        piece = known(f"{path.parent}/{name}.wav")
        assert piece
        assert (piece.id, piece.artist, piece.part) == (track.id, track.artist, track.part)
        assert piece.piece
    pieces = [known(f"{path.parent}/{name}.wav") for name in cut]
    assert len(set(pieces)) == len(cut)
    for foreign in (f"my {path.name}", f"{path.name}/song.wav", "song.mp3", "track 01.wav", ""):
        assert known(foreign) is None
