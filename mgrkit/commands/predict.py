"""``mgrkit predict``: the genres of sound files, as they are found."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from mgrkit.batch import (
    Fetched,
    Item,
    Options,
    Output,
    Report,
    StreamSink,
    Summary,
    Work,
    run,
    run_now,
)
from mgrkit.batch.model import Row
from mgrkit.commands.walking import Walk
from mgrkit.errors import RunError, UsageError
from mgrkit.files.cache import content_key
from mgrkit.files.remote import placed
from mgrkit.models.choosing import choose
from mgrkit.models.model import Model, check_limits
from mgrkit.models.tagging import TagModel, tag_set, tag_sets
from mgrkit.registry.specs import FeatureSetSpec, Weights
from mgrkit.tracks.find import SOUND, Search
from mgrkit.tracks.playlists import Playlists
from mgrkit.tracks.sources import Source, check_one_folder

COLUMNS = ("path", "status", "reason")


@dataclass(frozen=True)
class PredictSettings:
    """How to predict.

    Parameters
    ----------
    model : path or name of a bundle; None is the default model.
    top, threshold, max_seconds : see `Model.predict`.
    timeline : each piece's genre too.
    tags : how many tags to name, by a network that was trained on such.
    allow_truncated : judge what can be decoded of a file that is not whole.
    """

    model: str | None = None
    top: int = 3
    threshold: float | None = None
    max_seconds: float | None = None
    timeline: bool = False
    tags: int = 0
    allow_truncated: bool = True
    device: str = "auto"

    def __post_init__(self) -> None:
        check_limits(self.top, self.max_seconds, self.threshold)

    def as_kept(self, model: str, bundle: str, members: Sequence[str] = ()) -> dict[str, object]:
        """For the journal: what decides the probabilities, as a person would compare it."""
        kept: dict[str, object] = {
            "command": "predict",
            "model": model,
            "bundle": bundle,
            "max-seconds": self.max_seconds,
        }
        if self.tags:
            kept["tags"] = True
        if members:  # others of a vote are another model
            kept["members that answer"] = list(members)
        return kept if self.allow_truncated else {**kept, "allow-truncated": False}


def predict(
    settings: PredictSettings,
    paths: Sequence[Path],
    emit: Callable[[Row], None],
    *,
    resume: Path | None = None,
    options: Options | None = None,
    report: Report | None = None,
    in_order: bool = False,
    search: Search = SOUND,
    table: Path | None = None,
    playlists: Playlists | None = None,
) -> Summary:
    """Predict every file, and hand each result to ``emit`` as it comes.

    Parameters
    ----------
    paths : sound files, folders whose sound files are taken, and tables of files; also as
        ``Path("s3://...")``.
    emit : gets what `Model.predict` returns, or ``path`` and ``error`` for a file that cannot
        be used.
    resume : a journal; the same call again emits what stands there without work.
    search : which files of a folder are taken; by default those with a suffix of sound.
    in_order : emit at the end, in the order in which ``paths`` name the files.
    table : whose rows name the files of the only folder in ``paths`` that are taken.
    playlists : written when all is done; a run that is stopped leaves them as they were.

    Raises
    ------
    UsageError : an unknown model or device, a journal of other settings, or no journal; a
        table without a column path; or playlists that cannot be, as `Playlists.check` says.
    RunError, BundleError : nothing to predict, or a bundle that cannot be used.
    WeightsError : the model needs weights that were not fetched.
    """
    paths, notes = listed([placed(path) for path in paths], table)
    answering = Answering(settings)
    if playlists:
        _check_playlists(playlists, answering.model, search)
    walk = Walk(paths, search, answering.model.takes_pictures)
    results = Results(answering.answer, emit, in_order, playlists)
    sink = StreamSink(results.take, answering.kept(), resume)
    about = options, report, walk.count, answering.check_same
    summary = run_now(run(walk.some_items(), answering.job, sink, COLUMNS, *about))
    walk.complete(summary)
    summary.warnings += notes + results.strange()
    results.finish(walk.places)
    summary.warnings += _write_playlists(playlists, summary) if playlists else []
    return summary


def _check_playlists(playlists: Playlists, model: Model | TagModel, search: Search) -> None:
    if search.shard:
        raise UsageError("--playlists takes no --shard", "a share would take all for its own")
    if not model.labels:
        raise UsageError(f"{model.name} names no genres for --playlists", "give another --model")
    playlists.check(model.labels)


def _write_playlists(playlists: Playlists, summary: Summary) -> list[str]:
    """Write them; what is to be said of them."""
    if summary.to_do is not None:  # a dry run
        return []
    if summary.stopped_by:
        return ["the playlists are as they were, since not all is done"]
    playlists.write()
    if not playlists.left_out:
        return []
    return [f"in no playlist, for what the name holds: {', '.join(playlists.left_out)}"]


def listed(paths: Sequence[Path], table: Path | None) -> tuple[list[Path], list[str]]:
    """The paths, each table's files in its place, and what is to be said of the tables."""
    check_one_folder(paths, table)
    files: list[Path] = []
    notes: list[str] = []
    for path in paths:
        source = Source.of(path, table if path.is_dir() else None)
        if not source.table or not source.table.exists():
            files.append(path)
            continue
        lineage = source.lineage()
        files += (source.folder / name for name in lineage.rows)
        notes += lineage.notes
    return files, notes


