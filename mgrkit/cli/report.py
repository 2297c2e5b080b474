"""``mgrkit report``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import Debug, Json, Quiet, Workers, content_of, number


def report(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SRC",
            readable=False,
            help="What predict or evaluate gave, a folder of compare, tune or train, a model, or "
            "a track table; - reads stdin.",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="The page, an .html file.")
    ] = Path("report.html"),
    sound: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where the sound files are. [default: their paths from here, or from SRC]",
            show_default=False,
        ),
    ] = None,
    pictures: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Rows with a small spectrogram, at most: the first, or the hardest; 0 to 2,000.",
            **number(int, 0, 2000),
        ),
    ] = 200,
    predictions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With the JSON of evaluate, what its --predictions wrote."
        ),
    ] = None,
    pieces: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With the CSV of predict, what its --pieces wrote."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="MODEL",
            help="With what evaluate gave, the model, to show its settings. With the file of "
            "predict --resume, the model that it was made with. [default: the one of its name]",
            show_default=False,
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a file that mgrkit report did not make.")
    ] = False,
    workers: Workers = 4,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Show results in a browser: one HTML file, without a network.

    \b
    mgrkit predict music --jsonl --timeline > songs.jsonl
    mgrkit report songs.jsonl --out songs.html
    mgrkit predict music --csv | mgrkit report - --out songs.html
    mgrkit evaluate svm audio --json --predictions tracks.csv > svm.json
    mgrkit report svm.json --predictions tracks.csv --model svm --sound audio
    mgrkit report comparison --sound audio --out comparison.html
    mgrkit report my-forest.safetensors --out my-forest.html

    Tracks are a table to sort, to search and to listen to; where their sound is at hand, the
    first ones, or the hardest, have small spectrograms. The players need the sound files to
    stay where they are; all else is in the page.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json, printable
    from mgrkit.commands.report import report as command
    from mgrkit.reports.html.content import PIPE
    from mgrkit.reports.html.sources import Beside

    is_piped = str(source) == "-"
    with Console("report", quiet=quiet, debug=debug, table=False) as console:
        made = command(
            PIPE if is_piped else source,
            out,
            beside=Beside(predictions, pieces, model),
            sound=sound,
            pictures=pictures,
            replace=replace,
            options=Options(workers),
            told=console.report,
            piped=content_of("-") if is_piped else None,
        )
        warnings = console.warnings()
        if as_json:
            print_json({**made.as_json(), "warnings": warnings})
        if not quiet:
            for text in made.notes:
                print(f"note: {printable(text)}", file=sys.stderr)
            for text in warnings:
                print(f"warning: {printable(text)}", file=sys.stderr)
            size = f"{made.out.stat().st_size / 1e6:.1f} MB"
            if made.rows:
                rows = f"{made.rows:,} row{'' if made.rows == 1 else 's'}"
                drawn = f"{made.sounds:,} to listen to, {made.pictures:,} with pictures"
                size = f"{rows}, {drawn}, {size}"
            print(f"report: {size}; see {printable(out)}", file=sys.stderr)
        return made.summary.exit_code
