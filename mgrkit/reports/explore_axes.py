"""What the pictures of ``explore`` share: colours of genres, names that fit, points, legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]

AS_TEXT: dict[str, Any] = {"parse_math": False}
"""A genre or a column may hold dollar signs."""

LETTERS = 24
OTHERS = "#9a9a9a"

_COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf",
    "#bcbd22", "#000000",
)  # fmt: skip
_MARKERS = ("o", "^", "s")
_DRAWN = 3000
"""Points of one picture, at most."""


def cut(name: str, letters: int = LETTERS) -> str:
    """A name's beginning and end, in so many letters.

    >>> cut("spectral_contrast_mean_of_the_sixth_band", 16)
    'spectral~th_band'
    """
    printable = name.encode("utf-8", "replace").decode()
    printable = "".join(sign if sign.isprintable() else " " for sign in printable)
    if len(printable) <= letters:
        return printable
    return f"{printable[: letters // 2]}~{printable[letters // 2 + 1 - letters :]}"


def cut_all(names: Sequence[str], letters: int = LETTERS) -> list[str]:
    """Each name cut; those that would then be the same have their numbers, from 1.

    >>> cut_all(["mfcc_of_the_first_band_1_mean", "mfcc_of_the_first_band_2_mean", "tempo"], 14)
    ['mfcc_~ean #1', 'mfcc_~ean #2', 'tempo']
    """
    short = [cut(name, letters) for name in names]
    return [
        f"{cut(name, letters - 5)} #{number}" if short.count(its) > 1 else its
        for number, (name, its) in enumerate(zip(names, short, strict=True), 1)
    ]


def colour(number: int, count: int, *, others: bool = False) -> str:
    """Of the genre of this number among so many; the last may stand for all others."""
    return OTHERS if others and number == count - 1 else _COLOURS[number % len(_COLOURS)]


def marker(number: int) -> str:
    """Genres of one colour have different signs."""
    return _MARKERS[number // len(_COLOURS) % len(_MARKERS)]


def drawn_rows(count: int) -> Indices:
    """So few of many rows that single points can be seen, evenly taken."""
    step = -(-count // _DRAWN) or 1
    return np.arange(0, count, step)


def points(axes: Axes, at: Floats, of: Indices, names: Sequence[str], *, others: bool) -> None:
    """Tracks as points ``(n, 2 or 3)``, coloured by genre; the first of them the last drawn."""
    rows = drawn_rows(len(at))
    at, of = at[rows], of[rows]
    size = 24 if len(rows) < 400 else 14 if len(rows) < 1000 else 8
    for number in range(len(names) - 1, -1, -1):
        its = at[of == number]
        look: dict[str, Any] = {"s": size, "alpha": 0.75, "linewidths": 0}
        tone = colour(number, len(names), others=others)
        axes.scatter(*its.T, color=tone, marker=marker(number), **look)
    if at.shape[1] == 2:
        axes.grid(alpha=0.25)
    else:  # numbers on three axes run into one another, and the pictures tell directions only
        for axis in (axes.xaxis, axes.yaxis, axes.zaxis):  # type: ignore[attr-defined]
            axis.set_ticklabels([])


def few_numbers(axes: Axes) -> None:
    """So few and short numbers below that none runs into the next."""
    axes.ticklabel_format(axis="x", scilimits=(-2, 4))
    axes.locator_params(axis="x", nbins=5)


def genre_legend(figure: Figure, names: Sequence[str], *, others: bool) -> None:
    """Which colour is which genre, at the right of all axes."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D(
            [], [], linestyle="", marker=marker(number), label=name,
            color=colour(number, len(names), others=others),
        )
        for number, name in enumerate(cut_all(names))
    ]  # fmt: skip
    legend = figure.legend(handles=handles, loc="outside right upper", fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)


def heat(
    axes: Axes, values: Any, names: Sequence[str], columns: Sequence[str], label: str, **look: Any
) -> None:
    """A matrix with its names, as many as there is room for, and a bar of values."""
    shown = axes.imshow(values, aspect="auto", interpolation="nearest", **look)
    bar = axes.figure.colorbar(shown, ax=axes, pad=0.01, fraction=0.04)
    bar.set_label(label)
    for axis, texts in ((axes.yaxis, names), (axes.xaxis, columns)):
        step = -(-len(texts) // 60)
        places, short = range(0, len(texts), step), cut_all(texts)
        axis.set_ticks(list(places), [short[place] for place in places], **AS_TEXT)
        axis.set_tick_params(labelsize=8)
    axes.tick_params(axis="x", rotation=90)
