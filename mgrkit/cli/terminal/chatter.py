"""Decoders print to file descriptor 2 by themselves and tear progress bars; this catches it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TextIO

_KEPT = 100


class Chatter:
    """Between ``start`` and ``stop``, descriptor 2 is a pipe and ``sys.stderr`` the console.

    Each different line becomes one warning. It names a file where that file alone was in work
    when it came: decoders do not say which one they mean.
    """

    def __init__(self) -> None:
        self.working: Callable[[], list[str]] = list
        self._lines: dict[str, str] = {}
        self._running = False

    def start(self) -> None:
        """Take descriptor 2 away from the decoders."""
        self._stderr: TextIO = sys.stderr
        self._stderr.flush()
        self._console = os.dup(2)
        reader, writer = os.pipe()
        os.dup2(writer, 2)
        os.close(writer)
        sys.stderr = os.fdopen(os.dup(self._console), "w", buffering=1, errors="backslashreplace")
        self._thread = threading.Thread(target=self._read, args=(reader,), daemon=True)
        self._thread.start()
        self._running = True

    def _read(self, reader: int) -> None:
        with os.fdopen(reader, errors="replace") as lines:
            for line in lines:
                text = " ".join(line.split())
                if text and len(self._lines) < _KEPT:
                    names = [os.path.basename(path) for path in self.working()]
                    self._lines.setdefault(text, names[0] if len(names) == 1 else "")

    def stop(self) -> list[str]:
        """Give descriptor 2 back; returns the warnings."""
        if self._running:
            self._running = False
            os.dup2(self._console, 2)
            os.close(self._console)
            sys.stderr.close()
            sys.stderr = self._stderr
            # A process that was left behind may hold the pipe open: do not wait for it.
            self._thread.join(1.0)
        return [
            f"{text} (while reading {name})" if name else text for text, name in self._lines.items()
        ]
