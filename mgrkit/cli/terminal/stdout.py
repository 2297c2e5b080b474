"""Standard output for results alone: what a plugin prints while a command runs goes to stderr.

A result that cannot be printed, for stdout is closed or its disk is full, is a RunError.
"""

from __future__ import annotations

import contextlib
import errno
import io
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO, cast

from mgrkit.errors import RunError

_kept: list[TextIO] = []


def results() -> TextIO:
    """Where results are printed, whoever has ``sys.stdout`` now."""
    return _kept[-1] if _kept else sys.stdout


def open_stdout() -> None:
    r"""Make of ``sys.stdout`` one that says what goes wrong with it.

    What its encoding lacks is printed as tables escape it: ``\xe4``, ``\u6f14``, ``\udce4``.
    """
    old = sys.stdout
    if old is None:
        nowhere = cast(BinaryIO, io.BufferedWriter(_Closed()))
        sys.stdout = _Results(nowhere, "utf-8", "backslashreplace")
    elif isinstance(old, io.TextIOWrapper):
        encoding, lines, through = old.encoding, old.line_buffering, old.write_through
        sys.stdout = _Results(
            cast(BinaryIO, old.detach()), encoding, "backslashreplace",
            line_buffering=lines, write_through=through,
        )  # fmt: skip


def check_stdout() -> None:
    """Raise RunError if stdout is closed: before hours of work, not after."""
    out = results()
    if isinstance(out, _Results) and isinstance(getattr(out.buffer, "raw", None), _Closed):
        out.write("\n")
        out.flush()


class _Results(io.TextIOWrapper):
    def write(self, text: str) -> int:
        with _telling():
            return super().write(text)

    def flush(self) -> None:
        with _telling():
            super().flush()


@contextlib.contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:  # whoever has read it has gone: no fault
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise RunError(f"the results cannot be printed: {reason.lower()}") from error


class _Closed(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        del data
        raise OSError(errno.EBADF, "stdout is closed")


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
    """Whatever ``sys.stderr`` is at each call: a run replaces it, and closes that at the end."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text) if sys.stderr is not None else len(text)

    def flush(self) -> None:
        if sys.stderr is not None:
            sys.stderr.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stderr, name)
