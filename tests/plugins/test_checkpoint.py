"""TensorFlow's checkpoints read without it: what is right is read, every lie is named."""

from __future__ import annotations

import functools
import hashlib
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mgrkit_pretrained.checkpoint import crc32c, masked, musicnn, read
from mgrkit_pretrained.layout import POOLED, TAGS, TENSORS, UNITS
from safetensors.numpy import save

from mgrkit.errors import WeightsError
from tests.plugins import made_checkpoint as made

SMALL = {
    f"layer_{number}/{part}": np.arange(number * 3, number * 3 + size, dtype=np.float32)
    for number in range(9)
    for part, size in (("bias", 3), ("kernel", 5))
} | {"flat": np.ones((2, 3), np.float32), "one": np.float32(7).reshape(())}
SHAPES = {name: values.shape for name, values in SMALL.items()}


def checkpoint(a_block: int = 10, kind: int = 0, **changes: dict[str, Any]) -> tuple[bytes, bytes]:
    found, data = made.pairs(SMALL, **changes)
    return made.table(found, a_block, kind), data


def taken(index: bytes, data: bytes) -> made.Arrays:
    return read(index, data, SHAPES, lambda *_: None)


@functools.lru_cache(maxsize=1)
def whole() -> tuple[bytes, bytes]:
    """With what an optimiser leaves beside."""
    noted = {"beta1_power": np.zeros((), np.float32), "conv2d/bias/Adam": np.ones(204, np.float32)}
    found, data = made.pairs(made.made_arrays() | noted)
    return made.table(found), data


