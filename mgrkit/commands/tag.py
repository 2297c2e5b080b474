"""``mgrkit tag``: the predicted genres as tags of the files themselves."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mgrkit.audio.packets import packets_digest
from mgrkit.audio.probe import inspect
from mgrkit.audio.tags.genre import genre_tags, name_problem
from mgrkit.audio.tags.kinds import GENRE, Fields, Kind
from mgrkit.audio.tags.writing import check_library, open_tags, rewritten
from mgrkit.batch import Item, Options, Output, Report, StreamSink, Summary, Work, run, run_now
from mgrkit.batch.model import Fingerprint, Row
from mgrkit.commands.predict import (
    COLUMNS,
    PredictSettings,
    found,
    listed,
    loaded,
    model_key,
    predict_track,
)
from mgrkit.commands.walking import Walk
from mgrkit.datasets.genres import genre_key
from mgrkit.errors import ItemError, UsageError, nearest
from mgrkit.files.beside import Beside, check_replaceable, delete_left
from mgrkit.files.cache import content_key
from mgrkit.files.delta import edits
from mgrkit.files.undo import Step, UndoFile
from mgrkit.tracks.find import SOUND, Search

UNDO = "mgrkit-undo.jsonl"
"""The undo file in the current folder."""

_TAKEN = {
    "album", "albumartist", "artist", "author", "comment", "composer", "copyright", "date",
    "description", "disc", "discnumber", "encoder", "id3", "isrc", "lyrics", "oggs", "tag", "title",
    "track", "tracknumber", "vendor", "year",
}  # fmt: skip
"""Fields that mean something else to all programs, or that APEv2 forbids."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_LONGEST = 64
_LONGEST_LABEL = 1000
"""Characters of what a person calls a label; no model has longer ones."""
_PROBABILITY = "_PROBABILITY"
_SUCH_AS = "such as MGRKIT_GENRE"


@dataclass(frozen=True)
class TagSettings:
    """What to write, and where.

    Parameters
    ----------
    predict : how to predict; ``top`` genres and ``tags`` tags become values of the field.
    field : 'genre', or the name of a custom field; such a one has a second field beside it,
        NAME_PROBABILITY, with the probability of each value.
    names : a label of the model, or one of the tags, and what it is called in the files.
    overwrite : also where the field has a value.
    even_unsure : also where the verdict is unsure.
    keep_mtime : the file's time of change stays.
    dry : write nothing.
    """

    predict: PredictSettings
    field: str = GENRE
    names: tuple[tuple[str, str], ...] = ()
    overwrite: bool = False
    even_unsure: bool = False
    keep_mtime: bool = False
    dry: bool = False

    def __post_init__(self) -> None:
        good = all(char.isascii() and (char.isalnum() or char in "_ -") for char in self.field)
        if not good or not 1 < len(self.field.strip()) == len(self.field) <= _LONGEST:
            what = f"2 to {_LONGEST} letters, digits, spaces, - and _"
            raise UsageError(f"--field must be {what}, not {self.field!r}", _SUCH_AS)
        if self.field.upper().endswith(_PROBABILITY):
            what = f"--field {self.field} is where the probabilities of another field stand"
            raise UsageError(what, _SUCH_AS)
        if self.field.lower().replace("_", "").replace(" ", "") in _TAKEN:
            raise UsageError(f"--field {self.field} means something else to players", _SUCH_AS)
        for ours, theirs in self.names:
            if problem := name_problem(theirs):
                what = f"--map: {ours:.{_LONGEST}} cannot be called {theirs[:_LONGEST]!r}"
                raise UsageError(f"{what}: {problem}", "give it another name")

    def check_names(self, labels: Sequence[str], model: str) -> None:
        """Raise UsageError for a label that the model does not have, or that is there twice.

        And for one that files cannot have as a genre, and that is not called otherwise.

        Parameters
        ----------
        labels : and tags, where those are asked for.
        """
        known = {genre_key(label) for label in labels}
        keys = [genre_key(ours[:_LONGEST_LABEL]) for ours, _ in self.names]
        counts = Counter(keys)
        for (ours, _), key in zip(self.names, keys, strict=True):
            if key not in known:
                hint = nearest(ours[:_LONGEST_LABEL], labels, "its labels are")
                raise UsageError(f"--map: {model} has no label {ours:.{_LONGEST}}", hint)
            if counts[key] > 1:
                raise UsageError(f"--map names {ours} twice", "keep one of them")
        for label in labels if self.field == GENRE else ():
            if genre_key(label) not in counts and (problem := name_problem(label)):
                what = f"{model}'s label {label[:_LONGEST]!r} can be no genre of a file"
                raise UsageError(f"{what}: {problem}", f"--map '{label:.{_LONGEST}}=ANOTHER NAME'")

    def fields(self, answer: Mapping[str, Any]) -> dict[str, list[str]]:
        """The texts of each field, of what `mgrkit.models.model.Model.answer` gives.

        What is one genre by another spelling is written once, as it comes first.
        """
        called = {genre_key(ours): theirs for ours, theirs in self.names}
        genres = answer.get("genres", ())[: self.predict.top]
        found = [(one["genre"], one["probability"]) for one in genres]
        found += [(one["tag"], one["value"]) for one in answer.get("tags", ())]
        texts: dict[str, tuple[str, float]] = {}
        for name, share in found:
            text = called.get(genre_key(name), name)
            texts.setdefault(genre_key(text), (text, share))
        fields = {self.field: [text for text, _ in texts.values()]}
        if self.field != GENRE:
            fields[self.field + _PROBABILITY] = [f"{share:.4f}" for _, share in texts.values()]
        return fields


