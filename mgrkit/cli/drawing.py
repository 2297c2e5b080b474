"""The options that say how sound becomes a picture, beside the oldest ones."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mgrkit.cli.options import number
from mgrkit.frontend.presets import PRESETS

DRAWING = (
    "kind", "sample_rate", "n_fft", "hop_length", "window", "power", "n_mels", "fmin", "fmax",
    "log", "ref", "top_db", "floor", "n_mfcc", "dct_type", "lifter", "bins_per_octave", "octaves",
    "lags", "size", "resample",
)  # fmt: skip
OPTIONS = {name: f"--{name.replace('_', '-')}" for name in DRAWING}
"""What `mgrkit.frontend.front_end` takes, and what it is called here."""


def hertz_or_note(text: str | None) -> float | str | None:
    """A number where it is one, else what may be the name of a note."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _choice(kind: type[int] | type[float], help_: str, metavar: str = "N") -> Any:
    return typer.Option(metavar=metavar, help=help_, show_default=False, **number(kind))


Preset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"Draw as a system or paper of the field does: {', '.join(PRESETS)}. Other options "
        "may say what it leaves open.",
        show_default=False,
    ),
]
Presets = Annotated[
    bool,
    typer.Option("--presets", help="List the presets, what they set and whose they are."),
]
Window = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="hann, hamming, blackman, blackmanharris (92 dB) or blackmanharris62."
    ),
]
Power = Annotated[
    int, typer.Option(metavar="N", help="Of magnitudes, in mel and stft: 2 or 1.", **number(int))
]
Fmin = Annotated[
    str | None,
    typer.Option(
        metavar="HZ",
        help="Lowest frequency of mel (0), or note of constant Q (C1). In rgb, Hz are for mel "
        "bands alone where one of the three has them, a note is for all.",
        show_default=False,
    ),
]
Log = Annotated[
    str | None,
    typer.Option(
        metavar="LAW",
        help="db; log10 for log10(1 + 10000 power); or ln for ln(power). [default: db]",
        show_default=False,
    ),
]
Ref = Annotated[
    str | None,
    typer.Option(
        metavar="REF",
        help="What 255 is: the picture's peak, or with 1.0 a tone of full scale, so that level is "
        "kept. [default: peak]",
        show_default=False,
    ),
]
TopDb = Annotated[
    float | None, _choice(float, "Shown are so many dB below the peak. [default: 80]", "DB")
]
Floor = Annotated[
    str | None,
    typer.Option(
        metavar="FLOOR",
        help="What 0 is: top-db below the peak, or least, the picture's own least level, as "
        "matplotlib draws. [default: top-db]",
        show_default=False,
    ),
]
NMfcc = Annotated[int | None, _choice(int, "Coefficients of mfcc. [default: 20]")]
DctType = Annotated[int | None, _choice(int, "Cosine transform of mfcc: 1, 2 or 3. [default: 2]")]
Lifter = Annotated[float | None, _choice(float, "Lifter of mfcc; 0 for none. [default: 0]")]
BinsPerOctave = Annotated[
    int | None, _choice(int, "Of constant Q. [default: 12; of chroma and tonnetz 36]")
]
Octaves = Annotated[int | None, _choice(int, "Of constant Q. [default: 7]")]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="Exactly so many pixels, width x height, 8x8 to 4096x4096; of a picture with axes all "
        "of it, 320x240 to 8000x8000. [default: one per band and frame; with axes 1000x500]",
        show_default=False,
    ),
]
Resample = Annotated[
    str | None,
    typer.Option(
        metavar="HOW",
        help="To --size: nearest, bilinear, area, or matplotlib, as that paints. [default: "
        "bilinear]",
        show_default=False,
    ),
]
Lags = Annotated[int | None, _choice(int, "Frames that tempogram looks back. [default: 384]")]
