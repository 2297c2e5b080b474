"""``mgrkit predict --playlists``: lists beside the answers."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.models.model import Model
from tests.cli.test_commands import tone

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _songs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        tone(Path(f"songs/{number}.wav"), seconds=1, hz=200 * 2**number)


def predict(*words: str, code: int = 0) -> None:
    words = ("predict", "songs", "--model", "svm", "--playlists", "lists", *words)
    assert guarded(app, words) == code


def listed() -> dict[str, list[str]]:
    """The songs of each list."""
    return {
        path.name: [line for line in path.read_text().splitlines() if not line.startswith("#")]
        for path in sorted(Path("lists").iterdir())
    }


@pytest.mark.parametrize("form", ["--json", "--jsonl", "--csv", "--only-unsure"])
def test_every_form_writes_the_lists_of_its_answers(capfd: Captured, form: str) -> None:
    Path("songs/bad.wav").write_text("words")
    predict("--jsonl", "--threshold", "0.2", "-q", code=1)
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    good = sorted((row for row in rows if "genre" in row), key=lambda row: -row["probability"])
    expected: dict[str, list[str]] = {}
    for row in good:
        name = "unsure" if row["unsure"] else row["genre"]
        expected.setdefault(f"{name}.m3u8", []).append(f"../{row['path']}")
    assert sum(map(len, expected.values())) == 4
    assert listed() == expected
    shutil.rmtree("lists")
    predict(form, "--threshold", "0.2", "-q", code=1)
    assert listed() == expected


def test_lists_are_whole_when_the_rest_is_resumed(capfd: Captured) -> None:
    predict("--threshold", "0")
    expected = listed()
    shutil.rmtree("lists")
    Path("songs/3.wav").rename("3.wav")
    predict("--threshold", "0", "--resume", "done.jsonl")
    assert sum(map(len, listed().values())) == 3
    Path("3.wav").rename("songs/3.wav")
    predict("--threshold", "0", "--resume", "done.jsonl")
    assert "3 kept" in capfd.readouterr().err
    assert listed() == expected


def test_paths_may_be_absolute() -> None:
    predict("--playlist-paths", "absolute", "--threshold", "1.0")
    assert sorted(listed()["unsure.m3u8"]) == [os.path.realpath(f"songs/{n}.wav") for n in range(4)]


def test_a_hand_made_list_is_refused_before_anything_is_predicted(capfd: Captured) -> None:
    Path("lists").mkdir()
    Path("lists/rock.m3u8").write_text("#EXTM3U\n")
    predict(code=2)
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("mgrkit: lists/rock.m3u8 was not made by mgrkit, or was changed by hand")
    assert Path("lists/rock.m3u8").read_text() == "#EXTM3U\n"


def test_a_name_that_stands_in_no_list_is_a_warning(capfd: Captured) -> None:
    Path("songs/0.wav").rename("songs/a\nb.wav")
    predict("--threshold", "1.0", "--only-unsure")
    assert "warning: in no playlist, for what the name holds: songs/a\\x0ab.wav" in (
        capfd.readouterr().err
    )
    assert len(listed()["unsure.m3u8"]) == 3


def test_a_dry_run_makes_no_list() -> None:
    predict("--dry-run")
    assert not Path("lists").exists()


def test_a_run_that_is_stopped_leaves_the_lists(
    capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict("--threshold", "1.0")
    before = listed()
    judged = Model.judged

    def stopping(*args: Any, **options: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return judged(*args, **options)

    monkeypatch.setattr(Model, "judged", stopping)
    predict("--threshold", "0", "--workers", "1", code=130)
    assert "the playlists are as they were" in capfd.readouterr().err
    assert listed() == before


def test_a_model_of_tags_alone_has_no_lists(
    capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = SimpleNamespace(name="musicnn-tags", labels=(), ready=lambda **_: None)
    monkeypatch.setattr("mgrkit.commands.predict.loaded", lambda *_: model)
    predict(code=2)
    assert "musicnn-tags names no genres for --playlists" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--shard", "1/2"], "--playlists takes no --shard"),
        (["--playlist-paths", "short"], "--playlist-paths must be relative or absolute"),
    ],
)
def test_wrong_calls(capfd: Captured, words: list[str], expected: str) -> None:
    predict(*words, code=2)
    out, err = capfd.readouterr()
    assert (out, err.startswith(f"mgrkit: {expected}")) == ("", True)
    assert not Path("lists").exists()
