"""``mgrkit report`` at a terminal: from the real output of other commands to a page."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.reports import made_results as made

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two songs, in the folder that the commands run in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "music").mkdir()
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        noise = random.standard_normal(4 * 22_050) / 10
        soundfile.write(tmp_path / "music" / f"{name}.wav", noise, 22_050)
    return tmp_path / "music"


def title(path: str = "report.html") -> str:
    text = Path(path).read_text(encoding="utf-8")
    return text.partition("<title>")[2].partition("</title>")[0]


def test_every_form_of_predict_becomes_a_page(songs: Path, capfd: Captured) -> None:
    words = ["predict", "music", "--model", "svm", "--quiet"]
    forms = {
        "songs.json": ["--json"], "songs.jsonl": ["--jsonl", "--timeline"],
        "songs.csv": ["--csv", "--pieces", "pieces.csv"],
        "again.json": ["--json", "--resume", "journal"],
    }  # fmt: skip
    for name, form in forms.items():
        assert guarded(app, [*words, *form]) == 0
        Path(name).write_text(capfd.readouterr().out)
    asked = (["songs.json"], ["songs.jsonl"], ["songs.csv", "--pieces", "pieces.csv"], ["journal"])
    for source in asked:
        assert guarded(app, ["report", *source, "--json"]) == 0
        found = json.loads(capfd.readouterr().out)
        assert (found["rows"], found["sounds"], found["pictures"]) == (2, 2, 2), source
        assert found["bytes"] == Path("report.html").stat().st_size
        assert title() == f"Genres of {source[0]}"


def test_a_journal_needs_the_model_that_it_was_made_with(songs: Path, capfd: Captured) -> None:
    words = ["predict", "music", "--quiet", "--model", "svm", "--resume", "journal"]
    assert guarded(app, words) == 0
    lines = Path("journal").read_text().splitlines()
    other = json.loads(lines[0])
    for field, said in (("model", "which is not here"), ("bundle", "another file of the model")):
        changed = json.dumps({**other, "run": {**other["run"], field: "gone"}})
        Path("changed").write_text("\n".join([changed, *lines[1:]]))
        capfd.readouterr()
        assert guarded(app, ["report", "changed"]) == 2
        err = capfd.readouterr().err
        assert said in err
        assert "--model FILE" in err
    assert guarded(app, ["report", "journal", "--model", "cnn"]) == 2
    assert "another file of the model svm" in capfd.readouterr().err
    Path("bad").write_text(f'{lines[0]}\n{{"done": "a", "rows": [{{"status": "ok"}}]}}\n')
    assert guarded(app, ["report", "bad"]) == 2
    assert "bad is damaged" in capfd.readouterr().err
    Path("torn").write_text("\n".join(lines)[:-40])  # killed while it wrote the last line
    assert guarded(app, ["report", "torn", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert 1 <= found["rows"] <= 2
    assert "cut off or damaged" in found["notes"][0]


def test_a_pipe_is_read_as_a_file_is(
    songs: Path, capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = b"path,genre\nmusic/a.wav,jazz\nmusic/b.wav,pop\n"
    for content in (table, gzip.compress(table), b'{"path": "music/a.wav", "error": "x"}\n{"pa'):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert guarded(app, ["report", "-"]) == 0
        out, err = capfd.readouterr()
        assert out == ""
        assert ("note: stdin: line 2 is cut off" in err) == content.endswith(b"pa")
        assert title().endswith("of stdin")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert guarded(app, ["report", "-"]) == 3
    assert "stdin is empty" in capfd.readouterr().err
    monkeypatch.setattr("sys.stdin", None)
    assert guarded(app, ["report", "-"]) == 3
    assert "stdin is closed" in capfd.readouterr().err


def test_it_says_in_a_line_what_is_there_and_where(songs: Path, capfd: Captured) -> None:
    Path("songs.csv").write_text("path,genre\nmusic/a.wav,jazz\nmusic/b.wav,pop\n")
    assert guarded(app, ["report", "songs.csv", "--out", "songs.html"]) == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "report: 2 rows, 2 to listen to, 2 with pictures, 0." in err
    assert err.splitlines()[-1].endswith("; see songs.html")
    assert guarded(app, ["report", "songs.csv", "--out", "songs.html", "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")


def test_a_page_without_tracks_counts_none(songs: Path, capfd: Captured) -> None:
    """As that of a search whose model is gone, which is said."""
    made.search(Path("tuned"), "m")
    assert guarded(app, ["report", "tuned"]) == 0
    notes, last = capfd.readouterr().err.splitlines()[-2:]
    assert notes.startswith("note: the model is not here: ")
    assert last.startswith("report: 0.")
    assert "row" not in last


def test_a_file_that_cannot_be_drawn_is_named(songs: Path, capfd: Captured) -> None:
    (songs / "b.wav").write_text("no sound")
    Path("songs.csv").write_text("path,genre\nmusic/a.wav,jazz\nmusic/b.wav,pop\n")
    assert guarded(app, ["report", "songs.csv"]) == 1
    err = capfd.readouterr().err
    assert "music/b.wav" in err
    assert title() == "Tracks of songs.csv"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["gone"], 3, "there is no gone"),
        (["music"], 2, "music is nothing that can be shown (report takes"),
        (["e.json", "--predictions", "gone.csv"], 3, "gone.csv"),
        (["e.json", "--out", "report.txt"], 2, "--out must end in .html"),
        (["e.json", "--pictures", "many"], 2, "--pictures must be a whole number"),
        (["e.json", "--sound", "e.json"], 2, "--sound must be a folder"),
        (["e.json", "--pieces", "e.json"], 2, "--pieces goes with the CSV of mgrkit predict"),
        (["e.json", "--out", "mine.html"], 2, "was not made by mgrkit report"),
    ],
)
def test_what_is_wrong_is_one_line(
    songs: Path, words: list[str], code: int, message: str, capfd: Captured
) -> None:
    made.write(Path("e.json"), made.evaluation("m"))
    Path("mine.html").write_text("mine")
    assert guarded(app, ["report", *words]) == code
    err = capfd.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert not Path("report.html").exists()
