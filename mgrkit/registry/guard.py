"""Running the code of plugins: in silence, and what goes wrong in it is one line."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterator
from typing import TextIO, TypeVar

_T = TypeVar("_T")


class PluginError(Exception):
    """What the loader itself has to say against a plugin."""


def attempt(call: Callable[[], _T]) -> tuple[_T | None, str]:
    """What the call returns, or what it raises as one line; its output is dropped."""
    try:
        with quietly():
            return call(), ""
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return None, one_line(error)


@functools.cache
def _nowhere() -> TextIO:
    """Never closed: a plugin's log handler may keep it. A file, for those that ask fileno()."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    return open(nowhere, "w", encoding="utf-8", errors="replace", closefd=False)


_turn = threading.RLock()


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """A context in which nothing is printed by Python code; threads take turns."""
    # Of two threads at once, the second would take the first one's silence for the real stdout.
    with _turn, contextlib.redirect_stdout(_nowhere()), contextlib.redirect_stderr(_nowhere()):
        yield


def one_line(error: BaseException) -> str:
    """The error on one line; its text is the plugin's code as well."""
    try:
        text = " ".join(str(error).split())
    except KeyboardInterrupt:
        raise
    except BaseException:
        text = ""
    if isinstance(error, PluginError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
