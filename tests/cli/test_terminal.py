"""On a terminal: the bar on stderr, and Ctrl-C."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_commands import ROOT, files, table, tone


class Terminal:
    """A command with a pseudo-terminal of 80 columns as stderr."""

    def __init__(self, *words: object) -> None:
        self.leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mgrkit", *map(str, words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=follower,
            env={**os.environ, "COLUMNS": "80", "TERM": "xterm"},
        )
        os.close(follower)
        self.text = ""

    def until(self, pattern: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text) and time.monotonic() < end:
            if select.select([self.leader], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.leader, 65536).decode()
                except OSError:  # the last writer is gone
                    break
        assert re.search(pattern, self.text), self.text

    def end(self) -> int:
        output, _ = self.process.communicate(timeout=20)
        os.close(self.leader)
        assert output == b"", "stdout is for data"
        return self.process.returncode


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    for number in range(150):
        tone(tmp_path / "audio" / f"{number:03}.wav", seconds=8, hz=200 + number)
    return tmp_path / "audio"


def test_a_bar_counts_all_items_and_makes_room_for_the_summary(audio: Path) -> None:
    terminal = Terminal("spectrograms", audio, audio.parent / "out")
    terminal.until(r"\d of 150")
    terminal.until(r"spectrograms: 150 made in \d+\.\d s; see")
    assert terminal.end() == 0


def test_ctrl_c_finishes_what_has_begun(audio: Path) -> None:
    out = audio.parent / "out"
    terminal = Terminal("spectrograms", audio, out)
    terminal.until(r"[1-9]\d* of 150")
    terminal.process.send_signal(signal.SIGINT)
    terminal.until(r"press again to stop at once")
    terminal.until(r"spectrograms: stopped: \d+ made")
    assert terminal.end() == 130
    rows = table(out)
    assert 0 < len(rows) < 150
    assert {row["path"] for row in rows} == files(out) - {"tracks.csv"}
    assert Terminal("spectrograms", audio, out, "-q").end() == 0
    assert len(table(out)) == 150


def test_a_closed_stdout_is_no_traceback(audio: Path) -> None:
    command = f"{sys.executable} -m mgrkit spectrograms {audio}/000.wav {audio.parent}/o --json | :"
    result = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr
