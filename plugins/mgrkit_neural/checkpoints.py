"""What a fit needs to go on: one safetensors file, whole or absent, and the one before it.

The file's tensors are those of the fit; its one metadata key ``mgrkit`` is a JSON with what else
there is, the settings of the fit, and a digest over all of it. Nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import RunError, UsageError
from mgrkit.files.difference import difference
from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "checkpoint.safetensors"
PREVIOUS = "checkpoint.previous.safetensors"
_KEY = "mgrkit"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a fit at the end of an epoch.

    Parameters
    ----------
    settings : what decides the numbers; a fit of other settings cannot go on from here.
    place : how far the fit has come, JSON values: member, epoch, history, ...
    arrays : weights, moments and averages by name.
    """

    settings: Mapping[str, Any]
    place: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write it beside the one before, and forget the one before that.

    Raises
    ------
    RunError : it cannot be written, e.g. for a full disk; the earlier ones are as they were.
    """
    from safetensors.numpy import save as packed

    # Not ascontiguousarray, which makes one-dimensional what has no dimension.
    arrays = {name: np.asarray(a, order="C") for name, a in checkpoint.arrays.items()}
    record = {"settings": checkpoint.settings, "plain": checkpoint.place}
    text = json.dumps({**record, "digest": _digest(record, arrays)})
    try:
        with replacing(folder / NAME) as temp:
            temp.write_bytes(packed(arrays, {_KEY: text}))
            # From here to the end of the block there is no newest one; the one before is whole.
            with contextlib.suppress(FileNotFoundError):
                os.replace(folder / NAME, folder / PREVIOUS)
    except OSError as error:
        raise RunError(
            f"a checkpoint cannot be written to {folder}: {error.strerror}",
            "once that is mended, the same command goes on from the checkpoint before",
        ) from error


def newest(folder: Path) -> bytes | None:
    """The newest checkpoint in a folder that is whole, to be `parsed`; None if there is none.

    Raises
    ------
    RunError : there is one that may not be read.
    """
    for name in (NAME, PREVIOUS):
        try:
            content = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise RunError(f"{folder / name} cannot be read: {error.strerror}") from error
        if parsed(content) is not None:
            return content
        # Else the next one that is written would push it into the place of the good one.
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    return None


def parsed(content: bytes) -> Checkpoint | None:
    """The checkpoint that these bytes are; None if they are torn or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
        length = int.from_bytes(content[:8], "little")
        record = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][_KEY])
        intact = record.pop("digest") == _digest(record, arrays)
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Checkpoint(record["settings"], record["plain"], arrays) if intact else None


def agree(checkpoint: Checkpoint, settings: Mapping[str, Any], folder: Path | None) -> None:
    """UsageError, which names the difference, unless a fit of these settings can go on from it."""
    if other := difference(checkpoint.settings, settings):
        raise UsageError(
            f"{folder} was made with other settings: {other}",
            "give another run folder, or delete that one",
        )


def _digest(record: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(record, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
