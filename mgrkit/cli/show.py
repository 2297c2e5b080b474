"""``mgrkit show``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import AllowTruncated, Debug, Quiet, named_as


def show(
    file: Annotated[Path, typer.Argument(metavar="FILE", readable=False, help="A sound file.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The picture. [default: FILE's name, ending in .png, here]",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="Draw this kind of spectrogram in the place of mel, of 10 minutes at most.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str, typer.Option(metavar="SIZE", help="Its pixels, width x height.")
    ] = "1200x1000",
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a file that mgrkit show did not make.")
    ] = False,
    allow_truncated: AllowTruncated = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what is known of FILE as JSON on stdout.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Draw one sound: waveform, spectrum, mel and chroma.

    \b
    mgrkit show song.mp3                          song.mp3 -> song.png
    mgrkit show song.mp3 --out pictures/song.png --size 2000x1600
    mgrkit show song.mp3 --kind tempogram

    Any length will do: of a long sound, each of at most 4000 columns shows the extremes of the
    waveform and the average power of its stretch.
    """
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.terminal.printing import print_json, printable
    from mgrkit.commands.show import as_json as fields_of
    from mgrkit.commands.show import show as command

    with Console("show", quiet=quiet, debug=debug, table=False) as console:
        with named_as({"kind": "--kind"}):
            shown = command(
                file, out, kind=kind, size=size, replace=replace, allow_truncated=allow_truncated
            )
        warnings = console.warnings()
        if as_json:
            print_json(fields_of(shown) | {"warnings": warnings})
        if not quiet:
            for text in filter(None, (shown.warning, *warnings)):
                print(f"warning: {text}", file=sys.stderr)
            print(f"{printable(shown.file)}: {printable(shown.words())}", file=sys.stderr)
            print(f"show: see {printable(shown.out)}", file=sys.stderr)
        return 0
