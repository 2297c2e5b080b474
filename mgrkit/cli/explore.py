"""``mgrkit explore``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    Columns,
    DataTable,
    Debug,
    Device,
    Drop,
    FeatureSet,
    GroupColumn,
    Json,
    LabelColumn,
    LabelFrom,
    Map,
    Quiet,
    SplitHow,
    Subset,
    Workers,
    number,
)


def explore(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            readable=False,
            help="A table of numbers, a track table, or a folder of sound by genre.",
        ),
    ],
    table: DataTable = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="For the page, pictures and tables."),
    ] = Path("explored"),
    plots: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Only these: counts, histograms, boxes, correlation, pca, lda, tsne, umap, "
            "importance, similarity, suspects, outliers. [default: all]",
            show_default=False,
        ),
    ] = "",
    feature_set: FeatureSet = None,
    columns: Columns = "",
    drop: Drop = "",
    label_column: LabelColumn = "",
    group_column: GroupColumn = "",
    subset: Subset = "",
    split: SplitHow = None,
    label_from: LabelFrom = "",
    map_: Map = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Decides splits, samples and maps.", **number(int))
    ] = 0,
    device: Device = "auto",
    workers: Workers = 4,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Look at DATA: pictures, tables and a page of what it holds.

    \b
    mgrkit explore features_30_sec.csv --out explored
    mgrkit explore features.csv --columns mfcc,tempo --plots pca,lda,suspects
    mgrkit explore fma_metadata/echonest.csv --columns audio_features --out fma
    mgrkit explore audio --set gtzan57 --out explored

    Everything is learnt from the train part alone; the test part is shown apart. Of a table all
    columns of numbers are taken. FOLDER gets README.md, which shows it all, and a PNG and CSV
    of each plot; suspects.csv and outliers.csv name the tracks to listen to again. A second
    call replaces its own files only. umap needs pip install 'mgrkit[explore]'.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.parameters import genre_map, table_choice
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.fitting import FitBar
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.exploring import show_explored
    from mgrkit.commands.explore import ExploreSettings
    from mgrkit.commands.explore import explore as command

    settings = ExploreSettings(
        [name.strip() for name in plots.split(",")] if plots else [], seed, split, feature_set,
        genre_map(map_ or []), table,
        table_choice(columns, drop, label_column, group_column, subset), device,
        label_from,
    )  # fmt: skip
    with Console("DATA", quiet=quiet, debug=debug, table=False) as console:
        with closing(FitBar(quiet=quiet, name="explore")) as bar:
            found = command(
                data,
                out,
                settings,
                options=Options(workers),
                report=console.report,
                progress=bar.progress,
            )
        warnings = console.warnings()
    if as_json:
        print_json({**found.as_json(), "warnings": warnings})
    show_explored(found, warnings, on_stdout=not as_json, quiet=quiet)
    return found.exit_code
