"""``mgrkit tag``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mgrkit.cli.options import (
    Debug,
    Device,
    FilesFrom0,
    Json,
    ListIgnored,
    Quiet,
    Suffix,
    Timeout,
    Workers,
    number,
    read_lists,
)
from mgrkit.cli.predicting import Fetch, FilesFrom, MaxSeconds, Model, Threshold
from mgrkit.errors import MgrkitError, UsageError

if TYPE_CHECKING:
    from mgrkit.registry import Weights

_TAGS = 5
"""That are written where the model gives nothing else."""


def tag(
    context: typer.Context,
    sources: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="SRC", readable=False, help="Sound files, folders or track tables of them."
        ),
    ] = None,
    model: Model = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also where the field has a value.")
    ] = False,
    even_unsure: Annotated[
        bool, typer.Option("--even-unsure", help="Also where the verdict is unsure.")
    ] = False,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="LABEL=NAME",
            help="Write NAME for a LABEL of the model, or for a tag; may be repeated, or a file "
            "with one a line.",
            show_default=False,
        ),
    ] = None,
    field: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The field: genre, or a custom one such as MGRKIT_GENRE, which has the "
            "probabilities in NAME_PROBABILITY beside it.",
        ),
    ] = "genre",
    top: Annotated[
        int, typer.Option(metavar="N", help="Genres to write, as several values.", **number(int, 1))
    ] = 1,
    tags: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Write the N strongest tags behind the genre, too (needs a network such as "
            "musicnn).",
            show_default=False,
            **number(int, 1),
        ),
    ] = None,
    threshold: Threshold = None,
    max_seconds: MaxSeconds = None,
    keep_mtime: Annotated[
        bool, typer.Option("--keep-mtime", help="Leave the files' time of change as it is.")
    ] = False,
    undo_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Note there how to undo it; what is there stays. [default: mgrkit-undo.jsonl]",
            show_default=False,
        ),
    ] = None,
    undo: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write nothing new: make all files that this undo file names what they were.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", "-n", help="Predict, and print what would change: no more."),
    ] = False,
    files_from: FilesFrom = None,
    files_from0: FilesFrom0 = None,
    suffix: Suffix = None,
    list_ignored: ListIgnored = False,
    as_json: Json = False,
    fetch: Fetch = False,
    device: Device = "auto",
    workers: Workers = 4,
    timeout: Timeout = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Write the predicted genres into the files' own tags.

    \b
    mgrkit tag music --dry-run                      what would change
    mgrkit tag music                                where no genre is
    mgrkit tag --undo mgrkit-undo.jsonl             as it was, byte for byte
    mgrkit tag music --overwrite --map hiphop=Hip-Hop
    mgrkit tag music --field MGRKIT_GENRE --top 3   leaves the genre alone

    Nothing is written where the verdict is unsure, either.
    Each file is changed in a copy beside it, which then takes its place: all other tags,
    pictures and the sound stay. The same command goes on with a run that was stopped. Needs
    mutagen: pip install 'mgrkit[tags]'
    """
    from dataclasses import replace

    from mgrkit.audio.tags.kinds import GENRE
    from mgrkit.batch import Options
    from mgrkit.cli.options import called, typed
    from mgrkit.cli.parameters import label_names
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import printable
    from mgrkit.cli.views.tagged import Printer
    from mgrkit.cli.views.weights import fetching, say_whose
    from mgrkit.commands.predict import PredictSettings, found
    from mgrkit.commands.tag import UNDO, TagSettings
    from mgrkit.commands.tag import tag as command
    from mgrkit.commands.untag import untag
    from mgrkit.models.tagging import tag_set
    from mgrkit.tracks.find import Search
    from mgrkit.weights.store import fetch as get

    options = Options(workers, timeout)
    printer = Printer(as_json=as_json)
    if undo:
        goes_with = {"undo", "as_json", "workers", "timeout", "quiet", "debug"}
        if others := sorted(typed(context) - goes_with):
            name = called(context, others[0])
            raise UsageError(f"--undo takes no {name}", "it undoes all that its file names")
        with Console("tag", quiet=quiet, debug=debug, table=False) as console:

            def emit_restored(row: dict[str, Any]) -> None:
                with console.report.aside():
                    printer.emit(row)

            try:
                summary = untag(undo, emit_restored, options=options, report=console.report)
            except MgrkitError as error:
                return printer.cut(console, error, None)
            return printer.end(console, summary, None)
    listed = read_lists(files_from, files_from0)
    paths = [*(sources or []), *map(Path, listed or ())]
    if listed is None and not paths:
        raise UsageError("no SRC is given", "mgrkit tag music --dry-run")

    if tags is None and model and tag_set(model):
        tags = _TAGS

    def get_weights(weights: Weights) -> None:
        with fetching(quiet=quiet) as progress:
            got = get(weights, progress=progress)
        if not quiet:
            say_whose(got)

    asked = PredictSettings(model, top, threshold, max_seconds, tags=tags or 0, device=device)
    settings = TagSettings(
        asked,
        GENRE if field.lower() == GENRE else field,
        label_names(map_ or ()),
        overwrite,
        even_unsure,
        keep_mtime,
        dry_run,
    )
    # Weights may be fetched now: what is wrong with the call has been said.
    name, why = found(model, get_weights if fetch else None, tags=tags is not None)
    settings = replace(settings, predict=replace(asked, model=name))
    with Console("tag", quiet=quiet, debug=debug, table=False) as console:

        def emit(row: dict[str, Any]) -> None:
            with console.report.aside():
                printer.emit(row)

        if not quiet:
            console.report.opening = printable(why)
        noted = undo_file or Path(UNDO)
        search = Search.of(suffix or (), lists_ignored=list_ignored)
        try:
            summary = command(
                settings, paths, emit, noted, options=options, report=console.report, search=search
            )
        except MgrkitError as error:
            return printer.cut(console, error, noted)
        return printer.end(console, summary, noted)
