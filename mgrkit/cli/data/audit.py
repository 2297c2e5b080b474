"""``mgrkit data audit``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mgrkit.cli.options import (
    DataTable,
    Debug,
    Device,
    FeatureSet,
    Json,
    LabelFrom,
    Quiet,
    SplitHow,
    Workers,
    check_companions,
    number,
)

if TYPE_CHECKING:
    from mgrkit.batch import Options


def audit(
    context: typer.Context,
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            readable=False,
            help="Track table, feature table, or folder with train, valid and test.",
        ),
    ],
    inflation: Annotated[
        str | None,
        typer.Option(
            metavar="CLASSIFIER",
            help="Fit it on a random split and on one by artist, and tell the gap.",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Fits on each kind of split. [default: 3]",
            show_default=False,
            **number(int, 1),
        ),
    ] = None,
    split: SplitHow = None,
    table: DataTable = None,
    label_from: LabelFrom = "",
    feature_set: FeatureSet = None,
    device: Device = "auto",
    workers: Workers = 4,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Find what lies in several parts of a split: sounds, songs, artists.

    \b
    mgrkit data audit tracks.csv
    mgrkit data audit tracks.csv --json | jq .split.leaks
    mgrkit data audit music
    mgrkit data audit features_30_sec.csv --inflation svm --seeds 5

    It names exact duplicates, noisy copies apart from their recording, near duplicates that
    mgrkit duplicates has found (other formats, rates or cuts), slices of one recording, one
    recording under two names, and artists, between parts and between folds (a column fold).
    Each leak is counted once, by the first of these that it is. Tracks of unknown artists are
    none. It ends with 1 if there is a leak.

    With --inflation it fits a classifier on a split that keeps artists apart and on a random one
    of the same tracks, with as many of each genre in each part: the gap is what a random split
    says too much. --seeds, --split, --set and --device go with it alone, --workers also with
    --label-from.
    """
    alone = dict.fromkeys(("seeds", "split", "feature_set", "device"), ("inflation",))
    check_companions(context, {**alone, "workers": ["inflation", "label_from"]})
    from mgrkit.batch import Options

    if inflation is None:
        options = Options(workers)
        return _audit(data, table, label_from, options, as_json=as_json, quiet=quiet)
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.auditing import show_inflation
    from mgrkit.cli.views.comparing import Watch
    from mgrkit.commands.audit import measure

    with (
        Console("DATA", quiet=quiet, debug=debug, table=False) as console,
        closing(Watch(quiet=quiet)) as watch,
    ):
        found = measure(
            inflation,
            data,
            3 if seeds is None else seeds,
            split=split,
            table=table,
            feature_set=feature_set,
            device=device,
            label_from=label_from,
            options=Options(workers),
            report=console.report,
            say=watch.say,
            progress=watch.progress,
        )
    if as_json:
        print_json(found.as_json())
    else:
        show_inflation(found)
    return 0


def _audit(
    data: Path,
    table: Path | None,
    label_from: str,
    options: Options,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    from mgrkit.cli.terminal.fitting import FitBar
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.auditing import show_audit
    from mgrkit.commands.audit import audit as command

    with closing(FitBar(quiet=quiet, name="tags")) as bar:
        found = command(
            data,
            lambda done, total: bar.progress(done, total, {}),
            table=table,
            label_from=label_from,
            options=options,
        )
    if as_json:
        print_json(found.as_json())
    show_audit(found, on_stdout=not as_json, quiet=quiet)
    return found.exit_code