class Answering:
    """A model that answers as asked, loaded once in each process; raises what `predict` does."""

    def __init__(self, settings: PredictSettings) -> None:
        self.settings = settings
        self.name, _ = found(settings.model)
        self.model_key = model_key(self.name)
        self.model = loaded(self.name, self.model_key, settings.device)
        self.model.ready(tags=settings.tags > 0)
        self.job = Fetched(partial(predict_track, self.name, self.model_key, settings))
        self.check_same = partial(_check_same, self.name, self.model_key, settings)

    def kept(self) -> dict[str, object]:
        """`PredictSettings.as_kept` of this model."""
        members = [] if isinstance(self.model, TagModel) else self.model.answering
        return self.settings.as_kept(self.model.name, self.model_key, members)

    def answer(self, row: Row) -> Row:
        """The prediction in a row, or the path and the error."""
        if row["status"] == "failed":
            return {"path": row["path"], "error": row["reason"]}
        return self.model.answer(
            row["judged"],
            top=self.settings.top,
            threshold=self.settings.threshold,
            timeline=self.settings.timeline,
            tags=self.settings.tags,
        )


def genres(settings: PredictSettings) -> tuple[str, ...]:
    """The genres that the model knows; it stays loaded for `predict`. Raises what that does."""
    name, _ = found(settings.model)
    return loaded(name, model_key(name), settings.device).labels


def found(
    model: str | None, fetch: Callable[[Weights], object] | None = None, *, tags: bool = False
) -> tuple[str, str]:
    """What `choose` finds, or a feature set of tags by its name; raises what that does.

    Parameters
    ----------
    fetch : gets what weights are needed, with ``tags`` for those, too.
    """
    spec = _tags(model)
    if spec is None:
        path, why = choose(model, fetch)
        answer = str(path), why
        spec = next(iter(tag_sets()), None) if tags else None
    else:
        answer = spec.name, ""
    if fetch and spec and spec.weights:
        fetch(spec.weights)
    return answer


def _check_same(name: str, key: str, settings: PredictSettings) -> None:
    """Raise RunError if a model is another one here, BundleError or WeightsError for none."""
    if not _tags(name) and not os.path.isfile(name):
        raise RunError(f"there is no model {name}")
    if model_key(name) != key:
        raise RunError(f"{name} is another model")
    loaded(name, key, settings.device).ready(tags=settings.tags > 0)


def _tags(model: str | None) -> FeatureSetSpec | None:
    return None if model is None or os.path.isfile(model) else tag_set(model)


def model_key(name: str) -> str:
    spec = _tags(name)
    return spec.digest if spec else content_key(name)


@functools.lru_cache(maxsize=1)
def loaded(name: str, key: str, device: str) -> Model | TagModel:
    """The model in a file with this content, or a feature set of tags, once in each process."""
    del key
    spec = _tags(name)
    return TagModel(spec, device) if spec else Model(name, device)


def predict_track(
    name: str,
    key: str,
    settings: PredictSettings,
    item: Item,
    work: Work,
    *,
    pictures: bool = True,
) -> list[Output]:
    """The job: one row with the prediction; without ``pictures`` of sound, whatever its name."""
    model = loaded(name, key, settings.device)
    judged = model.judged(
        item.source,
        tags=settings.tags > 0,
        max_seconds=settings.max_seconds,
        allow_truncated=settings.allow_truncated,
        work=work,
        pictures=pictures,
    )
    row = {"judged": {**judged, "path": item.row["path"]}}
    return [Output(row, warning=judged["warning"])]


@dataclass
class Results:
    """Hands the answers on as they come, or at the end in the order of the files."""

    answer: Callable[[Row], Row]
    emit: Callable[[Row], None]
    in_order: bool = False
    playlists: Playlists | None = None
    rows: list[Row] = field(default_factory=list)
    strange_ones: list[str] = field(default_factory=list)

    def take(self, row: Row) -> None:
        """The next row."""
        if why := row.get("judged", {}).get("strange"):
            # All but the first are counted only.
            self.strange_ones.append("" if self.strange_ones else f"{row['path']}: unsure, {why}")
        if self.in_order:
            self.rows.append(row)
        else:
            self._hand_on(row)

    def _hand_on(self, row: Row) -> None:
        answer = self.answer(row)
        if self.playlists and "genre" in answer:
            names = ("path", "genre", "probability", "seconds", "unsure")
            self.playlists.add(**{name: answer[name] for name in names})
        self.emit(answer)

    def strange(self) -> list[str]:
        """Of songs that are unlike what was learnt the first, and how many more there are."""
        if not self.strange_ones:
            return []
        more = len(self.strange_ones) - 1
        return [self.strange_ones[0] + (f"; {more} more like it" if more else "")]

    def finish(self, places: Mapping[str, int]) -> None:
        """Hand on what has waited for the end."""
        for row in sorted(self.rows, key=lambda row: places[row["path"]]):
            self._hand_on(row)
