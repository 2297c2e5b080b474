"""The file that keeps a trained model: one safetensors file that says all that is known of it.

The tensors are ``state.<name>`` for each array of the classifier, and ``seen``: the ids of the
tracks it was made with, one a line, UTF-8, as uint8. Everything else is JSON under the one
metadata key ``mgrkit``. Its ``digest`` is the SHA-256 of the canonical JSON of all other fields,
then, for each tensor by name, of the canonical JSON of [name, dtype, shape] and of its bytes
(little-endian, C order). It finds damage; it is no signature.

Reading runs no code and unpickles nothing: safetensors holds plain numbers only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import bundlefields
from mgrkit.classifiers.base import Task
from mgrkit.errors import BundleError
from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

SUFFIX = ".safetensors"

FORMAT = 1
LARGEST = 1 << 30
"""Bytes of the largest bundle that is read: what is read lies in memory twice."""

_STATE = "state."
_SEEN = "seen"


@dataclass(frozen=True)
class Bundle:
    """A trained model and all that is known of it.

    Parameters
    ----------
    classifier, distribution, version : the name of the classifier, and who provides it.
    parameters : its parameters, by name.
    eats : what its examples are: ``features:<set>``, ``image`` or ``samples``.
    task : labels, shape, columns and front end.
    state : what `Classifier.state` gave.
    calibration : ``temperature``, ``unsure_below``, ``ece`` and ``method``.
    metrics : measured before any refit: ``part``, ``split``, ``accuracy``, ``accuracy_low``,
        ``accuracy_high``, ``macro_f1``, ``top3``, ``ece``, ``tracks``, ``refit``.
    seed : of the run that made it.
    card : what a person should know: data, limits; texts by heading.
    seen : ids of the tracks of train and valid.
    input_digest : of the feature set as it was; empty where nobody knows.
    """

    classifier: str
    distribution: str
    version: str
    parameters: Mapping[str, Any]
    eats: str
    task: Task
    state: Mapping[str, NDArray[Any]]
    calibration: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    card: Mapping[str, str] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    input_digest: str = ""


def save_bundle(path: Path, bundle: Bundle) -> str:
    """Write a bundle, whole or not at all, and the folders it needs; returns its digest.

    The same bundle gives the same bytes. What is written is checked as if it were read, so
    that nothing is saved that cannot be loaded.

    Raises
    ------
    BundleError : a field or an array that a bundle cannot keep.
    OSError : the disk is full, or the place may not be written to.
    """
    from safetensors.numpy import save

    arrays = {_STATE + name: _as_stored(array) for name, array in bundle.state.items()}
    try:
        arrays[_SEEN] = np.frombuffer("\n".join(bundle.seen).encode(), np.uint8)
        fields = json.loads(canonical(_fields(bundle)))
    except (TypeError, ValueError) as error:  # NaN, a number of NumPy's, a lone surrogate
        raise BundleError(f"{path} cannot be written: {error}") from None
    if _from_fields(path, fields, arrays).seen != bundle.seen:
        raise BundleError(f"{path} cannot be written: an id of a track is empty or holds a line")
    fields["digest"] = _digest(fields, arrays)
    content = save(arrays, {"mgrkit": canonical(fields)})
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temp:
        temp.write_bytes(content)
    return str(fields["digest"])


def load_bundle(path: Path) -> Bundle:
    """Read a bundle without running any code.

    Raises
    ------
    BundleError : no file, no bundle, a newer format, damage, or fields that cannot be; the
        message says which.
    """
    content = _content(path)
    text, arrays = _unpacked(path, content)
    fields = _read_json(path, text)
    if type(fields.get("format")) is int and fields["format"] > FORMAT:
        raise BundleError(
            f"{path} has format {fields['format']}, this mgrkit reads {FORMAT}", "update mgrkit"
        )
    digest = fields.pop("digest", None)
    if digest != _digest(fields, arrays):
        raise BundleError(f"{path} is damaged: its digest does not fit", "get the file again")
    return _from_fields(path, fields, arrays)


def read_head(path: Path) -> Bundle:
    """What a bundle says of itself, without its arrays and ``seen``: for choosing among many.

    The file is not read to its end, so that damage is not found but where it is cut or cannot be
    a bundle at all: `load_bundle` finds it in the one that is chosen.

    Raises
    ------
    BundleError : no file, or no bundle.
    """
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(min(size, LARGEST)))
        text = header.pop("__metadata__")["mgrkit"]
        end = max(tensor["data_offsets"][1] for tensor in header.values())
        if not isinstance(text, str):
            raise TypeError
        cut = path.stat().st_size != 8 + size + end
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise BundleError(f"{path} is no bundle of mgrkit's, or is damaged") from None
    if cut:
        raise BundleError(f"{path} is damaged: it has another size than it says")
    fields = _read_json(path, text)
    fields.pop("digest", None)
    return _from_fields(path, fields, {_SEEN: np.empty(0, np.uint8)})


def looks_like_bundle(path: Path) -> bool:
    """Whether a file begins as bundles do, whole or damaged."""
    with path.open("rb") as file:
        return file.read(64)[8:].startswith(b'{"__metadata__":{"mgrkit"')


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _as_stored(array: NDArray[Any]) -> NDArray[Any]:
    """Little-endian and in C order, which is what safetensors takes all arrays for."""
    array = np.asarray(array, order="C")
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


def _fields(bundle: Bundle) -> dict[str, Any]:
    front = bundle.task.frontend
    return {
        "format": FORMAT,
        "classifier": bundle.classifier,
        "distribution": bundle.distribution,
        "version": bundle.version,
        "parameters": dict(bundle.parameters),
        "eats": bundle.eats,
        "labels": list(bundle.task.labels),
        "shape": list(bundle.task.shape),
        "columns": list(bundle.task.columns),
        "frontend": json.loads(front.to_json()) if front else None,
        "calibration": dict(bundle.calibration),
        "metrics": dict(bundle.metrics),
        "seed": bundle.seed,
        "card": dict(bundle.card),
        **({"input_digest": bundle.input_digest} if bundle.input_digest else {}),
    }


def _digest(fields: Mapping[str, Any], arrays: Arrays) -> str:
    digest = hashlib.sha256(canonical(fields).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(canonical([name, array.dtype.name, list(array.shape)]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def _content(path: Path) -> bytes:
    try:
        if not path.exists():
            raise BundleError(f"{path}: no such file")
        if not path.is_file():
            raise BundleError(f"{path} is not a file")
        # Asked first, so that a huge one is not read; it may grow while it is.
        large = path.stat().st_size > LARGEST
        if not large:
            with path.open("rb") as file:
                content = file.read(LARGEST + 1)
            large = len(content) > LARGEST
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from None
    if large:
        raise BundleError(f"{path} is larger than a bundle may be ({LARGEST >> 20} MiB)")
    return content


def _unpacked(path: Path, content: bytes) -> tuple[str, Arrays]:
    """The text under ``mgrkit``, and the tensors: views, so that no count can ask for memory."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(content)
    except (SafetensorError, ValueError, OverflowError) as error:
        why = str(error).splitlines()[0][:200]
        raise BundleError(f"{path} is no safetensors file, or is damaged: {why}") from None
    except KeyError as error:
        raise BundleError(f"{path} holds an array of type {error}, which no bundle has") from None
    # The header was found to be sound JSON; safetensors gives its metadata for files only.
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    text = (header.get("__metadata__") or {}).get("mgrkit")
    if not isinstance(text, str):
        raise BundleError(f"{path} is a safetensors file, but not one of mgrkit's")
    return text, arrays


def _read_json(path: Path, text: str) -> dict[str, Any]:
    """The JSON object of a canonical text; any other text was changed since it was written."""
    try:
        fields = json.loads(text)
        if isinstance(fields, dict) and canonical(fields) == text:
            return fields
    except (ValueError, RecursionError):
        pass
    raise BundleError(f"{path} is damaged: what it says of itself is not canonical JSON")


def _from_fields(path: Path, fields: dict[str, Any], arrays: Arrays) -> Bundle:
    """The bundle of fields and tensors, each checked."""
    try:
        task = bundlefields.check(fields)
        bundlefields.check_arrays(arrays, _STATE, _SEEN)
        seen = bundlefields.lines(arrays[_SEEN])
    except BundleError as error:
        raise BundleError(f"{path}: {error.message}", error.hint) from None
    state = {n.removeprefix(_STATE): a for n, a in arrays.items() if n != _SEEN}
    kept = ("classifier", "distribution", "version", "parameters", "eats", "calibration")
    return Bundle(
        **{name: fields[name] for name in (*kept, "metrics", "seed", "card")},
        task=task,
        state=state,
        seen=seen,
        input_digest=fields.get("input_digest", ""),
    )
