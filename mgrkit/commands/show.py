"""``mgrkit show``: one sound as waveform, spectrum, mel spectrogram and chroma on one PNG."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.files.outputs import check_output
from mgrkit.frontend import front_end
from mgrkit.reports.figures import Canvas, drawn_by
from mgrkit.reports.overview import Overview, overview
from mgrkit.reports.show import draw_sound
from mgrkit.spectrograms import render
from mgrkit.tracks.collections.lookup import known

DEFAULT_SIZE = "1200x1000"
_MAKER = "mgrkit show"


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
        words = [f"{self.rate:,} Hz", channels, length, f"peak {self.peak_db:.1f} dBFS"]
        return ", ".join([*words, *filter(None, (self.genre, self.artist))])


def show(
    file: Path,
    out: Path | None = None,
    *,
    kind: str | None = None,
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
    kind : of `mgrkit.frontend.KINDS`, drawn in the place of the mel spectrogram, of a sound of at
        most `overview.KEPT_SECONDS`; one column a frame, as ``spectrograms`` draws it.
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
    canvas = Canvas.of(size, scale=2)
    front = front_end(kind) if kind else None
    out = Path(f"{file.stem}.png") if out is None else out
    _check(file, out, replace)
    try:
        seen = overview(file, allow_truncated, keeps=front is not None)
        drawn = (render(seen.samples, front), front) if front else None
    except ItemError as error:
        raise ItemError(error.reason, f"{file}: {error.message}", error.hint) from None
    shown = _described(file, out, seen)
    draw_sound(out, _MAKER, seen, (PurePath(file).name, shown.words()), canvas, drawn)
    return shown


def _check(file: Path, out: Path, replace: bool) -> None:
    """Before the work: whether there may be a sound here, and the picture there."""
    if not os.path.lexists(file):
        raise RunError(f"there is no {file}", "FILE is a sound file")
    if file.is_dir():
        raise UsageError(f"FILE is a folder: {file}", "give one sound file")
    check_output(out, ".png", "--out")
    if out.is_dir():
        raise UsageError(f"{out} is a folder", "give another --out")
    if out.exists() and file.exists() and out.samefile(file):
        raise UsageError(f"--out is FILE: {out}", "give another --out")
    if out.exists() and not replace and not drawn_by(out, _MAKER):
        raise UsageError(
            f"{out} was not drawn by {_MAKER}", "give another --out, or --replace to write over it"
        )


def _described(file: Path, out: Path, seen: Overview) -> Shown:
    # A piece of the path is enough: collections are known by the file and its folder.
    track = known(PurePath(os.path.abspath(file)).as_posix())
    return Shown(
        file=str(file),
        out=str(out),
        rate=seen.rate,
        channels=seen.channels,
        seconds=round(seen.seconds, 6),
        peak_db=round(20 * math.log10(max(float(np.abs(seen.extremes).max()), 1e-10)), 2),
        column_seconds=round(seen.column_seconds, 6),
        track=track.id if track else "",
        genre=track.genre if track else "",
        artist=track.artist if track else "",
        warning=seen.warning,
    )


def as_json(shown: Shown) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {"command": "show", **vars(shown), "exit_code": 0}
