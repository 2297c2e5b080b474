"""``mgrkit spectrograms``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mgrkit.cli.drawing import (
    OPTIONS,
    BinsPerOctave,
    DctType,
    Floor,
    Fmin,
    Lags,
    Lifter,
    Log,
    NMfcc,
    Octaves,
    Power,
    Preset,
    Presets,
    Ref,
    Resample,
    Size,
    TopDb,
    Window,
    hertz_or_note,
)
from mgrkit.cli.options import (
    AllowTruncated,
    Cluster,
    Debug,
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
    called,
    named_as,
    number,
    read_list,
    typed,
)
from mgrkit.errors import UsageError
from mgrkit.frontend.kinds import in_words

_OTHERS = {name: f"--{name.replace('_', '-')}" for name in ("preset", "cmap", "axes", "notes",
                                                           "piece_seconds")}  # fmt: skip
"""What else is called otherwise here than in Python."""
_LISTS = "it lists, and draws nothing"


def spectrograms(
    context: typer.Context,
    src: Source = None,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the pictures.")] = Path(
        "spectrograms"
    ),
    preset: Preset = None,
    presets: Presets = False,
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            "--front-end",
            metavar="KIND",
            help=f"{in_words()}.",
        ),
    ] = "mel",
    sample_rate: Annotated[
        int, typer.Option(metavar="HZ", help="Resample to this rate.", **number(int))
    ] = 22050,
    n_fft: Annotated[
        int, typer.Option(metavar="N", help="Samples of a window.", **number(int))
    ] = 2048,
    hop_length: Annotated[
        int, typer.Option(metavar="N", help="Samples from frame to frame.", **number(int))
    ] = 512,
    window: Window = "hann",
    power: Power = 2,
    n_mels: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Mel bands. [default: 128]", show_default=False, **number(int)
        ),
    ] = None,
    fmin: Fmin = None,
    fmax: Annotated[
        float | None,
        typer.Option(
            metavar="HZ",
            help="Highest frequency of mel. [default: half the rate]",
            show_default=False,
            **number(float),
        ),
    ] = None,
    log: Log = None,
    ref: Ref = None,
    top_db: TopDb = None,
    floor: Floor = None,
    n_mfcc: NMfcc = None,
    dct_type: DctType = None,
    lifter: Lifter = None,
    bins_per_octave: BinsPerOctave = None,
    octaves: Octaves = None,
    lags: Lags = None,
    cmap: Annotated[str, typer.Option(metavar="NAME", help="magma, viridis or grey.")] = "magma",
    axes: Annotated[
        bool, typer.Option("--axes", help="For people: with seconds, Hz and a value bar.")
    ] = False,
    notes: Annotated[
        bool, typer.Option("--notes", help="Note names instead of Hz; implies --axes.")
    ] = False,
    size: Size = None,
    resample: Resample = None,
    piece_seconds: PieceSeconds = None,
    allow_truncated: AllowTruncated = False,
    device: Annotated[
        str,
        typer.Option(
            metavar="DEVICE", help="cpu, cuda or cuda:N: who transforms; the same within a level."
        ),
    ] = "cpu",
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
    """Draw spectrograms as PNG, one pixel per band and frame.

    \b
    mgrkit spectrograms                           audio and noisy -> spectrograms
    mgrkit spectrograms --workers 16
    mgrkit spectrograms song.mp3 pictures
    mgrkit spectrograms s3://music/audio s3://music/pictures
    mgrkit spectrograms audio pieces --piece-seconds 3
    mgrkit spectrograms audio linear --kind stft
    mgrkit spectrograms audio semitones --kind cqt --fmin C2 --octaves 6
    mgrkit spectrograms audio colours --kind rgb:mel,chroma-cqt,chroma-stft
    mgrkit spectrograms audio squares --size 224x224 --resample area
    mgrkit spectrograms audio like-kaggle --front-end kaggle-images
    mgrkit spectrograms audio pons --preset pons
    mgrkit spectrograms --presets                 whose pictures can be drawn
    mgrkit spectrograms song.mp3 posters --axes --size 1600x800

    A pixel is round(255 (dB - peak + top_db) / top_db) of its piece; of chroma and tempogram 255
    times a share, of mfcc and tonnetz about 127.5 for 0. mgrkit.spectrograms.read_png gives the
    values back. Pictures with axes are for people, slow
    to draw, and refused by train and predict. The table is OUT/tracks.csv.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.commands.spectrograms import SpectrogramsSettings
    from mgrkit.commands.spectrograms import spectrograms as command
    from mgrkit.tracks.find import Search

    marks = "notes" if notes else "hz" if axes else ""
    options: dict[str, Any] = {
        "kind": kind, "sample_rate": sample_rate, "n_fft": n_fft, "hop_length": hop_length,
        "window": window, "power": power, "n_mels": n_mels, "fmin": hertz_or_note(fmin),
        "fmax": fmax, "log": log, "ref": ref, "top_db": top_db, "floor": floor, "n_mfcc": n_mfcc,
        "dct_type": dct_type, "lifter": lifter, "bins_per_octave": bins_per_octave,
        "octaves": octaves, "lags": lags, "size": size, "resample": resample, "cmap": cmap,
        "axes": marks, "piece_seconds": piece_seconds, "allow_truncated": allow_truncated,
        "device": device,
    }  # fmt: skip
    given = typed(context)
    if presets:
        from mgrkit.cli.views.presets import show_presets

        if others := given - {"presets", "as_json", "quiet", "debug"}:
            raise UsageError(f"--presets takes no {called(context, min(others))}", _LISTS)
        return show_presets(as_json=as_json)
    with named_as(OPTIONS | _OTHERS):
        if preset is None:
            settings = SpectrogramsSettings.of(**options)
        else:
            asked = given | {"axes"} if marks else given
            chosen = {name: value for name, value in options.items() if name in asked}
            settings = SpectrogramsSettings.of_preset(preset, **chosen)
    with Console("spectrograms", quiet=quiet, debug=debug) as console:
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
        return console.show(summary, out, as_json=as_json, shard=shard)
