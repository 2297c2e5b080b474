"""A sound as waveform, spectrum, mel spectrogram and chroma on one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.frontend import front_end
from mgrkit.reports.figures import (
    Canvas,
    draw_bands,
    draw_planes,
    drawn,
    mark_frequencies,
    shortened,
)
from mgrkit.spectrograms.kinds import mel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mgrkit.frontend import FrontEnd
    from mgrkit.reports.overview import Overview
    from mgrkit.spectrograms.image import Image

_CLASSES = {0: "C", 2: "D", 4: "E", 5: "F", 7: "G", 9: "A", 11: "B"}
_FEW_CLASSES = {0: "C", 4: "E", 7: "G"}
_LOWEST_HZ = 20.0
_FLOOR_DB = -80.0
_COLOUR = "#51127c"


def draw_sound(
    path: Path,
    maker: str,
    seen: Overview,
    heading: tuple[str, str],
    canvas: Canvas,
    kind: tuple[Image, FrontEnd] | None = None,
) -> None:
    """Draw what was seen of a sound into a PNG for people, see `drawn`.

    Parameters
    ----------
    heading : the two lines above the picture; each is shortened to fit.
    kind : an image of the sound, and how it was made, in the place of mel.

    Raises
    ------
    OSError : it cannot be written.
    """
    with drawn(path, maker, canvas.inches, canvas.dpi) as figure:
        grid = figure.add_gridspec(4, 2, width_ratios=[60, 1], height_ratios=[2, 2, 4, 3])
        waveform, spectrum, bands, chroma = (figure.add_subplot(grid[row, 0]) for row in range(4))
        bars = [figure.add_subplot(grid[row, 1]) for row in (2, 3)]
        _draw_waveform(waveform, seen)
        _draw_spectrum(spectrum, seen)
        if kind is None:
            _draw_mel(bands, bars[0], seen, canvas)
        else:
            _draw_kind(bands, bars[0], kind, seen.seconds, canvas)
        _draw_chroma(chroma, bars[1], seen, canvas)
        for axes in (waveform, bands, chroma):
            axes.set_xlim(0, seen.seconds)
        chroma.set_xlabel("seconds")
        name, line = heading
        figure.suptitle(
            f"{shortened(name, canvas.letters(0.8))}\n{shortened(line, canvas.letters(0.9))}",
            fontsize="medium",
            parse_math=False,
        )


def _draw_waveform(axes: Axes, seen: Overview) -> None:
    seconds = seen.extreme_seconds * (np.arange(len(seen.extremes)) + 0.5)
    lowest, highest = seen.extremes.T
    # With an edge, so that a stretch of one value is seen too.
    axes.fill_between(seconds, lowest, highest, color=_COLOUR, linewidth=0.5)
    limit = max(1e-4, 1.05 * float(np.abs(seen.extremes).max()))
    axes.set_ylim(-limit, limit)
    axes.set_ylabel("waveform")
    axes.margins(x=0)


def _draw_spectrum(axes: Axes, seen: Overview) -> None:
    power = seen.power.mean(axis=0, dtype=np.float64)
    hertz = np.arange(len(power)) * (seen.analysis_rate / (2 * (len(power) - 1)))
    levels = 10 * np.log10(np.maximum(power / power.max(), 1e-12))
    axes.plot(hertz[1:], np.maximum(levels[1:], _FLOOR_DB), color=_COLOUR, linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(_LOWEST_HZ, seen.analysis_rate / 2)
    axes.set_ylim(_FLOOR_DB, 3)
    ticks = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylabel("dB")
    axes.set_xlabel("spectrum, Hz")
    axes.grid(alpha=0.3)


def _draw_mel(axes: Axes, bar: Axes, seen: Overview, canvas: Canvas) -> None:
    front = front_end()
    power = mel.project(seen.power, front)
    levels = 10 * np.log10(np.maximum(power, 1e-10) / max(float(power.max()), 1e-10))
    image = axes.imshow(
        levels.T,
        cmap="magma",
        origin="lower",
        aspect="auto",
        vmin=_FLOOR_DB,
        vmax=0,
        extent=(0, len(levels) * seen.column_seconds, -0.5, front.bands - 0.5),
    )
    mark_frequencies(axes, front, notes=False, lines=canvas.height / canvas.dpi * 1.1)
    axes.set_ylabel("mel, Hz")
    axes.figure.colorbar(image, cax=bar, label="dB")


def _draw_kind(
    axes: Axes, bar: Axes, kind: tuple[Image, FrontEnd], seconds: float, canvas: Canvas
) -> None:
    image, front = kind
    place = (0.0, seconds, -0.5, front.bands - 0.5)
    if front.planes:
        bar.axis("off")
        draw_planes(axes, image, front, place)
        return
    draw_bands(axes, bar, image, front, place)
    mark_frequencies(axes, front, notes=False, lines=canvas.height / canvas.dpi * 1.1)
    axes.set_ylabel(f"{front.kind}, {axes.get_ylabel()}")


def _draw_chroma(axes: Axes, bar: Axes, seen: Overview, canvas: Canvas) -> None:
    # Rows are repeated, or classes would run into one another where columns are averaged.
    image = axes.imshow(
        np.repeat(seen.chroma().T, 16, axis=0),
        cmap="viridis",
        origin="lower",
        aspect="auto",
        vmin=0,
        vmax=1,
        extent=(0, len(seen.power) * seen.column_seconds, -0.5, 11.5),
    )
    named = _CLASSES if canvas.height / canvas.dpi > 9 else _FEW_CLASSES
    axes.set_yticks(list(named), list(named.values()))
    axes.set_ylabel("chroma")
    axes.figure.colorbar(image, cax=bar, label="share")
