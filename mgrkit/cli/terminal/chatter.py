"""Decoders print to file descriptor 2 by themselves and tear progress bars; this catches it."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TextIO

_KEPT = 100
_NAMED = 4
_PLACE = re.compile(r"^\[\S*libmpg123/\S+\] ")
_WARNS = re.compile(r"^(libmpg123: )?warning: ", re.IGNORECASE)


class Chatter:
    """Between ``start`` and ``stop``, descriptor 2 is a pipe and ``sys.stderr`` the console.

    Each different line becomes one warning. It names the files that were in work when it came:
    decoders do not say which one they mean.
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
                text = _plain(line)
                if text and len(self._lines) < _KEPT:
                    self._lines.setdefault(text, _listed(self.working()))

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
            f"{text} (while reading {names})" if names else text
            for text, names in self._lines.items()
        ]


def _plain(line: str) -> str:
    """A line without what is said of all of them: that it warns, and where libmpg123 does.

    >>> _plain("[src/libmpg123/id3.c:id3_to_utf8():394] warning: Weird tag size"), _plain("Note: x")
    ('libmpg123: Weird tag size', 'Note: x')
    """
    text = _PLACE.sub("libmpg123: ", " ".join(line.split()))
    return _WARNS.sub(r"\1", text)


def _listed(paths: Sequence[str]) -> str:
    """The names of the files that may be meant."""
    names = [os.path.basename(path) for path in paths]
    if len(names) < 2:
        return "".join(names)
    more = f" or {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return " or ".join(names[:_NAMED]) + more
