"""A made network in the format of the published one, and what it must tell.

The checkpoint is written as TensorFlow writes one, the wheel as a zip file; the network is
computed as musicnn's models.py (0.1.0) defines it, in plain torch, with nothing left out.
"""

from __future__ import annotations

import dataclasses
import functools
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mgrkit_pretrained.checkpoint import crc32c, masked
from mgrkit_pretrained.layout import TENSORS

from mgrkit.seeds import generator

Arrays = dict[str, np.ndarray]
Pairs = Sequence[tuple[bytes, bytes]]

FOLDER = "musicnn/MSD_musicnn/"
LIVING = 8
"""One filter of so many of the front end lives."""


@functools.lru_cache(maxsize=1)
def made_arrays() -> Arrays:
    """A network of full size with random weights: seven of eight filters of its front end are
    dead, and a third of the scales are negative."""
    rng = generator(0, "made_checkpoint")
    arrays = {}
    for name, shape in TENSORS.items():
        layer, part = name.split("/")
        values = rng.standard_normal(shape, np.float32)
        if part == "kernel":
            values /= np.sqrt(np.prod(shape[:-1]))
            if layer in ("conv2d", *(f"conv2d_{number}" for number in range(1, 5))):
                values[..., np.arange(shape[-1]) % LIVING > 0] *= 1e-12
        elif part == "gamma":
            values = np.where(rng.random(shape) < 0.33, -1, 1) * (1 + 0.2 * np.abs(values))
        elif part == "moving_variance":
            values = 0.5 + np.abs(values)
        else:
            values *= 0.3
        arrays[name] = values.astype(np.float32)
    arrays["batch_normalization/gamma"][:] = 0.5
    return arrays


def levels(frames: int, variant: int = 0) -> np.ndarray:
    """Log-mel as a sound has it that grows louder, 0 to 5."""
    drawn = generator(0, "levels", (variant,)).random((frames, 96), np.float32)
    return 5 * drawn**2 * np.linspace(0.2, 1, frames, dtype=np.float32)[:, None]


@dataclass(frozen=True)
class Entry:
    """What an index says of a tensor."""

    shape: tuple[int, ...]
    offset: int
    size: int
    checksum: int
    dtype: int = 1
    shard: int = 0
    more: bytes = b""

    def encoded(self) -> bytes:
        sizes = b"".join(_field(2, _number(1, size)) for size in self.shape)
        return b"".join([
            _number(1, self.dtype),
            _field(2, sizes),
            *([_number(3, self.shard)] if self.shard else []),
            _number(4, self.offset),
            _number(5, self.size),
            varint(6 << 3 | 5) + struct.pack("<I", self.checksum),
            self.more,
        ])  # fmt: skip


def header(shards: int = 1, big_endian: int = 0, least: int = 0) -> bytes:
    return (
        _number(1, shards) + _number(2, big_endian) + _field(3, _number(1, 1) + _number(2, least))
    )


def pairs(arrays: Mapping[str, np.ndarray], **changes: dict[str, Any]) -> tuple[Pairs, bytes]:
    """Keys and values of an index, and the data; ``changes`` are of entries, ``/`` being ``__``."""
    found, data = [(b"", header())], b""
    for name in sorted(arrays):
        content = arrays[name].astype("<f4").tobytes()
        entry = Entry(arrays[name].shape, len(data), len(content), masked(crc32c(content)))
        entry = dataclasses.replace(entry, **changes.get(name.replace("/", "__"), {}))
        found.append((name.encode(), entry.encoded()))
        data += content
    return found, data


def table(found: Pairs, a_block: int = 10, kind: int = 0) -> bytes:
    """A LevelDB table with so many keys a block, and a new start every four keys."""
    content, places = b"", []
    for first in range(0, len(found), a_block):
        part = found[first : first + a_block]
        content, place = _with_block(content, part, kind)
        places.append((part[-1][0], place))
    content, unused = _with_block(content, [])
    content, index = _with_block(content, places)
    return content + (unused + index).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


def wheel(path: Path, index: bytes, data: bytes, without: str = "") -> Path:
    """A wheel with a checkpoint; ``without`` is the end of a name that is left out."""
    members = {
        "__init__.py": b"",
        "MSD_musicnn/.index": index,
        "MSD_musicnn/.data-00000-of-00001": data,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            if not (without and name.endswith(without)):
                archive.writestr(f"musicnn/{name}", content)
    return path


def varint(value: int) -> bytes:
    content = bytearray()
    while value > 127:
        content.append(value & 127 | 128)
        value >>= 7
    return bytes([*content, value])


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def _field(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def _with_block(content: bytes, found: Pairs, kind: int = 0) -> tuple[bytes, bytes]:
    """The content with one block more, and the block's place."""
    block, starts, last = b"", [0], b""
    for number, (key, value) in enumerate(found):
        shared = 0
        if number % 4:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        elif number:
            starts.append(len(block))
        block += varint(shared) + varint(len(key) - shared) + varint(len(value))
        block += key[shared:] + value
        last = key
    block += struct.pack(f"<{len(starts) + 1}I", *starts, len(starts))
    place = varint(len(content)) + varint(len(block))
    block += bytes([kind])
    return content + block + struct.pack("<I", masked(crc32c(block))), place


def plain(arrays: Mapping[str, np.ndarray], windows: np.ndarray) -> dict[str, np.ndarray]:
    """Tags, penultimate and pool of windows ``(n, 187, 96)``, as the original defines them."""
    import torch
    from torch.nn import functional as tf

    at = {name: torch.tensor(np.array(values)) for name, values in arrays.items()}

    def name(kind: str, number: int) -> str:
        return f"{kind}_{number}" if number else kind

    def normalised(x: torch.Tensor, number: int) -> torch.Tensor:
        of = name("batch_normalization", number)
        scale = at[f"{of}/gamma"] / torch.sqrt(at[f"{of}/moving_variance"] + 1e-3)
        return (x - at[f"{of}/moving_mean"]) * scale + at[f"{of}/beta"]

    def convolved(x: torch.Tensor, number: int) -> torch.Tensor:
        """Of ``(n, time, frequency, channels)``, with as many frames out as in, then ReLU."""
        kernel = at[f"{name('conv2d', number)}/kernel"].permute(3, 2, 0, 1)
        frames = kernel.shape[2]
        x = tf.pad(x.permute(0, 3, 1, 2), (0, 0, (frames - 1) // 2, frames // 2))
        return tf.conv2d(x, kernel, at[f"{name('conv2d', number)}/bias"]).relu().permute(0, 2, 3, 1)

    with torch.inference_mode():
        x = normalised(torch.tensor(np.array(windows))[..., None], 0)
        front = [normalised(convolved(x, number), number + 1).amax(2) for number in range(5)]
        maps = [torch.cat(front, 2)]
        for number in (5, 6, 7):
            y = normalised(convolved(maps[-1][..., None], number)[:, :, 0], number + 1)
            maps.append(maps[-1] + y if number > 5 else y)
        pooled = torch.cat(maps, 2)
        largest, mean = pooled.amax(1), pooled.mean(1)
        flat = normalised(torch.stack([largest, mean], 2).flatten(1), 9)
        hidden = normalised((flat @ at["dense/kernel"] + at["dense/bias"]).relu(), 10)
        tags = (hidden @ at["dense_1/kernel"] + at["dense_1/bias"]).sigmoid()
    return {
        "tags": tags.numpy(),
        "penultimate": hidden.numpy(),
        "pool": torch.cat([largest, mean], 1).numpy(),
    }
