"""The Typer application: the commands by name."""

from __future__ import annotations

from typing import Annotated

import typer

from mgrkit import __version__
from mgrkit.cli.augment import augment
from mgrkit.cli.classifiers import classifiers
from mgrkit.cli.compare import compare
from mgrkit.cli.demo import demo
from mgrkit.cli.doctor import doctor
from mgrkit.cli.evaluate import evaluate
from mgrkit.cli.features import features
from mgrkit.cli.models import models
from mgrkit.cli.plugins import plugins
from mgrkit.cli.predict import predict
from mgrkit.cli.show import show
from mgrkit.cli.spectrograms import spectrograms
from mgrkit.cli.train import train

app = typer.Typer(
    name="mgrkit",
    help="""Noisy copies and spectrograms of music, many files at once.

    \b
    mgrkit demo                             the whole line on synthetic music
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
    call, 3 could not start or go on, 130 and 143 stopped.""",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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


app.command()(augment)
app.command()(spectrograms)
app.command()(show)
app.command()(features)
app.command()(train)
app.command()(evaluate)
app.command()(predict)
app.command()(compare)
app.command()(demo)
app.command()(classifiers)
app.command()(plugins)
app.command()(doctor)
app.add_typer(models, name="models")
