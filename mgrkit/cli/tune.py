"""``mgrkit tune``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    Cluster,
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
    Reduce,
    SplitHow,
    Subset,
    Workers,
    named_as,
    number,
)
from mgrkit.errors import UsageError
from mgrkit.frontend.kinds import KINDS


def tune(
    classifier: Annotated[
        str, typer.Argument(metavar="CLASSIFIER", help="A name of mgrkit classifiers.")
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            readable=False,
            help="Feature table, track table, or folder of sound or pictures by genre.",
        ),
    ],
    trials: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Sets of parameters to try, by all processes in FOLDER together.",
            **number(int, 1, 100_000),
        ),
    ],
    space: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML that narrows or replaces what the classifier declares to be searched.",
            show_default=False,
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A parameter that is not searched; may be repeated."
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="For the study, the model, results."),
    ] = Path("tune"),
    seed: Annotated[
        int,
        typer.Option(metavar="N", help="Another seed, other random choices.", **number(int)),
    ] = 0,
    timeout: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Search no longer than that, then fit the best. [default: until all is tried]",
            show_default=False,
            **number(float, 0.1),
        ),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            metavar="N", help="Score a trial by N folds of train by artist.", **number(int, 2, 20)
        ),
    ] = 5,
    outer: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Search K times more, each without some artists, to be judged by those; 0: do "
            "not. [default: 3; networks 0]",
            show_default=False,
            **number(int, 0, 20),
        ),
    ] = None,
    table: DataTable = None,
    feature_set: FeatureSet = None,
    columns: Columns = "",
    drop: Drop = "",
    reduce: Reduce = "",
    label_column: LabelColumn = "",
    group_column: GroupColumn = "",
    subset: Subset = "",
    split: SplitHow = None,
    label_from: LabelFrom = "",
    map_: Map = None,
    front_end: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=f"Draw sound as {', '.join(KINDS)}, for networks. [default: mel]",
            show_default=False,
        ),
    ] = None,
    device: Device = "auto",
    precision: Annotated[
        str,
        typer.Option(metavar="PRECISION", help="float32, mixed, or auto: mixed on CUDA."),
    ] = "auto",
    workers: Workers = 4,
    cluster: Cluster = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Search a classifier's parameters, and train the best.

    \b
    mgrkit tune svm features_30_sec.csv --trials 60
    mgrkit tune random_forest features_30_sec.csv --trials 30 --timeout 600
    mgrkit tune svm features_30_sec.csv --trials 60 --param kernel=rbf --out rbf
    mgrkit tune knn features_30_sec.csv --trials 40 --space knn.toml --out knn
    mgrkit tune cnn spectrograms --trials 20 --folds 3 --param epochs=30
    mgrkit tune svm features.csv --trials 200 --cluster tcp://HOST:8786

    Each trial is scored by folds of the train part that share no artist; valid and test are not
    looked at. The score that wins is too high, for it was chosen: so the search is repeated in
    --outer folds, each judged by artists that it has not seen. That costs about as much again for
    each. What the classifier declares to be searched: mgrkit classifiers CLASSIFIER.

    The same command goes on after a stop, and with more --trials. Started twice with one --out,
    two processes share the trials, and with --cluster the workers that see FOLDER do. FOLDER gets
    the trained model, trials.csv, importance.csv, and a picture of both.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.parameters import genre_map, parameters, table_choice
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.tuning import SearchBar, as_command, show_tuned
    from mgrkit.commands.tune import TuneSettings, read_space
    from mgrkit.commands.tune import tune as command
    from mgrkit.frontend import front_end as check
    from mgrkit.reports.search import write_report

    if front_end is not None:
        with named_as({"kind": "--front-end"}):
            check(front_end)
    given = parameters(param or [])
    if reduce and given.setdefault("reduce", reduce) != reduce:
        raise UsageError("--reduce and --param reduce differ", "give one of them")
    settings = TuneSettings(
        trials, read_space(space) if space else {}, given, folds, outer, timeout, seed, split,
        device, front_end, precision, feature_set, genre_map(map_ or []), table,
        table_choice(columns, drop, label_column, group_column, subset), label_from,
    )  # fmt: skip
    with Console("preparing", quiet=quiet, debug=debug, table=False) as console:
        with closing(SearchBar(quiet=quiet)) as bar:
            found = command(
                classifier,
                data,
                out,
                settings,
                options=Options(workers),
                report=console.report,
                watch=bar.watch,
                progress=bar.progress,
                cluster=cluster,
                say=bar.say,
            )
        warnings = console.warnings()
    paths = write_report(found, out)
    options = {
        "--seed": seed or "", "--table": table, "--set": feature_set, "--columns": columns,
        "--drop": drop, "--label-column": label_column, "--group-column": group_column,
        "--subset": subset, "--split": split, "--front-end": front_end,
        "--precision": precision if precision != "auto" else "",
    }  # fmt: skip
    words = [classifier, str(data), "--out", f"{classifier}.safetensors"]
    words += [word for name, value in options.items() if value for word in (name, str(value))]
    words += [word for one in map_ or [] for word in ("--map", one)]
    copy = as_command(words, found.result["parameters"])
    if as_json:
        files = [str(path) for path in paths]
        print_json({**found.as_json(), "command": copy, "warnings": warnings, "files": files})
    show_tuned(found, copy, warnings, paths, on_stdout=not as_json, quiet=quiet)
    return 1 if found.result["failed"] else 0
