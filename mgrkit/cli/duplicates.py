"""``mgrkit duplicates``."""

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
    SourceTable,
    Suffix,
    Timeout,
    Workers,
    read_list,
)
from mgrkit.errors import UsageError


def duplicates(
    src: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SRC", readable=False, help="Folders, sound files, or a track table."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="TABLE",
            help="Write a track table that mgrkit data audit reads: .csv or .parquet.",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Keep fingerprints there; the next call makes only what is new. [default: in "
            "the cache folder]",
            show_default=False,
        ),
    ] = None,
    workers: Workers = 4,
    timeout: Timeout = None,
    table: SourceTable = None,
    files_from: FilesFrom = None,
    files_from0: FilesFrom0 = None,
    suffix: Suffix = None,
    list_ignored: ListIgnored = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Find the same recording in several files.

    \b
    mgrkit duplicates music
    mgrkit duplicates music --json | jq '.groups[][] | select(.keep | not).path'
    mgrkit duplicates a.mp3 b.flac
    mgrkit duplicates music --out found.csv

    It finds copies in other formats, at other rates and levels, and cut by some seconds, by
    fingerprints of the first two minutes (Chromaprint), and exact copies by their sound. Of each
    recording the best file is marked: the whole one, then lossless, of most channels, longest,
    of highest rate, of most bits. What lies in a much longer file, as a song in its album, is
    shown as a part of it and is no copy. Nothing is deleted. Genres are handed on to TABLE; they
    decide nothing. It needs pip install 'mgrkit[duplicates]' or the program fpcalc.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.duplicates import show_duplicates
    from mgrkit.commands.duplicates import duplicates as command
    from mgrkit.tracks.find import Search

    sources = list(src or [])
    is_listed = bool(files_from or files_from0)
    if not sources and not is_listed:
        raise UsageError("no SRC is given", "mgrkit duplicates music")
    if len(sources) > 1 and is_listed:
        raise UsageError("a list of files goes with one SRC", "the folder of its files")
    sources = sources or [Path()]
    with Console("duplicates", quiet=quiet, debug=debug, table=False) as console:
        found = command(
            sources,
            out,
            files=read_list(files_from, files_from0, sources[0]),
            search=Search.of(suffix or (), lists_ignored=list_ignored),
            table=table,
            resume=resume,
            options=Options(workers, timeout, dry=dry_run),
            report=console.report,
        )
        code = console.show(found.summary, as_json=as_json and dry_run)
    if found.complete:
        if as_json:
            print_json(found.as_json())
        show_duplicates(found, on_stdout=not as_json, quiet=quiet)
    return code
