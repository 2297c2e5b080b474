"""Tracks as points: principal components, linear discriminants, t-SNE and UMAP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.learning.explaining import Map, discriminant, manifold, neighbours
from mgrkit.reports.explore import PLACED, Material, Picture, Section, SkippedError, Table
from mgrkit.reports.explore_axes import genre_legend, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]

SCREE = 30
"""Components whose shares are drawn, at most."""

ENOUGH = 0.85
"""The share of the variance whose number of components is told."""

_KEPT = 3
_LEAST = 6
"""Tracks of which a map can be made."""


def _need(material: Material, columns: int, tracks: int = 3) -> None:
    if len(material.columns) < columns:
        raise SkippedError(f"it needs {columns} columns that vary in train")
    if len(material.train) < tracks:
        raise SkippedError(f"it needs {tracks} tracks of train")


def need_more_than_genres(material: Material) -> None:
    """SkippedError where train has a track a genre: nothing tells how genres spread."""
    if len(material.train) <= len(material.genres):
        raise SkippedError("it needs more tracks of train than genres")


def pca(material: Material) -> Section:
    """Principal components: their shares, tracks in two and in three of them."""
    _need(material, 2)
    found = material.principal
    total = np.cumsum(found.shares)
    enough = int(np.searchsorted(total, ENOUGH - 1e-6) + 1)
    flat = _rows_of_rest(material)
    text = (
        f"{enough} of {len(total)} components hold {ENOUGH:.0%} of the variance; the first three "
        f"{', '.join(f'{share:.1%}' for share in found.shares[:3])}. Columns are standardised."
    )
    shares = [[n + 1, *pair] for n, pair in enumerate(zip(found.shares, total, strict=True))]
    return Section(
        "Principal components",
        text,
        {"pca.png": Picture(partial(_draw_pca, material, found, flat), (12.5, 9.0))},
        {
            "pca.csv": _placed(material, found, "pc"),
            "pca_variance.csv": (["component", "share", "cumulative"], shares),
            "pca_loadings.csv": _loadings(material, found, "pc"),
        },
    )


def lda(material: Material) -> Section:
    """Linear discriminants: the directions that tell the genres of train apart."""
    _need(material, 2, _LEAST)
    need_more_than_genres(material)
    rows = material.related
    found = discriminant(material.z[rows], material.y[rows], material.z)
    every = found.others
    found = replace(found, train=every[material.train], others=every[material.rest])
    axes = found.train.shape[1]
    narrow = " Train has fewer tracks than columns: there it looks better than it is."
    text = (
        f"The directions that tell the genres of {len(rows):,} tracks of train best; shrunk "
        "covariances (Ledoit and Wolf). "
        f"Judge by {material.held_name or 'other tracks'}, which had no part in it."
        f"{narrow if len(rows) < len(material.columns) else ''}"
    )
    if axes < 2:
        text += " Two genres have one direction only; up and down mean nothing here."
    picture = Picture(partial(_draw_map, material, found, "LD"), (12.5, 4.6 if axes < 3 else 9.0))
    return Section(
        "Linear discriminants", text, {"lda.png": picture},
        {"lda.csv": _placed(material, found, "ld"),
         "lda_loadings.csv": _loadings(material, found, "ld")},
    )  # fmt: skip


def tsne(material: Material) -> Section:
    """t-SNE of train in two and in three dimensions."""
    _need(material, 2, _LEAST)
    rows = material.mapped
    started = material.principal.train[rows]
    flat = neighbours(started, 2, material.seed)
    deep = neighbours(material.principal.train[material.deep], 3, material.seed)
    text = (
        f"{_sampled(material)}; of {started.shape[1]} principal components. Neighbours stay "
        "neighbours; distances between far groups and sizes of groups mean nothing. t-SNE places "
        "no further tracks, so the other parts are not here."
    )
    tables = {
        "tsne.csv": (["path", "genre", "x", "y"], _named(material, rows, flat)),
        "tsne_3d.csv": (["path", "genre", "x", "y", "z"], _named(material, material.deep, deep)),
    }
    picture = Picture(partial(_draw_tsne, material, flat, deep), (12.5, 5.2))
    return Section("t-SNE", text, {"tsne.png": picture}, tables)


def _named(material: Material, rows: Indices, found: Map) -> list[list[object]]:
    """Some tracks of train, and where they lie."""
    return [
        [material.paths[row], material.genres[material.y[row]], *at]
        for row, at in zip(material.train[rows], found.train.astype(float).tolist(), strict=True)
    ]


def umap(material: Material) -> Section:
    """UMAP of train, with the part that is held back placed into it."""
    _need(material, 2, 2 * _LEAST)
    if find_spec("umap") is None:
        raise SkippedError("it needs umap-learn: pip install 'mgrkit[explore]'")
    rows, rest = material.mapped, _rows_of_rest(material)
    step = -(-len(rest) // PLACED) or 1
    rest = rest[::step]
    known = material.principal
    found = manifold(known.train[rows], known.others[rest], material.seed)
    text = (
        f"{_sampled(material)}; {len(rest):,} tracks of {material.held_name or 'no part'} placed "
        "into it. Neighbours stay neighbours; distances between far groups mean little."
    )
    table = [
        [material.paths[row], material.genres[material.y[row]], material.parts[row], *at]
        for which, placed in (
            (material.train[rows], found.train), (material.rest[rest], found.others)
        )
        for row, at in zip(which, placed.astype(float).tolist(), strict=True)
    ]  # fmt: skip
    picture = Picture(partial(_draw_umap, material, found, rest), (12.5, 5.2))
    heads = ["path", "genre", "part", "x", "y"]
    return Section("UMAP", text, {"umap.png": picture}, {"umap.csv": (heads, table)})


def _sampled(material: Material) -> str:
    count, of = len(material.mapped), len(material.train)
    if count == of:
        return f"All {of:,} tracks of train"
    return f"A sample of {count:,} of the {of:,} tracks of train, of each genre its share"


def _rows_of_rest(material: Material) -> Indices:
    """Where the part that is held back stands among `Material.rest`."""
    parts = np.array(material.parts)[material.rest]
    return np.flatnonzero(parts == material.held_name)


def _placed(material: Material, found: Map, axis: str) -> Table:
    """Where every track lies on the first axes."""
    axes = min(_KEPT, found.train.shape[1])
    order = np.concatenate([material.train, material.rest])
    at = np.vstack([found.train[:, :axes], found.others[:, :axes]]).astype(float)
    rows = [
        [material.paths[row], material.genres[material.y[row]], material.parts[row], *place]
        for row, place in zip(order.tolist(), at.tolist(), strict=True)
    ]
    return ["path", "genre", "part", *(f"{axis}{n + 1}" for n in range(axes))], rows


def _loadings(material: Material, found: Map, axis: str) -> Table:
    axes = min(_KEPT, found.loadings.shape[1])
    values = found.loadings[:, :axes].astype(float).tolist()
    rows = [[name, *row] for name, row in zip(material.columns, values, strict=True)]
    return ["column", *(f"{axis}{n + 1}" for n in range(axes))], rows


def _draw_pca(material: Material, found: Map, flat: Indices, figure: Figure) -> None:
    few = _few(material)
    scree = figure.add_subplot(2, 2, 1)
    shares, numbers = found.shares[:SCREE], np.arange(1, len(found.shares[:SCREE]) + 1)
    scree.bar(numbers, 100 * shares, color="#1f77b4", label="each")
    scree.plot(numbers, 100 * np.cumsum(shares), "-o", color="#ff7f0e", markersize=3, label="sum")
    scree.axhline(100 * ENOUGH, color="black", linewidth=0.7, linestyle=":")
    scree.set_xlabel("component")
    scree.set_ylabel("% of the variance")
    scree.set_ylim(0, 104)
    scree.legend()
    labels = [f"PC{n + 1} ({share:.1%})" for n, share in enumerate(found.shares[:3])]
    train = found.train[:, :3]
    of = material.train
    first = _flat(figure, (2, 2, 2), material, train[:, :2], of, few, labels, "train")
    if train.shape[1] == 3:
        _deep(figure, (2, 2, 3), material, train, material.train, few, labels)
    held, of = found.others[flat][:, :2], material.rest[flat]
    _flat(figure, (2, 2, 4), material, held, of, few, labels, _held(material), first)
    genre_legend(figure, few[0], others=_others(material, few))


def _draw_map(material: Material, found: Map, axis: str, figure: Figure) -> None:
    few, flat = _few(material), _rows_of_rest(material)
    train, held = found.train[:, :3], found.others[flat][:, :3]
    labels = [f"{axis}{n + 1} ({share:.0%})" for n, share in enumerate(found.shares[:3])]
    if train.shape[1] == 1:
        train, held = (np.hstack([at, _scatter(material, len(at))]) for at in (train, held))
        labels.append("")
    lines = 2 if train.shape[1] == 3 else 1
    rest = material.rest[flat]
    of, here = material.train, (lines, 2, 1)
    first = _flat(figure, here, material, train[:, :2], of, few, labels, "train")
    here = (lines, 2, 2)
    _flat(figure, here, material, held[:, :2], rest, few, labels, _held(material), first)
    if lines == 2:
        _deep(figure, (2, 2, 3), material, train, material.train, few, labels)
        _deep(figure, (2, 2, 4), material, held, rest, few, labels, _held(material))
    genre_legend(figure, few[0], others=_others(material, few))


def _draw_tsne(material: Material, flat: Map, deep: Map, figure: Figure) -> None:
    few, rows = _few(material), material.train[material.mapped]
    _flat(figure, (1, 2, 1), material, flat.train, rows, few, ("", ""), "train")
    rows = material.train[material.deep]
    _deep(figure, (1, 2, 2), material, deep.train, rows, few, ("", "", ""))
    genre_legend(figure, few[0], others=_others(material, few))


def _draw_umap(material: Material, found: Map, rest: Indices, figure: Figure) -> None:
    few = _few(material)
    rows, others = material.train[material.mapped], material.rest[rest]
    bare = ("", "")
    first = _flat(figure, (1, 2, 1), material, found.train, rows, few, bare, "train")
    there = found.others
    _flat(figure, (1, 2, 2), material, there, others, few, bare, _held(material), first)
    genre_legend(figure, few[0], others=_others(material, few))


def _few(material: Material) -> tuple[list[str], Indices]:
    return material.few()


def _others(material: Material, few: tuple[list[str], Indices]) -> bool:
    return len(few[0]) < len(material.genres)


def _held(material: Material) -> str:
    return f"{material.held_name}, placed" if material.held_name else "no part is held back"


def _scatter(material: Material, count: int) -> Floats:
    """Heights that tell points of one axis apart."""
    from mgrkit import seeds

    random = seeds.generator(material.seed, "explore", ("heights",))
    return random.normal(size=(count, 1)).astype(np.float32)


def _flat(
    figure: Figure,
    place: tuple[int, int, int],
    material: Material,
    at: Floats,
    rows: Indices,
    few: tuple[list[str], Indices],
    labels: Sequence[str],
    title: str,
    beside: Axes | None = None,
) -> Axes:
    """Tracks on two axes, those of ``beside`` where it is given."""
    axes = figure.add_subplot(*place, sharex=beside, sharey=beside)
    points(axes, at, few[1][rows], few[0], others=_others(material, few))
    axes.set_title(f"{title}, {len(at):,} tracks", fontsize="medium")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return axes


def _deep(
    figure: Figure,
    place: tuple[int, int, int],
    material: Material,
    at: Floats,
    rows: Indices,
    few: tuple[list[str], Indices],
    labels: Sequence[str],
    title: str = "train",
) -> None:
    axes: Any = figure.add_subplot(*place, projection="3d")
    points(axes, at, few[1][rows], few[0], others=_others(material, few))
    axes.set_title(f"{title}, {len(at):,} tracks in three dimensions", fontsize="medium")
    for name, label in zip("xyz", labels, strict=True):
        axes.set(**{f"{name}label": label})