def tag(
    settings: TagSettings,
    paths: Sequence[Path],
    emit: Callable[[Row], None],
    undo_file: Path,
    *,
    options: Options | None = None,
    report: Report | None = None,
    search: Search = SOUND,
) -> Summary:
    """Predict every file that has no genre yet, and write the genre into it.

    Parameters
    ----------
    paths, search : as for `mgrkit.commands.predict.predict`.
    emit : gets a row for each file: ``path`` and ``error``; or ``path``, ``action`` ('written',
        'would-write', 'has-one', 'unsure' or 'same'), ``fields`` (texts by field that were, or
        would be, written), ``was`` (the genres, or the texts of a custom field, that were there)
        and, of what was predicted, ``probability``, ``unsure`` and, of sound unlike what was
        learnt, ``why``; ``warning``.
    undo_file : to which each change is added before it is made.

    Raises
    ------
    What `mgrkit.commands.predict.predict` raises, and
    UsageError : an unknown label, or something else lies at ``undo_file``.
    RunError : mgrkit[tags] is not installed; the undo file cannot be written.
    """
    check_library()
    files, notes = listed(paths, None)
    name, _ = found(settings.predict.model)
    key = model_key(name)
    model = loaded(name, key, settings.predict.device)
    tags = model.tag_names() if settings.predict.tags else ()
    settings.check_names((*model.labels, *tags), model.name)
    model.ready(tags=settings.predict.tags > 0)
    walk = Walk(files, search, pictures=False)
    items = _Once(walk.some_items(), prepare=_nothing if settings.dry else delete_left)
    undo = None if settings.dry else UndoFile(undo_file)
    taken = _Taken(emit)
    sink = PuttingSink(taken, undo)
    job = partial(tag_track, name, key, settings)
    try:
        summary = run_now(run(items, job, sink, COLUMNS, options, report, walk.count))
    finally:
        if undo:
            undo.close()
    walk.complete(summary)
    summary.warnings += notes + items.notes() + taken.notes()
    return summary


def tag_track(name: str, key: str, settings: TagSettings, item: Item, work: Work) -> list[Output]:
    """The job: what is to be written, and, unless that is nothing, a copy that has it."""
    path = Path(os.path.realpath(item.source))
    inspect(path)
    tags = open_tags(path)
    # One reading for all of mgrkit: what --label-from tag takes for a genre stands here, too.
    was = genre_tags(path) if settings.field == GENRE else tags.values(settings.field)
    if was and not settings.overwrite:
        return [Output({"action": "has-one", "was": was})]
    check_replaceable(path)
    [predicted] = predict_track(name, key, settings.predict, item, work, pictures=False)
    judged = predicted.row["judged"]
    asked = settings.predict
    answer = loaded(name, key, asked.device).answer(
        judged, top=asked.top, threshold=asked.threshold, tags=asked.tags
    )
    fields = settings.fields(answer)
    row: Row = {"was": was, "fields": fields}
    row |= {one: answer[one] for one in ("probability", "unsure") if one in answer}
    row |= {"why": judged["strange"]} if judged.get("strange") else {}
    if answer.get("unsure") and not settings.even_unsure:
        action = "unsure"
    elif not fields[settings.field] or all(tags.values(f) == fields[f] for f in fields):
        action = "same"
    elif settings.dry:
        action = "would-write"
    else:
        change = _changed(path, tags, fields, was, settings)
        return [Output({"action": "written", **row}, values=change, warning=judged["warning"])]
    return [Output({"action": action, **row}, warning=judged["warning"])]


