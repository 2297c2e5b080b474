"""``mgrkit predict``: the genres of sound files, as they are found."""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from mgrkit.batch import Item, Options, Output, Report, StreamSink, Summary, Work, run, run_now
from mgrkit.batch.model import Row
from mgrkit.commands.cache import content_key
from mgrkit.commands.inputs import PICTURES, Pictures
from mgrkit.commands.model import Model, check_limits
from mgrkit.commands.models import find_model
from mgrkit.errors import ItemError, RunError
from mgrkit.tracks.find import SOUND, Finder, Search, passed_over

COLUMNS = ("path", "status", "reason")


@dataclass(frozen=True)
class Settings:
    """How to predict.

    Parameters
    ----------
    model : path or name of a bundle; None is the default model.
    top, max_seconds : see `Model.predict`.
    timeline : each piece's genre too.
    allow_truncated : judge what can be decoded of a file that is not whole.
    """

    model: str | None = None
    top: int = 3
    max_seconds: float | None = None
    timeline: bool = False
    allow_truncated: bool = True
    device: str = "auto"

    def __post_init__(self) -> None:
        check_limits(self.top, self.max_seconds)


def predict(
    settings: Settings,
    paths: Sequence[Path],
    emit: Callable[[Row], None],
    *,
    resume: Path | None = None,
    options: Options | None = None,
    report: Report | None = None,
    in_order: bool = False,
    search: Search = SOUND,
) -> Summary:
    """Predict every file, and hand each result to ``emit`` as it comes.

    Parameters
    ----------
    paths : sound files, and folders whose sound files are taken.
    emit : gets what `Model.predict` returns, or ``path`` and ``error`` for a file that cannot
        be used.
    resume : a journal; the same call again emits what stands there without work.
    search : which files of a folder are taken; by default those with a suffix of sound.
    in_order : emit at the end, in the order in which ``paths`` name the files.

    Raises
    ------
    UsageError : an unknown model or device, a journal of other settings, or no journal.
    RunError, BundleError : nothing to predict, or a bundle that cannot be used.
    WeightsError : the model needs weights that were not fetched.
    """
    path = find_model(settings.model)
    key = content_key(str(path))
    model = loaded(path, key, settings.device)
    model.ready()
    _check_there(paths)
    places: dict[str, int] = {}
    over = Summary()
    items = _items(paths, search, over, places, isinstance(model.input, Pictures))
    first = next(items, None)
    if first is None:
        told = passed_over(over.ignored)
        raise RunError(
            f"no sound files in {' and '.join(map(str, paths)) or 'the list'}"
            f"{f' ({told})' if told else ''}",
            "give others, or name the suffix of your files with --suffix",
        )
    plain = {
        "command": "predict",
        "model": model.name,
        "bundle": key,
        "top": settings.top,
        "max-seconds": settings.max_seconds,
        "timeline": settings.timeline,
    }
    if not settings.allow_truncated:
        plain["allow-truncated"] = False
    rows: list[Row] = []
    sink = StreamSink(rows.append if in_order else lambda row: emit(result_of(row)), plain, resume)
    job = partial(predict_track, path, key, settings)
    everything = _chain(first, items)
    summary = run_now(run(everything, job, sink, COLUMNS, options, report))
    summary.ignored = over.ignored
    if search.lists_ignored:
        summary.ignored_files = sorted(over.ignored_files or ())
    for row in sorted(rows, key=lambda row: places[row["path"]]):
        emit(result_of(row))
    return summary


def _check_there(paths: Sequence[Path]) -> None:
    """One file of several that is not there is an error of its own; none at all ends the run."""
    if paths and not any(map(os.path.lexists, paths)):
        several = f"none of {len(paths)} files is there, as {paths[0]}"
        what = several if len(paths) > 1 else f"there is no {paths[0]}"
        raise RunError(what, "name sound files, or folders of them")


def _chain(first: Item, rest: Iterator[Item]) -> Iterator[Item]:
    yield first
    yield from rest


def result_of(row: Row) -> Row:
    """The prediction in a row, or the path and the error."""
    if row["status"] == "failed":
        return {"path": row["path"], "error": row["reason"]}
    prediction: Row = row["prediction"]
    return prediction


@functools.lru_cache(maxsize=1)
def loaded(path: Path, key: str, device: str) -> Model:
    """The model in a file with this content, once in each process."""
    del key
    return Model(path, device)


def predict_track(path: Path, key: str, settings: Settings, item: Item, work: Work) -> list[Output]:
    """The job: one row with the prediction."""
    model = loaded(path, key, settings.device)
    prediction = model.predict(
        item.source,
        top=settings.top,
        max_seconds=settings.max_seconds,
        timeline=settings.timeline,
        allow_truncated=settings.allow_truncated,
        work=work,
    )
    row = {"prediction": {**prediction, "path": item.row["path"]}}
    return [Output(row, warning=prediction["warning"])]


def _items(
    paths: Sequence[Path],
    search: Search,
    over: Summary,
    places: dict[str, int],
    pictures: bool,
) -> Iterator[Item]:
    """An item for each file, called as the caller would call it; none twice.

    ``places`` takes each name's number, ``over`` what is passed over. With ``pictures`` a folder
    without sound gives those.
    """
    for path in paths:
        found: list[tuple[str, ItemError | None]] = [(str(path), None)]
        if path.is_dir():
            finder = Finder([path], search=search)
            if pictures and next(iter(finder), None) is None:
                finder = Finder([path], search=replace(search, suffixes=PICTURES))
            found = [(os.path.join(path, track.path), track.problem) for track in finder]
            over.ignored = dict(Counter(over.ignored) + finder.ignored)
            named = ((os.path.join(path, one.path), one.why) for one in finder.ignored_files)
            over.ignored_files = [*(over.ignored_files or ()), *named]
        for name, problem in found:
            if name not in places:
                places[name] = len(places)
                yield Item(name, name, {"path": name, "source": name}, error=problem)
