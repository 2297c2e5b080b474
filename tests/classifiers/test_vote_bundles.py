"""Votes and out-of-fold predictions in a bundle: kept as they are, and lies about them named."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from mgrkit.classifiers import Bundle, HeldOut, Task, bundle, load_bundle, save_bundle
from mgrkit.classifiers.bundle import read_head
from mgrkit.errors import BundleError
from mgrkit.frontend import front_end
from tests.classifiers.test_bundle import FULL, TINY, equal, header, refused, signed

OUT = HeldOut(
    np.array([[0.25, 0.75], [0.5, 0.5], [0.875, 0.125]], np.float16),
    np.array([1, 0, 0]),
    np.array([0, 4, 0], np.uint8),
    ("gtzan:blues.00000", "name:Beyoncé.mp3", " a b "),
    ("artist:x", "artist:é", " a b "),
)
MEMBER = replace(TINY, held_out=OUT, calibration={}, metrics={"split": "grouped split"})
TURNED = replace(
    TINY, classifier="cnn", eats="image", task=Task(("b", "a"), (2, 3), (), front_end(n_mels=2)),
    state={"w": np.arange(3, dtype=">i4")}, seen=("t", "u"),
)  # fmt: skip
VOTE = Bundle(
    "vote", "mgrkit", "1.0", {"rule": "geometric"}, "vote", Task(("a", "b"), ()), {},
    seen=("t", "u"), members={"svm": MEMBER, "net é 2": TURNED},
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a vote.safetensors"


def same(one: HeldOut | None, two: HeldOut | None) -> bool:
    if one is None or two is None:
        return one is two
    pairs = [(getattr(one, f.name), getattr(two, f.name)) for f in fields(HeldOut)]
    return all(
        a == b if isinstance(a, tuple) else (a.dtype == b.dtype and np.array_equal(a, b))
        for a, b in pairs
    )


def whole(one: Bundle, two: Bundle) -> bool:
    """Whether both are the same, their members and out-of-fold predictions too."""
    plain = [replace(each, held_out=None, members={}) for each in (one, two)]
    return (
        equal(*plain)
        and same(one.held_out, two.held_out)
        and one.members.keys() == two.members.keys()
        and all(whole(one.members[name], two.members[name]) for name in one.members)
    )


def content(made: Bundle, path: Path) -> bytes:
    save_bundle(path, made)
    return path.read_bytes()


@pytest.mark.parametrize("made", [MEMBER, VOTE, replace(FULL, held_out=replace(
    OUT, probabilities=np.full((3, 3), 1 / 3, np.float16)))])  # fmt: skip
def test_what_goes_in_comes_out_and_the_same_gives_the_same_bytes(path: Path, made: Bundle) -> None:
    first = content(made, path)
    assert whole(made, load_bundle(path))
    turned = dict(reversed(made.members.items()))
    assert content(replace(load_bundle(path), members=turned), path) == first
    assert header(path)["format"] == 2


def test_a_member_is_the_file_that_it_is_alone(path: Path, tmp_path: Path) -> None:
    save_bundle(path, VOTE)
    for name, member in VOTE.members.items():
        kept = load(path.read_bytes())[f"member.{name}"].tobytes()
        assert kept == content(member, tmp_path / "alone.safetensors")


def test_what_older_ones_can_read_stays_so(path: Path) -> None:
    """Format 1 where there is nothing new, which is read as ever."""
    save_bundle(path, FULL)
    assert header(path)["format"] == 1
    plain = load_bundle(path)
    assert (plain.held_out, plain.members) == (None, {})


def test_rows_are_probabilities_in_float32() -> None:
    third = replace(OUT, probabilities=np.full((3, 2), 0.5003, np.float16))
    assert third.rows().dtype == np.float32
    np.testing.assert_allclose(third.rows().sum(1), 1, atol=1e-7)
    np.testing.assert_array_equal(OUT.rows([2, 0]), [[0.875, 0.125], [0.25, 0.75]])


def test_every_flipped_byte_of_a_vote_is_found(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the members too, and in what they were held back from."""
    good = content(VOTE, path)
    for at in range(len(good)):
        flipped = bytearray(good)
        flipped[at] ^= 1 << at % 8
        monkeypatch.setattr(bundle, "_content", lambda path, data=bytes(flipped): data)
        with pytest.raises(BundleError):
            load_bundle(path)


