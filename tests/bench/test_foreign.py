"""The verdicts on foreign files, and what a crash, a hang and a missing ffmpeg cost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.bench.foreign import Child, Heard, compare, judge

TOOL = Path(__file__).with_name("foreign.py")
WHOLE = Heard(30.0, 44100, 2, -20.0, "mp3")
EXACT = WHOLE._replace(codec="flac")


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        (WHOLE._replace(seconds=30 - 3900 / 44100), WHOLE, "agree"),
        (WHOLE._replace(seconds=29.9), WHOLE, "short"),
        (EXACT._replace(seconds=30 - 2 / 44100), EXACT, "short"),
        (WHOLE._replace(seconds=30.1), WHOLE, "long"),
        (WHOLE, Heard(reason="Invalid data"), "long"),
        (WHOLE._replace(rate=22050), WHOLE, "other"),
        (WHOLE._replace(channels=1), WHOLE, "other"),
        (WHOLE._replace(level=-15.0), WHOLE, "level"),
        (WHOLE._replace(level=-65.0), WHOLE._replace(level=-90.0), "agree"),
        (Heard(3.0, 44100, reason="truncated: it breaks off"), WHOLE, "refused"),
        (Heard(reason="damaged: no"), WHOLE._replace(faults=("Header missing",)), "faulty"),
        (Heard(reason="not-audio: no"), Heard(reason="Invalid data"), "neither"),
        (Heard(reason="crash: exit status -11"), Heard(reason="Invalid data"), "crash"),
        (Heard(reason="hang: more than 60 s"), WHOLE, "hang"),
    ],
)
def test_a_file_gets_its_verdict(ours: Heard, theirs: Heard, verdict: str) -> None:
    assert judge(ours, theirs) == verdict


class Death:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        return os._exit, (3,)


class Sleep:
    """A path that takes the child an hour to receive."""

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return time.sleep, (3600,)


def hear(child: Child, path: str, timeout: float, real: Any = Child.hear) -> Heard:
    """A decoder that dies of one path, and never ends with another."""
    special: Any = {"crash": Death(), "hang": Sleep()}.get(path, path)
    answer: Heard = real(child, special, 0.1 if path == "hang" else timeout)
    return answer


def test_a_crash_and_a_hang_cost_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "noise.wav", np.full(8000, 0.1), 8000)
    noise = str(tmp_path / "noise.wav")
    reference = {noise: Heard(1.0, 8000, 1, -20.0, "pcm_s16le"), "crash": WHOLE, "hang": WHOLE}
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(Child, "hear", hear)
    rows = compare(["crash", noise, "hang", noise], reference, 60)
    assert [row.verdict for row in rows] == ["crash", "agree", "hang", "agree"]


def run(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(TOOL), str(folder)]
    there = {"PYTHONPATH": str(TOOL.parents[2]), **os.environ, **env}
    return subprocess.run(words, capture_output=True, text=True, env=there)


def test_it_says_that_it_needs_ffmpeg(tmp_path: Path) -> None:
    result = run(tmp_path, PATH=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "the program ffmpeg is needed and not on the PATH\n"


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_a_folder_without_sound_fails(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert "no files" in result.stderr


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_whole_files_pass_and_a_file_that_only_ffmpeg_takes_fails(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", np.full((8000, 2), 0.1), 8000)
    (tmp_path / "text.mp3").write_text("no sound\n" * 100)
    result = run(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "| agree | 1 |" in result.stdout
    assert "| neither | 1 |" in result.stdout
    loud = np.full(8000, 0.1)
    loud[4000] = np.nan  # of which mgrkit makes a named error, and FFmpeg nothing
    soundfile.write(tmp_path / "nan.wav", loud, 8000, subtype="FLOAT")
    result = run(tmp_path)
    assert result.returncode == 1
    assert "| refused | 1 |" in result.stdout
    assert "non-finite" in result.stdout
