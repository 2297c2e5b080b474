"""--dry-run of every command that makes something of each file."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from mgrkit.batch import survey
from tests.cli.test_commands import files, mgrkit, tone

COMMANDS = [
    ["augment", "audio", "noisy"],
    ["spectrograms", "audio", "pictures"],
    ["features", "audio", "features.csv"],
    ["predict", "audio", "--model", "svm"],
]


def untimed(text: str) -> str:
    """A text without how long it may take, which it must tell."""
    shorter = re.sub(r", about \d+ (s|min)(?=[,;])", "", text)
    assert ("0 to do" in text) == (shorter == text)
    return shorter


@pytest.fixture(autouse=True)
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with three tones and a picture in ``audio``."""
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        tone(tmp_path / "audio" / f"{number}.wav", seconds=2, hz=300 + number)
    (tmp_path / "audio" / "cover.jpg").touch()
    return tmp_path / "audio"


@pytest.mark.parametrize("words", COMMANDS)
def test_it_says_what_there_is_to_do(
    words: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = files(tmp_path)
    assert mgrkit(*words, "--dry-run", "-q") == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "passed over: 1 .jpg\n" in err
    assert f"{words[0]}: 3 to do; nothing was made\n" in untimed(err)
    assert files(tmp_path) == before
    assert mgrkit(*words, "--dry-run", "--json", "--list-ignored") == 0
    result = json.loads(capfd.readouterr().out)
    assert result["expected_seconds"] > 0
    assert {name: result[name] for name in ("command", "to_do", "files", "made", "kept")} == {
        "command": words[0], "to_do": 3, "files": 3, "made": 0, "kept": 0,
    }  # fmt: skip
    assert result["ignored_files"] == [{"path": "audio/cover.jpg", "why": ".jpg"}]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audio"]


@pytest.mark.parametrize("words", COMMANDS)
def test_what_is_done_already_is_said(
    words: list[str], audio: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    more = ["--resume", "done.jsonl"] if words[0] == "predict" else []
    assert mgrkit(*words, *more) == 0
    tone(audio / "new.wav", seconds=2, hz=500)
    capfd.readouterr()
    assert mgrkit(*words, *more, "--dry-run") == 0
    out, err = capfd.readouterr()
    assert out == ""
    assert "1 to do, 3 done already; nothing was made" in untimed(err)
    assert mgrkit(*words, *more) == 0
    assert "1 made, 3 kept" in capfd.readouterr().err.replace("1 done", "1 made")
    assert mgrkit(*words, *more, "--dry-run", "--json") == 0
    result = json.loads(capfd.readouterr().out)
    assert (result["to_do"], result["kept"], result["files"]) == (0, 4, 4)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_folder_that_cannot_be_read_is_named(
    words: list[str],
    audio: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tone(audio / "shut" / "4.wav")
    real = os.scandir

    def scandir(path: Any) -> Any:  # as for others than root
        if not isinstance(path, int) and Path(path).name == "shut":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert mgrkit(*words, "--dry-run") == 1
    err = capfd.readouterr().err
    assert "shut: unreadable: this folder cannot be read" in err
    assert "3 to do, 1 cannot be done (1 unreadable)" in untimed(err)
    for way in ([], ["--dry-run"]):
        assert mgrkit(words[0], "audio/shut", *words[2:], *way) == 3
        err = capfd.readouterr().err
        assert err == "mgrkit: audio/shut cannot be read: permission denied\n"
    assert mgrkit("evaluate", "svm", "audio/shut") == 3
    err = capfd.readouterr().err
    assert err == "mgrkit: audio/shut cannot be read: permission denied\n"


def test_copies_of_one_file_are_told_from_files(capfd: pytest.CaptureFixture[str]) -> None:
    tone(Path("hum.wav"), seconds=3)
    words = ["augment", "--noise", "pink", "--noise", "hum.wav", "--copies", "2"]
    assert mgrkit(*words, "--dry-run") == 0
    assert "augment: 12 to do of 3 files; nothing" in untimed(capfd.readouterr().err)
    Path("hum.wav").write_text("words")
    assert mgrkit(*words, "--dry-run") == 3, "as it would end"
    assert "hum.wav" in capfd.readouterr().err


def test_a_signal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from mgrkit.commands import spectrograms

    def interrupted(*words: Any) -> Any:
        os.kill(os.getpid(), 2)
        return real(*words)

    real = spectrograms.draw
    monkeypatch.setattr(spectrograms, "draw", interrupted)
    monkeypatch.setattr(survey, "SECONDS", 3600.0)
    assert mgrkit("spectrograms", "audio", "pictures", "--dry-run") == 130
    assert not Path("pictures").exists()
