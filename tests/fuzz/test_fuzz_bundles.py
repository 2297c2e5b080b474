"""Mutated bundles are refused with a BundleError, or are what they were; they take no memory.

``MGRKIT_FUZZ`` sets the number of files (default 1,000).
"""

from __future__ import annotations

import dataclasses
import os
import random
import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from mgrkit.classifiers import Bundle, HeldOut, Task, bundle, load_bundle, save_bundle
from mgrkit.classifiers.bundle import read_head
from mgrkit.errors import BundleError
from mgrkit.frontend import front_end

COUNT = int(os.environ.get("MGRKIT_FUZZ", "1000"))
BUNDLE = Bundle(
    classifier="svm",
    distribution="mgrkit",
    version="0.1",
    parameters={"C": 1e-05, "kernel": "rbf"},
    eats="features:toy",
    task=Task(("dub", "ska"), (3,), ("x", "y", "z"), front_end()),
    state={"vectors": np.arange(12.0).reshape(4, 3), "signs": np.array([1, -1, 1, 1], np.int8)},
    calibration={"temperature": 1.5},
    seen=("gtzan:blues.00000", "é"),
)
OUT = HeldOut(
    np.array([[0.25, 0.75], [0.5, 0.5]], np.float16), np.array([1, 0]),
    np.array([0, 4], np.uint8), ("gtzan:blues.00000", "é"), ("artist:x", "é"),
)  # fmt: skip
VOTE = Bundle(
    "vote", "mgrkit", "0.1", {"rule": "stacked"}, "vote", Task(("dub", "ska"), ()),
    {"weights": np.array([0.5, 1.5])}, {"temperature": 1.5}, seen=BUNDLE.seen,
    members={"svm": dataclasses.replace(BUNDLE, held_out=OUT), "net": BUNDLE},
)  # fmt: skip
TOKENS = [b'"', b"{", b"}", b"[", b"]", b":", b",", b" ", b"0", b"9" * 30, b"-1", b"1e999", b"E"]
TOKENS += [b"NaN", b"null", b"\\u00e9", b"\xff", b"F64", b"BOOL", b"BF16", b'"mgrkit"', b"\\"]


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Bits flipped, bytes changed, tokens put in, parts cut, copied or swapped."""
    data = bytearray(content)
    for _ in range(rng.choice([0, 1, 1, 2, 8])):
        at = rng.randrange(len(data)) if data else 0
        kind = rng.randrange(6)
        if kind == 0 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and data:
            data[at] = rng.randrange(256)
        elif kind == 2:
            data[at : at + rng.choice([0, 1, 4])] = rng.choice(TOKENS)
        elif kind == 3:
            del data[at : at + rng.choice([1, 8, len(data)])]
        elif kind == 4:
            start = rng.randrange(len(content))
            part = content[start : start + rng.randrange(1, 200)]
            data[at : at + rng.choice([0, len(part)])] = part
        elif len(data) > 8:
            data[:8] = rng.choice([rng.randrange(2**64), len(data) - 8, 0]).to_bytes(8, "little")
    if rng.random() < 0.3 and len(data) > 8:
        # A length that fits lets the mutation reach the JSON, which it otherwise seldom does.
        size = len(data) - (len(content) - 8 - int.from_bytes(content[:8], "little")) - 8
        data[:8] = max(size, 0).to_bytes(8, "little")
    return bytes(data)


def peak() -> int:
    """The most memory that this process ever took, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def same(one: Bundle, two: Bundle) -> bool:
    odd = ("state", "held_out", "members")
    fields = [f.name for f in dataclasses.fields(Bundle) if f.name not in odd]
    return (
        all(getattr(one, name) == getattr(two, name) for name in fields)
        and all(np.array_equal(one.state[name], two.state[name]) for name in one.state)
        and all(same(one.members[name], two.members[name]) for name in one.members)
        and _arrays(one).keys() == _arrays(two).keys()
        and all(np.array_equal(a, _arrays(two)[name]) for name, a in _arrays(one).items())
    )


def _arrays(of: Bundle) -> dict[str, np.ndarray]:
    return of.held_out.to_arrays() if of.held_out else {}


@pytest.mark.parametrize("made", [BUNDLE, VOTE], ids=["bundle", "vote"])
def test_mutated_bundles_are_refused_or_the_same(tmp_path: Path, monkeypatch, made: Bundle) -> None:
    path = tmp_path / "x.safetensors"
    save_bundle(path, made)
    content, begun, accepted, reasons = path.read_bytes(), peak(), 0, set()
    read: list[bytes] = []
    monkeypatch.setattr(bundle, "_content", lambda path: read[0])  # not the disk
    for number in range(COUNT):
        read[:] = [mutate(content, random.Random(f"bundle {number}"))]
        try:
            loaded = load_bundle(path)
        except BundleError as error:
            assert "\n" not in str(error), number  # noqa: PT017
            reasons.add(str(error).removeprefix(str(path))[:24])
            continue
        assert same(loaded, made), number
        accepted += 1
    assert COUNT // 20 < accepted < COUNT // 2  # files that were left alone are among them
    assert len(reasons) >= 3, reasons  # and most of what can be wrong was
    assert peak() - begun < 100e6


def test_heads_of_mutated_votes_are_refused_or_read(tmp_path: Path) -> None:
    """No digest is looked at there, so that what is changed may be taken for what is said."""
    path = tmp_path / "x.safetensors"
    save_bundle(path, VOTE)
    content, begun, heads = path.read_bytes(), peak(), 0
    for number in range(COUNT):
        path.write_bytes(mutate(content, random.Random(f"vote {number}")))
        try:
            heads += len(read_head(path).task.labels) >= 2
        except BundleError as error:
            assert "\n" not in str(error), number  # noqa: PT017
    assert heads > COUNT // 20
    assert peak() - begun < 100e6
