"""``mgrkit vote``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import Debug, Json, Quiet


def vote(
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL", help="Files of mgrkit train, or names of mgrkit models."),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The bundle to write: NAME.safetensors."),
    ],
    rule: Annotated[
        str,
        typer.Option(
            metavar="RULE", help="geometric, mean, majority, or stacked, which learns weights."
        ),
    ] = "geometric",
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over an existing bundle.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Join trained models to one that answers by all of them.

    \b
    mgrkit vote svm.safetensors cnn.safetensors --out both.safetensors
    mgrkit vote svm cnn ears.safetensors --out three.safetensors --rule stacked
    mgrkit predict song.mp3 --model three.safetensors

    All must know the same genres. The file keeps each of them as it is. Where all keep
    predictions of the same tracks by fits on other artists (train --folds 5; svm and
    random_forest do so by themselves), the vote is calibrated and measured on those, and
    compared with its best member. stacked learns a weight of 0 or more for each member from them.
    """
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.scores import show_vote
    from mgrkit.commands.vote import vote as command

    with Console("joining", quiet=quiet, debug=debug, table=False):
        made = command(models, out, rule=rule, replace=replace)
    if as_json:
        print_json(made.as_json())
    show_vote(made, on_stdout=not as_json, quiet=quiet)
    return 0
