"""``mgrkit merge``: what ``--shard`` made in one folder or several, as one tree with one table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mgrkit.batch import FolderSink, TableSink, run_now
from mgrkit.batch.journalfiles import runs
from mgrkit.batch.merging import Merged
from mgrkit.batch.merging import merge as united
from mgrkit.batch.sinks.mirror import fetch_journals
from mgrkit.commands.features import SUFFIXES, FeaturesSettings
from mgrkit.errors import RunError, UsageError
from mgrkit.files.difference import difference
from mgrkit.files.remote import RemotePath, placed

_TREES = ("augment", "spectrograms", "data convert")


def merge(out: Path, others: Sequence[Path] = ()) -> Merged:
    """Unite the shards of one run, and write the table that one process would have written.

    Parameters
    ----------
    out : the folder, or the table of features, that shards have written to. Where there are
        ``others`` it may be new.
    others : of the same kind, each of one shard or several; their files are linked, or copied
        to another disk, and stay where they are. None of an ``out`` in a store.

    Raises
    ------
    UsageError : one holds no run, settings differ, or two hold different files of one name; or
        ``others`` with a store.
    RunError : one is not there, a shard is still at work, or ``out`` cannot be written.
    """
    out = placed(out)
    if others and any(isinstance(placed(place), RemotePath) for place in (out, *others)):
        raise UsageError("a store is merged alone", "let all shards write into that OUT")
    kind = TableSink if out.suffix.lower() in SUFFIXES else FolderSink
    if out in others:
        raise UsageError(f"{out} is named twice", "OUT first, then the others")
    settings = _settings(kind, out, others)
    command = settings.get("command")
    if kind is FolderSink and command in _TREES:
        return run_now(united(FolderSink(out, settings), others))
    if kind is TableSink and command == "features":
        return run_now(united(TableSink(out, _names(settings), settings), others))
    raise UsageError(f"{out} holds what mgrkit {command} made", "that is not made in shards")


def _settings(
    kind: type[FolderSink] | type[TableSink], out: Path, others: Sequence[Path]
) -> dict[str, Any]:
    """Those of all runs; UsageError where they differ."""
    first: tuple[Path, dict[str, Any]] | None = None
    for place in (out, *others):
        try:
            found = _runs(kind.journals(place), place)
        except OSError as error:
            raise RunError(f"cannot read {error.filename}: {error.strerror}") from None
        needed = place != out or not others
        if needed and not (found or place.exists() or kind.journals(place).exists()):
            raise RunError(f"there is no {place}", "OUT first, then the others")
        if needed and not found:
            hint = "name what mgrkit augment, spectrograms, features or data convert made"
            raise UsageError(f"{place} holds no run of mgrkit", hint)
        for settings in found:
            first = first or (place, settings)
            if changes := difference(first[1], settings):
                raise UsageError(
                    f"{place} and {first[0]} were made with other settings: {changes}"
                    if place != first[0]
                    else f"shards in {place} were made with other settings: {changes}",
                    "make one of them again",
                )
    assert first
    return first[1]


def _runs(journals: Path, place: Path) -> list[dict[str, Any]]:
    if not isinstance(place, RemotePath):
        return runs(journals)
    with tempfile.TemporaryDirectory(prefix="mgrkit-") as folder:
        fetch_journals(str(journals), Path(folder))
        return runs(Path(folder))


def _names(settings: dict[str, Any]) -> Sequence[str]:
    """The columns of the numbers; UsageError where the set is another one by now."""
    made = FeaturesSettings.of(str(settings.get("set")), settings.get("piece-seconds"))
    if changes := difference(settings, made.as_json()):
        raise UsageError(f"the features were made by another release: {changes}")
    return made.feature_set.columns
