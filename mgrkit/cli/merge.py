"""``mgrkit merge``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import Debug, Json, Quiet


def merge(
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", readable=False, help="The folder, or the table of mgrkit features."
        ),
    ],
    others: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="OTHER",
            readable=False,
            help="More of that kind, where each shard has an OUT of its own.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Unite what --shard made into one tree or table.

    \b
    mgrkit spectrograms audio pictures --shard 1/2   on one machine
    mgrkit spectrograms audio pictures --shard 2/2   on another, into that OUT
    mgrkit merge pictures
    mgrkit merge features.csv part1.csv part2.csv    each had an OUT of its own

    Tree and table are the same bytes as of one run without --shard. What is missing is named with
    its shard; run that again, then merge again. The exit code is 1 if something is missing or
    has failed. The files of OTHER are linked, or copied to another disk, and stay.
    """
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.merging import as_fields, words
    from mgrkit.commands.merge import merge as command
    from mgrkit.files.remote import placed

    del debug  # see cli.errors
    out = placed(out)
    merged = command(out, others or ())
    if as_json:
        print_json(as_fields(merged, out))
    if not quiet or not merged.is_complete:
        print("\n".join(words(merged, out)), file=sys.stderr)
    return merged.exit_code
