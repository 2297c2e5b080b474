"""Where mgrkit keeps what it can make or fetch again, and the prepared tracks kept there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Described:
    """A track's features, pictures or samples.

    Parameters
    ----------
    values : of all pieces ``(n, ...)``, one behind the other along time.
    sizes : int64 ``(pieces,)``, how many of them are each piece's.
    sound : digest of the decoded sound.
    warning : what is odd about the file, else ''.
    """

    values: NDArray[Any]
    sizes: NDArray[np.int64]
    sound: str
    warning: str = ""


def cached(
    folder: Path, key: str, breadth: tuple[int, ...], make: Callable[[], Described]
) -> Described:
    """What is kept in ``folder`` under ``key``; made and kept where it is not there.

    It is written whole or not at all; what cannot be read is made again.

    Parameters
    ----------
    breadth : shape of the values without the first axis.

    Raises
    ------
    OSError : the disk is full, or the folder may not be written to.
    """
    path = folder / key[:2] / f"{key}.safetensors"
    kept = _read(path, breadth)
    if kept is None:
        kept = make()
        _write(path, kept)
    return kept


def _read(path: Path, breadth: tuple[int, ...]) -> Described | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(path.read_bytes())
        sound, warning = (bytes(arrays[name]).decode() for name in ("sound", "warning"))
        kept = Described(arrays["values"], arrays["sizes"], sound, warning)
        if bytes(arrays["check"]) != _check(kept):
            return None
    except (OSError, SafetensorError, KeyError, ValueError):
        return None
    complete = len(kept.values) == kept.sizes.sum() and len(kept.sizes) > 0 and kept.sizes.min() > 0
    return kept if kept.values.shape[1:] == breadth and complete else None


def _check(described: Described) -> bytes:
    """Of all that is kept: damage is made again, not learnt from."""
    digest = hashlib.sha256(f"{described.sound} {described.warning}".encode())
    for array in (described.values, described.sizes):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.digest()


def _write(path: Path, described: Described) -> None:
    import numpy as np
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {
        "values": np.ascontiguousarray(described.values),
        "sizes": np.ascontiguousarray(described.sizes, np.int64),
        "sound": np.frombuffer(described.sound.encode(), np.uint8),
        "warning": np.frombuffer(described.warning.encode(), np.uint8),
        "check": np.frombuffer(_check(described), np.uint8),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temp:
        temp.write_bytes(save(arrays))
