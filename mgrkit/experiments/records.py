"""What an experiment was made with, kept as JSON, so that the same call goes on from it."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import RunError, UsageError
from mgrkit.files.difference import difference
from mgrkit.files.replacing import is_half_written, replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers import Examples

SETTINGS = "settings.json"
"""The record of a folder."""
LOCK = ".lock"
"""What a process at work in a folder holds; a folder of nothing else is empty."""


def read_record(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is no file; RunError if it is damaged."""
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise damaged(path) from None
    if not isinstance(record, dict):
        raise damaged(path)
    return record


def folder_record(folder: Path) -> dict[str, Any] | None:
    """The record of an experiment's folder; None where no folder is, or an empty one.

    What another process is writing there, or was when it was killed, does not count.

    Raises
    ------
    UsageError : something else is there, or a folder whose record is damaged.
    """
    if not folder.exists():
        return None
    if folder.is_dir():
        names = {path.name for path in folder.iterdir()} - {LOCK}
        if all(map(is_half_written, names)) and not (folder / SETTINGS).exists():
            return None
    with contextlib.suppress(RunError):
        if record := read_record(folder / SETTINGS):
            return record
    raise UsageError(f"{folder} holds something else", "give another --out, or move it")


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all; raises OSError."""
    with replacing(path) as temp:
        temp.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def refuse_other(path: Path, kept: object, asked: Mapping[str, Any]) -> None:
    """Raise UsageError, with the difference, if what is kept was made with other settings."""
    if words := difference(kept if isinstance(kept, dict) else {}, asked):
        raise UsageError(f"{path} was made with other settings: {words}", "give another --out")


def damaged(path: Path) -> RunError:
    """The error for a file that an experiment wrote and cannot read any more."""
    return RunError(f"{path} is damaged", "delete it and run the same command")


def digest(*parts: Examples | None) -> str:
    """16 hexadecimal digits of examples, by which a run knows that DATA is still the same."""
    found = hashlib.sha256()
    for part in parts:
        for array in _arrays(part) if part else ():
            found.update(repr((array.shape, array.dtype.str)).encode())
            found.update(np.ascontiguousarray(array).data.cast("B"))
    return found.hexdigest()[:16]


def _arrays(part: Examples) -> list[NDArray[Any]]:
    arrays = [part.x, part.y, part.tracks, part.groups]
    return arrays if part.copies is None else [*arrays, part.copies]
