"""The scores of a model on tracks: accuracy with its interval, genres, confusion, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.learning.metrics import interval, scores
from mgrkit.reports.html.charts import Span, calibration, spans
from mgrkit.reports.html.page import Chart, Fact, Facts, Grid, Matrix, Section, Share
from mgrkit.reports.html.tracks import (
    Column,
    Tracks,
    choice_column,
    name_column,
    share_column,
    shares_column,
    text_column,
)
from mgrkit.tracks.identity import ARTIST

if TYPE_CHECKING:
    from numpy.typing import NDArray

CALIBRATION = (
    "Dots above the dashed line are verdicts that are right more often than their probability "
    "says; the larger a dot, the more tracks."
)
MATRIX = "Rows are the truth, columns the verdict; shades are shares of the row."


@dataclass(frozen=True)
class Judged:
    """Tracks, what is true of them, and what a model says.

    Parameters
    ----------
    names : paths or ids.
    y : int64 ``(n,)``, index into ``labels``.
    groups : what is drawn together for intervals: the artist, else the track.
    probabilities : ``(n, labels)``.
    """

    names: Sequence[str]
    y: NDArray[np.int64]
    groups: Sequence[str]
    labels: Sequence[str]
    probabilities: NDArray[Any]

    def scores(self) -> dict[str, Any]:
        """What `mgrkit.learning.metrics.scores` gives."""
        return scores(self.probabilities, self.y, self.groups, self.labels)

    def truths(self) -> list[str]:
        """The genre of each."""
        return [self.labels[place] for place in self.y.tolist()]

    def artists(self) -> list[str]:
        """Of each; '' where nobody knows."""
        both = zip(self.groups, self.names, strict=True)
        return ["" if group == name else group.removeprefix(ARTIST) for group, name in both]

    def hardness(self) -> NDArray[np.float64]:
        """The probability of what is true of each: the lower, the harder."""
        return np.asarray(self.probabilities[np.arange(len(self.y)), self.y], np.float64)


def measured(found: Mapping[str, Any]) -> Facts:
    """The scores of `mgrkit.learning.metrics.scores`, or those that a bundle keeps, as facts."""
    low, high = found["accuracy_low"], found["accuracy_high"]
    genres = found.get("macro_f1_genres")
    over = f"over {genres} genres" if genres else ""
    return Facts(
        [
            Fact("accuracy", f"{found['accuracy']:.3f}", f"95 %: {low:.3f} to {high:.3f}", True),
            Fact("macro F1", f"{found['macro_f1']:.3f}", over, True),
            Fact("among the three likeliest", f"{found['top3']:.3f}", "", True),
            Fact("calibration error", f"{found['ece']:.3f}", "", True),
            Fact("tracks", f"{found['tracks']:,}", "", True),
        ]
    )


def sections(
    found: Mapping[str, Any], judged: Judged | None = None, about: str = ""
) -> Iterator[Section]:
    """Genres, confusion matrix and calibration curve.

    Parameters
    ----------
    found : what `mgrkit.learning.metrics.scores` gives.
    judged : the tracks, if they are known: then genres have intervals.
    about : of the calibration curve, what else is to be said.
    """
    parts: list[Chart | Grid] = [_genres(found)]
    if judged is not None:
        parts.append(_recalls(found["labels"], judged))
    yield Section("Genres", parts, "Of recall, the bar is the share; precision is of its verdicts.")
    yield Section("Confusion", [Matrix(found["labels"], found["confusion"])], MATRIX)
    if bins := found.get("reliability"):
        yield Section("Calibration", [calibration(bins)], f"{CALIBRATION} {about}".strip())


def _genres(found: Mapping[str, Any]) -> Grid:
    rows: list[list[str | Share]] = []
    for genre, one in found["per_genre"].items():
        cells = [_number(one[name]) for name in ("recall", "precision", "f1")]
        recall: str | Share = cells[0]
        if one["recall"] is not None:
            recall = Share(cells[0], one["recall"])
        rows.append([genre, f"{one['tracks']:,}", recall, *cells[1:]])
    heads = ("genre", "tracks", "recall", "precision", "F1")
    return Grid("figures of each genre", heads, rows, range(1, 5))


def _recalls(labels: Sequence[str], judged: Judged) -> Chart:
    right = judged.probabilities.argmax(1) == judged.y
    rows = []
    for place, label in enumerate(labels):
        which = np.flatnonzero(judged.y == place)
        if len(which):
            low, high = interval(right[which], [judged.groups[i] for i in which.tolist()])
            rows.append(Span(label, float(right[which].mean()), low, high))
    caption = "Recall of each genre, with its 95 % interval from a bootstrap by artist."
    return spans("recall of each genre", rows, caption)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def hardest(judged: Judged, more: Mapping[str, Sequence[str]] | None = None) -> Tracks:
    """All tracks, the hardest first.

    Parameters
    ----------
    more : by title further texts of each track.
    """
    truths, hard = judged.truths(), judged.hardness()
    places = judged.probabilities.argmax(1)
    verdicts = [judged.labels[place] for place in places.tolist()]
    both = zip(truths, verdicts, strict=True)
    right = ["right" if truth == verdict else "wrong" for truth, verdict in both]
    columns: list[Column] = [
        name_column(judged.names, "track"),
        choice_column("truth", truths, "truth"),
        choice_column("verdict", verdicts, "verdict"),
        choice_column("right", right, "right?", {"wrong": "failed"}),
        share_column("hard", hard.tolist(), "of the truth"),
        shares_column(likeliest(judged), judged.labels, "likeliest"),
        *(text_column(f"more-{name}", texts, name) for name, texts in (more or {}).items()),
    ]
    first = np.argsort(hard, kind="stable").tolist()
    return Tracks(judged.names, columns, "tracks", ("hard", "ascending"), first)


def likeliest(judged: Judged) -> list[list[tuple[str, float]]]:
    """Of each track the genres and their probabilities, the likeliest first."""
    order = np.argsort(-judged.probabilities, axis=1, kind="stable")
    return [
        [(judged.labels[place], float(row[place])) for place in places]
        for row, places in zip(judged.probabilities, order, strict=True)
    ]
