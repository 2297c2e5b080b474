"""``mgrkit data split``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import Debug, Json, Quiet, SplitHow, number
from mgrkit.errors import UsageError


def split(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", readable=False, help="Table of tracks, or folder."),
    ],
    out: Annotated[
        Path, typer.Argument(metavar="OUT", readable=False, help="Table to write, CSV or Parquet.")
    ],
    how: SplitHow = None,
    ratio: Annotated[
        str | None,
        typer.Option(
            metavar="RATIO",
            help="Of train, valid and test, or of train and test. [default: 60/20/20]",
            show_default=False,
        ),
    ] = None,
    counts: Annotated[
        str | None,
        typer.Option(
            metavar="PART=N", help="Tracks of each genre: test=100,valid=100.", show_default=False
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="N", help="So many equal folds.", show_default=False, **number(int)),
    ] = None,
    test_fold: Annotated[
        int,
        typer.Option(metavar="K", help="The fold that is test; the next is valid.", **number(int)),
    ] = 0,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE", readable=False, help="An earlier table: its tracks keep their parts."
        ),
    ] = None,
    tags: Annotated[
        bool, typer.Option("--tags", help="Read artists that the table lacks from the files' tags.")
    ] = False,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Let a genre lack a part.")
    ] = False,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Decides which artists go where.", **number(int, 0))
    ] = 0,
    replace: Annotated[bool, typer.Option("--replace", help="Write over an existing OUT.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Split a collection into train, valid and test, or into folds.

    \b
    mgrkit data split tracks.csv split.csv
    mgrkit data split music music/tracks.csv --split grouped --ratio 80/10/10
    mgrkit data split tracks.csv split.csv --counts test=10,valid=10 --seed 7
    mgrkit data split tracks.csv split.csv --folds 5 --test-fold 2
    mgrkit data split new.csv split.csv --keep old.csv

    What belongs together is not divided: tracks of an artist (unless the split is random), slices
    of a song, noisy copies, exact duplicates. Genres are shared out alike. The same seed gives the
    same parts. A column split_by says how it was done, and every number from this table says so.
    """
    from mgrkit.cli.terminal.fitting import FitBar
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.splitting import show_split
    from mgrkit.commands.split import SplitSettings
    from mgrkit.commands.split import split as command
    from mgrkit.tracks.dealing import USUAL, Shares

    del debug
    given = {"--ratio": ratio, "--counts": counts, "--folds": folds}
    if len(several := [name for name, value in given.items() if value is not None]) > 1:
        raise UsageError(f"{' and '.join(several)} exclude each other", "give one of them")
    shares = USUAL
    if ratio is not None:
        shares = Shares.of_ratio(ratio)
    elif counts is not None:
        shares = Shares.of_counts(counts)
    elif folds is not None:
        shares = Shares.of_folds(folds)
    settings = SplitSettings(how, seed, shares, test_fold, keep, tags, allow_missing)
    with closing(FitBar(quiet=quiet, name="tags")) as bar:
        made = command(
            data, out, settings, replace=replace, progress=lambda k, n: bar.progress(k, n, {})
        )
    if as_json:
        print_json(made.as_json())
    show_split(made, on_stdout=not as_json, quiet=quiet)
