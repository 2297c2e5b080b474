"""Counts of tracks, and columns by themselves: histograms, box plots, correlations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.learning.explaining import clusters, spans
from mgrkit.reports.explore import Material, Picture, Section, Table
from mgrkit.reports.explore_axes import AS_TEXT, colour, cut, cut_all, few_numbers, heat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]

COLUMNS = 12
"""Of which histograms and box plots are drawn: those that tell most of the genre."""

OVERLAID = 10
"""Histograms that lie over one another; those of more genres are one."""

_BINS = 19
_INSIDE = (0.01, 0.99)
"""What a histogram spans, of train: far values would press all others into one bar."""
_SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_PARTS = {"train": "#1f77b4", "valid": "#aec7e8", "test": "#ff7f0e"}


def counts(material: Material) -> Section:
    """Tracks and artists of each genre, by part."""
    parts, artists = np.array(material.parts), material.artist_numbers
    rows: list[list[object]] = []
    for number, genre in enumerate(material.genres):
        of = material.y == number
        by_part = [int((of & (parts == part)).sum()) for part in _PARTS]
        by_artist = [len(np.unique(artists[of & (parts == part)])) for part in _PARTS]
        most = np.bincount(artists[of]).max()
        rows.append([genre, *by_part, *by_artist, int(most), int(of.sum())])
    heads = ["genre", *_PARTS, *(f"artists_{part}" for part in _PARTS), "most_of_one_artist"]
    names, index = material.few()
    height = 1.6 + 0.24 * len(names)
    sizes = np.bincount(material.y).tolist()
    text = (
        f"{len(material.y):,} tracks of {len(material.genres)} genres by "
        f"{len(np.unique(artists)):,} artists. The largest genre has {max(sizes):,} tracks, the "
        f"smallest {min(sizes):,}. Tracks of unknown artists count as artists of their own."
    )
    return Section(
        "Tracks and artists",
        text,
        {"counts.png": Picture(partial(_draw_counts, material, names, index), (9.5, height))},
        {"counts.csv": (heads, [row[:-1] for row in rows])},
    )


def _draw_counts(material: Material, names: Sequence[str], index: Indices, figure: Figure) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    parts, places = np.array(material.parts), np.arange(len(names))
    before: NDArray[np.float64] = np.zeros(len(names))
    for part, tone in _PARTS.items():
        if part in material.parts:
            tracks = np.bincount(index[parts == part], minlength=len(names)).astype(np.float64)
            left.barh(places, tracks, left=before, color=tone, label=part)
            before = before + tracks
    artists = [len(np.unique(material.artist_numbers[index == place])) for place in places]
    right.barh(places, artists, color="#7f7f7f")
    # All others together would hide what each of these has: their bars are cut.
    single = slice(None, -1 if len(names) < len(material.genres) else None)
    for axes, counts in ((left, before.astype(int).tolist()), (right, artists)):
        most = max(counts[single])
        axes.set_xlim(0, 1.15 * most)
        for place, count in enumerate(counts):
            text = axes.text(min(count, most), place, f" {count:,} ", va="center",
                             fontsize="x-small")  # fmt: skip
            if count > most:
                text.set_backgroundcolor("white")
    left.set_yticks(places, cut_all(names), **AS_TEXT)
    left.set_ylim(len(names) - 0.4, -0.6)
    left.set_xlabel("tracks")
    right.set_xlabel("artists")
    figure.legend(loc="outside upper center", ncols=3)


def histograms(material: Material) -> Section:
    """Histograms of columns by genre: train above the line, the held-back part below."""
    names, index = material.few(OVERLAID)
    places = [int(material.standard.kept[place]) for place in material.telling[:COLUMNS]]
    rows: list[list[object]] = []
    for place in places:
        edges = _edges(material.x[material.train, place])
        for part in _parts(material):
            of_part = np.array(material.parts) == part
            for number, genre in enumerate(names):
                values = material.x[of_part & (index == number), place]
                found = np.histogram(values[~np.isnan(values)], edges)[0]
                bins = zip(edges[:-1].tolist(), edges[1:].tolist(), found.tolist(), strict=True)
                rows += [[material.names[place], part, genre, *bin_] for bin_ in bins]
    of = f"the {COLUMNS} columns that tell most of the genre" if _few(material) else "each column"
    apart = f"; that of {material.held_name} stands below the line" if material.held_name else ""
    text = (
        f"How often each value of {of} occurs, as a share of the genre's tracks of train{apart}. "
        "Whole numbers are bars. The lowest and highest 1 % of train lie outside."
    )
    inches = _room(len(places), 3, 2.6, 4.1)
    picture = Picture(partial(_draw_histograms, material, places, names, index), inches)
    heads = ["column", "part", "genre", "from", "to", "tracks"]
    return Section(
        "Histograms", text, {"histograms.png": picture}, {"histograms.csv": (heads, rows)}
    )


def _room(count: int, per_row: int, height: float, width: float) -> tuple[float, float]:
    """Inches for so many drawings, of which each takes so many."""
    return max(8.0, width * min(per_row, count)), 0.8 + height * -(-count // per_row)


def _few(material: Material) -> bool:
    return len(material.columns) > COLUMNS


def _parts(material: Material) -> list[str]:
    return [part for part in _PARTS if part in material.parts]


def _edges(values: Floats) -> NDArray[np.float64]:
    """The edges of the bins: of whole numbers between them, so that none lies on an edge."""
    values = values[~np.isnan(values)].astype(np.float64)
    low, high = np.quantile(values, _INSIDE)
    if low == high:
        low, high = values.min(), values.max()
    if _whole(values):
        width = max(1, int(np.ceil((high - low + 1) / _BINS)))
        return np.arange(np.floor(low), high + 1 + width, width) - 0.5
    return np.linspace(low, high, _BINS + 1)


def _whole(values: NDArray[Any]) -> bool:
    return bool((values == np.rint(values)).all())


def _draw_histograms(
    material: Material, places: Sequence[int], names: Sequence[str], index: Indices, figure: Figure
) -> None:
    per_row = min(3, len(places))
    grid = figure.subplots(-(-len(places) // per_row), per_row, squeeze=False).ravel()
    others = len(names) < len(material.genres)
    for axes in grid[len(places) :]:
        axes.set_axis_off()
    for axes, place in zip(grid, places, strict=False):
        column = material.x[:, place]
        train = column[material.train]
        edges, bars = _edges(train), _whole(train[~np.isnan(train)].astype(np.float64))
        for rows, sign in ((material.train, 1), (material.held, -1)):
            for number in range(len(names)):
                values = column[rows[index[rows] == number]]
                values = values[~np.isnan(values)]
                if len(values):
                    share = sign * np.histogram(values, edges)[0] / len(values)
                    tone = colour(number, len(names), others=others)
                    _shape(axes, edges, share, tone, bars=bars)
        axes.axhline(0, color="black", linewidth=0.6)
        axes.yaxis.set_major_formatter(_size)
        few_numbers(axes)
        axes.set_title(cut(material.names[place], 40), fontsize="medium", **AS_TEXT)
    _tones(figure, names, others=others)


def _size(value: float, at: int | None) -> str:
    """Below the line stand shares, too."""
    del at
    return f"{abs(value):.2g}"


def _shape(axes: Axes, edges: NDArray[Any], share: NDArray[Any], tone: str, *, bars: bool) -> None:
    """A polygon through the middles of the bins, or bars."""
    middles = (edges[:-1] + edges[1:]) / 2
    if bars:
        axes.stairs(share, edges, color=tone, fill=True, alpha=0.18)
        axes.stairs(share, edges, color=tone, linewidth=1)
        return
    x = np.concatenate([edges[:1], middles, edges[-1:]])
    y = np.concatenate([[0], share, [0]])
    axes.fill(x, y, color=tone, alpha=0.18, linewidth=0)
    axes.plot(x, y, color=tone, linewidth=1)


def _tones(figure: Figure, names: Sequence[str], *, others: bool) -> None:
    from matplotlib.patches import Patch

    tones = [colour(number, len(names), others=others) for number in range(len(names))]
    handles = [Patch(color=t, label=n) for t, n in zip(tones, cut_all(names), strict=True)]
    legend = figure.legend(handles=handles, loc="outside upper center", ncols=5, fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)


def boxes(material: Material) -> Section:
    """Box plots of columns by genre, and the quantiles of all columns."""
    names, index = material.few()
    places = [int(material.standard.kept[place]) for place in material.telling[:COLUMNS]]
    text = (
        f"Boxes hold the middle half of train, whiskers its middle 90 %, the line is the median. "
        f"{_apart(material)} as a thin line with its median."
    )
    inches = _room(len(places), 4, 0.9 + 0.2 * len(names), 3.2)
    picture = Picture(partial(_draw_boxes, material, places, names, index), inches)
    return Section("Box plots", text, {"boxes.png": picture}, {"boxes.csv": _quantiles(material)})


def _apart(material: Material) -> str:
    name = material.held_name
    return f"The part {name} is shown apart," if name else "A part held back would be shown apart,"


def _quantiles(material: Material) -> Table:
    heads = ["column", "part", "genre", "tracks", "lowest", "q05", "q25", "median", "q75", "q95",
             "highest"]  # fmt: skip
    rows: list[list[object]] = []
    parts = np.array(material.parts)
    of = [
        (part, genre, np.flatnonzero((parts == part) & (material.y == number)))
        for part in _parts(material)
        for number, genre in enumerate(material.genres)
    ]
    for place, name in enumerate(material.names):
        column = np.ascontiguousarray(material.x[:, place])
        for part, genre, where in of:
            values = column[where]
            there = int((~np.isnan(values)).sum())
            rows.append([name, part, genre, there, *spans(values, _SHARES).tolist()])
    return heads, rows


def _draw_boxes(
    material: Material,
    places: Sequence[int],
    names: Sequence[str],
    index: Indices,
    figure: Figure,
) -> None:
    per_row = min(4, len(places))
    grid = figure.subplots(-(-len(places) // per_row), per_row, squeeze=False, sharey=True)
    others = len(names) < len(material.genres)
    for axes in grid.ravel()[len(places) :]:
        axes.set_axis_off()
    for axes, place in zip(grid.ravel(), places, strict=False):
        column = material.x[:, place]
        for number in range(len(names)):
            tone = colour(number, len(names), others=others)
            rows = material.train
            _box(axes, number, spans(column[rows[index[rows] == number]], _SHARES), tone)
            rows = material.held
            _line(axes, number, spans(column[rows[index[rows] == number]], _SHARES))
        axes.set_title(cut(material.names[place], 30), fontsize="medium", **AS_TEXT)
        axes.grid(axis="x", alpha=0.3)
        few_numbers(axes)
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(names)), cut_all(names, 20), **AS_TEXT)
        axes.tick_params(axis="y", labelsize=8)
    grid[0, 0].set_ylim(len(names) - 0.4, -0.6)


def _box(axes: Axes, at: int, of: NDArray[Any], tone: str) -> None:
    _, low, first, median, third, high, _ = of
    if np.isnan(median):
        return
    axes.hlines(at, low, high, color=tone, linewidth=0.8)
    axes.barh(at, third - first, 0.55, left=first, color=tone, alpha=0.45)
    axes.vlines(median, at - 0.28, at + 0.28, color="black", linewidth=1.2)


def _line(axes: Axes, at: int, of: NDArray[Any]) -> None:
    _, _, first, median, third, _, _ = of
    if np.isnan(median):
        return
    axes.hlines(at + 0.4, first, third, color="black", linewidth=0.7)
    axes.plot(median, at + 0.4, "|", color="black", markersize=4)


def correlation(material: Material) -> Section:
    """The correlations of columns in train, those that go together beside one another."""
    rows = material.related
    order, r = clusters(material.z[rows])
    names = [material.columns[place] for place in order]
    matrix = r[np.ix_(order, order)]
    first, second = np.triu_indices(len(names), 1)
    strong = np.argsort(-np.abs(matrix[first, second]), kind="stable")[:10]
    pairs = [
        [names[first[k]], names[second[k]], f"{matrix[first[k], second[k]]:.3f}"] for k in strong
    ]
    twins = int((np.abs(matrix[first, second]) > 0.9).sum())
    every = "" if len(names) <= 60 else f" Of every {-(-len(names) // 60)} columns one is named."
    text = (
        f"Pearson's r of {len(names)} columns in {len(rows):,} tracks of train, ordered by average "
        f"linkage on 1 - |r|. {twins:,} of {len(first):,} pairs have |r| above 0.9.{every}"
    )
    side = min(13.0, 3.5 + 0.16 * len(names))
    picture = Picture(partial(_draw_correlation, names, matrix), (side + 1, side))
    table = [[name, *row] for name, row in zip(names, matrix.astype(float).tolist(), strict=True)]
    return Section(
        "Correlations", text, {"correlation.png": picture},
        {"correlation.csv": (["column", *names], table)},
        (["column", "column", "r"], pairs),
    )  # fmt: skip


def _draw_correlation(names: Sequence[str], matrix: Floats, figure: Figure) -> None:
    heat(figure.subplots(), matrix, names, names, "r", cmap="RdBu_r", vmin=-1, vmax=1)
