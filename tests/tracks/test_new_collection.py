"""What every known collection keeps to; a new one is a file and a line, as CONTRIBUTING.md says."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.train import train
from mgrkit.tracks import collections
from mgrkit.tracks.collections.base import Collection, Known
from mgrkit.tracks.collections.lookup import COLLECTIONS, collection, has_published_split, known
from mgrkit.tracks.identity import track_id
from tests.datasets.made_tables import rows, write

FILE = '''"""Quartets: four songs of each of four artists of every genre."""

import re

from mgrkit.files.published import Published
from mgrkit.tracks.collections.base import About, Bad, Collection, Form, Known

_NAME = re.compile(r"([a-z]+)-([0-3])-([0-3])([_.].+)?")


def _track(folder, name, stem):
    if match := _NAME.fullmatch(stem):
        genre, artist, song, piece = match.groups("")
        part = ("train", "train", "valid", "test")[int(artist)]
        return Known(f"quartets:{genre}-{artist}-{song}", f"{genre} {artist}", part, piece, genre)
    return None


_ABOUT = About("Quartets", "https://example.org", "@misc{q, year = {2026}}", "CC0", ("none",))
_FORMS = (
    Form(
        "songs",
        "{genre}/{genre}-{number}.wav",
        64,
        (Published("songs.zip", "https://example.org/songs.zip", 9, "md5:" + 32 * "0"),),
    ),
)
_BAD = (Bad("quartets:jazz-2-2", "silent: all of it", ("songs",)),)
COLLECTION = Collection(
    "quartets", _track, _ABOUT, "jazz/jazz-2-3.wav", _FORMS, _BAD, has_published_split=True
)
'''


@pytest.fixture
def quartets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "quartets.py").write_text(FILE)
    monkeypatch.setattr(collections, "__path__", [*collections.__path__, str(tmp_path)])
    lines = (*COLLECTIONS, "quartets")
    monkeypatch.setattr("mgrkit.tracks.collections.lookup.COLLECTIONS", lines)
    known.cache_clear()
    yield
    known.cache_clear()


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
    """Ids, parts, slices, foreign names and facts of one collection."""
    of = collection(file)
    facts(of)
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


CODES = {
    "missing", "empty", "undecodable", "truncated", "silent", "short", "clipped", "pointer",
}  # fmt: skip
"""How `mgrkit data check` begins its reasons."""
DIGITS = {"md5": 32, "sha1": 40, "sha256": 64}


def facts(of: Collection) -> None:
    """What a person, an import and a check must know of a collection."""
    about = of.about
    assert re.match(r"https?://\S+$", about.homepage)
    assert re.match(r"@\w+\{\w+,", about.citation)
    assert "year = {" in about.citation
    assert all((about.title, about.licence, about.faults, *about.faults))
    names = [form.name for form in of.forms]
    assert names
    assert len(set(names)) == len(names)
    for form in of.forms:
        assert form.name.isidentifier()
        assert form.files > 0
        pattern = re.escape(form.path)
        for field in ("genre", "number", "folder"):
            pattern = pattern.replace(re.escape(f"{{{field}}}"), f"(?P<{field}>[^/]+)", 1)
            pattern = pattern.replace(re.escape(f"{{{field}}}"), f"(?P={field})")
        if form is of.forms[0]:
            assert re.fullmatch(pattern, of.example)
            fields = re.fullmatch(pattern, of.example).groupdict()  # type: ignore[union-attr]
        made = known(form.path.format(**fields))
        assert made == known(of.example), form.name
        for file in form.downloads:
            assert file.url.endswith(f"/{file.name}")
            algorithm, _, digits = file.digest.partition(":")
            assert re.fullmatch(rf"[0-9a-f]{{{DIGITS[algorithm]}}}", digits)
            assert file.size > 0
    told = [(bad.track, form) for bad in of.bad for form in bad.forms]
    assert len(set(told)) == len(told)
    for bad in of.bad:
        assert bad.track.startswith(f"{of.name}:")
        assert bad.forms
        assert set(bad.forms) <= set(names)
        code, _, words = bad.reason.partition(": ")
        assert code in CODES
        assert words


def test_the_sums_are_the_published_ones() -> None:
    """Read off the README of mdeff/fma, and the loaders of mirdata and torchaudio."""
    found = {
        file.name: file.digest
        for name in COLLECTIONS
        for form in collection(name).forms
        for file in form.downloads
    }
    assert found == {
        "genres.tar.gz": "md5:5b3d6dddb579ab49814ab86dba69e7c7",
        "fma_metadata.zip": "sha1:f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
        "fma_small.zip": "sha1:ade154f733639d52e35e32f5593efe5be76c6d70",
        "fma_medium.zip": "sha1:c67b69ea232021025fca9231fc1c7c1a063ab50b",
        "fma_large.zip": "sha1:497109f4dd721066b5ce5e5f250ec604dc78939e",
        "fma_full.zip": "sha1:0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
    }


def test_tracks_with_a_known_fault(data: Path) -> None:
    """Every one that the notes of the shared data name, and of small those of issue 44."""
    bad = {one.track.removeprefix("fma:") for one in collection("fma").bad}
    text = (data / "fma" / "README.md").read_text()
    listed = re.search(r"wrong metadata\): ([\d, ]+)\.", text)
    assert listed
    assert bad == {f"{int(number):06d}" for number in listed[1].split(",")}
    empty = {one.track for one in collection("fma").bad if one.reason.startswith("empty")}
    assert empty == {"fma:099134", "fma:108925", "fma:133297"}


def test_names_are_looked_up_without_what_fetches() -> None:
    code = (
        "import sys; from mgrkit.tracks.collections import lookup\n"
        "lookup.known('blues.00000.au'); print('http.client' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
