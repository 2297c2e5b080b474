"""``mgrkit compare``."""

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
    number,
)


def compare(
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA",
            readable=False,
            help="Feature tables, track tables, folders of sound or pictures by genre: of one "
            "collection.",
        ),
    ],
    table: DataTable = None,
    classifiers: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Which, by their names in mgrkit classifiers, as in svm,cnn. [default: all "
            "that eat DATA, but the networks of the literature and of ImageNet]",
            show_default=False,
        ),
    ] = "",
    votes: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Votes of them to judge, too, as in svm+cnn,svm+cnn+crnn.",
            show_default=False,
        ),
    ] = "",
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Fits of each. [default: 3; 1 with --folds]",
            show_default=False,
            **number(int, 1),
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="Judge every track once: K fits of each, each on the artists of the other folds. "
            "A test part that DATA states stays apart.",
            show_default=False,
            **number(int, 2),
        ),
    ] = None,
    feature_set: FeatureSet = None,
    columns: Columns = "",
    drop: Drop = "",
    reduce: Reduce = "",
    label_column: LabelColumn = "",
    group_column: GroupColumn = "",
    subset: Subset = "",
    label_from: LabelFrom = "",
    split: SplitHow = None,
    map_: Map = None,
    part: Annotated[
        str,
        typer.Option(
            metavar="PART",
            help="Judge by the tracks of valid or of test. [default: valid]",
            show_default=False,
        ),
    ] = "",
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CLASSIFIER.NAME=VALUE",
            help="A parameter of a classifier; may be repeated. Several values of one name make "
            "a grid, a row for each combination.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FOLDER", help="For models, runs and results."),
    ] = Path("compare"),
    device: Device = "auto",
    workers: Workers = 4,
    cluster: Cluster = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Train several classifiers and tell which of them differ.

    \b
    mgrkit compare features_30_sec.csv --classifiers svm,random_forest
    mgrkit compare images_original features_30_sec.csv --seeds 3 --out compare
    mgrkit compare audio --classifiers svm,cnn --param svm.C=3 --out svm-or-cnn
    mgrkit compare audio --classifiers svm,cnn,crnn --votes svm+cnn,svm+cnn+crnn
    mgrkit compare features_30_sec.csv --classifiers svm,random_forest --drop mfcc
    mgrkit compare features_30_sec.csv --classifiers svm,knn,lda --reduce pca:17
    mgrkit compare features_30_sec.csv --folds 10 --out folds
    mgrkit compare songs.csv --classifiers svm --param svm.C=1 --param svm.C=10
    mgrkit compare images_original --classifiers cnn --cluster tcp://HOST:8786

    All learn from one split, or with --folds from the same folds by artist. Each takes the first
    DATA that holds what it eats or can be made into it; only tracks that are in all of them count.
    FOLDER gets compare.csv, compare.md, compare.png, and every model. The same command goes on
    after a stop; more classifiers, seeds and votes can be added later. A vote is the geometric mean
    of what its members say of a track: nothing is trained for it, its costs are theirs together.
    With --cluster, workers that see FOLDER make the fits, each one at a time.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.parameters import genre_map, of_classifiers, table_choice
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.comparing import Watch, show_comparison
    from mgrkit.commands.compare import Asked
    from mgrkit.commands.compare import compare as command
    from mgrkit.reports.comparison import write_report

    names, voting = (
        [name.strip() for name in text.split(",") if name.strip()] for text in (classifiers, votes)
    )
    single, grids = of_classifiers(param or [])
    asked = Asked(
        names, seeds, split, part, single, device, feature_set, genre_map(map_ or []), voting,
        table, table_choice(columns, drop, label_column, group_column, subset), reduce,
        folds, grids, label_from,
    )  # fmt: skip
    with Console("DATA", quiet=quiet, debug=debug, table=False) as console:
        with closing(Watch(quiet=quiet)) as watch:
            found = command(
                data,
                out,
                asked,
                options=Options(workers),
                report=console.report,
                say=watch.say,
                progress=watch.progress,
                cluster=cluster,
            )
        warnings = console.warnings()
    paths = write_report(found, out)
    if as_json:
        print_json({**found.as_json(), "warnings": warnings, "files": [str(p) for p in paths]})
    show_comparison(found, warnings, paths, on_stdout=not as_json, quiet=quiet)
    return found.exit_code
