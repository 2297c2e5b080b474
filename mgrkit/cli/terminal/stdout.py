"""Standard output for results alone: what a plugin prints while a command runs goes to stderr."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

_kept: list[TextIO | None] = []


def results() -> TextIO | None:
    """Where results are printed, whoever has ``sys.stdout`` now; None if stdout is closed."""
    return _kept[-1] if _kept else sys.stdout


def escape() -> None:
    r"""Print what stdout's encoding lacks as tables escape it: ``\xe4``, ``\u6f14``, ``\udce4``."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def results_only() -> Iterator[None]:
    """A context in which ``print`` goes to stderr, in all threads, and results to `results`.

    What C code writes to the descriptor is not caught.
    """
    stdout = sys.stdout
    _kept.append(results())
    sys.stdout = cast(TextIO, _Stderr())
    try:
        yield
    finally:
        sys.stdout = stdout
        _kept.pop()


class _Stderr:
    """Whatever ``sys.stderr`` is at each call: a run replaces it, and closes its own at the end."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text) if sys.stderr is not None else len(text)

    def flush(self) -> None:
        if sys.stderr is not None:
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)
