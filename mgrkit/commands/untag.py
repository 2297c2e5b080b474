"""``mgrkit tag --undo``: files as they were before their tags were written."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mgrkit.batch import Item, Options, Output, Report, Summary, Work, run, run_now
from mgrkit.batch.model import Row
from mgrkit.commands.predict import COLUMNS
from mgrkit.commands.tag import Change, PuttingSink, as_emitted
from mgrkit.errors import ItemError
from mgrkit.files.beside import Beside, check_replaceable, delete_left
from mgrkit.files.cache import content_key
from mgrkit.files.delta import restored
from mgrkit.files.undo import Step, read_undo, steps_back, unwritten

_READ = mmap.ACCESS_READ


def untag(
    undo_file: Path,
    emit: Callable[[Row], None],
    *,
    options: Options | None = None,
    report: Report | None = None,
) -> Summary:
    """Give each file that an undo file names the bytes and the time that it had.

    Parameters
    ----------
    emit : gets a row for each file: ``path`` and ``error``, or ``path`` and ``action``, 'restored'
        or 'same' (it is what it was). A file that somebody changed between two runs becomes what
        it was after that, and has an error.

    Raises
    ------
    UsageError : it is no undo file.
    RunError : it cannot be read, belongs to another folder, or a run is adding to it.
    """
    with unwritten(undo_file):
        found, torn = read_undo(undo_file)
        summary = _undone(found, emit, options, report)
    if torn:
        lines = "a line" if torn == 1 else f"{torn} lines"
        summary.warnings.append(f"{undo_file}: {lines} cut off or damaged, and passed over")
    return summary


def _undone(
    found: Mapping[Path, Sequence[Step]],
    emit: Callable[[Row], None],
    options: Options | None,
    report: Report | None,
) -> Summary:
    for folder in {Path(os.path.realpath(path)).parent for path in found}:
        delete_left(folder)
    items = [
        Item(str(path), str(path), {"path": str(path), "source": str(path)}, tuple(steps))
        for path, steps in found.items()
    ]
    sink = PuttingSink(lambda row: emit(as_emitted(row)))
    return run_now(run(items, restore_track, sink, COLUMNS, options, report, lambda: len(items)))


def restore_track(item: Item, work: Work) -> list[Output]:
    """The job: a copy that is what the file was."""
    del work
    path = Path(os.path.realpath(item.source))
    now = content_key(str(path))
    way = steps_back(item.args, now)
    first = (way[-1].before if way else now) == item.args[0].before
    if way is None or not (way or first):
        message = "it has changed since its tags were written, and stays as it is"
        raise ItemError(
            "changed-since", message, "take its old tags from the undo file", again=True
        )
    if not way:
        return [Output({"action": "same"})]
    check_replaceable(path)
    beside = Beside(path, whole=False)
    try:
        _write(path, beside.copy, way)
        beside.take_over(way[-1].mtime_ns)
    except BaseException:
        beside.discard()
        raise
    return [
        Output({"action": "restored"}, values=Change(beside, short=None if first else _short()))
    ]


def _short() -> ItemError:
    """Why a file has not become what it was before the first run."""
    message = "it was changed between two runs: what was written after that is taken back, no more"
    return ItemError("changed-since", message, "take its older tags from the undo file", again=True)


def _write(path: Path, copy: Path, way: Sequence[Step]) -> None:
    """The former file under the name of the copy; ItemError if that is not what comes out."""
    source = path
    for step in way:
        with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=_READ) as now:
            try:
                made = list(restored(now, step.edits))
            except (ValueError, TypeError):
                made = []
        with copy.open("wb") as target:
            target.writelines(made)
        if content_key(str(copy)) != step.before:
            message = "what the undo file says of it does not lead back to what it was"
            raise ItemError("damaged-undo", message)
        source = copy
