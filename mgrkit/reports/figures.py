"""Pictures of spectrograms for people: seconds, Hz or note names, and a value bar.

Drawn by matplotlib, slowly, and marked so that none is mistaken for what a model may see.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.errors import UsageError
from mgrkit.files.replacing import replacing
from mgrkit.frontend import CENTRED, DECIBELS, KINDS, SHARES
from mgrkit.spectrograms.image import bounds, levels
from mgrkit.spectrograms.kinds import code_of
from mgrkit.spectrograms.png import FIGURE

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.image import Image

_REPEATED = 16
_HEAD = 4096
"""Bytes of a PNG that hold its text chunks."""
_LEAST, _MOST = (320, 240), (8000, 8000)
_HERTZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000)
_MIDDLE_C = 440 * 2 ** (-9 / 12)
_OCTAVES = range(13)
# matplotlib promises nothing to threads; it holds the interpreter's lock most of the time anyway.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Canvas:
    """How a picture for people is drawn.

    Parameters
    ----------
    width, height : in pixels, ``scale`` times 320 x 240 to 8,000 x 8,000.
    notes : the C of each octave instead of Hz; C4 is the middle one, 261.6 Hz.
    scale : 2 for a drawing that needs twice the room.
    """

    width: int = 1000
    height: int = 500
    notes: bool = False
    scale: int = 1

    def __post_init__(self) -> None:
        least, most = (_LEAST[0] * self.scale, _LEAST[1] * self.scale), _MOST
        if not (least[0] <= self.width <= most[0] and least[1] <= self.height <= most[1]):
            raise UsageError(
                f"--size must be from {least[0]}x{least[1]} to {most[0]}x{most[1]} pixels, "
                f"not {self.width}x{self.height}"
            )

    @classmethod
    def of(cls, size: str, notes: bool = False, scale: int = 1) -> Canvas:
        """The canvas of a size such as '1200x600'; UsageError for any other text."""
        match = re.fullmatch(r"([0-9]{1,9})x([0-9]{1,9})", size)
        if not match:
            raise UsageError(f"--size must be WxH in pixels such as 1200x600, not {size!r}")
        return cls(int(match[1]), int(match[2]), notes, scale)

    @property
    def dpi(self) -> float:
        """Large pictures have larger letters, small ones none too small to be read."""
        return max(72.0, min(self.width / 10, self.height / (5 * self.scale)))

    @property
    def inches(self) -> tuple[float, float]:
        """Width and height."""
        return self.width / self.dpi, self.height / self.dpi

    def letters(self, share: float = 1.0) -> int:
        """How many letters of the usual size stand beside one another in a share of the width."""
        return int(share * self.width / (0.085 * self.dpi))


def draw_figure(
    path: str | os.PathLike[str],
    image: Image,
    frontend: FrontEnd,
    source: str,
    canvas: Canvas,
    *,
    cmap: str = "magma",
    start: float = 0.0,
    seconds: float,
) -> None:
    """Draw an image with its axes into a PNG, which `read_picture` refuses as ``for-people``.

    Parameters
    ----------
    source : the sound's name, the title.
    start, seconds : where in the track the image begins, and how long its sound is.
    """
    with drawn(path, "mgrkit spectrograms", canvas.inches, canvas.dpi) as figure:
        axes = figure.add_subplot()
        place = (start, start + seconds, -0.5, frontend.bands - 0.5)
        if frontend.planes:
            draw_planes(axes, image, frontend, place)
        else:
            draw_bands(axes, None, image, frontend, place, cmap)
            lines = canvas.height / canvas.dpi / 0.25
            mark_frequencies(axes, frontend, canvas.notes, lines)
        axes.set_xlabel("seconds")
        axes.set_title(shortened(source, canvas.letters(0.65)), loc="left", parse_math=False)


def draw_bands(
    axes: Axes,
    bar: Axes | None,
    image: Image,
    frontend: FrontEnd,
    place: tuple[float, float, float, float],
    cmap: str = "magma",
) -> None:
    """An image of one channel and its bar of values, beside ``axes`` or on axes of its own.

    Parameters
    ----------
    place : where it begins and ends, in seconds and in bands.
    """
    low, high = bar_of(image, frontend)
    values = levels(image, frontend)
    if KINDS[frontend.kind].law != DECIBELS:
        # Or bands would run into one another where columns are averaged.
        values = np.repeat(values, _REPEATED, axis=0)
    shown = axes.imshow(
        values,
        cmap="gray" if cmap == "grey" else cmap,
        origin="lower",
        aspect="auto",
        vmin=low,
        vmax=high,
        extent=place,
    )
    if bar is None:
        made = axes.figure.colorbar(shown, ax=axes, pad=0.01, aspect=30, fraction=0.05)
    else:
        made = axes.figure.colorbar(shown, cax=bar)
    made.set_label(unit_of(frontend))


def draw_planes(
    axes: Axes, image: Image, frontend: FrontEnd, place: tuple[float, float, float, float]
) -> None:
    """The channels as they are, and which is which; they have no axis in common but time."""
    axes.imshow(np.moveaxis(image.values, 0, -1), origin="lower", aspect="auto", extent=place)
    axes.set_yticks([])
    named = zip(("red", "green", "blue"), frontend.planes, strict=True)
    axes.set_ylabel("\n".join(f"{colour} {plane.kind}" for colour, plane in named))


@contextlib.contextmanager
def drawn(
    path: str | os.PathLike[str], maker: str, inches: tuple[float, float], dpi: float
) -> Iterator[Figure]:
    """Yields an empty figure of matplotlib's; what is drawn on it is at ``path`` at the end.

    The file is written whole or not at all, the same bytes whatever the user has configured and
    whenever it is. A PNG is marked as one for people. One figure at a time is drawn in a process.

    Parameters
    ----------
    path : a PDF or an SVG where it ends so, else a PNG.
    maker : the command that draws; the file names it.
    inches : width and height.

    Raises
    ------
    OSError : it cannot be written.
    """
    with _ONE_AT_A_TIME:
        import matplotlib
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        form = Path(path).suffix.lower().removeprefix(".")
        marks: dict[str, str | None] = {"Creator": maker}
        if form == "pdf":
            marks["CreationDate"] = None
        elif form == "svg":
            marks["Date"] = None
        else:
            form = "png"
            marks = {"Software": maker, FIGURE.decode(): json.dumps({"maker": maker})}
        with matplotlib.rc_context(), warnings.catch_warnings():
            matplotlib.rcdefaults()
            matplotlib.rcParams["svg.hashsalt"] = maker  # or its names are drawn at random
            # Of a script that the font lacks, boxes are drawn.
            warnings.filterwarnings("ignore", "Glyph .* missing from font")
            figure = Figure(figsize=inches, dpi=dpi, layout="constrained")
            FigureCanvasAgg(figure)
            yield figure
            with replacing(Path(path)) as temp:
                figure.savefig(temp, format=form, metadata=marks)


def bar_of(image: Image, frontend: FrontEnd) -> tuple[float, float]:
    """The least and the greatest value that are told apart by their colour."""
    law = KINDS[frontend.kind].law
    if law == SHARES:
        return 0.0, 1.0
    if law == CENTRED:
        # The first two coefficients are level and slope, and would hide the others.
        widest = max(image.scale[2:] or image.scale)
        return -widest, widest
    return bounds(image, frontend)


def unit_of(frontend: FrontEnd) -> str:
    """What the values of an image are, in a few words."""
    if KINDS[frontend.kind].law == SHARES:
        return "share of the largest"
    if KINDS[frontend.kind].law == CENTRED:
        return "value"
    if frontend.decibels:
        return "dB (the peak is 0)" if frontend.ref == "peak" else "dB (a power of 1 is 0)"
    if frontend.compression:
        return f"log10(1 + {frontend.compression.factor:g} power)"
    return "ln(power)"


def mark_frequencies(axes: Axes, frontend: FrontEnd, notes: bool, lines: float) -> None:
    """Label the vertical axis, whose unit is one band, with Hz or notes, or as the kind says.

    Parameters
    ----------
    lines : as many labels may stand above one another.
    """
    code = code_of(frontend.kind)
    places = code.marks(frontend) if code.marks else []
    if code.place:
        marks = [(f"{hertz}", float(hertz)) for hertz in _HERTZ]
        if notes:
            marks = [(f"C{octave}", _MIDDLE_C * 2 ** (octave - 4)) for octave in _OCTAVES]
        places = [(code.place(hertz, frontend), text) for text, hertz in marks]
    kept: list[tuple[float, str]] = []
    least = frontend.bands / lines
    for place, text in sorted(places, reverse=True):
        inside = -0.5 <= place <= frontend.bands - 0.5
        if inside and (not kept or kept[-1][0] - place >= least):
            kept.append((place, text))
    axes.set_yticks([place for place, _ in kept], [text for _, text in kept])
    axes.set_ylabel(code.axis or ("note" if notes else "Hz"))


def drawn_by(path: Path, maker: str) -> bool:
    """Whether a file is a drawing by this command, as `drawn` marks it."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        # A PDF says it at its end.
        return maker.encode() in file.read(-1 if path.suffix.lower() == ".pdf" else _HEAD)


def shortened(text: str, letters: int) -> str:
    """The end of a text, which for a path says more than the beginning, in so many letters."""
    printable = text.encode("utf-8", "replace").decode()
    return printable if len(printable) <= letters else f"...{printable[3 - letters :]}"
