"""``mgrkit predict``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgrkit.cli.options import (
    Cluster,
    Debug,
    Device,
    DryRun,
    FilesFrom0,
    ListIgnored,
    Quiet,
    ShardOf,
    Suffix,
    Timeout,
    Workers,
    check_companions,
    number,
    read_lists,
)
from mgrkit.cli.predicting import Fetch, FilesFrom, MaxSeconds, Model, Threshold
from mgrkit.errors import UsageError

if TYPE_CHECKING:
    from mgrkit.registry import Weights

_TAGS = 5
"""That are named where the model gives nothing else."""


def predict(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE", readable=False, help="Sound files, folders or track tables of them."
        ),
    ] = None,
    model: Model = None,
    top: Annotated[
        int, typer.Option(metavar="N", help="Genres to name; --csv has all.", **number(int, 1))
    ] = 3,
    threshold: Threshold = None,
    only_unsure: Annotated[
        bool, typer.Option("--only-unsure", help="Print unsure verdicts and errors only.")
    ] = False,
    max_seconds: MaxSeconds = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="The genre of each piece, too.")
    ] = False,
    pieces: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --csv, write the genre of each piece to a table there."
        ),
    ] = None,
    tags: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Name the N strongest tags, too (needs a network such as musicnn).",
            show_default=False,
            **number(int, 1),
        ),
    ] = None,
    allow_truncated: Annotated[
        bool,
        typer.Option(
            "--allow-truncated/--no-allow-truncated",
            help="Judge what can be decoded of a file that is cut or damaged, with a warning.",
        ),
    ] = True,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="TABLE", help="Files of the folder FILE that TABLE (CSV, Parquet) lists."
        ),
    ] = None,
    files_from: FilesFrom = None,
    files_from0: FilesFrom0 = None,
    suffix: Suffix = None,
    list_ignored: ListIgnored = False,
    shard: ShardOf = None,
    cluster: Cluster = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Remember results there; the next call does only the rest. --top, --threshold "
            "and --timeline may change.",
        ),
    ] = None,
    playlists: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write an M3U8 playlist for each genre there, the likeliest songs first, and "
            "unsure.m3u8. All that mgrkit made there before is made anew; others' are left alone.",
        ),
    ] = None,
    playlist_paths: Annotated[
        str,
        typer.Option(
            "--playlist-paths",
            metavar="PATHS",
            help="How playlists name songs: relative (to DIR) or absolute.",
        ),
    ] = "relative",
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="FILE are folders: predict what is there, then what comes, until Ctrl-C. Files "
            "that are still written wait. What --resume FILE has is not printed again. [default: "
            "a file of its own in the cache]",
        ),
    ] = False,
    dry_run: DryRun = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a list of objects, in the order of the files.")
    ] = False,
    as_jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Print an object a line, as they come.")
    ] = False,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print CSV, a column a genre, as they come.")
    ] = False,
    fetch: Fetch = False,
    device: Device = "auto",
    workers: Workers = 4,
    timeout: Timeout = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Tell the genre of songs.

    \b
    mgrkit predict song.mp3
    mgrkit predict music --jsonl > genres.jsonl
    mgrkit predict song.mp3 --fetch                  with the best model there is
    mgrkit predict song.mp3 --model svm.safetensors --top 5 --timeline
    mgrkit predict song.mp3 --tags 5                 rock, indie, soul, ...
    mgrkit predict music --model musicnn-tags        tags alone
    mgrkit predict music --playlists lists           lists/rock.m3u8, ...
    mgrkit predict --watch downloads --jsonl         as files come
    find . -name '*.mp3' | mgrkit predict --files-from - --csv --resume done.jsonl

    A verdict marked ? is more likely wrong than right. A bad file is reported; the others are
    done. Nothing is downloaded without --fetch.
    """
    from mgrkit.batch import Options
    from mgrkit.classifiers.bundle import SUFFIX
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import printable
    from mgrkit.cli.views.predictions import Printer
    from mgrkit.cli.views.weights import fetching, say, say_whose
    from mgrkit.commands.predict import PredictSettings, found, genres
    from mgrkit.commands.predict import predict as command
    from mgrkit.commands.watching import check_watched, remembered
    from mgrkit.commands.watching import watch as watching
    from mgrkit.models.tagging import tag_set
    from mgrkit.tracks.find import Search
    from mgrkit.tracks.playlists import Playlists
    from mgrkit.weights.store import fetch as get

    if as_json + as_jsonl + as_csv > 1:
        raise UsageError("--json, --jsonl and --csv exclude each other", "give one of them")
    if as_csv and timeline:
        raise UsageError("with --csv, pieces have a table of their own", "--pieces FILE.csv")
    check_companions(context, {"pieces": ["as_csv"], "playlist_paths": ["playlists"]})
    if playlist_paths not in ("relative", "absolute"):
        raise UsageError(f"--playlist-paths must be relative or absolute, not {playlist_paths!r}")
    paths = list(files or [])
    if bundles := [path for path in paths if path.suffix == SUFFIX]:
        raise UsageError(f"{bundles[0]} is a model, not sound", f"--model {bundles[0]}")
    listed = read_lists(files_from, files_from0)
    paths += map(Path, listed or ())
    if listed is None and not paths:
        raise UsageError("no FILE is given", "mgrkit predict song.mp3, or a folder")
    if watch:
        unwatched = {
            "--json": as_json, "--pieces": pieces, "--playlists": playlists, "--table": table,
            "--files-from": listed is not None, "--shard": shard, "--cluster": cluster,
            "--list-ignored": list_ignored, "--dry-run": dry_run,
        }  # fmt: skip
        if wrong := [name for name, given in unwatched.items() if given]:
            raise UsageError(f"--watch takes no {wrong[0]}", "it goes on until Ctrl-C")
        check_watched(paths)
    form = "json" if as_json else "jsonl" if as_jsonl else "csv" if as_csv else "text"
    if tags is None and model and tag_set(model):
        tags = _TAGS
    printer = Printer(form, only_unsure=only_unsure, pieces=pieces, tags=tags is not None)

    def get_weights(weights: Weights) -> None:
        with fetching(quiet=quiet) as progress:
            got = get(weights, progress=progress)
        if not quiet:
            say_whose(got)

    name, why = found(model, get_weights if fetch else None, tags=tags is not None)
    settings = PredictSettings(
        name, sys.maxsize if as_csv else top, threshold, max_seconds,
        timeline or pieces is not None, tags or 0, allow_truncated, device,
    )  # fmt: skip
    lists = Playlists(playlists, playlist_paths == "absolute") if playlists else None
    with Console("predict", quiet=quiet, debug=debug, table=False) as console:

        def emit(row: dict[str, Any]) -> None:
            with console.report.aside():
                printer.emit(row)

        if why and not quiet:
            if watch:  # the report opens anew with each batch
                console.report.note(printable(why))
            else:
                console.report.opening = printable(why)
        common: Any = {
            "options": Options(workers, timeout, dry=dry_run, cluster=cluster),
            "report": console.report,
            "search": Search.of(suffix or (), lists_ignored=list_ignored, shard=shard),
        }
        with nullcontext() if dry_run else printer.open(genres(settings)):
            if watch:
                journal = resume or remembered(settings, paths)
                if not quiet:
                    where = printable(f"{', '.join(map(str, paths))}; done: {journal}")
                    console.report.note(f"watching {where}; Ctrl-C ends")
                summary = watching(settings, paths, emit, journal, **common)
            else:
                summary = command(
                    settings,
                    paths,
                    emit,
                    resume=resume,
                    in_order=as_json,
                    table=table,
                    playlists=lists,
                    **common,
                )
            if (as_json or as_jsonl) and not dry_run:
                for name, reason in summary.ignored_files or ():
                    printer.emit({"path": name, "ignored": reason})
        code = console.show(summary, as_json=as_json and dry_run)
        if only_unsure and not (quiet or dry_run):
            say(f"{printer.unsure} of {printer.verdicts} verdicts are unsure")
        return code
