"""``mgrkit predict``: the genres of sound files, as they are found."""

from __future__ import annotations

import functools
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from mgrkit.errors import ItemError, RunError
from mgrkit.files.cache import content_key
from mgrkit.files.objects import Version
from mgrkit.files.remote import RemotePath, lies, placed
from mgrkit.inputs.kinds import PICTURES
from mgrkit.models.choosing import choose
from mgrkit.models.model import Model, check_limits
from mgrkit.models.tagging import TagModel, tag_set, tag_sets
from mgrkit.registry.specs import FeatureSetSpec, Weights
from mgrkit.tracks.find import SOUND, Finder, Search, check_readable, passed_over
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

    Raises
    ------
    UsageError : an unknown model or device, a journal of other settings, or no journal; or a
        table without a column path.
    RunError, BundleError : nothing to predict, or a bundle that cannot be used.
    WeightsError : the model needs weights that were not fetched.
    """
    paths, notes = listed([placed(path) for path in paths], table)
    name, _ = found(settings.model)
    key = model_key(name)
    model = loaded(name, key, settings.device)
    model.ready(tags=settings.tags > 0)
    walk = Walk(paths, search, model.takes_pictures)
    results = _Results(partial(_answer, model, settings), emit, in_order)
    members = [] if isinstance(model, TagModel) else model.answering
    sink = StreamSink(results.take, settings.as_kept(model.name, key, members), resume)
    job = Fetched(partial(predict_track, name, key, settings))
    ready = partial(_check_same, name, key, settings)
    summary = run_now(
        run(walk.some_items(), job, sink, COLUMNS, options, report, walk.count, ready)
    )
    walk.complete(summary)
    summary.warnings += notes + results.strange()
    results.finish(walk.places)
    return summary


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


def _answer(model: Model | TagModel, settings: PredictSettings, row: Row) -> Row:
    """The prediction in a row, or the path and the error."""
    if row["status"] == "failed":
        return {"path": row["path"], "error": row["reason"]}
    return model.answer(
        row["judged"],
        top=settings.top,
        threshold=settings.threshold,
        timeline=settings.timeline,
        tags=settings.tags,
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
    name: str, key: str, settings: PredictSettings, item: Item, work: Work
) -> list[Output]:
    """The job: one row with the prediction."""
    model = loaded(name, key, settings.device)
    judged = model.judged(
        item.source,
        tags=settings.tags > 0,
        max_seconds=settings.max_seconds,
        allow_truncated=settings.allow_truncated,
        work=work,
    )
    row = {"judged": {**judged, "path": item.row["path"]}}
    return [Output(row, warning=judged["warning"])]


@dataclass
class _Results:
    """Hands the answers on as they come, or at the end in the order of the files."""

    answer: Callable[[Row], Row]
    emit: Callable[[Row], None]
    in_order: bool
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
            self.emit(self.answer(row))

    def strange(self) -> list[str]:
        """Of songs that are unlike what was learnt the first, and how many more there are."""
        if not self.strange_ones:
            return []
        more = len(self.strange_ones) - 1
        return [self.strange_ones[0] + (f"; {more} more like it" if more else "")]

    def finish(self, places: Mapping[str, int]) -> None:
        """Hand on what has waited for the end."""
        for row in sorted(self.rows, key=lambda row: places[row["path"]]):
            self.emit(self.answer(row))


@dataclass
class Walk:
    """The files that are named or lie in named folders, none twice, and what is passed over.

    Parameters
    ----------
    pictures : a folder without sound gives those.
    places : each name's number, in the order in which they came.
    again : names that came more than once.
    others : how many belong to other shards.
    """

    paths: Sequence[Path]
    search: Search
    pictures: bool
    places: dict[str, int] = field(default_factory=dict)
    again: Counter[str] = field(default_factory=Counter)
    others: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    ignored_files: list[tuple[str, str]] = field(default_factory=list)

    def some_items(self) -> Iterator[Item]:
        """All items; RunError if there is none.

        One file of several that is not there is an error of its own; if all are, the run ends.
        """
        if self.paths and not any(map(lies, self.paths)):
            several = f"none of {len(self.paths)} files is there, as {self.paths[0]}"
            what = several if len(self.paths) > 1 else f"there is no {self.paths[0]}"
            raise RunError(what, "name sound files, or folders of them")
        if len(self.paths) == 1 and self.paths[0].is_dir():
            check_readable(self.paths[0])
        items = self.items()
        first = next(items, None)
        if first is None and self.others:
            return iter(())
        if first is None:
            over = passed_over(self.ignored)
            raise RunError(
                f"no sound files in {' and '.join(map(str, self.paths)) or 'the list'}"
                f"{f' ({over})' if over else ''}",
                "give others, or name the suffix of your files with --suffix",
            )
        return itertools.chain([first], items)

    def items(self) -> Iterator[Item]:
        """An item for each file, called as the caller would call it."""
        real, seen = functools.cache(os.path.realpath), set[str]()
        for path in self.paths:
            for name, problem, version in self._tracks(path):
                folder, last = os.path.split(name)
                file = os.path.join(real(folder), last)  # a link to a file has a name of its own
                if file in seen:
                    self.again[name] += 1
                    continue
                seen.add(file)
                self.places[name] = len(self.places)
                row = {"path": name, "source": name}
                yield Item(name, name, row, error=problem, version=version)

    def count(self) -> int:
        """How many items there are, by a separate walk."""
        return sum(1 for _ in Walk(self.paths, self.search, self.pictures).items())

    def complete(self, summary: Summary) -> None:
        """Add what the walk found to the summary."""
        summary.ignored = dict(self.ignored)
        if self.search.lists_ignored:
            summary.ignored_files = sorted(self.ignored_files)
        if self.again:
            others = f" and {len(self.again) - 1} more" if len(self.again) > 1 else ""
            summary.warnings.append(f"named twice, judged once: {next(iter(self.again))}{others}")

    def _tracks(self, path: Path) -> list[tuple[str, ItemError | None, Version | None]]:
        if not path.is_dir():
            if self.search.takes(path.as_posix()):
                return [(str(path), None, path.version() if isinstance(path, RemotePath) else None)]
            self.others += 1
            return []
        finder = Finder([path], search=self.search)
        if self.pictures and next(iter(finder), None) is None:
            finder = Finder([path], search=replace(self.search, suffixes=PICTURES))
        tracks = [
            (
                os.path.join(path, track.path).removesuffix(f"{os.sep}."),
                track.problem,
                track.version,
            )
            for track in finder
        ]
        self.others += finder.found - len(tracks)
        self.ignored += finder.ignored
        self.ignored_files += [
            (os.path.join(path, one.path), one.why) for one in finder.ignored_files
        ]
        return tracks
