"""The options of ``mgrkit augment`` that say how a copy is mixed, and of what."""

from __future__ import annotations

from typing import Annotated

import typer

from mgrkit.cli.options import number

Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Copies as another system makes them: s2, with --noise FILE.",
        show_default=False,
    ),
]
Presets = Annotated[
    bool, typer.Option("--presets", help="List the presets and where they are from.")
]
MixGain = Annotated[
    list[float] | None,
    typer.Option(
        "--mix-gain",
        metavar="G",
        help="Instead of --snr: the sound plus G times the noise, a colour having an RMS of 1; "
        "may be repeated.",
        show_default=False,
        **number(float, 1e-6, 1000),
    ),
]
NoiseStart = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Take a recording of noise as it is, from there on. [default: what sounds in it, "
        "from a place that is drawn]",
        show_default=False,
        **number(float, 0),
    ),
]
Start = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Copy each sound from there on. [default: 0]",
        show_default=False,
        **number(float, 0),
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Copy exactly so much of each sound; a shorter one is a failure. [default: all]",
        show_default=False,
        **number(float, 0),
    ),
]
Rate = Annotated[
    int | None,
    typer.Option(
        metavar="HZ",
        help="Resample to this rate. [default: each sound's own]",
        show_default=False,
        **number(int, 1000, 768_000),
    ),
]
Mono = Annotated[bool, typer.Option("--mono", help="Mix the channels to one, their mean.")]
Clip = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        help="With --mix-gain, what is beyond full scale: gain makes the finished mix softer, hard "
        "clips it. [default: gain]",
        show_default=False,
    ),
]
Names = Annotated[
    str | None,
    typer.Option(
        metavar="WHICH",
        help="Copies are called by names of their own, or the same as their source, of which "
        "there is then one copy. [default: own]",
        show_default=False,
    ),
]
