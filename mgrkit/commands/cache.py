"""Where mgrkit keeps what it can make or fetch again, and the features that it keeps there."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def cache_folder() -> Path:
    """The user's cache folder for mgrkit, or what MGRKIT_CACHE names; it may not exist yet."""
    named = os.environ.get("MGRKIT_CACHE")
    return Path(named) if named else platformdirs.user_cache_path("mgrkit")


@dataclass(frozen=True)
class Described:
    """A track's features.

    Parameters
    ----------
    values : float64 ``(rows, columns)``.
    starts : float64 ``(rows,)``, seconds into the track.
    sound : digest of the decoded sound.
    """

    values: NDArray[np.float64]
    starts: NDArray[np.float64]
    sound: str


def content_key(path: str) -> str:
    """The SHA-256 of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_features(
    folder: Path, key: str, columns: int, make: Callable[[], Described]
) -> Described:
    """The features kept in ``folder`` under ``key``; made and kept where they are not there.

    What is kept is written whole or not at all; what cannot be read is made again.

    Raises
    ------
    OSError : the disk is full, or the folder may not be written to.
    """
    path = folder / key[:2] / f"{key}.safetensors"
    kept = _read(path, columns)
    if kept is None:
        kept = make()
        _write(path, kept)
    return kept


def _read(path: Path, columns: int) -> Described | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(path.read_bytes())
        kept = Described(arrays["values"], arrays["starts"], bytes(arrays["sound"]).decode())
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    rows = len(kept.starts)
    return kept if kept.values.shape == (rows, columns) and rows else None


def _write(path: Path, described: Described) -> None:
    import numpy as np
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {
        "values": np.ascontiguousarray(described.values, np.float64),
        "starts": np.ascontiguousarray(described.starts, np.float64),
        "sound": np.frombuffer(described.sound.encode(), np.uint8),
    }
    temp = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        temp.write_bytes(save(arrays))
        os.replace(temp, path)
    finally:
        temp.unlink(missing_ok=True)
