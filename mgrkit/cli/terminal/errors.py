"""From whatever was raised to one line on stderr and an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, TextIO

import typer

from mgrkit.cli.terminal.printing import printable
from mgrkit.errors import MgrkitError, ReaderGoneError, RunError

_HEAD, _TAIL = 600, 200
"""Of a longer message so many characters are shown: its end is where a hint stands."""


def guarded(app: typer.Typer, arguments: list[str]) -> int:
    """Run the application; every error becomes one line, unless ``--debug`` is given.

    With ``--json`` an error is an object on stdout as well.
    """
    if "" in arguments:
        return _tell("an argument is empty (is a variable not set?)", 2, arguments)
    try:
        code = _run(app, arguments)
        sys.stdout.flush()
        return code
    except (ReaderGoneError, BrokenPipeError):
        return ReaderGoneError.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _tell("stopped", 130, arguments)
    except Exception as error:
        # Typer's errors of a wrong call; their classes have moved between its versions.
        if hasattr(error, "format_message"):
            return _wrong_call(error, arguments)
        if "--debug" in arguments:
            raise
        return _tell(*_explained(error), arguments)


def _run(app: typer.Typer, arguments: list[str]) -> int:
    try:
        result: Any = app(arguments, prog_name="mgrkit", standalone_mode=False)
    except typer.Exit as error:
        return error.exit_code
    except SystemExit as error:  # Typer's way out of completion, and when nobody reads
        if isinstance(error.__context__, BrokenPipeError):
            return ReaderGoneError.exit_code
        result = error.code
    return result if isinstance(result, int) else 0


def _explained(error: Exception) -> tuple[str, int]:
    if isinstance(error, MgrkitError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return f"{error.strerror or error}{where}", 3
    if isinstance(error, ImportError):
        return f"{error} (mgrkit doctor says what is missing or broken, and the cure)", 3
    return f"{type(error).__name__}: {error} (run again with --debug and report it)", 3


def _tell(text: str, code: int, arguments: list[str]) -> int:
    if "--json" in arguments:
        _print(json.dumps({"error": text, "exit_code": code}), sys.stdout)
    shown = printable(text)
    if len(shown) > _HEAD + _TAIL:
        shown = f"{shown[:_HEAD]} ... {shown[-_TAIL:]}"
    _print(f"mgrkit: {shown}", sys.stderr)
    return code


def _print(text: str, stream: TextIO) -> None:
    """Print where somebody still reads; an error must not raise another."""
    try:
        print(text, file=stream, flush=True)
    except (OSError, RunError):
        return


def _wrong_call(error: Any, arguments: list[str]) -> int:
    """Typer's message on one line, with what to do."""
    text = str(error.format_message())
    if text.startswith("Usage:"):  # no command was given: Typer's message is the help
        _print(text, sys.stderr)
        return 2
    text = " ".join(text.split()).rstrip(".")
    hint = _file_with_dash(getattr(error, "option_name", None), arguments)
    if not hint:
        context = getattr(error, "ctx", None)
        hint = f"{context.command_path if context else 'mgrkit'} --help shows what there is"
    return _tell(f"{text} ({hint})", 2, arguments)


def _file_with_dash(option: str | None, arguments: list[str]) -> str:
    """A file whose name begins with a dash was taken for an option."""
    for argument in arguments:
        if option and argument.startswith(option) and Path(argument).exists():
            return f"the file is ./{argument}"
    return ""
