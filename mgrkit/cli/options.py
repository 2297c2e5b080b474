"""The options that several commands share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.errors import RunError

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


def read_list(files_from: str | None, root: Path) -> list[str] | None:
    """The relative paths of ``--files-from``, or None without it."""
    if files_from is None:
        return None
    from mgrkit.commands.plan import listed

    return listed(read_lines(files_from), root)


def read_lines(files_from: str) -> list[str]:
    """The lines of ``--files-from`` as they are, without empty ones."""
    try:
        stdin = files_from == "-"
        if stdin and sys.stdin is None:
            raise RunError("stdin is closed, so there is no list to read")
        text = sys.stdin.buffer.read() if stdin else Path(files_from).read_bytes()
    except OSError as error:
        raise RunError(f"cannot read {files_from}: {error.strerror}") from None
    return [line for line in os.fsdecode(text).splitlines() if line.strip()]


Device = Annotated[str, typer.Option(metavar="DEVICE", help="auto, cpu, cuda, cuda:N or mps.")]
