"""``mgrkit augment``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    Debug,
    DryRun,
    FilesFrom,
    FilesFrom0,
    Json,
    ListIgnored,
    Quiet,
    Replace,
    SourceTable,
    Suffix,
    Timeout,
    Workers,
    number,
    read_list,
)


def augment(
    src: Annotated[
        Path | None,
        typer.Argument(
            metavar="SRC",
            readable=False,
            help="Folder, sound file or track table. [default: audio]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the noisy copies.")] = Path(
        "noisy"
    ),
    noise: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NOISE",
            help="white, pink, brown, blue, violet, or a recording or a folder of recordings; "
            "may be repeated. [default: white]",
            show_default=False,
        ),
    ] = None,
    snr: Annotated[
        list[float] | None,
        typer.Option(
            metavar="DB",
            help="Signal-to-noise ratio in dB, -20 to 80; may be repeated. [default: 10]",
            show_default=False,
            **number(float, -20, 80),
        ),
    ] = None,
    copies: Annotated[
        int,
        typer.Option(metavar="N", help="Copies of each noise and SNR.", **number(int, 1)),
    ] = 1,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Another seed, another noise.", **number(int))
    ] = 0,
    subtype: Annotated[
        str, typer.Option(metavar="TYPE", help="PCM_16, PCM_24 or FLOAT.")
    ] = "PCM_16",
    format: Annotated[  # noqa: A002
        str, typer.Option(metavar="TYPE", help="wav or flac.")
    ] = "wav",
    workers: Workers = 4,
    timeout: Timeout = None,
    table: SourceTable = None,
    files_from: FilesFrom = None,
    files_from0: FilesFrom0 = None,
    suffix: Suffix = None,
    list_ignored: ListIgnored = False,
    replace: Replace = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Make noisy copies of sound files, at an exact SNR.

    \b
    mgrkit augment                                audio -> noisy, white, 10 dB
    mgrkit augment --noise pink --noise white --snr 0 --snr 10 --copies 2
    mgrkit augment audio noisy --noise cafe.wav --snr 5
    mgrkit augment song.mp3 out --subtype FLOAT

    Copies are called <stem>.<noise>_<snr>dB_<k>.wav and keep rate, length and channels of their
    source. The SNR holds in the written file, of power above 20 Hz: an offset or rumble is neither
    signal nor noise. OUT/tracks.csv gives it as measured, with the gain that the finished mix got
    against clipping.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.commands.augment import DEFAULT_SOURCE, AugmentSettings
    from mgrkit.commands.augment import augment as command
    from mgrkit.tracks.find import Search

    root = src or (Path() if files_from or files_from0 else DEFAULT_SOURCE)
    with Console("augment", quiet=quiet, debug=debug) as console:
        summary = command(
            AugmentSettings(seed, subtype, format),
            root,
            out,
            noises=noise or ["white"],
            snrs=snr or [10.0],
            copies=copies,
            files=read_list(files_from, files_from0, root),
            search=Search.of(suffix or (), lists_ignored=list_ignored),
            table=table,
            options=Options(workers, timeout, dry=dry_run),
            replace=replace,
            report=console.report,
        )
        return console.show(summary, out, as_json=as_json)
