"""Where mgrkit keeps what it can make or fetch again, and the prepared tracks kept there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.errors import ItemError
from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Place:
    """Where a piece lies in its track, in seconds, and why it has no values if it has none."""

    start: float
    seconds: float
    error: ItemError | None = None


@dataclass(frozen=True)
class Described:
    """A track's features, pictures or samples.

    Parameters
    ----------
    values : of all pieces ``(n, ...)``, one behind the other along time.
    sizes : int64 ``(pieces,)``, how many of them are each piece's; without those that have none.
    sound : digest of the decoded sound.
    warning : what is odd about the file, else ''.
    places : of all pieces; none in what an mgrkit kept that did not keep them.
    rate : samples per second of the pieces; 0 in what was kept.
    """

    values: NDArray[Any]
    sizes: NDArray[np.int64]
    sound: str
    warning: str = ""
    places: tuple[Place, ...] = ()
    rate: int = 0


def cached(
    folder: Path,
    key: str,
    breadth: tuple[int, ...],
    make: Callable[[], Described],
    *,
    with_places: bool = False,
) -> Described:
    """What is kept in ``folder`` under ``key``; made and kept where it is not there.

    It is written whole or not at all; what cannot be read is made again. A track without values
    is not kept.

    Parameters
    ----------
    breadth : shape of the values without the first axis.
    with_places : what has none is made again.

    Raises
    ------
    OSError : the disk is full, or the folder may not be written to.
    """
    path = folder / key[:2] / f"{key}.safetensors"
    kept = _read(path, breadth)
    if kept is None or (with_places and not kept.places):
        kept = make()
        if len(kept.sizes):
            _write(path, kept)
    return kept


def _read(path: Path, breadth: tuple[int, ...]) -> Described | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(path.read_bytes())
        sound, warning = (bytes(arrays[name]).decode() for name in ("sound", "warning"))
        places = _places(bytes(arrays["places"]).decode()) if "places" in arrays else ()
        kept = Described(arrays["values"], arrays["sizes"], sound, warning, places)
        if bytes(arrays["check"]) != _check(kept):
            return None
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None
    if places and sum(place.error is None for place in places) != len(kept.sizes):
        return None
    complete = len(kept.values) == kept.sizes.sum() and len(kept.sizes) > 0 and kept.sizes.min() > 0
    return kept if kept.values.shape[1:] == breadth and complete else None


def _check(described: Described) -> bytes:
    """Of all that is kept: damage is made again, not learnt from."""
    digest = hashlib.sha256(f"{described.sound} {described.warning}".encode())
    for array in (described.values, described.sizes):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    if described.places:
        digest.update(_text(described.places).encode())
    return digest.digest()


def _text(places: tuple[Place, ...]) -> str:
    rows = []
    for place in places:
        error = place.error
        why = [error.reason, error.message, error.hint] if error else None
        rows.append([place.start, place.seconds, why])
    return json.dumps(rows)


def _places(text: str) -> tuple[Place, ...]:
    """Of what `_text` made; ValueError and TypeError for anything else."""
    places = []
    for start, seconds, why in json.loads(text):
        reason, message, hint = map(str, why or ("", "", ""))
        error = ItemError(reason, message, hint) if why else None
        places.append(Place(float(start), float(seconds), error))
    return tuple(places)


def _write(path: Path, described: Described) -> None:
    import numpy as np
    from safetensors.numpy import save

    arrays: dict[str, NDArray[Any]] = {
        "values": np.ascontiguousarray(described.values),
        "sizes": np.ascontiguousarray(described.sizes, np.int64),
        "sound": np.frombuffer(described.sound.encode(), np.uint8),
        "warning": np.frombuffer(described.warning.encode(), np.uint8),
        "places": np.frombuffer(_text(described.places).encode(), np.uint8),
        "check": np.frombuffer(_check(described), np.uint8),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temp:
        temp.write_bytes(save(arrays))