def lie(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> str:
    """What is said of a vote with these fields and arrays, and the digest that belongs to them."""
    save_bundle(path, VOTE)
    plain, arrays = header(path), dict(load(path.read_bytes()))
    change(plain, arrays)
    signed(path, plain, arrays)
    return refused(path)


def as_file(made: Bundle, path: Path) -> np.ndarray:
    return np.frombuffer(content(made, path.with_name("inside")), np.uint8)


def test_signed_lies_about_members(path: Path) -> None:
    inside = as_file(VOTE, path)
    other = as_file(replace(TINY, task=Task(("a", "c"), (1,), ("x",))), path)
    fewer = as_file(replace(TINY, task=Task(("a", "b", "c"), (1,), ("x",))), path)

    def put(array: np.ndarray, name: str = "svm") -> str:
        return lie(path, lambda _, arrays: arrays.update({f"member.{name}": array}))

    assert put(inside) == ": its member svm is a vote itself"
    assert put(other) == ": its member svm knows other genres"
    assert put(fewer) == ": its member svm knows other genres"
    assert put(inside[:-1]).startswith(": its member svm is no safetensors file")
    assert put(np.zeros(0, np.uint8)).startswith(": its member svm is no safetensors file")
    damaged = as_file(TINY, path).copy()
    damaged[-1] ^= 1
    assert (
        put(damaged) == ": its member svm is damaged: its digest does not fit (get the file again)"
    )
    assert put(inside.astype(np.int16)) == ": its member svm is no file"
    assert put(inside[None]) == ": its member svm is no file"
    assert "does not belong on a terminal" in put(other, "a\x1b[2J")
    assert "unknown tensor 'member.'" in put(other, "")
    gone = lie(path, lambda _, arrays: arrays.pop("member.svm"))
    assert gone == ": a vote has two members at least, not 1"
    assert "two members at least, not 0" in lie(
        path, lambda _, arrays: [arrays.pop(name) for name in list(arrays) if "member" in name]
    )
    assert ": only a vote has members" in lie(
        path, lambda plain, _: plain.update({"eats": "samples", "shape": [3]})
    )
    assert ": shape must have 0 numbers" in lie(path, lambda plain, _: plain.update(shape=[3]))


def test_a_vote_that_cannot_be_read_is_not_written(path: Path) -> None:
    for members in ({"svm": MEMBER}, {}, {"svm": MEMBER, "again": VOTE}):
        with pytest.raises(BundleError, match=r"two members at least|is a vote itself"):
            save_bundle(path, replace(VOTE, members=members))
    with pytest.raises(BundleError, match="only a vote has members"):
        save_bundle(path, replace(TINY, members=VOTE.members))
    assert not path.exists()


def test_votes_within_votes_without_end_are_refused(path: Path) -> None:
    """As deep as a file can nest them, and not by the end of Python's stack."""
    save_bundle(path, VOTE)
    plain, arrays = header(path), dict(load(path.read_bytes()))
    for _ in range(300):
        signed(path, plain, arrays)
        arrays = {**arrays, "member.svm": np.frombuffer(path.read_bytes(), np.uint8)}
    assert refused(path) == ": its member svm is a vote itself"
    assert read_head(path).members.keys() == VOTE.members.keys()


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("probabilities", None, "lack, or should not have: probabilities"),
        ("names", np.zeros(3), "lack, or should not have: names"),
        ("probabilities", np.full((3, 3), 1 / 3, np.float16), "of shape (3, 3), not float16 of"),
        ("probabilities", np.full((2, 2), 1 / 2, np.float16), "of shape (2, 2), not float16 of"),
        ("probabilities", np.full((3, 2), 1 / 2), "float64 of shape (3, 2), not float16"),
        ("probabilities", np.full((3, 2), 0.6, np.float16), "rows that are no probabilities"),
        ("probabilities", np.full((3, 2), np.nan, np.float16), "rows that are no probabilities"),
        ("probabilities", np.array([[-1, 2]] * 3, np.float16), "rows that are no probabilities"),
        ("probabilities", np.array([[np.inf, 0]] * 3, np.float16), "rows that are no probabil"),
        ("y", np.array([0, 1, 2]), "labels that there are not"),
        ("y", np.array([0, 1, -1]), "labels that there are not"),
        ("y", np.array([0, 1]), "y as int64 of shape (2,), not int64 of (3,)"),
        ("y", np.array([0, 1, 1], np.int32), "y as int32"),
        ("folds", np.array([0, 1, 1]), "folds as int64"),
        ("folds", np.zeros((3, 1), np.uint8), "folds as uint8 of shape (3, 1)"),
        ("ids", np.frombuffer(b"a\na\nb", np.uint8), "ids that are none or not each once"),
        ("ids", np.frombuffer(b"a\n\nb", np.uint8), "id of the out-of-fold predictions is empty"),
        ("ids", np.frombuffer(b"a\nb\n\xff", np.uint8), "predictions are not UTF-8"),
        ("ids", np.frombuffer(b"a\nb", np.uint8), "not float16 of (2, 2)"),
        ("ids", np.zeros(3), "predictions are not bytes"),
        ("groups", np.frombuffer(b"a\nb", np.uint8), "not an artist for each"),
    ],
)
def test_signed_lies_about_what_was_held_out(
    path: Path, name: str, array: Any, message: str
) -> None:
    save_bundle(path, MEMBER)
    arrays = {**load(path.read_bytes()), f"held_out.{name}": array}
    signed(path, header(path), {n: a for n, a in arrays.items() if a is not None})
    assert message in refused(path)


