"""``mgrkit features``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    Cluster,
    Debug,
    Device,
    DryRun,
    FilesFrom,
    FilesFrom0,
    Json,
    ListIgnored,
    PieceSeconds,
    Quiet,
    Replace,
    ShardOf,
    Source,
    SourceTable,
    Suffix,
    Timeout,
    Workers,
    read_list,
)


def features(
    src: Source = None,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The table: .csv or .parquet.")] = Path(
        "features.csv"
    ),
    name: Annotated[
        str,
        typer.Option(
            "--set",
            metavar="NAME",
            help="Which numbers; see mgrkit plugins. NAME:mean and NAME:mean-sd sum up windows.",
        ),
    ] = "gtzan57",
    piece_seconds: PieceSeconds = None,
    device: Device = "auto",
    workers: Workers = 4,
    timeout: Timeout = None,
    table: SourceTable = None,
    files_from: FilesFrom = None,
    files_from0: FilesFrom0 = None,
    suffix: Suffix = None,
    list_ignored: ListIgnored = False,
    shard: ShardOf = None,
    cluster: Cluster = None,
    replace: Replace = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Describe sound by numbers: one table, a row per piece.

    \b
    mgrkit features                               audio and noisy -> features.csv
    mgrkit features audio features.parquet
    mgrkit features song.mp3 song.csv --piece-seconds 3
    mgrkit features audio tags.csv --set musicnn-tags

    gtzan57 are the 57 columns of Kaggle's features_30_sec.csv: mean and variance of chroma,
    energy, spectrum and 20 MFCC, and the tempo.

    fma518 are the 518 columns of FMA's features.csv, at the rate that each file has: give files
    of one rate to one model.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.commands.features import FeaturesSettings
    from mgrkit.commands.features import features as command
    from mgrkit.tracks.find import Search

    settings = FeaturesSettings.of(name, piece_seconds, device)
    with Console("features", quiet=quiet, debug=debug) as console:
        summary = command(
            settings,
            [src] if src else [Path()] if files_from or files_from0 else [],
            out,
            files=read_list(files_from, files_from0, src or Path()),
            search=Search.of(suffix or (), lists_ignored=list_ignored, shard=shard),
            table=table,
            options=Options(workers, timeout, dry=dry_run, cluster=cluster),
            replace=replace,
            report=console.report,
        )
        return console.show(summary, out, as_json=as_json, table=out, shard=shard)
