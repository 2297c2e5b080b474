"""A command at a pseudo-terminal, and what its screen shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import termios
import threading
from dataclasses import dataclass
from pathlib import Path

# A fast machine is through with a test's songs before the bar's usual times have passed.
_IMPATIENT = """
from mgrkit.batch import engine
from mgrkit.cli import main
from mgrkit.cli.terminal import bars
engine._TICK, bars._DRAWN_EVERY = 0.001, 0.0
main()
"""
_CODES = re.compile(r"\x1b\[\??(\d*)(?:;\d+)*([A-Za-z])")


@dataclass(frozen=True)
class Shown:
    """How a command ended, and all that it sent to the terminal."""

    code: int
    text: str

    @property
    def screen(self) -> list[str]:
        """The lines that stand there in the end, as a terminal without end would have them."""
        return screen(self.text)

    @property
    def drawn(self) -> list[str]:
        """Each state of the line of the bar."""
        plain = _CODES.sub("", self.text)
        return [part for part in re.split(r"[\r\n]+", plain) if " of " in part]


def screen(text: str) -> list[str]:
    lines, row, column = [""], 0, 0
    at = 0
    while at < len(text):
        if code := _CODES.match(text, at):
            at = code.end()
            if code[2] == "K":
                lines[row] = ""
            elif code[2] == "A":
                row -= int(code[1] or 1)
            continue
        char, at = text[at], at + 1
        if char == "\r":
            column = 0
        elif char == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        else:
            lines[row] = f"{lines[row][:column]:{column}}{char}{lines[row][column + 1 :]}"
            column += 1
    return [line.rstrip() for line in lines]


def shown(*words: object, folder: Path, columns: int = 80, into: str = "", **env: str) -> Shown:
    """Run a command at a terminal of so many columns, its bar drawn without a pause.

    ``into`` is the shell's way for stdout.
    """
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = shlex.join([sys.executable, "-c", _IMPATIENT, *map(str, words)])
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", f"{command} {into}"],
        cwd=folder,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**kept, "TERM": "xterm", **env},
    )
    os.close(follower)
    parts: list[bytes] = []
    reader = threading.Thread(target=_read, args=(leader, parts), daemon=True)
    reader.start()
    code = process.wait(timeout=60)
    reader.join(10)
    os.close(leader)
    return Shown(code, b"".join(parts).decode())


def _read(leader: int, parts: list[bytes]) -> None:
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # the last writer is gone
            return
        if not part:
            return
        parts.append(part)
