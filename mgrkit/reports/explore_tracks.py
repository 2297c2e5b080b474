"""Which columns tell genres, which genres are alike, and which tracks to listen to again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.learning.doubting import Doubts, doubted, strangeness
from mgrkit.learning.explaining import (
    FOLDS,
    LEARNT,
    PERMUTED,
    REPEATS,
    Forests,
    distances,
    order_of,
)
from mgrkit.reports.explore import JUDGED, Material, Picture, Section, SkippedError
from mgrkit.reports.explore_axes import AS_TEXT, cut_all, heat
from mgrkit.reports.explore_maps import need_more_than_genres

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Indices = NDArray[np.int64]

NAMED = 25
"""Columns whose importance is drawn."""

_PAGE = 10
_FEWEST, _MOST, _SHARE = 10, 1000, 0.01
"""Outliers in the table: this share of all tracks, within these limits."""
_GENRES = 20


def importance(material: Material) -> Section:
    """How much each column tells: by permutation, by the forest itself, by itself."""
    found = _forests(material)
    mutual = material.information
    best = np.nan_to_num(found.permuted, nan=-1)
    order = np.lexsort((-found.own, -best))
    rows = [
        [material.columns[k], *map(float, (found.permuted[k], found.spread[k], found.own[k])),
         float(mutual[k])]
        for k in order
    ]  # fmt: skip
    some = len(order) > PERMUTED
    few = f" Only the {PERMUTED} columns that the forests use most are shuffled." if some else ""
    text = (
        f"Forests on {FOLDS} folds of the artists of train, each of {LEARNT:,} tracks at "
        f"most, are right on {found.accuracy:.1%} of "
        "tracks whose artists they do not know. Permutation: by how much that falls when a column "
        f"is shuffled among such tracks ({REPEATS} times a fold; the stroke is a deviation over "
        f"folds).{few} Columns that tell the same stand in for one another, and each then looks "
        "needless. Forest: how much purer it makes leaves, learnt tracks only. Mutual information "
        f"is of each column alone, of {JUDGED:,} tracks at most."
    )
    shown = order[:NAMED]
    picture = Picture(
        partial(_draw_importance, material, found.permuted, found.spread, found.own, mutual, shown),
        (12.0, 1.4 + 0.24 * len(shown)),
    )
    heads = ["column", "permutation", "deviation", "forest", "mutual_information"]
    return Section(
        "Importance", text, {"importance.png": picture}, {"importance.csv": (heads, rows)}
    )


def _forests(material: Material) -> Forests:
    if len(material.genres) - len(_lonely(material)) < 2 or np.isnan(material.forests.accuracy):
        raise SkippedError("it needs two genres of two artists each in train")
    return material.forests


def _draw_importance(
    material: Material,
    permuted: Floats,
    spread: Floats,
    own: Floats,
    mutual: Floats,
    shown: Indices,
    figure: Figure,
) -> None:
    axes = figure.subplots(1, 3, sharey=True)
    places = np.arange(len(shown))
    axes[0].barh(places, permuted[shown], xerr=spread[shown], color="#1f77b4", ecolor="#444444")
    axes[1].barh(places, own[shown], color="#ff7f0e")
    axes[2].barh(places, mutual[shown], color="#2ca02c")
    names = cut_all([material.columns[k] for k in shown], 36)
    axes[0].set_yticks(places, names, **AS_TEXT)
    axes[0].set_ylim(len(shown) - 0.4, -0.6)
    labels = ("permutation: fall of accuracy", "forest: purer leaves", "mutual information, nats")
    for one, label in zip(axes, labels, strict=True):
        one.set_xlabel(label)
        one.grid(axis="x", alpha=0.3)


def similarity(material: Material) -> Section:
    """How far the genres lie apart, and which of them are most alike."""
    rows = material.related
    if not material.columns:
        raise SkippedError("no column varies in train")
    need_more_than_genres(material)
    apart = distances(material.z[rows], material.y[rows])
    names = material.genres
    first, second = np.triu_indices(len(names), 1)
    order = np.argsort(apart[first, second], kind="stable")
    pairs: list[list[object]] = [
        [names[first[k]], names[second[k]], float(apart[first[k], second[k]])] for k in order
    ]
    few = [[*pair[:2], f"{pair[2]:.2f}"] for pair in pairs]
    near, far = few[:5], few[5:][-5:]
    some = f" The picture shows the {_GENRES} largest." if len(names) > _GENRES else ""
    text = (
        "Mahalanobis's distance of the centres of genres in train: how many deviations within "
        f"genres they lie apart.{some} Below: the most alike, then the most different."
    )
    inside = apart[:_GENRES, :_GENRES]
    ordered = order_of(inside)
    side = 3.6 + 0.32 * len(ordered)
    shown = [names[k] for k in ordered]
    picture = Picture(
        partial(_draw_distances, shown, inside[np.ix_(ordered, ordered)]), (side + 1, side)
    )
    heads = ["genre", "other", "distance"]
    return Section(
        "Alike and different genres", text, {"similarity.png": picture},
        {"similarity.csv": (heads, pairs)}, (heads, [*near, *far]),
    )  # fmt: skip


def _draw_distances(names: Sequence[str], apart: Floats, figure: Figure) -> None:
    axes = figure.subplots()
    heat(axes, apart, names, names, "deviations apart", cmap="viridis_r")
    middle = (apart.max() + apart.min()) / 2
    for row, column in np.ndindex(apart.shape):
        if row != column:
            tone = "white" if apart[row, column] > middle else "black"
            axes.text(
                column, row, f"{apart[row, column]:.1f}", ha="center", va="center", color=tone,
                fontsize=7,
            )  # fmt: skip


def suspects(material: Material) -> Section:
    """Tracks whose genre is probably wrong, by models that do not know their artists."""
    found, train, rest = _forests(material), material.train, material.rest
    lonely = _lonely(material)
    y = np.where(np.isin(material.y, lonely), -1, material.y)
    of_train = doubted(found.probabilities, y[train])
    of_rest = doubted(found.others, y[rest], of_train.thresholds)
    rows: list[list[object]] = []
    for doubts, probabilities, where in (
        (of_train, found.probabilities, train), (of_rest, found.others, rest)
    ):  # fmt: skip
        for k in np.flatnonzero((doubts.likely >= 0) & (doubts.likely != material.y[where])):
            row, likely = where[k], doubts.likely[k]
            rows.append(
                [
                    material.paths[row], material.artists[row], material.parts[row],
                    material.genres[material.y[row]], material.genres[likely],
                    float(probabilities[k, material.y[row]]), float(probabilities[k, likely]),
                    float(doubts.margins[k]),
                ]
            )  # fmt: skip
    rows.sort(key=lambda row: (row[-1], row[0]))
    heads = ["path", "artist", "part", "genre", "likely", "p_genre", "p_likely", "margin"]
    judged = int((of_train.likely >= 0).sum() + (of_rest.likely >= 0).sum())
    text = (
        f"{len(rows):,} of {judged:,} tracks have a label that forests doubt which do not know "
        "their artists: confident learning (Northcutt et al. 2021), the surest first. "
        f"The forests are right on {found.accuracy:.1%} of train, so many doubts are their own "
        "errors: listen, do not delete. Other parts than train are judged by all the forests."
    )
    if len(lonely):
        text += f" Not judged, of genres with one artist in train: {len(lonely)} genres."
    names, labels, joint = _joint(material, of_train)
    side = 3.6 + 0.3 * len(names)
    picture = Picture(partial(_draw_joint, names, labels, joint), (side + 1, side))
    brief = [[row[0], row[3], row[4], f"{row[-1]:.2f}"] for row in rows[:_PAGE]]
    return Section(
        "Probably mislabelled", text, {"suspects.png": picture}, {"suspects.csv": (heads, rows)},
        (["path", "genre", "likely", "margin"], brief) if brief else None,
    )  # fmt: skip


def _lonely(material: Material) -> list[int]:
    """Genres of a single artist in train: no forest without that artist knows them."""
    train = material.train
    pairs = {*zip(material.y[train].tolist(), material.artist_numbers[train].tolist(), strict=True)}
    counts = np.bincount([genre for genre, _ in pairs], minlength=len(material.genres))
    return np.flatnonzero(counts < 2).tolist()


def _joint(material: Material, doubts: Doubts) -> tuple[list[str], list[str], Indices]:
    """Counts of given and likely genres, the small ones as one."""
    names, _ = material.few()
    counts = np.zeros((len(names), len(names)), np.int64)
    of = np.minimum(np.arange(len(material.genres)), len(names) - 1)
    np.add.at(counts, (of[:, None], of[None]), doubts.joint)
    return names, names, counts


def _draw_joint(
    names: Sequence[str], labels: Sequence[str], joint: Indices, figure: Figure
) -> None:
    axes = figure.subplots()
    shares = joint / np.maximum(joint.sum(1, keepdims=True), 1)
    heat(axes, shares, names, labels, "share of the row", cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(joint), strict=True):
        tone = "white" if shares[row, column] > 0.6 else "black"
        size = 7 if joint.max() < 1000 else 5.5
        axes.text(
            column, row, str(joint[row, column]), ha="center", va="center", color=tone,
            fontsize=size,
        )  # fmt: skip
    axes.set_ylabel("genre as labelled, train")
    axes.set_xlabel("genre that it confidently is of")


def outliers(material: Material) -> Section:
    """Tracks whose numbers are unlike those of all others."""
    if not material.columns:
        raise SkippedError("no column varies in train")
    train, rest = material.train, material.rest
    of_train, of_rest = strangeness(material.z[train], material.z[rest], material.seed)
    scores = np.empty(len(material.y), np.float32)
    scores[train], scores[rest] = of_train, of_rest
    count = min(len(scores), _MOST, max(_FEWEST, round(_SHARE * len(scores))))
    rows: list[list[object]] = []
    for row in np.argsort(-scores, kind="stable")[:count]:
        z = material.z[row]
        far = np.argsort(-np.abs(z), kind="stable")[:3]
        why = "; ".join(f"{material.columns[k]} {z[k]:+.1f}" for k in far)
        rows.append(
            [
                material.paths[row], material.artists[row], material.parts[row],
                material.genres[material.y[row]], float(scores[row]), why,
            ]
        )  # fmt: skip
    text = (
        f"The {count:,} tracks whose numbers stand most alone (isolation forest on train; 0.5 is "
        "usual), each with the columns in which it is farthest from the mean of train, in "
        "deviations, 10 at most. Silence, noise, a broken file, or just rare music."
    )
    heads = ["path", "artist", "part", "genre", "score", "farthest"]
    parts = {"train": of_train}
    if material.held_name:
        parts[material.held_name] = scores[material.held]
    picture = Picture(partial(_draw_scores, parts, float(rows[-1][4])), (8.0, 4.0))  # type: ignore[arg-type]
    brief = [[row[0], row[3], f"{row[4]:.3f}", row[5]] for row in rows[:_PAGE]]
    return Section(
        "Outliers", text, {"outliers.png": picture}, {"outliers.csv": (heads, rows)},
        (["path", "genre", "score", "farthest"], brief),
    )  # fmt: skip


def _draw_scores(parts: dict[str, Floats], least: float, figure: Figure) -> None:
    axes = figure.subplots()
    every = np.concatenate(list(parts.values()))
    edges = np.linspace(every.min(), every.max() + 1e-6, 41)
    for (name, scores), tone in zip(parts.items(), ("#1f77b4", "#ff7f0e"), strict=False):
        shares = np.histogram(scores, edges)[0] / len(scores)
        axes.stairs(shares, edges, label=name, color=tone, fill=name == "train", alpha=0.7)
    axes.axvline(least, color="black", linestyle=":", linewidth=1, label="from here in the table")
    axes.set_xlabel("score")
    axes.set_ylabel("share of the tracks")
    axes.legend()
