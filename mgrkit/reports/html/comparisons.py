"""A comparison as a page: the record of ``compare``, and what its runs said of each track."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.records import read_record
from mgrkit.experiments.standings import Comparison, Standing
from mgrkit.experiments.trials import KeptRun, kept_runs
from mgrkit.learning.metrics import reliability
from mgrkit.learning.voting import vote
from mgrkit.reports.comparison import CHOSE, RECORD, short, spread_of, ties_of
from mgrkit.reports.html import scores
from mgrkit.reports.html.charts import Span, calibration, spans
from mgrkit.reports.html.content import shaped
from mgrkit.reports.html.page import Fact, Facts, Grid, Lines, Matrix, Page, Section, Share
from mgrkit.reports.html.tracks import (
    Tracks,
    choice_column,
    name_column,
    number_column,
    share_column,
    shares_column,
    text_column,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def comparison_page(folder: Path) -> Page:
    """A page of the folder of ``mgrkit compare``.

    Raises
    ------
    UsageError : the folder has no record of what was found, or one that is none.
    RunError : the record or a run is damaged.
    """
    record = read_record(folder / RECORD)
    if record is None:
        what = f"{folder} has no {RECORD}: the comparison is not finished, or of an earlier mgrkit"
        raise UsageError(what, "the same mgrkit compare again writes it, and trains nothing anew")
    found = comparison_of(record, folder / RECORD)
    return _page(found, folder.name, _heard(found, folder))


def record_page(record: Mapping[str, Any], source: Path) -> Page:
    """A page of what ``compare --json`` printed, without its runs; UsageError for all else."""
    found = comparison_of(record, source)
    with shaped(f"{source} is no record of mgrkit compare"):
        return _page(found, source.name, {})


def comparison_of(record: Mapping[str, Any], source: Path) -> Comparison:
    """The comparison in a record; raises UsageError if there is none."""
    with shaped(f"{source} is no record of mgrkit compare"):
        return Comparison.from_json(record)


@dataclass(frozen=True)
class _Heard:
    """What a classifier said of the judged tracks, over all its seeds.

    Parameters
    ----------
    each : by seed, ``(n, labels)`` of the tracks in the order of ``judged``.
    judged : with the mean over the seeds.
    runs : what it was made by.
    """

    each: Sequence[NDArray[Any]]
    judged: scores.Judged
    runs: Sequence[KeptRun]

    def confusion(self) -> list[list[int]]:
        """Counts over all seeds."""
        size, y = len(self.judged.labels), self.judged.y
        counts = np.zeros((size, size), np.int64)
        for rows in self.each:
            np.add.at(counts, (y, rows.argmax(1)), 1)
        return [[int(count) for count in row] for row in counts]

    def pooled(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The tracks of each seed one after the other, and what is true of them."""
        return np.concatenate(self.each), np.tile(self.judged.y, len(self.each))

    def right(self) -> NDArray[np.float64]:
        """Of each track the share of seeds that are right."""
        right = np.stack([rows.argmax(1) == self.judged.y for rows in self.each])
        return np.asarray(right.mean(0), np.float64)


def _heard(found: Comparison, folder: Path) -> dict[str, _Heard]:
    """By classifier what its runs said; votes are taken anew."""
    wanted = {name for row in found.rows if not row.reason for name in _members(row.classifier)}
    runs: dict[str, list[KeptRun]] = defaultdict(list)
    for run in kept_runs(folder):
        if (
            run.classifier in wanted
            and run.seed < found.seeds
            and bool(run.fold) == bool(found.folds)
        ):
            runs[run.classifier].append(run)
    labels = sorted(
        {label for some in runs.values() for run in some for label in run.judged.labels}
    )
    heard = {name: _of_runs(some, labels) for name, some in runs.items()}
    if len({tuple(one.judged.names) for one in heard.values()}) > 1:
        raise RunError(f"the runs in {folder} judge different tracks", "run mgrkit compare again")
    every = {}
    for row in found.rows:
        members = [heard[name] for name in _members(row.classifier) if name in heard]
        if row.classifier in heard:
            every[row.classifier] = heard[row.classifier]
        elif not row.reason and len(members) == len(_members(row.classifier)):
            every[row.classifier] = _voted(members)
    return every


def _members(name: str) -> list[str]:
    return name.split("+")


