"""``mgrkit evaluate``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mgrkit.cli.options import (
    DataTable,
    Debug,
    Device,
    GroupColumn,
    Json,
    LabelColumn,
    LabelFrom,
    Map,
    Quiet,
    Subset,
    Workers,
)


def evaluate(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A file of mgrkit train, or a name of mgrkit models."),
    ],
    data: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA",
            readable=False,
            help="Feature table, track table, or folder of sound or pictures by genre; for a vote "
            "several of one collection.",
        ),
    ],
    table: DataTable = None,
    part: Annotated[
        str,
        typer.Option(metavar="PART", help="test (all of DATA where it has none), valid or all."),
    ] = "test",
    seen: Annotated[
        bool, typer.Option("--seen", help="Count tracks that it was fit or chosen on, too.")
    ] = False,
    copies: Annotated[
        bool,
        typer.Option(
            "--copies", help="Judge noisy copies, not recordings, even where both are there."
        ),
    ] = False,
    label_column: LabelColumn = "",
    group_column: GroupColumn = "",
    subset: Subset = "",
    label_from: LabelFrom = "",
    map_: Map = None,
    under: Annotated[
        list[str] | None,
        typer.Option(
            "--under",
            metavar="CONDITION",
            help="Judge the sounds under it, too; may be repeated. One of COLOUR@SNR or "
            "RECORDING@SNR (dB), mp3@, opus@ or aac@KBITS, vorbis@QUALITY, gsm, reverb@SECONDS, "
            "gain@DB, pitch@SEMITONES, several values with commas; or a recipe.",
            show_default=False,
        ),
    ] = None,
    model_: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="With --under, another model to judge; may be repeated.",
            show_default=False,
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write what it says of each track there, as CSV: verdict, probabilities, artist.",
        ),
    ] = None,
    group: Annotated[
        str,
        typer.Option(
            metavar="GROUP",
            help="album or folder: judge all tracks of one together, too, by the genre whose "
            "probabilities have the largest sum.",
            show_default=False,
        ),
    ] = "",
    csv: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --under, write the scores there, as CSV."),
    ] = None,
    png: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Draw the confusion matrix, or with --under the curves, there, as PNG.",
        ),
    ] = None,
    confusion: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the confusion matrix there: .png, .pdf or .svg."),
    ] = None,
    percent: Annotated[
        bool,
        typer.Option(
            "--percent", help="Show the matrix in per cent of each genre's tracks, not in tracks."
        ),
    ] = False,
    device: Device = "auto",
    workers: Workers = 4,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Measure a model on tracks that it has not seen.

    \b
    mgrkit evaluate svm.safetensors features_30_sec.csv
    mgrkit evaluate svm audio --png confusion.png
    mgrkit evaluate svm.safetensors features_30_sec.csv --part all --json
    mgrkit evaluate svm noisy --predictions noisy.csv
    mgrkit evaluate svm audio --group album --confusion confusion.pdf --percent
    mgrkit evaluate svm audio --map Rap=hiphop
    mgrkit evaluate svm library --label-from tag
    mgrkit evaluate svm audio --under white@20,10,0 --under mp3@128,64 --under gsm
    mgrkit evaluate svm audio --model cnn --under reverb --png curves.png
    mgrkit evaluate vote.safetensors features_30_sec.csv images_original
    mgrkit evaluate fma.safetensors fma_metadata/features.csv --subset small

    The interval (95 %) is a bootstrap by artist. Tracks that the model learnt from or was chosen
    on are left out, and their number is said. Case, spaces, hyphens and underscores in a genre's
    name do not count. Noisy copies are judged for each noise and SNR that their tracks.csv names.
    Under conditions each row says by how much it differs from the clean sounds, too.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.parameters import genre_map, table_choice
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.scores import show_evaluation
    from mgrkit.commands.evaluate import evaluate as command
    from mgrkit.commands.evaluate import evaluate_under
    from mgrkit.reports.confusion import check_drawing, draw_confusion

    alone = {
        "--predictions": predictions, "--group": group, "--confusion": confusion,
        "--percent": percent,
    }  # fmt: skip
    _check(under, model_, csv, alone)
    if png:
        check_drawing(png, "--png", (".png",))
    if confusion:
        check_drawing(confusion, "--confusion")
    wanted: dict[str, Any] = {
        "table": table,
        "part": part,
        "seen": seen,
        "copies": copies,
        "genres": genre_map(map_ or []),
        "device": device,
        "options": Options(workers),
        "choice": table_choice(label=label_column, group=group_column, subset=subset),
        "label_from": label_from,
    }
    with Console("preparing", quiet=quiet, debug=debug, table=False) as console:
        wanted["report"] = console.report
        if under:
            results = evaluate_under([model, *(model_ or [])], *data, conditions=under, **wanted)
            results[0]["notes"] += console.warnings()
        else:
            result = command(model, *data, predictions=predictions, group=group, **wanted)
            result["notes"] += console.warnings()
    if under:
        return _show_under(results, csv, png, as_json=as_json, quiet=quiet)
    for path in filter(None, (png, confusion)):
        draw_confusion(result, path, percent=percent)
    if as_json:
        print_json(result)
    written = [predictions, png, confusion]
    show_evaluation(result, written, on_stdout=not as_json, quiet=quiet, percent=percent)
    return 1 if result["failed"] else 0


def _check(
    under: list[str] | None, models: list[str] | None, csv: Path | None, alone: Mapping[str, object]
) -> None:
    """Refuse options that contradict; those of ``alone`` go without --under."""
    from mgrkit.errors import UsageError
    from mgrkit.reports.robustness import check_csv

    if under and (given := next((name for name, value in alone.items() if value), "")):
        raise UsageError(f"{given} goes without --under", "two calls")
    for option, value in (("--model", models), ("--csv", csv)):
        if value and not under:
            raise UsageError(f"{option} goes with --under", "such as --under white@20,10,0")
    if csv:
        check_csv(csv)


def _show_under(
    results: list[dict[str, Any]],
    csv: Path | None,
    png: Path | None,
    *,
    as_json: bool,
    quiet: bool,
) -> int:
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.robustness import show_under
    from mgrkit.reports.robustness import draw_curves, write_rows

    if csv:
        write_rows(results, csv)
    if png:
        draw_curves(results, png)
    if as_json:
        print_json({"models": results})
    show_under(results, [csv, png], on_stdout=not as_json, quiet=quiet)
    return 1 if any(result["failed"] for result in results) else 0
