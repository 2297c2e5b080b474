"""Trained models as pages: a bundle, the folder of a training run, and that of a search."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mgrkit.classifiers import Bundle, load_bundle
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.errors import BundleError, UsageError
from mgrkit.experiments.records import SETTINGS, read_record
from mgrkit.experiments.runfolder import LOG
from mgrkit.experiments.searches import RESULT
from mgrkit.experiments.voting import Polled, polled
from mgrkit.learning.calibration import Calibration
from mgrkit.models.choosing import choose
from mgrkit.reports.html import scores
from mgrkit.reports.html.charts import Series, curves
from mgrkit.reports.html.content import shaped
from mgrkit.reports.html.page import Chart, Fact, Facts, Grid, Lines, Page, Section, Share
from mgrkit.reports.html.tracks import Tracks, name_column, number_column, share_column, text_column
from mgrkit.reports.search import TRIALS
from mgrkit.tracks.identity import ARTIST, FILE

_CHOSEN = (
    "The temperature was chosen on these very tracks, so the curve is rather too good; the "
    "calibration error among the metrics is not."
)
_NOTHING = (
    "What it says of single tracks is not kept in its file, so there is no confusion matrix here: "
    "mgrkit evaluate MODEL DATA --json makes one, and mgrkit train --folds 5 keeps what fits on "
    "other artists say."
)
_APART = "Each is judged by tracks of its own: the figures do not compare."
_NAMES = {"ece": "calibration error", "unsure_below": "unsure below"}
_LONG = 40
"""Letters of a fact that needs a line of its own."""
_MEASURES = ("loss", "accuracy")


def bundle_page(path: Path) -> Page:
    """A page of a model's file: its card, metrics, settings, and what it said of train's tracks.

    Raises
    ------
    BundleError : it is no bundle, or damaged.
    """
    bundle = load_bundle(path)
    return Page(f"Model {path.stem}", [_about(bundle)], list(_of_bundle(bundle)))


def _about(bundle: Bundle) -> str:
    genres = f"{len(bundle.task.labels)} genres"
    if bundle.members:
        return f"A vote of {', '.join(bundle.members)}: {genres}."
    name = bundle.classifier
    return f"{name[:1].upper()}{name[1:]}: {genres}, from {bundle.eats}."


def judged_model(name: str, model: str, labels: Sequence[str]) -> list[Section]:
    """What is to be known of a model beside its evaluation: card, settings, versions.

    Parameters
    ----------
    name : path or name of the model.
    model, labels : what the evaluation calls it, '' where that is not known, and its genres.

    Raises
    ------
    UsageError : there is no such model, or it is another one.
    BundleError : it cannot be read.
    """
    path, _ = choose(name)
    bundle = load_bundle(path)
    if (model and path.stem != model) or len(bundle.task.labels) != len(labels):
        what = f"{path} is not the model that was judged{f', {model}' if model else ''}"
        raise UsageError(what, "give another --model")
    return [_card(bundle), Section("Settings and versions", [*_settings(bundle)])]


def _card(bundle: Bundle) -> Section:
    return Section("Card", [Facts([Fact(n, str(t), wide=True) for n, t in bundle.card.items()])])


def _of_bundle(bundle: Bundle) -> Iterator[Section]:
    poll = polled(bundle) if bundle.members else None
    judged = _judged(bundle, poll)
    yield _card(bundle)
    yield from _metrics(bundle.metrics, poll, "" if judged else _NOTHING)
    if bundle.members:
        words = "All are judged by the tracks of the vote." if poll else _APART
        yield Section("Members", [_members(bundle, poll)], words)
    if judged is not None:
        yield from _out_of_fold(judged)
    yield Section("Settings and versions", [*_settings(bundle)])


def _metrics(metrics: Mapping[str, Any], poll: Polled | None, lack: str) -> Iterator[Section]:
    where = {name: str(metrics[name]) for name in ("part", "split") if metrics.get(name)}
    parts: list[Any] = [Lines(["It was not measured."])]
    if metrics.get("accuracy") is not None:
        parts = [scores.measured(metrics)]
    if poll is not None:
        parts.append(Facts([_gain(poll)]))
    parts.append(Facts([Fact(name, text, wide=len(text) > 20) for name, text in where.items()]))
    folds = metrics.get("folds") or {}
    if folds and folds.get("accuracy") != metrics.get("accuracy"):
        parts.append(Facts(scores.measured(folds).facts, heading="In folds of train"))
    text = "Measured before it was fit again on train and valid." if metrics.get("refit") else ""
    yield Section("Metrics", parts, f"{text} {lack}".strip())


def _gain(poll: Polled) -> Fact:
    gain = poll.gain()
    points, low, high = (f"{100 * gain[name]:+.1f}" for name in ("difference", "low", "high"))
    more = f"95 %: {low} to {high}"
    return Fact(f"over its best member, {gain['over']}", f"{points} points", more, large=True)


def _members(bundle: Bundle, poll: Polled | None) -> Grid:
    weights = bundle.state.get("weights")
    accuracies = poll.accuracies() if poll else {}
    rows: list[list[str | Share]] = []
    for place, (name, member) in enumerate(sorted(bundle.members.items())):
        accuracy = accuracies.get(name, member.metrics.get("accuracy"))
        part = (bundle if poll else member).metrics.get("part", "")
        rows.append(
            [
                name, member.classifier, member.eats,
                "" if weights is None else f"{float(weights[place]):.2f}",
                "" if accuracy is None else Share(f"{accuracy:.3f}", float(accuracy)),
                str(part), f"{member.distribution} {member.version}",
            ]
        )  # fmt: skip
    heads = ["name", "classifier", "from", "weight", "accuracy", "measured on", "version"]
    if weights is None:
        heads.remove("weight")
        rows = [[*row[:3], *row[4:]] for row in rows]
    return Grid("members", heads, rows, range(3, len(heads) - 2))


def _judged(bundle: Bundle, poll: Polled | None) -> scores.Judged | None:
    """What fits on other artists said of the tracks of train; None where nothing is kept of it."""
    calibrated, labels = Calibration.from_dict(bundle.calibration), bundle.task.labels
    if poll is not None:
        one, groups = poll.common, poll.common.groups.tolist()
        return scores.Judged(one.ids, one.y, groups, labels, calibrated.apply(poll.raw))
    if (held := bundle.held_out) is None:
        return None
    probabilities = calibrated.apply(held.rows())
    return scores.Judged(held.ids, held.y, held.groups, labels, probabilities)


def _out_of_fold(judged: scores.Judged) -> Iterator[Section]:
    for section in scores.sections(judged.scores(), judged, _CHOSEN):
        yield Section(f"{section.title}, out of fold", section.parts, section.text)
    yield Section(
        "Hardest tracks, out of fold", [scores.hardest(judged, {"artist": judged.artists()})],
        "Each track of train was judged by fits on other artists.",
    )  # fmt: skip


def _settings(bundle: Bundle) -> Iterator[Any]:
    own = [Fact("eats", bundle.eats), Fact("seed", str(bundle.seed))]
    yield Facts(
        [
            Fact("classifier", bundle.classifier),
            Fact("version", f"{bundle.distribution} {bundle.version}"),
            *([] if bundle.members else own),
            Fact("tracks of train and valid", f"{_tracks(bundle):,}"),
            Fact("genres", ", ".join(bundle.task.labels), wide=True),
        ]
    )
    yield from _parameters(bundle)
    for name, member in sorted(bundle.members.items()):
        yield from _parameters(member, f" of {name}")


def _tracks(bundle: Bundle) -> int:
    """How many recordings it was fit or chosen on, each once, whatever copies of it there were."""
    return sum(not one.startswith((ARTIST, FILE)) for one in bundle.seen)


def _parameters(bundle: Bundle, of: str = "") -> Iterator[Facts]:
    seed = [Fact("seed", str(bundle.seed))] if of else []
    yield Facts([*_facts(bundle.parameters), *seed], heading=f"Parameters{of}")
    if bundle.calibration:
        named = {_NAMES.get(name, name): value for name, value in bundle.calibration.items()}
        yield Facts(_facts(named), heading=f"Calibration{of}")
    if bundle.task.frontend is not None:
        front = json.loads(bundle.task.frontend.to_json())
        yield Facts(_facts(front), heading=f"Front end{of}")


def _facts(values: Mapping[str, Any]) -> list[Fact]:
    texts = {name: _shown(value) for name, value in values.items()}
    return [Fact(name, text, wide=len(text) > _LONG) for name, text in texts.items()]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(one)}" for name, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def run_page(folder: Path) -> Page:
    """A page of the folder of a training run, and of the bundle beside it if it is there.

    Raises
    ------
    RunError : its settings cannot be read.
    """
    settings = dict(read_record(folder / SETTINGS) or {})
    finished = settings.pop("finished", False)
    sections = [_curves(folder, path) for path in sorted(folder.glob("**/metrics.csv"))]
    log = folder / LOG
    if log.exists():
        lines = log.read_text("utf-8", errors="replace").splitlines()
        sections.append(Section("Log", [Lines(lines)]))
    sections.append(Section("Settings of the run", [Facts(_facts(settings))]))
    bundle = folder.with_suffix(SUFFIX)
    notes = []
    if bundle.is_file():
        sections += _of_bundle(load_bundle(bundle))
    elif finished:
        notes.append(f"the model is not here: there is no {bundle}")
    state = "finished" if finished else "not finished: the same command goes on from there"
    page = Page(f"Training run {folder.stem}", [f"The run is {state}."], sections)
    return page.saying(notes)


def _curves(folder: Path, path: Path) -> Section:
    """How one fit went: loss and accuracy over the epochs, of all its members."""
    rows = _csv(path)
    members = sorted({row.get("member", "") for row in rows})
    charts: list[Chart | Lines] = []
    for measure in _MEASURES:
        series = []
        for part, look in (("", "line"), ("valid_", "line second")):
            for member in members:
                points = [
                    (float(row["epoch"]), float(row[part + measure]))
                    for row in rows
                    if row.get("member", "") == member and row.get(part + measure)
                ]
                series += [Series(part + measure, points, look)] if points else []
        if series:
            valid = any(one.name.startswith("valid_") for one in series)
            told = "Blue: train; orange: valid, by which it was chosen." if valid else ""
            charts.append(curves(measure, series, ("epoch", measure), told))
    where = path.parent.relative_to(folder).as_posix()
    return Section(f"Fit {where}", charts or [Lines(["No epoch is done yet."])])


def _csv(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, restval=""))
    except FileNotFoundError:
        return []
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def search_page(folder: Path) -> Page:
    """A page of the folder of ``mgrkit tune``.

    Raises
    ------
    UsageError : the search has no result yet.
    RunError : its files cannot be read.
    """
    record = read_record(folder / RESULT)
    if record is None:
        what = f"{folder} has no {RESULT}: the search is not finished"
        raise UsageError(what, "the same mgrkit tune again goes on")
    settings = dict(read_record(folder / SETTINGS) or {})
    trials = _csv(folder / TRIALS)
    page = result_page(record, folder / RESULT, trials)
    sections = [*page.sections, Section("What was searched", [Facts(_facts(settings))])]
    there, done = sum(row["search"] == "search" for row in trials), record["inner"]["trials"]
    notes = []
    if there != done:
        notes.append(
            f"{folder / TRIALS} has {there:,} of {done:,} trials: the others are not shown"
        )
    try:
        sections += _of_bundle(load_bundle(folder / f"{record['classifier']}{SUFFIX}"))
    except BundleError as error:
        notes.append(f"the model is not here: {error}")
        sections.append(Section("Model", [Lines(notes[-1:])]))
    return Page(page.title, page.lead, sections).saying(notes)


def result_page(
    record: Mapping[str, Any], source: Path, trials: Sequence[Mapping[str, str]] = ()
) -> Page:
    """A page of the result that ``mgrkit tune --json`` prints, with its trials if they are known.

    Raises
    ------
    UsageError : it is no such result.
    """
    with shaped(f"{source} is no result of mgrkit tune"):
        return _result(record, trials)


def _result(record: Mapping[str, Any], trials: Sequence[Mapping[str, str]]) -> Page:
    inner, nested = record["inner"], record["nested"]
    facts = [
        Fact("best of its trials", f"{inner['accuracy']:.3f}", "chosen: too high", True),
        Fact("trials", f"{inner['trials']:,}", f"{inner['failed']} failed", True),
    ]
    if inner["defaults"] is not None:
        facts.insert(1, Fact("the defaults", f"{inner['defaults']:.3f}", "same folds", True))
    if nested:
        low, high = nested["accuracy_low"], nested["accuracy_high"]
        worth = Fact("the whole search is worth", f"{nested['accuracy']:.3f}",
                     f"95 %: {low:.3f} to {high:.3f}", True)  # fmt: skip
        facts.insert(0, worth)
    best = Facts(_facts(record["parameters"]), heading="Best parameters")
    sections = [Section("Result", [Facts(facts), best])]
    if trials:
        sections.append(Section("Trials", [*_trials(record, trials)]))
    if importance := record["importance"]:
        rows = [[name, Share(f"{value:.2f}", float(value))] for name, value in importance.items()]
        grid = Grid("importance", ("parameter", "importance"), rows, (1,))
        sections.append(
            Section("Importance", [grid], "The share of what differs between the trials' scores.")
        )
    if notes := record.get("notes"):
        sections.append(Section("Notes", [Lines(list(map(str, notes)))]))
    lead = f"Scored by {inner['folds']} folds of train by artist, {inner['tracks']} tracks."
    return Page(f"Search of {record['classifier']}", [lead], sections)


def _trials(record: Mapping[str, Any], trials: Sequence[Mapping[str, str]]) -> Iterator[Any]:
    main = [row for row in trials if row["search"] == "search"]
    scored = [(int(r["trial"]), float(r["accuracy"])) for r in main if r["status"] == "ok"]
    early = [
        (int(row["trial"]), float(row["accuracy"]))
        for row in main
        if row["status"] == "ended early" and row["accuracy"]
    ]
    if scored:
        best = [(at, max(value for to, value in scored if to <= at)) for at, _ in scored]
        series = [Series("best so far", best, "line second"), Series("trial", scored, "dot")]
        series += [Series("ended early", early, "cross")] if early else []
        usual = record["inner"]["defaults"]
        levels = {} if usual is None else {"defaults": usual}
        crosses = " Crosses were ended early." if early else ""
        caption = f"The score of each trial; the orange line is the best so far.{crosses}"
        yield curves("history", series, ("trial", "accuracy"), caption, levels)
    yield _trial_table(trials)


def _trial_table(trials: Sequence[Mapping[str, str]]) -> Tracks:
    names = [f"{row['search']}, trial {row['trial']}" for row in trials]
    fixed = ("search", "trial", "status", "accuracy", "seconds", "reason")
    columns = [
        name_column(names, "trial"),
        text_column("status", [row["status"] for row in trials]),
        share_column("accuracy", [_float(row["accuracy"]) for row in trials], "accuracy"),
        number_column("seconds", [_float(row["seconds"]) for row in trials], digits=2),
    ]
    searched = [name for name in trials[0] if name not in fixed]
    columns += [_values(name, [row[name] for row in trials]) for name in searched]
    if any(row.get("reason") for row in trials):
        columns.append(text_column("reason", [row["reason"] for row in trials]))
    return Tracks(names, columns, "trials", ("accuracy", "descending"), [])


def _values(name: str, texts: Sequence[str]) -> Any:
    """A column of numbers, if all are, else of texts."""
    try:
        numbers = [_float(text) for text in texts]
    except ValueError:
        return text_column(f"param {name}", texts, name)
    return number_column(f"param {name}", numbers, name, digits=None)


def _float(text: str) -> float | None:
    return float(text) if text else None