def _of_runs(runs: Sequence[KeptRun], labels: Sequence[str]) -> _Heard:
    by_seed: dict[int, list[KeptRun]] = defaultdict(list)
    for run in runs:
        by_seed[run.seed].append(run)
    each = []
    for some in by_seed.values():
        wide = []
        for run in some:  # a genre that the others of a fold lack has the probability 0 there
            rows = np.zeros((len(run.judged.ids), len(labels)), np.float32)
            rows[:, [labels.index(label) for label in run.judged.labels]] = (
                run.outcome.probabilities
            )
            wide.append(rows)
        each.append(np.concatenate(wide))
    one = next(iter(by_seed.values()))
    names = [track for run in one for track in run.judged.ids]
    genres = [genre for run in one for genre in run.judged.genres]
    groups = [group for run in one for group in run.judged.groups]
    y = np.array([labels.index(genre) for genre in genres], np.int64)
    return _Heard(each, scores.Judged(names, y, groups, labels, np.mean(each, axis=0)), runs)


def _voted(members: Sequence[_Heard]) -> _Heard:
    each = [
        vote("geometric", np.stack(rows)) for rows in zip(*(m.each for m in members), strict=True)
    ]
    judged = replace(members[0].judged, probabilities=np.mean(each, axis=0))
    return _Heard(each, judged, [])


def _page(found: Comparison, name: str, heard: Mapping[str, _Heard]) -> Page:
    good = [row for row in found.rows if not row.reason]
    sections = [Section("Standings", [*_standings(found, good)], ties_of(found))]
    if found.pairs:
        sections.append(Section("Pairs", [_pairs(found)]))
    if found.folds and good:
        sections.append(Section("Folds", [_folds(good)]))
    if heard:
        sections += _of_tracks(heard)
    if lost := [f"{row.classifier}: {row.reason}" for row in found.rows if row.reason]:
        sections.append(Section("Failed", [Lines(lost)]))
    if found.notes:
        sections.append(Section("Notes", [Lines(found.notes)]))
    if runs := [run for one in heard.values() for run in one.runs]:
        sections.append(Section("Settings and versions", [*_settings(runs)]))
    judged = f"{found.judged[0].upper()}{found.judged[1:]}."
    return Page(f"Comparison {name}", [judged, *filter(None, [found.lead])], sections)


def _standings(found: Comparison, good: Sequence[Standing]) -> Iterator[Any]:
    rows = [
        Span(
            f"{row.classifier}{'*' if row.chose else ''}  {row.ties}", row.accuracy, row.low,
            row.high, row.folds or (row.seeds.low, row.seeds.high),
        )
        for row in good
    ]  # fmt: skip
    spread = "each fold" if found.folds else "the least and the most of the seeds"
    caption = f"Accuracy with its 95 % interval; strokes: {spread}. Letters: ties."
    if good:
        yield spans("accuracy of each classifier", rows, caption)
    if any(row.chose for row in good):
        yield Lines([CHOSE])
    heads = [
        "classifier", "accuracy", "95 %", f"{spread_of(found)} \u00b1", "ties", "macro F1", "top 3",
        "calibration error", "parameters", "training s", "ms per track", "bytes",
    ]  # fmt: skip
    cells: list[list[str | Share]] = [
        [
            row.classifier + ("*" if row.chose else ""), Share(f"{row.accuracy:.3f}", row.accuracy),
            f"{row.low:.3f} to {row.high:.3f}", f"{row.spread.deviation:.3f}", row.ties,
            f"{row.macro_f1:.3f}", f"{row.top3:.3f}", f"{row.ece:.3f}", short(row.parameters),
            f"{row.training_seconds:.1f}", f"{row.prediction_ms:.2f}", short(row.bytes),
        ]
        for row in good
    ]  # fmt: skip
    yield Grid("standings", heads, cells, range(1, 12))


def _pairs(found: Comparison) -> Grid:
    heads = [
        "better",
        "worse",
        "difference",
        "95 %",
        "told apart",
        "probability of none or the reverse",
    ]
    rows = [
        [
            pair.first, pair.second, f"{pair.difference:.3f}",
            f"{pair.low:.3f} to {pair.high:.3f}", "no" if pair.tied else "yes",
            f"{pair.probability:.3f}",
        ]
        for pair in found.pairs
    ]  # fmt: skip
    return Grid("pairs", heads, rows, (2, 3, 4, 5))