@dataclass
class Change:
    """A file that is ready to take the place of another, and how that is undone.

    ``short`` is why that is not all that was asked for; the item fails with it afterwards.
    """

    beside: Beside
    step: Step | None = None
    short: ItemError | None = None


def _changed(
    path: Path, tags: Kind, fields: Fields, was: Sequence[str], settings: TagSettings
) -> Change:
    """A copy with the tags, whose sound is the same bytes."""
    mtime_ns = os.stat(path).st_mtime_ns
    beside = Beside(path)
    try:
        rewritten(tags, beside.copy, fields)
        if packets_digest(beside.copy) != packets_digest(path):
            message = "its sound would not stay the same bytes"
            raise ItemError("damaged-tags", message, "mend it with a tag editor")
        beside.take_over(mtime_ns if settings.keep_mtime else None)
        said = {"field": settings.field, "was": list(was), "now": list(fields[settings.field])}
        step = Step(
            "", content_key(str(path)), content_key(str(beside.copy)), mtime_ns,
            _edits(path, beside.copy), said,
        )  # fmt: skip
    except BaseException:
        beside.discard()
        raise
    return Change(beside, step)


def _edits(old: Path, new: Path) -> list[list[int] | str]:
    with (
        old.open("rb") as was,
        new.open("rb") as now,
        mmap.mmap(was.fileno(), 0, access=mmap.ACCESS_READ) as left,
        mmap.mmap(now.fileno(), 0, access=mmap.ACCESS_READ) as right,
    ):
        return edits(left, right)


class PuttingSink(StreamSink):
    """Moves each changed copy into its place, once the undo file says how to go back."""

    def __init__(self, emit: Callable[[Row], None], undo: UndoFile | None = None) -> None:
        super().__init__(emit, {})
        self.undo = undo

    def publish(self, item: Item, src: Fingerprint, outputs: Sequence[Output]) -> list[Row]:
        """See ``Sink.publish``."""
        for output in outputs:
            if isinstance(output.values, Change):
                try:
                    self._put(output.values, src)
                    if output.values.short:
                        raise output.values.short
                except ItemError as error:
                    return self.fail(item, src, error)
                finally:
                    output.values.beside.discard()
        return super().publish(item, src, outputs)

    def _put(self, change: Change, src: Fingerprint) -> None:
        change.beside.check_same(src[0], src[1])
        if change.step and self.undo:
            path = self.undo.name_of(change.beside.path)
            self.undo.add(Step(**{**vars(change.step), "path": path}))
        try:
            change.beside.put()
        except OSError as error:
            if error.errno in _FULL:
                raise
            why = (error.strerror or "input/output error").lower()
            raise ItemError("unwritable", f"it cannot be replaced: {why}", again=True) from None


@dataclass
class _Taken:
    """Hands rows on, and counts the songs that are unlike what was learnt."""

    emit: Callable[[Row], None]
    first: str = ""
    more: int = 0

    def __call__(self, row: Row) -> None:
        if why := row.get("why"):
            self.more += bool(self.first)
            self.first = self.first or f"{row['path']}: unsure, {why}"
        self.emit(as_emitted(row))

    def notes(self) -> list[str]:
        """Of such songs the first, and how many more there are."""
        more = f"; {self.more} more like it" if self.more else ""
        return [self.first + more] if self.first else []


def as_emitted(row: Row) -> Row:
    """A row of the run as a person asked for it."""
    if row["status"] == "failed":
        return {"path": row["path"], "error": row["reason"]}
    hidden = ("source", "status", "reason")
    shown = {name: value for name, value in row.items() if name not in hidden}
    return {**shown, "warning": row["reason"]}


def _nothing(folder: Path) -> None:
    """What a dry run does with a folder."""


@dataclass
class _Once:
    """Items, but for those whose file another one has under another name.

    ``prepare`` is called with each folder before the first of its files is handed out.
    """

    items: Iterator[Item]
    prepare: Callable[[Path], None]
    again: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Item]:
        seen: set[bytes] = set()
        folders: set[str] = set()
        for item in self.items:
            path = os.path.realpath(item.source)
            folder = os.path.dirname(path)
            if folder not in folders:
                folders.add(folder)
                self.prepare(Path(folder))
            # Short keys: a library may have a million files.
            key = hashlib.sha256(os.fsencode(path)).digest()[:16]
            if key in seen:
                self.again.append(item.key)
                continue
            seen.add(key)
            yield item

    def notes(self) -> list[str]:
        """What is said of the files that were left out."""
        if not self.again:
            return []
        more = f" and {len(self.again) - 1} more" if len(self.again) > 1 else ""
        return [f"links to files that are done by another name: {self.again[0]}{more}"]
