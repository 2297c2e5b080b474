"""Drawings of a page as shapes of SVG, wide enough for a phone and plain enough for any width."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mgrkit.reports.html.page import Chart, Shape

_WIDE, _LETTERS = 420, 52
"""Units across, and as many letters as fit in a line."""
_LEFT, _RIGHT, _TOP, _BELOW = 44, 12, 10, 40
_ROW = 34


@dataclass(frozen=True)
class Span:
    """A value with its interval.

    Parameters
    ----------
    marks : further values that belong to it, such as those of the folds.
    """

    name: str
    value: float
    low: float
    high: float
    marks: Sequence[float] = ()


def spans(name: str, rows: Sequence[Span], caption: str) -> Chart:
    """Values from 0 to 1 with their intervals, a row each."""
    ends = [value for row in rows for value in (row.low, row.high, *row.marks)]
    low = max(0.0, math.floor(10 * min(ends, default=0.0)) / 10)
    high = min(1.0, math.ceil(10 * max(ends, default=1.0)) / 10)
    if high <= low:
        low, high = 0.0, 1.0
    axis = _Axis(low, high, 4, _WIDE - _RIGHT)
    height = _ROW * len(rows) + 30
    shapes = _ticks(axis, 0, height - 28, height - 12)
    for number, row in enumerate(rows):
        top = _ROW * number + 14
        y = top + 10
        shown = f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})"
        shapes += [
            _text(4, top, _shortened(row.name, _LETTERS - len(shown))),
            _text(_WIDE - _RIGHT, top, shown, "label end"),
            _line(axis(row.low), y, axis(row.high), y, "span"),
            *(_line(axis(mark), y - 5, axis(mark), y + 5, "tick") for mark in row.marks),
            _dot(axis(row.value), y, 5),
        ]
    return Chart(name, _WIDE, height, shapes, caption)


def calibration(bins: Sequence[Mapping[str, float]], caption: str = "") -> Chart:
    """How often verdicts are right, by their probability; the line is where both agree.

    Parameters
    ----------
    bins : what `mgrkit.learning.metrics.reliability` gives.
    """
    across = _Axis(0, 1, _LEFT, _WIDE - _RIGHT)
    height = 300
    up = _Axis(0, 1, height - _BELOW, _TOP)
    shapes = [
        *_ticks(across, _TOP, height - _BELOW, height - 24),
        *_steps(up, _LEFT, _WIDE - _RIGHT),
        _text(_WIDE // 2, height - 6, "probability of the verdict", "label middle"),
        _line(across(0), up(0), across(1), up(1), "ideal"),
    ]
    most = max((one["tracks"] for one in bins), default=1)
    points = [(across(one["probability"]), up(one["right"])) for one in bins]
    shapes.append(_path(points, "line"))
    for one, (x, y) in zip(bins, points, strict=True):
        size = 3 + 6 * math.sqrt(one["tracks"] / most)
        title = (
            f"probability {one['probability']:.2f}: {one['right']:.2f} right "
            f"of {one['tracks']:.0f} tracks"
        )
        shapes.append(_dot(x, y, size, title))
    return Chart("calibration curve", _WIDE, height, shapes, caption)


@dataclass(frozen=True)
class Series:
    """Points of a line or of dots: ``look`` is 'line', 'line second', 'dot' or 'cross'."""

    name: str
    points: Sequence[tuple[float, float]]
    look: str = "line"


def curves(
    name: str,
    series: Sequence[Series],
    axes: tuple[str, str],
    caption: str,
    levels: Mapping[str, float] | None = None,
) -> Chart:
    """Lines and dots over whole numbers such as epochs.

    Parameters
    ----------
    axes : what the axes are called.
    levels : by name values that are drawn as dashed lines.
    """
    points = [point for one in series for point in one.points]
    values = [y for _, y in points] + list((levels or {}).values())
    xs = [x for x, _ in points]
    across = _Axis(min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, _LEFT, _WIDE - _RIGHT)
    height = 260
    spread = (max(values) - min(values)) or 0.1
    top = _TOP + 12
    up = _Axis(min(values) - 0.05 * spread, max(values) + 0.05 * spread, height - _BELOW, top)
    shapes = [
        *_ticks(across, top, height - _BELOW, height - 24, whole=True),
        *_steps(up, _LEFT, _WIDE - _RIGHT),
        _text(_WIDE // 2, height - 6, axes[0], "label middle"),
        _text(_LEFT, _TOP + 4, axes[1], "label"),
    ]
    for text, value in (levels or {}).items():
        shapes.append(_line(_LEFT, up(value), _WIDE - _RIGHT, up(value), "ideal"))
        shapes.append(_text(_WIDE - _RIGHT - 2, up(value) - 3, text, "label end"))
    for one in series:
        at = [(across(x), up(y)) for x, y in one.points]
        if one.look.startswith("line"):
            shapes.append(_path(at, one.look))
        elif one.look == "cross":
            shapes += [_path([(x - 3, y - 3), (x + 3, y + 3)], "cross") for x, y in at]
            shapes += [_path([(x - 3, y + 3), (x + 3, y - 3)], "cross") for x, y in at]
        else:
            shapes += [_dot(x, y, 3.5) for x, y in at]
    return Chart(name, _WIDE, height, shapes, caption)


class _Axis:
    """Values as places."""

    def __init__(self, low: float, high: float, start: float, stop: float) -> None:
        self.low, self.high, self._start, self._stop = low, high, start, stop

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self._start + share * (self._stop - self._start), 1)

    def marks(self, *, whole: bool = False) -> list[float]:
        """About five round numbers."""
        step = 10 ** math.floor(math.log10((self.high - self.low) / 4))
        step = next(s for s in (step, 2 * step, 5 * step, 10 * step)
                    if (self.high - self.low) / s <= 6)  # fmt: skip
        step = max(1.0, step) if whole else step
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(n * step, 10) for n in range(first, last + 1)]


def _ticks(
    axis: _Axis, top: float, bottom: float, text: float, *, whole: bool = False
) -> list[Shape]:
    shapes = []
    marks = axis.marks(whole=whole)
    for number, mark in enumerate(marks):
        x = axis(mark)
        side = "" if 0 < number < len(marks) - 1 else " end" if number else ""
        anchor = side if x > _WIDE - 30 else " middle" if x > 12 else ""
        shapes += [_line(x, top, x, bottom, "grid"), _text(x, text, f"{mark:g}", f"label{anchor}")]
    return shapes


def _steps(axis: _Axis, left: float, right: float) -> list[Shape]:
    shapes = []
    for mark in axis.marks():
        y = axis(mark)
        shapes += [
            _line(left, y, right, y, "grid"),
            _text(left - 5, y + 4, f"{mark:g}", "label end"),
        ]
    return shapes


def _line(x1: float, y1: float, x2: float, y2: float, look: str) -> Shape:
    return Shape("line", {"class": look, "x1": x1, "y1": y1, "x2": x2, "y2": y2})


def _text(x: float, y: float, text: str, look: str = "") -> Shape:
    place: dict[str, object] = {"x": x, "y": y}
    return Shape("text", place | ({"class": look} if look else {}), text)


def _dot(x: float, y: float, size: float, title: str = "") -> Shape:
    place: dict[str, object] = {"class": "dot", "cx": x, "cy": y, "r": round(size, 1)}
    return Shape("circle", place, title)


def _path(points: Sequence[tuple[float, float]], look: str) -> Shape:
    places = " ".join(f"{x:g},{y:g}" for x, y in points)
    return Shape("polyline", {"class": look, "points": places})


def _shortened(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: max(1, letters - 1)]}\u2026"