def _folds(good: Sequence[Standing]) -> Grid:
    count = max(len(row.folds) for row in good)
    heads = ["classifier", *(str(number + 1) for number in range(count))]
    rows = [[row.classifier, *(f"{value:.3f}" for value in row.folds)] for row in good]
    return Grid("accuracy of each fold", heads, rows, range(1, count + 1))


def _of_tracks(heard: Mapping[str, _Heard]) -> Iterator[Section]:
    names = list(heard)
    yield Section(
        "Genres", [_recalls(heard)], "Recall: the share of a genre's tracks that is judged right."
    )
    several = max(len(one.each) for one in heard.values()) > 1
    counted = f"{scores.MATRIX}{' Counts are of all seeds.' if several else ''}"
    matrices = [Matrix(heard[n].judged.labels, heard[n].confusion(), n) for n in names]
    yield Section("Confusion", matrices, counted)
    curves = []
    for name in names:
        rows, y = heard[name].pooled()
        curves.append(replace(calibration(reliability(rows, y)), heading=name))
    yield Section("Calibration", curves, scores.CALIBRATION)
    yield Section(
        "Hardest tracks", [_hardest(heard)],
        "The lower the mean probability of what is true, the harder. All judged tracks are here.",
    )  # fmt: skip


def _recalls(heard: Mapping[str, _Heard]) -> Grid:
    first = next(iter(heard.values())).judged
    rows: list[list[str | Share]] = []
    right = [one.right() for one in heard.values()]
    for place, label in enumerate(first.labels):
        which = first.y == place
        if which.any():
            shares = [float(of[which].mean()) for of in right]
            cells = [Share(f"{share:.3f}", share) for share in shares]
            rows.append([label, f"{int(which.sum()):,}", *cells])
    return Grid("recall of each genre", ["genre", "tracks", *heard], rows, range(1, len(heard) + 2))


def _hardest(heard: Mapping[str, _Heard]) -> Tracks:
    """All tracks; votes count for the columns, but not for how hard a track is."""
    alone = [one for one in heard.values() if one.runs] or list(heard.values())
    judged = replace(
        alone[0].judged, probabilities=np.mean([one.judged.probabilities for one in alone], axis=0)
    )
    hard = judged.hardness()
    right = np.sum([one.right() for one in alone], axis=0)
    verdicts = {
        name: [one.judged.labels[place] for place in one.judged.probabilities.argmax(1)]
        for name, one in heard.items()
    }
    common = [
        Counter(verdicts[name][place] for name in verdicts).most_common(1)[0][0]
        for place in range(len(judged.names))
    ]
    columns = [
        name_column(judged.names, "track"),
        choice_column("truth", judged.truths(), "truth"),
        choice_column("verdict", common, "most say"),
        number_column("right", right.round(1).tolist(), f"right, of {len(alone)}", None),
        share_column("hard", hard.tolist(), "of the truth"),
        shares_column(scores.likeliest(judged), judged.labels, "likeliest"),
        text_column("group", judged.artists(), "artist"),
        *(
            choice_column(f"by {name}", texts, name, shown=False)
            for name, texts in verdicts.items()
        ),
    ]
    first = np.argsort(hard, kind="stable").tolist()
    return Tracks(judged.names, columns, "tracks", ("hard", "ascending"), first)


def _settings(runs: Sequence[KeptRun]) -> Iterator[Any]:
    """What each classifier was made with, and each run."""
    seen: dict[str, KeptRun] = {}
    for run in runs:
        seen.setdefault(run.classifier, run)
    for name, run in seen.items():
        parameters = run.settings.get("parameters", {})
        facts = [
            Fact("version", str(run.settings.get("version", ""))),
            Fact("device", run.outcome.device),
        ]
        facts += [Fact(key, str(value)) for key, value in dict(parameters).items()]
        yield Facts(facts, heading=name)
    rows = [
        [
            run.classifier, str(run.seed), str(run.fold or ""),
            str(run.settings.get("version", "")), run.outcome.device,
            f"{run.outcome.training_seconds:.1f}", f"{run.outcome.prediction_ms:.2f}",
            f"{run.outcome.bytes:,}",
        ]
        for run in runs
    ]  # fmt: skip
    heads = [
        "classifier",
        "seed",
        "fold",
        "version",
        "device",
        "training s",
        "ms per track",
        "bytes",
    ]
    yield Grid("runs", heads, rows, (1, 2, 5, 6, 7), heading="Runs")
