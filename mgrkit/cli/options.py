"""The options that several commands share."""

from __future__ import annotations

import codecs
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.errors import RunError, UsageError

Source = Annotated[
    Path | None,
    typer.Argument(
        metavar="SRC", readable=False, help="Folder or sound file. [default: audio and noisy]"
    ),
]
PieceSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="S",
        help="Cut pieces of exactly S seconds. [default: tracks up to 45 s whole, longer ones "
        "every 30 s]",
        show_default=False,
    ),
]
SplitHow = Annotated[
    str | None,
    typer.Option(
        "--split",
        metavar="HOW",
        help="published, grouped (by artist) or random. [default: the first that DATA allows]",
        show_default=False,
    ),
]
FeatureSet = Annotated[
    str | None,
    typer.Option(
        "--set",
        metavar="NAME",
        help="Features that sound becomes, or that a table holds; NAME:mean and NAME:mean-sd sum "
        "up those of windows. [default: what the classifier usually eats]",
        show_default=False,
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="THEIRS=OURS",
        help="Count genre THEIRS of DATA as OURS; may be repeated, or a file with one a line.",
        show_default=False,
    ),
]
Workers = Annotated[
    int, typer.Option(metavar="N", min=1, max=1024, help="Items in flight at the same time.")
]
Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0.1,
        help="Give an item up after so long. [default: 60, or the sound's own length]",
    ),
]
FilesFrom = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Only the files listed there, one a line, relative to SRC (here, if none is "
        "given); - reads stdin.",
    ),
]
FilesFrom0 = Annotated[
    str | None,
    typer.Option(
        "--files-from0",
        metavar="FILE",
        help="Like --files-from, with a NUL after each, as find -print0 gives.",
    ),
]
Suffix = Annotated[
    list[str] | None,
    typer.Option(
        "--suffix",
        metavar=".XYZ",
        help="In folders, take files with this suffix for sound too; may be repeated.",
        show_default=False,
    ),
]
ListIgnored = Annotated[
    bool,
    typer.Option("--list-ignored", help="Name the files of folders that are passed over, and why."),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="Make everything again, then delete what earlier runs made and this one did not.",
    ),
]
AllowTruncated = Annotated[
    bool,
    typer.Option(
        "--allow-truncated",
        help="Draw what can be decoded of a file that is cut or damaged, with a warning.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print a summary as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; failures only.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and what decoders print.")]


def read_list(files_from: str | None, files_from0: str | None, root: Path) -> list[str] | None:
    """The relative paths of ``--files-from`` and ``--files-from0``, or None without them."""
    lines = read_lists(files_from, files_from0)
    if lines is None:
        return None
    from mgrkit.commands.plan import listed

    return listed(lines, root)


def read_lists(files_from: str | None, files_from0: str | None) -> list[str] | None:
    """The paths of ``--files-from`` and ``--files-from0`` as they are; None without them.

    Raises
    ------
    RunError : a list cannot be read.
    UsageError : one that is in UTF-16, or has NUL characters where it should have lines.
    """
    if files_from is None and files_from0 is None:
        return None
    lines = []
    if files_from is not None:
        text = _content(files_from)
        if b"\0" in text:
            hint = "save it as UTF-8; a list with NUL characters between goes to --files-from0"
            raise UsageError(f"{files_from} holds NUL characters, as UTF-16 does", hint)
        # Not splitlines: names may hold what Unicode takes for the end of a line.
        named = os.fsdecode(text.removeprefix(codecs.BOM_UTF8)).split("\n")
        lines += [line.removesuffix("\r") for line in named if line.strip()]
    if files_from0 is not None:
        lines += [name for name in os.fsdecode(_content(files_from0)).split("\0") if name]
    return lines


def _content(name: str) -> bytes:
    try:
        if name != "-":
            return Path(name).read_bytes()
        if sys.stdin is None:
            raise RunError("stdin is closed, so there is no list to read")
        return sys.stdin.buffer.read()
    except OSError as error:
        raise RunError(f"cannot read {name}: {error.strerror}") from None


Device = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")]
