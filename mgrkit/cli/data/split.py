"""``mgrkit data split``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    DataTable,
    Debug,
    Json,
    LabelFrom,
    Map,
    Quiet,
    SplitHow,
    Suffix,
    Workers,
    number,
)
from mgrkit.errors import UsageError


def split(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", readable=False, help="Track table, or folder of sound."),
    ],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="The table to write: .csv or .parquet. [default: DATA's own, with --replace]",
            show_default=False,
        ),
    ] = None,
    how: SplitHow = None,
    ratio: Annotated[
        str | None,
        typer.Option(
            metavar="RATIO",
            help="Train, valid and test, or train and test, such as 80/10/10. [default: 60/20/20]",
            show_default=False,
        ),
    ] = None,
    counts: Annotated[
        str | None,
        typer.Option(
            metavar="COUNTS",
            help="Tracks of each genre in valid and test, such as test=100,valid=100; the rest is "
            "train.",
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="N equal folds in a column fold, 3 to 100.", **number(int, 3, 100)
        ),
    ] = None,
    test_fold: Annotated[
        int,
        typer.Option(
            metavar="K", help="Of the folds, K is test and the next one valid.", **number(int, 0)
        ),
    ] = 0,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="TABLE", help="An earlier table whose tracks keep their part."),
    ] = None,
    label_from: LabelFrom = "",
    map_: Map = None,
    tags: Annotated[
        bool, typer.Option("--tags", help="Take artists that DATA does not name from tags.")
    ] = False,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Let a genre of too few artists lack a part."),
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Another seed, another split.", **number(int))
    ] = 0,
    table: DataTable = None,
    suffix: Suffix = None,
    workers: Workers = 4,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a table that is there.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Deal tracks out to train, valid and test, artists undivided.

    \b
    mgrkit data split audio                             writes audio/tracks.csv
    mgrkit data split tracks.csv split.csv --split grouped --ratio 80/10/10
    mgrkit data split tracks.csv split.csv --counts test=100,valid=100
    mgrkit data split tracks.csv fold3.csv --folds 10 --test-fold 3
    mgrkit data split new.csv split.csv --keep old.csv
    mgrkit data split tracks.csv --tags --replace
    mgrkit data split music split.csv --label-from tag

    train, evaluate and compare take the parts of the table, and say with each number how they
    were dealt (column split_by). The same seed gives the same folds, so that only --test-fold
    changes from one to the next. A genre needs as many artists as there are parts.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.parameters import genre_map
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.parting import show_parted
    from mgrkit.commands.split import SplitSettings
    from mgrkit.commands.split import split as command
    from mgrkit.tracks.dealing import USUAL, Shares
    from mgrkit.tracks.find import Search

    if ratio is not None and counts is not None:
        raise UsageError("--ratio and --counts exclude each other", "give one of them")
    shares = Shares.of_counts(counts) if counts is not None else USUAL
    shares = Shares.of_ratio(ratio) if ratio is not None else shares
    settings = SplitSettings(
        how,
        seed,
        shares,
        folds,
        test_fold,
        keep,
        tags,
        allow_missing,
        label_from,
        genre_map(map_ or []),
    )
    with Console("tags", quiet=quiet, debug=debug, table=False) as console:
        made = command(
            data,
            out,
            settings,
            table=table,
            search=Search.of(suffix or ()),
            replace_out=replace,
            options=Options(workers),
            report=console.report,
        )
        warnings = console.warnings()
    if as_json:
        print_json(made.as_json())
    show_parted(made, warnings, on_stdout=not as_json, quiet=quiet)
    return 0
