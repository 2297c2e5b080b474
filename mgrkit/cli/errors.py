"""From whatever was raised to one line on stderr and an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import typer

from mgrkit.errors import MgrkitError


def guarded(app: typer.Typer, arguments: list[str]) -> int:
    """Run the application; every error becomes one line, unless ``--debug`` is given."""
    debug = "--debug" in arguments
    if "" in arguments:
        return _say("an argument is empty (is a variable not set?)", 2)
    try:
        result: Any = app(arguments, standalone_mode=False)
        return result if isinstance(result, int) else 0
    except MgrkitError as error:
        if debug:
            raise
        if "--json" in arguments:
            print(json.dumps({"error": str(error), "exit_code": error.exit_code}))
        return _say(str(error), error.exit_code)
    except typer.Exit as error:
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _say("stopped", 130)
    except OSError as error:
        if debug:
            raise
        return _say(
            f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""), 3
        )
    except Exception as error:
        # Typer's own errors of a wrong call; their classes have moved between its versions.
        if hasattr(error, "format_message"):
            return _wrong_call(error, arguments)
        if debug:
            raise
        return _say(f"{type(error).__name__}: {error} (run again with --debug and report it)", 3)


def _say(text: str, code: int) -> int:
    print(f"mgrkit: {text}", file=sys.stderr)
    return code


def _wrong_call(error: Any, arguments: list[str]) -> int:
    """Typer's message on one line, with what to do."""
    text = str(error.format_message())
    if text.startswith("Usage:"):  # no command was given: Typer's message is the whole help
        print(text, file=sys.stderr)
        return 2
    text = " ".join(text.split()).rstrip(".")
    hint = _file_with_dash(getattr(error, "option_name", None), arguments)
    if not hint:
        context = getattr(error, "ctx", None)
        hint = f"{context.command_path if context else 'mgrkit'} --help shows what there is"
    return _say(f"{text} ({hint})", 2)


def _file_with_dash(option: str | None, arguments: list[str]) -> str:
    """A file whose name begins with a dash was taken for an option."""
    for argument in arguments:
        if option and argument.startswith(option) and Path(argument).exists():
            return f"the file is ./{argument}"
    return ""
