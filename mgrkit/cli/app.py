"""The Typer application: the commands by name."""

from __future__ import annotations

from typing import Annotated

import typer

from mgrkit import __version__
from mgrkit.cli.group import HELP_OPTIONS, Commands

app = typer.Typer(
    name="mgrkit",
    cls=Commands,
    help="""Music genre recognition: train on sound, and tell the genre of songs.

    \b
    mgrkit demo                             every step on synthetic music
    mgrkit augment                          audio -> noisy
    mgrkit spectrograms --workers 16        audio and noisy -> spectrograms
    mgrkit show song.mp3                    waveform, spectra and chroma
    mgrkit features                         audio and noisy -> features.csv
    mgrkit train svm features.csv --out svm.safetensors
    mgrkit evaluate svm.safetensors features.csv
    mgrkit predict song.mp3
    mgrkit models fetch musicnn             then predict is right more often
    mgrkit compare features.csv             one table of all classifiers

    Every run can be stopped and started again: only what is missing is made. Results go to
    files and stdout, words to stderr. Exit codes: 0 all done, 1 some items failed, 2 wrong
    call, 3 could not start or go on, 130 and 143 stopped, 141 nobody reads.""",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_OPTIONS,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mgrkit {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it and end.")
    ] = False,
) -> None:
    del version
