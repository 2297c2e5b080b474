"""``mgrkit data convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    Cluster,
    Debug,
    DryRun,
    FilesFrom,
    FilesFrom0,
    Json,
    ListIgnored,
    Quiet,
    Replace,
    ShardOf,
    SourceTable,
    Suffix,
    Timeout,
    Workers,
    number,
    read_list,
)


def convert(
    src: Annotated[
        Path,
        typer.Argument(metavar="SRC", readable=False, help="Folder, sound file or track table."),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Folder for the files. Inside SRC, this call leaves it out, but others take it.",
        ),
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="FORMAT", help="wav, flac, mp3, ogg, opus or m4a.")
    ] = "wav",
    rate: Annotated[
        int | None,
        typer.Option(
            metavar="HZ",
            help="Samples per second. [default: as in SRC; of opus 48000]",
            show_default=False,
            **number(int, 1000, 768000),
        ),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="1, the mean of all, or 2. [default: as in SRC]",
            show_default=False,
            **number(int, 1, 2),
        ),
    ] = None,
    subtype: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE",
            help="Of wav and flac: PCM_16, PCM_24, or FLOAT in wav. [default: PCM_16]",
            show_default=False,
        ),
    ] = None,
    bit_rate: Annotated[
        int | None,
        typer.Option(
            metavar="KBITS",
            help="Of mp3, opus and m4a, in kbit/s. [default: 192, 128 and 160, or the most that "
            "the rate allows]",
            show_default=False,
            **number(int, 8, 512),
        ),
    ] = None,
    quality: Annotated[
        float | None,
        typer.Option(
            metavar="Q",
            help="Of ogg, 0 to 10. [default: 5]",
            show_default=False,
            **number(float, 0, 10),
        ),
    ] = None,
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
    """Convert a collection to another format, rate or number of channels.

    \b
    mgrkit data convert fma_small wav --rate 22050 --channels 1
    mgrkit data convert gtzan flac --to flac
    mgrkit data convert music small --to opus --bit-rate 64
    mgrkit data convert gtzan s3://music/gtzan --to flac

    The tree stays as it is, and OUT/tracks.csv keeps genres, artists and parts. A file that cannot
    be read is a failed row.

    These tags are kept, of several values the first: title, artist, album, album_artist, composer,
    genre, date, track, disc, comment and copyright; wav has no album_artist, composer and disc.
    Other tags and pictures are not. m4a is up to 1023 samples longer: its last frame is filled up.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.commands.convert import ConvertSettings
    from mgrkit.commands.convert import convert as command
    from mgrkit.tracks.find import Search

    settings = ConvertSettings(to, rate, channels, subtype, bit_rate, quality)
    with Console("convert", quiet=quiet, debug=debug) as console:
        summary = command(
            settings,
            src,
            out,
            files=read_list(files_from, files_from0, src),
            search=Search.of(suffix or (), lists_ignored=list_ignored, shard=shard),
            table=table,
            options=Options(workers, timeout, dry=dry_run, cluster=cluster),
            replace=replace,
            report=console.report,
        )
        return console.show(summary, out, as_json=as_json, shard=shard)