def test_gives_the_arrays_of_a_wheel(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    path = made.wheel(tmp_path / "made.whl", *whole())
    arrays = musicnn(path, lambda done, total: steps.append((done, total)))
    assert list(arrays) == list(TENSORS)
    for name, values in made.made_arrays().items():
        assert arrays[name].dtype == np.dtype("<f4")
        assert arrays[name].flags.c_contiguous
        np.testing.assert_array_equal(arrays[name], values)
    total = 4 * sum(values.size for values in arrays.values())
    assert steps[-1] == (total, total)
    assert steps == sorted(steps)
    assert len(steps) == len(TENSORS)


def test_its_tensors_fit_what_the_sets_promise() -> None:
    assert TENSORS["conv2d_5/kernel"] == (7, 561, 1, 64)
    assert TENSORS["dense/kernel"] == (2 * POOLED, UNITS) == (1506, 200)
    assert TENSORS["dense_1/kernel"] == (UNITS, len(TAGS)) == (200, 50)
    assert len(TENSORS) == 64


@pytest.mark.parametrize("a_block", [1, 3, 4, 5, 20, 100])
def test_reads_tables_of_any_blocks(a_block: int) -> None:
    arrays = taken(*checkpoint(a_block))
    assert {name: values.tolist() for name, values in arrays.items()} == {
        name: values.tolist() for name, values in SMALL.items()
    }


def test_the_checksum_is_castagnolis() -> None:
    """The values of RFC 3720, B.4, and of a float32 0 in a checkpoint of TensorFlow's."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283
    assert masked(crc32c(bytes(4))) == 974224294


def test_the_pinned_hash_is_of_a_file_that_is_always_the_same() -> None:
    """Were small arrays written in another way, the real ones would be refused."""
    arrays = {"b/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.ones(1, np.float32)}
    told = hashlib.sha256(save(arrays)).hexdigest()
    assert told == hashlib.sha256(save(dict(reversed(arrays.items())))).hexdigest()
    assert told == "c13dab2200af44fb17634ffda5aa1ed639305f638823474ab196d2733d1d28ac"


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 16]) + content[at + 1 :]


FAULTS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda _: b"", "no footer"),
    "cut off": (lambda index: index[:-1], "no footer"),
    "nothing but its end": (lambda index: index[-9:], "no footer"),
    "cut in the middle": (lambda index: index[: len(index) // 2], "no footer"),
    "another magic": (lambda index: flipped(index, len(index) - 3), "no footer"),
    "a flipped byte": (lambda index: flipped(index, 30), "damaged: checksum of the block at 0"),
    "a flipped checksum": (lambda index: flipped(index, len(index) - 50), "damaged: checksum"),
    "a block beyond": (
        lambda index: index[:-48] + made.varint(1 << 40) * 4 + bytes(16) + index[-8:],
        "a block at 1099511627776 to 2199023255552 of",
    ),
    "a number without an end": (
        lambda index: index[:-48] + b"\xff" * 40 + index[-8:], "a number without an end"
    ),
    "blocks lost": (lambda index: index[100:], "has a block at|damaged: checksum"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_names_what_is_wrong_with_an_index(fault: str) -> None:
    change, told = FAULTS[fault]
    index, data = checkpoint()
    with pytest.raises(WeightsError, match=told):
        taken(change(index), data)


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another type": ({"dtype": 2}, r"flat has the type 2, not 1 \(float32\)"),
    "half as wide": ({"dtype": 19}, "flat has the type 19"),
    "another shape": ({"shape": (3, 2)}, r"flat has the shape \(3, 2\), not \(2, 3\)"),
    "a huge shape": ({"shape": (1 << 62, 1 << 62)}, "flat has the shape"),
    "a size that is too small": ({"size": 20}, r"flat has 20 bytes, which do not fit \(2, 3\)"),
    "a size that is too large": ({"size": 1 << 60}, r"flat has 1152921504606846976 bytes"),
    "beyond the data": ({"offset": 1 << 40}, "flat ends at byte 1099511627800, the data has"),
    "just beyond the data": ({"offset": 18 * 16 + 24 + 4 - 23}, "flat ends at byte 317"),
    "of another place": ({"offset": 4}, "flat is damaged: its checksum"),
    "another checksum": ({"checksum": 1}, "flat is damaged: its checksum"),
    "in another file": ({"shard": 1}, "flat lies elsewhere than in the one file"),
    "in slices": ({"more": b"\x3a\x00"}, "flat lies elsewhere than in the one file"),
    "a type that is a message": ({"more": b"\x0a\x00"}, "an entry for flat that cannot be read"),
    "a shape that is a number": ({"more": b"\x10\x01"}, "a number where a message should be"),
    "a field beyond": ({"more": b"\x4a\x7f"}, "a field that reaches beyond its entry"),
    "a fixed field beyond": ({"more": b"\x49\x00"}, "a field that reaches beyond its entry"),
    "a field of no kind": ({"more": b"\x4b"}, "a field of the unknown kind 3"),
    "half a number": ({"more": b"\x80"}, "a number without an end"),
    "a number of eleven bytes": ({"more": b"\x48" + b"\x80" * 10 + b"\x01"}, "without an end"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_names_the_lie_of_an_entry(lie: str) -> None:
    change, told = LIES[lie]
    with pytest.raises(WeightsError, match=told):
        taken(*checkpoint(flat=change))


def test_an_honest_entry_may_say_more() -> None:
    taken(*checkpoint(flat={"more": b"\x49" + bytes(8) + b"\x4a\x02ab"}))


def test_names_a_tensor_that_is_damaged_or_cut_off() -> None:
    index, data = checkpoint()
    with pytest.raises(WeightsError, match="flat is damaged: its checksum"):
        taken(index, flipped(data, 5))
    with pytest.raises(WeightsError, match="one ends at byte"):
        taken(index, data[:-1])
    with pytest.raises(WeightsError, match=r"ends at byte \d+, the data has 0"):
        taken(index, b"")


def test_names_a_tensor_that_is_not_there() -> None:
    found, data = made.pairs(SMALL)
    with pytest.raises(WeightsError, match="lacks the tensor flat"):
        taken(made.table([pair for pair in found if pair[0] != b"flat"]), data)


def test_does_not_read_compressed_blocks() -> None:
    with pytest.raises(WeightsError, match="a compressed block at 0, which is not read"):
        taken(*checkpoint(kind=1))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (made.header(shards=2), "has 2 files of data, not one"),
        (made.header(big_endian=1), "is big-endian"),
        (made.header(least=2), "has version 2, known is 1"),
        (b"", "has 0 files of data"),
        (None, "has no header"),
    ],
)
def test_names_a_header_of_another_kind(content: bytes | None, told: str) -> None:
    found, data = made.pairs(SMALL)
    first = [] if content is None else [(b"", content)]
    with pytest.raises(WeightsError, match=told):
        taken(made.table([*first, *found[1:]]), data)


def test_names_a_key_that_is_there_twice() -> None:
    found, data = made.pairs(SMALL)
    with pytest.raises(WeightsError, match="has 'flat' twice"):
        taken(made.table([*found[:2], *found[1:]], a_block=1), data)


@pytest.mark.parametrize(
    "start",
    [b"\x05\x01\x00a", b"\x00\x7f\x00a", b"\x00\x01\x7fa", b"\x00\x80\x80\x80\x80\x80\x80\x01\x00"],
    ids=["shares too much", "key too long", "value too long", "key of petabytes"],
)
def test_names_an_entry_that_leaves_its_block(start: bytes) -> None:
    with pytest.raises(WeightsError, match="an entry that reaches beyond its block at 0"):
        taken(table_of_one_block(start + struct.pack("<2I", 0, 1)), b"")


def test_names_a_block_that_is_shorter_than_its_list_of_starts() -> None:
    with pytest.raises(WeightsError, match="a block at 0 that is shorter than it says"):
        taken(table_of_one_block(struct.pack("<I", 0xFFFFFFFF)), b"")


def test_long_keys_cannot_eat_the_memory() -> None:
    """Each key shares nearly all of the last one: few bytes in the file, many in memory."""
    long = b"a" * 2000
    found = [(long + b"%05d" % number, b"") for number in range(10)]
    with pytest.raises(WeightsError, match="reaches beyond its block"):
        taken(made.table([(b"", made.header()), *found]), b"")


def table_of_one_block(block: bytes) -> bytes:
    """A table whose first block is this one, with checksums that fit."""
    block += b"\0"
    content = block + struct.pack("<I", masked(crc32c(block)))
    place = made.varint(0) + made.varint(len(block) - 1)
    entry = b"\0\1" + made.varint(len(place)) + b"z" + place + struct.pack("<2I", 0, 1)
    at = made.varint(len(content)) + made.varint(len(entry))
    content += entry + b"\0" + struct.pack("<I", masked(crc32c(entry + b"\0")))
    return content + (b"\0\0" + at).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)


@pytest.mark.parametrize("missing", [".index", ".data-00000-of-00001"])
def test_names_what_a_wheel_lacks(tmp_path: Path, missing: str) -> None:
    path = made.wheel(tmp_path / "made.whl", *checkpoint(), without=missing)
    with pytest.raises(WeightsError, match=rf"made.whl: it has no musicnn/MSD_musicnn/{missing}"):
        musicnn(path, lambda *_: None)


def test_names_a_wheel_of_another_network(tmp_path: Path) -> None:
    path = made.wheel(tmp_path / "made.whl", *checkpoint())
    with pytest.raises(WeightsError, match=r"made.whl: the checkpoint lacks the tensor conv2d/ker"):
        musicnn(path, lambda *_: None)


def test_names_a_file_that_is_no_whole_wheel(tmp_path: Path) -> None:
    path = made.wheel(tmp_path / "made.whl", *checkpoint())
    content = path.read_bytes()
    for broken in (b"", b"no zip at all", content[:-1], content[: len(content) // 2]):
        path.write_bytes(broken)
        with pytest.raises(WeightsError, match=r"made.whl is not a whole wheel: .*get it again"):
            musicnn(path, lambda *_: None)
    with pytest.raises(WeightsError, match=r"other.whl is not a whole wheel"):
        musicnn(tmp_path / "other.whl", lambda *_: None)


def test_names_a_member_that_is_damaged(tmp_path: Path) -> None:
    path = made.wheel(tmp_path / "made.whl", *checkpoint())
    content = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("musicnn/MSD_musicnn/.index")
    first = info.header_offset + 30 + len(info.filename)
    for at in range(first, first + info.compress_size, 9):
        path.write_bytes(flipped(content, at))
        with pytest.raises(WeightsError, match=r"made.whl"):
            musicnn(path, lambda *_: None)


def test_does_not_unpack_what_is_too_large(tmp_path: Path) -> None:
    path = made.wheel(tmp_path / "made.whl", bytes((1 << 20) + 1), b"")
    with pytest.raises(WeightsError, match=r"\.index is too large: 1,048,577 bytes"):
        musicnn(path, lambda *_: None)


def test_does_not_ask_for_a_password(tmp_path: Path) -> None:
    path = made.wheel(tmp_path / "made.whl", *checkpoint())
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2", content.index(b"PK\1\2") + 1)
    content[at + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"\.index: .*encrypted"):
        musicnn(path, lambda *_: None)
