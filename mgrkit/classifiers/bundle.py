"""The file that keeps a trained model: one safetensors file that says all that is known of it.

The tensors are ``state.<name>`` for each array of the classifier; ``seen``: the ids of the tracks
it was made with, one a line, UTF-8, as uint8; ``held_out.<name>``: what `HeldOut` keeps, where
there is such; and ``member.<name>``: of a vote, the complete file of each bundle in it, as uint8.
Everything else is JSON under the one metadata key ``mgrkit``. Its ``digest`` is the SHA-256 of the
canonical JSON of all other fields, then, for each tensor by name, of the canonical JSON of [name,
dtype, shape] and of its bytes (little-endian, C order). It finds damage; it is no signature.

Reading runs no code and unpickles nothing: safetensors holds numbers only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from mgrkit.classifiers import bundlefields
from mgrkit.classifiers.base import Task
from mgrkit.classifiers.heldout import HeldOut
from mgrkit.errors import BundleError
from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = Mapping[str, NDArray[Any]]

SUFFIX = ".safetensors"

FORMAT = 2
"""Of what is written; bundles without members, held-out tracks and bandwidth stay of format 1."""

VOTE = "vote"
"""The classifier, and what it eats, of a bundle that is a vote of others."""

LARGEST = 1 << 30
"""Bytes of the largest bundle that is read: what is read lies in memory twice."""

_STATE, _SEEN, _HELD_OUT, _MEMBER = "state.", "seen", "held_out.", "member."


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
    held_out : what fits on other artists answered on the tracks of train; None without folds.
    members : of a vote, the bundles in it by name; a vote is no member.
    bandwidth : Hz that sound must reach, else it is unlike what was learnt; 0 where nobody knows.
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
    held_out: HeldOut | None = None
    members: Mapping[str, Bundle] = field(default_factory=dict)
    bandwidth: float = 0.0


def save_bundle(path: Path, bundle: Bundle) -> str:
    """Write a bundle, whole or not at all, and the folders it needs; returns its digest.

    The same bundle gives the same bytes. What is written is checked as if it were read, so
    that nothing is saved that cannot be loaded.

    Raises
    ------
    BundleError : a field or an array that a bundle cannot keep.
    OSError : the disk is full, or the place may not be written to.
    """
    content, digest = _encoded(path, bundle)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temp:
        temp.write_bytes(content)
    return digest


def load_bundle(path: Path) -> Bundle:
    """Read a bundle without running any code.

    Raises
    ------
    BundleError : no file, no bundle, a newer format, damage, or fields that cannot be; the
        message says which.
    """
    return _decoded(path, _content(path))


def _encoded(path: Path, bundle: Bundle) -> tuple[bytes, str]:
    """The bytes of a bundle, and its digest."""
    from safetensors.numpy import save

    arrays = {_STATE + name: _as_stored(array) for name, array in bundle.state.items()}
    if bundle.held_out:
        held_out = bundle.held_out.to_arrays()
        arrays |= {_HELD_OUT + name: _as_stored(array) for name, array in held_out.items()}
    for name, member in bundle.members.items():
        arrays[_MEMBER + name] = np.frombuffer(_encoded(path, member)[0], np.uint8)
    try:
        arrays[_SEEN] = np.frombuffer("\n".join(bundle.seen).encode(), np.uint8)
        fields = json.loads(canonical(_fields(bundle)))
    except (TypeError, ValueError) as error:  # NaN, a number of NumPy's, a lone surrogate
        raise BundleError(f"{path} cannot be written: {error}") from None
    if _whole(path, _from_fields(path, fields, arrays)).seen != bundle.seen:
        raise BundleError(f"{path} cannot be written: an id of a track is empty or holds a line")
    fields["digest"] = _digest(fields, arrays)
    return save(arrays, {"mgrkit": canonical(fields)}), str(fields["digest"])


def _decoded(path: Path | str, content: bytes, *, is_member: bool = False) -> Bundle:
    text, arrays = _unpacked(path, content)
    fields = _read_json(path, text)
    if type(fields.get("format")) is int and fields["format"] > FORMAT:
        raise BundleError(
            f"{path} has format {fields['format']}, this mgrkit reads {FORMAT}", "update mgrkit"
        )
    digest = fields.pop("digest", None)
    if digest != _digest(fields, arrays):
        raise BundleError(f"{path} is damaged: its digest does not fit", "get the file again")
    if is_member and fields.get("eats") == VOTE:  # not opened: votes may lie in votes endlessly
        raise BundleError(f"{path} is a vote itself")
    return _whole(path, _from_fields(path, fields, arrays))


def _whole(path: Path | str, bundle: Bundle) -> Bundle:
    """The bundle; BundleError for a vote of too few members."""
    if bundle.eats == VOTE and len(bundle.members) < 2:
        raise BundleError(f"{path}: a vote has two members at least, not {len(bundle.members)}")
    return bundle


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
            return _head(path, file, 0, path.stat().st_size)
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise BundleError(f"{path} is no bundle of mgrkit's, or is damaged") from None


def _head(path: Path, file: BinaryIO, start: int, stop: int, *, is_member: bool = False) -> Bundle:
    """What the bundle in a stretch of a file says, and what its members say."""
    file.seek(start)
    size = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(min(size, stop - start)))
    text = header.pop("__metadata__")["mgrkit"]
    end = max(tensor["data_offsets"][1] for tensor in header.values())
    if not isinstance(text, str):
        raise TypeError
    if stop != start + 8 + size + end:
        raise BundleError(f"{path} is damaged: it has another size than it says")
    fields = _read_json(path, text)
    fields.pop("digest", None)
    bundle = _from_fields(path, fields, {_SEEN: np.empty(0, np.uint8)})
    members = {}
    for name, tensor in header.items():
        if name.startswith(_MEMBER) and not is_member:
            first, last = (start + 8 + size + offset for offset in tensor["data_offsets"])
            if not start < first <= last <= stop:
                raise ValueError
            member = _head(path, file, first, last, is_member=True)
            members[_checked_name(name.removeprefix(_MEMBER))] = member
    return replace(bundle, members=members)


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
        "format": FORMAT if bundle.members or bundle.held_out or bundle.bandwidth else 1,
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
        **({"bandwidth": bundle.bandwidth} if bundle.bandwidth else {}),
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


def _unpacked(path: Path | str, content: bytes) -> tuple[str, Arrays]:
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


def _read_json(path: Path | str, text: str) -> dict[str, Any]:
    """The JSON object of a canonical text; any other text was changed since it was written."""
    try:
        fields = json.loads(text)
        if isinstance(fields, dict) and canonical(fields) == text:
            return fields
    except (ValueError, RecursionError):
        pass
    raise BundleError(f"{path} is damaged: what it says of itself is not canonical JSON")


def _from_fields(path: Path | str, fields: dict[str, Any], arrays: Arrays) -> Bundle:
    """The bundle of fields and tensors, each checked."""
    try:
        task = bundlefields.check(fields)
        bundlefields.check_arrays(arrays, (_STATE, _HELD_OUT, _MEMBER), _SEEN)
        seen = bundlefields.lines(arrays[_SEEN])
        held_out = _named(arrays, _HELD_OUT)
        kept_out = HeldOut.from_arrays(held_out, len(task.labels)) if held_out else None
        members = _members(fields, task, _named(arrays, _MEMBER))
    except BundleError as error:
        raise BundleError(f"{path}: {error.message}", error.hint) from None
    kept = ("classifier", "distribution", "version", "parameters", "eats", "calibration")
    return Bundle(
        **{name: fields[name] for name in (*kept, "metrics", "seed", "card")},
        task=task,
        state=_named(arrays, _STATE),
        seen=seen,
        input_digest=fields.get("input_digest", ""),
        bandwidth=fields.get("bandwidth", 0.0),
        held_out=kept_out,
        members=members,
    )


def _named(arrays: Arrays, prefix: str) -> dict[str, NDArray[Any]]:
    return {n.removeprefix(prefix): a for n, a in arrays.items() if n.startswith(prefix)}


def _members(fields: Mapping[str, Any], task: Task, files: Arrays) -> dict[str, Bundle]:
    """The bundles in a vote, each of which knows the vote's genres."""
    if files and fields["eats"] != VOTE:
        raise BundleError("only a vote has members")
    members = {}
    for name, content in sorted(files.items()):
        what = f"its member {_checked_name(name)}"
        if content.dtype != np.uint8 or content.ndim != 1:
            raise BundleError(f"{what} is no file")
        member = _decoded(what, content.tobytes(), is_member=True)
        if sorted(member.task.labels) != sorted(task.labels):
            raise BundleError(f"{what} knows other genres")
        members[name] = member
    return members


def _checked_name(name: str) -> str:
    """Of a member; BundleError for one that does not belong on a terminal."""
    if bundlefields.printable_text(name) != name:
        raise BundleError(f"the name {name!r:.60} of a member does not belong on a terminal")
    return name
