"""``mgrkit train``."""

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
    Reduce,
    SplitHow,
    Subset,
    Workers,
    named_as,
    number,
)
from mgrkit.errors import UsageError
from mgrkit.experiments.copies import COPIES, MOST_COPIES
from mgrkit.frontend.kinds import KINDS


def train(
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
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="The bundle to write: NAME.safetensors."),
    ],
    seed: Annotated[
        int,
        typer.Option(metavar="N", help="Another seed, other random choices.", **number(int)),
    ] = 0,
    table: DataTable = None,
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A parameter of the classifier; may be repeated."),
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
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit again on train + valid once it is measured.")
    ] = False,
    folds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Predict train by N fits on other artists, for votes and calibration.",
            **number(int),
        ),
    ] = None,
    bandwidth: Annotated[
        float,
        typer.Option(
            metavar="HZ",
            help="Let songs without sound above HZ be unsure: telephone, old radio. 0 for none.",
            **number(float, 0, 11_025),
        ),
    ] = 0.0,
    front_end: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=f"Draw sound as {', '.join(KINDS)}, for networks. [default: mel]",
            show_default=False,
        ),
    ] = None,
    augment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="RECIPE",
            help="Learn from altered copies, too: a recipe's name or file, or a condition such as "
            "white@10; may be repeated.",
        ),
    ] = None,
    augment_copies: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help=f"Copies of each sound of train by each --augment. [default: {COPIES}]",
            **number(int, 1, MOST_COPIES),
        ),
    ] = None,
    device: Device = "auto",
    precision: Annotated[
        str,
        typer.Option(metavar="PRECISION", help="float32, mixed, or auto: mixed on CUDA."),
    ] = "auto",
    workers: Workers = 4,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over an existing bundle.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Train a classifier and keep it as one file.

    \b
    mgrkit train svm features_30_sec.csv --out svm.safetensors
    mgrkit train random_forest audio --out forest.safetensors --seed 1
    mgrkit train svm tracks.csv --out rbf.safetensors --param C=3 --split grouped
    mgrkit train cnn spectrograms --out cnn.safetensors
    mgrkit train cnn audio --out cnn.safetensors --front-end kaggle-images
    mgrkit train cnn spectrograms --out cnn.safetensors --folds 5
    mgrkit train svm audio --set musicnn-tags:mean --out ears.safetensors
    mgrkit train svm features_30_sec.csv --columns mfcc --out mfcc.safetensors
    mgrkit train knn features_30_sec.csv --reduce pca:17 --out knn.safetensors
    mgrkit train svm features.csv --columns mfcc --subset small -o fma.safetensors
    mgrkit train cnn audio --augment white@20,10 --out cnn.safetensors
    mgrkit train svm library --label-from tag --out mine.safetensors
    torchrun --nproc-per-node 2 -m mgrkit train cnn audio --out cnn.safetensors

    It is fit on the train part, measured on valid and calibrated on folds of train that share no
    artist; networks use valid to choose their epoch and to calibrate. What is made of sound is
    kept in the cache. Networks keep checkpoints, measures and curves in NAME.run: the same
    command goes on after a stop.

    With --columns a table may lack values: each is taken for the median of its column in train.
    Beside FMA's features.csv and echonest.csv, tracks.csv has the genres, artists and parts.

    --augment makes altered copies of the sounds of train, of no others, before the fit; the cache
    keeps them. A network hears a song by another copy in each epoch, the other classifiers learn
    from all. Folds, calibration and measures are of the sounds themselves.

    In a folder, a tracks.csv (path, genre, artist, split) says what a file is. Where it does not,
    the folders are the genres, and folders train, valid and test the split; slices and noisy
    copies are known by their names. A library by artist has its genres in the tags of its files.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.parameters import genre_map, parameters, table_choice
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.fitting import FitBar
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.scores import show_trained
    from mgrkit.commands.train import TrainSettings
    from mgrkit.commands.train import train as command
    from mgrkit.compute.ranks import Ranks
    from mgrkit.frontend import front_end as check

    if front_end is not None:
        with named_as({"kind": "--front-end"}):
            check(front_end)
    given = parameters(param or [])
    if reduce and given.setdefault("reduce", reduce) != reduce:
        raise UsageError("--reduce and --param reduce differ", "give one of them")
    follower = Ranks.here().rank > 0
    settings = TrainSettings(
        seed, given, split, refit, device, front_end, precision, feature_set,
        genre_map(map_ or []), folds, bandwidth, table,
        table_choice(columns, drop, label_column, group_column, subset),
        augment or [], augment_copies, label_from,
    )  # fmt: skip
    silent = quiet or follower
    with Console("preparing", quiet=silent, debug=debug, table=False) as console:
        with closing(FitBar(quiet=silent)) as bar:
            trained = command(
                classifier,
                data,
                out,
                settings,
                replace=replace,
                options=Options(workers),
                report=console.report,
                progress=bar.progress,
            )
        notes = [*trained.notes, *console.warnings()]
    if follower:
        return 0
    if as_json:
        print_json(trained.as_json())
    show_trained(trained, notes, on_stdout=not as_json, quiet=quiet)
    return 1 if trained.failed else 0
