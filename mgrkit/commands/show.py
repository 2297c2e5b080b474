"""``mgrkit show``: one sound as waveform, spectrum, mel spectrogram and chroma on one PNG."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.replacing import replacing
from mgrkit.frontend import front_end
from mgrkit.reports.overview import Overview, overview
from mgrkit.tracks.collections.known import known

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mgrkit.reports.figures import Canvas

DEFAULT_SIZE = "1200x1000"
_MAKER = "mgrkit show"
_HEAD = 4096
_CLASSES = {0: "C", 2: "D", 4: "E", 5: "F", 7: "G", 9: "A", 11: "B"}
_FEW_CLASSES = {0: "C", 4: "E", 7: "G"}
_LOWEST_HZ = 20.0
_FLOOR_DB = -80.0
_COLOUR = "#51127c"


@dataclass(frozen=True)
class Shown:
    """What ``show`` drew and knows of the file.

    Parameters
    ----------
    seconds : of what was decoded.
    peak_db : the largest sample of any channel, in dB re full scale.
    column_seconds : how much sound one column of the mel spectrogram and of chroma averages.
    warning : why the sound is not whole, else ''.
    track, genre, artist : of a track of a known collection; else ''.
    """

    file: str
    out: str
    rate: int
    channels: int
    seconds: float
    peak_db: float
    column_seconds: float
    track: str = ""
    genre: str = ""
    artist: str = ""
    warning: str = ""

    def words(self) -> str:
        """One line for people."""
        minutes, seconds = divmod(self.seconds, 60)
        length = f"{int(minutes)}:{seconds:04.1f}" if minutes else f"{seconds:.3g} s"
        channels = {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")
        told = [f"{self.rate:,} Hz", channels, length, f"peak {self.peak_db:.1f} dBFS"]
        return ", ".join([*told, *filter(None, (self.genre, self.artist))])


def show(
    file: Path,
    out: Path | None = None,
    *,
    size: str = DEFAULT_SIZE,
    replace: bool = False,
    allow_truncated: bool = False,
) -> Shown:
    """Draw a sound of any length.

    Waveform, mel spectrogram and chroma have at most `overview.COLUMNS` columns: those of a
    longer sound show the extremes of the waveform and the average power of several frames. The
    spectrum is the average power of the whole. All but the waveform is of mono at 22,050 Hz.

    Parameters
    ----------
    out : the PNG; by default the name of ``file``, ending in .png, in the current folder.
    size : WxH in pixels.
    replace : write over whatever lies there.
    allow_truncated : draw what can be decoded of a file that is cut or damaged on the way.

    Raises
    ------
    UsageError : a size out of range, a name that is not .png, a file that ``show`` did not draw,
        or there is no folder for ``out``.
    RunError : there is no ``file``.
    ItemError : what reading raises, ``silent`` or ``too-short``; the file is named.
    """
    from mgrkit.reports.figures import Canvas, figure, save_figure

    canvas = Canvas.of(size, scale=2)
    out = Path(f"{file.stem}.png") if out is None else out
    _check(file, out, replace)
    try:
        seen = overview(file, allow_truncated)
    except ItemError as error:
        raise ItemError(error.reason, f"{file}: {error.message}", error.hint) from None
    shown = _described(file, out, seen)
    with replacing(out) as temp, figure(canvas) as drawing:
        _draw(drawing, seen, shown, canvas)
        save_figure(drawing, temp, _MAKER)
    return shown


def _check(file: Path, out: Path, replace: bool) -> None:
    """Before the work: whether there may be a sound here, and the picture there."""
    if not os.path.lexists(file):
        raise RunError(f"there is no {file}", "FILE is a sound file")
    if file.is_dir():
        raise UsageError(f"FILE is a folder: {file}", "give one sound file")
    if out.suffix.lower() != ".png":
        raise UsageError(f"--out must end in .png, not {str(out)!r}")
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}", "make it, or give another --out")
    if out.is_dir():
        raise UsageError(f"{out} is a folder", "give another --out")
    if out.exists() and file.exists() and out.samefile(file):
        raise UsageError(f"--out is FILE: {out}", "give another --out")
    if out.exists() and not replace and not _is_ours(out):
        raise UsageError(
            f"{out} was not drawn by {_MAKER}", "give another --out, or --replace to write over it"
        )


def _is_ours(out: Path) -> bool:
    with out.open("rb") as file:
        return _MAKER.encode() in file.read(_HEAD)


def _described(file: Path, out: Path, seen: Overview) -> Shown:
    # A piece of the path is enough: collections are known by the file and its folder.
    track = known(PurePath(os.path.abspath(file)).as_posix())
    genre = ""
    if track and track.id.startswith("gtzan:"):
        genre = track.id.removeprefix("gtzan:").partition(".")[0]
    return Shown(
        file=str(file),
        out=str(out),
        rate=seen.rate,
        channels=seen.channels,
        seconds=round(seen.seconds, 6),
        peak_db=round(20 * math.log10(max(float(np.abs(seen.extremes).max()), 1e-10)), 2),
        column_seconds=round(seen.column_seconds, 6),
        track=track.id if track else "",
        genre=genre,
        artist=track.artist if track else "",
        warning=seen.warning,
    )


def _draw(drawing: Figure, seen: Overview, shown: Shown, canvas: Canvas) -> None:
    from mgrkit.reports.figures import shortened

    grid = drawing.add_gridspec(4, 2, width_ratios=[60, 1], height_ratios=[2, 2, 4, 3])
    waveform, spectrum, mel, chroma = (drawing.add_subplot(grid[row, 0]) for row in range(4))
    bars = [drawing.add_subplot(grid[row, 1]) for row in (2, 3)]
    _draw_waveform(waveform, seen)
    _draw_spectrum(spectrum, seen)
    _draw_mel(mel, bars[0], seen, canvas)
    _draw_chroma(chroma, bars[1], seen, canvas)
    for axes in (waveform, mel, chroma):
        axes.set_xlim(0, seen.seconds)
    chroma.set_xlabel("seconds")
    name = shortened(PurePath(shown.file).name, canvas.letters(0.8))
    drawing.suptitle(
        f"{name}\n{shortened(shown.words(), canvas.letters(0.9))}",
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
    from mgrkit.reports.figures import mark_frequencies
    from mgrkit.spectrograms.kinds import mel

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


def plain(shown: Shown) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {"command": "show", **vars(shown), "exit_code": 0}
