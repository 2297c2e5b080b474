"""The options that predict and tag share: which model, and how it listens."""

from __future__ import annotations

from typing import Annotated

import typer

from mgrkit.audio.piece_lengths import PIECE_SECONDS
from mgrkit.cli.options import number

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="A file of mgrkit train, or a name of mgrkit models. [default: the best "
        "model that can run here now]",
        show_default=False,
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        metavar="P",
        help="Verdicts of a lower probability are unsure. [default: the model's own]",
        show_default=False,
        **number(float, 0, 1),
    ),
]
MaxSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Listen to pieces spread over a song, so much in all, at least "
        f"{PIECE_SECONDS:g}. [default: all, and 60 of songs beyond ten minutes]",
        show_default=False,
        **number(float, PIECE_SECONDS),
    ),
]
FilesFrom = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Files listed there, one a line; - reads stdin."),
]
Fetch = Annotated[
    bool, typer.Option("--fetch", help="First get the weights that the model needs, if any.")
]
