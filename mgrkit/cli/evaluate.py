"""``mgrkit evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    DataTable,
    Debug,
    Device,
    GroupColumn,
    Json,
    LabelColumn,
    Map,
    Quiet,
    Subset,
    Workers,
)


def evaluate(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A file of mgrkit train, or a name of mgrkit models."),
    ],
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA",
            readable=False,
            help="Feature table, track table, or folder of sound or pictures by genre; for a vote "
            "several of one collection.",
        ),
    ],
    table: DataTable = None,
    part: Annotated[
        str,
        typer.Option(metavar="PART", help="test (all of DATA where it has none), valid or all."),
    ] = "test",
    seen: Annotated[
        bool, typer.Option("--seen", help="Count tracks that it was fit or chosen on, too.")
    ] = False,
    copies: Annotated[
        bool,
        typer.Option(
            "--copies", help="Judge noisy copies, not recordings, even where both are there."
        ),
    ] = False,
    label_column: LabelColumn = "",
    group_column: GroupColumn = "",
    subset: Subset = "",
    map_: Map = None,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what it says of each track there, as CSV."),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the confusion matrix there, as PNG."),
    ] = None,
    device: Device = "auto",
    workers: Workers = 4,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Measure a model on tracks that it has not seen.

    \b
    mgrkit evaluate svm.safetensors features_30_sec.csv
    mgrkit evaluate svm audio --png confusion.png
    mgrkit evaluate svm.safetensors features_30_sec.csv --part all --json
    mgrkit evaluate svm noisy --predictions noisy.csv
    mgrkit evaluate svm audio --map Rap=hiphop
    mgrkit evaluate vote.safetensors features_30_sec.csv images_original
    mgrkit evaluate fma.safetensors fma_metadata/features.csv --subset small

    The interval (95 %) is a bootstrap by artist. Tracks that the model learnt from or was chosen
    on are left out, and their number is said. Case, spaces, hyphens and underscores in a genre's
    name do not count. Noisy copies are judged for each noise and SNR that their tracks.csv names.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.parameters import genre_map, table_choice
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.scores import show_evaluation
    from mgrkit.commands.evaluate import evaluate as command
    from mgrkit.reports.confusion import check_png, draw_confusion

    if png:
        check_png(png)
    with Console("preparing", quiet=quiet, debug=debug, table=False) as console:
        result = command(
            model,
            *data,
            table=table,
            part=part,
            seen=seen,
            copies=copies,
            genres=genre_map(map_ or []),
            predictions=predictions,
            device=device,
            options=Options(workers),
            report=console.report,
            choice=table_choice(label=label_column, group=group_column, subset=subset),
        )
        result["notes"] += console.warnings()
    if png:
        draw_confusion(result, png)
    if as_json:
        print_json(result)
    show_evaluation(result, [predictions, png], on_stdout=not as_json, quiet=quiet)
    return 1 if result["failed"] else 0