def test_nothing_held_out_is_not_kept(path: Path) -> None:
    none = HeldOut(np.zeros((0, 2), np.float16), np.zeros(0, np.int64), np.zeros(0, np.uint8),
                   (), ())  # fmt: skip
    with pytest.raises(BundleError, match="ids that are none"):
        save_bundle(path, replace(MEMBER, held_out=none))
    with pytest.raises(BundleError, match="out-of-fold predictions"):
        save_bundle(path, replace(MEMBER, held_out=replace(OUT, ids=("a\nb", "c", "d"))))


def test_a_head_has_its_members_heads_and_no_arrays(path: Path) -> None:
    save_bundle(path, VOTE)
    bare = {"state": {}, "seen": (), "held_out": None}
    heads = {name: replace(member, **bare) for name, member in VOTE.members.items()}
    assert whole(read_head(path), replace(VOTE, **bare, members=heads))
    large = np.arange(1 << 16, dtype=np.uint8)
    made = content(
        replace(VOTE, members={**VOTE.members, "svm": replace(MEMBER, state={"w": large})}), path
    )
    assert large.tobytes() in made
    path.write_bytes(made.replace(large.tobytes(), bytes(large.nbytes)))
    assert whole(read_head(path), replace(VOTE, **bare, members=heads))
    refused(path)


@pytest.mark.parametrize(
    "offsets", [[-(10**30), 9], [9, 8], [-9, 9], [0, 0], [True, 9], [0.5, 9], [0], ["a", "b"], None]
)
def test_a_head_that_lies_about_where_its_members_are(
    path: Path, offsets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no more of the file is read for it."""
    large = replace(MEMBER, state={"w": np.zeros(1 << 16)})
    made = content(replace(VOTE, members={**VOTE.members, "z": large}), path)
    size = int.from_bytes(made[:8], "little")
    told = json.loads(made[8 : 8 + size])
    told["member.svm"]["data_offsets"] = offsets
    text = json.dumps(told).encode()
    lying, read = len(text).to_bytes(8, "little") + text + made[8 + size :], []
    path.write_bytes(lying)

    class Reading(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            found = super().read(size)
            read.append(len(found))
            return found

    monkeypatch.setattr(Path, "open", lambda *_: Reading(lying))
    with pytest.raises(BundleError):
        read_head(path)
    assert 0 < sum(read) < 5000


def test_a_member_that_is_no_bundle_has_no_head(path: Path) -> None:
    save_bundle(path, VOTE)
    plain, arrays = header(path), dict(load(path.read_bytes()))
    for odd in (np.zeros(100, np.uint8), np.frombuffer(save({"w": np.zeros(3)}), np.uint8)):
        signed(path, plain, {**arrays, "member.svm": odd})
        with pytest.raises(BundleError):
            read_head(path)
