"""The bundle: what goes in comes out, and whatever was changed since is named."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from mgrkit.classifiers import (
    Bundle,
    Task,
    bundle,
    bundlefields,
    load_bundle,
    restored,
    restored_by,
    save_bundle,
)
from mgrkit.classifiers.bundle import _digest, canonical
from mgrkit.classifiers.bundlefields import TYPES
from mgrkit.errors import BundleError, RunError, UsageError
from mgrkit.frontend import FrontEnd, front_end
from tests.testing.toy_specs import GOOD

FRONT = front_end(n_mels=64)
OWN_RATE = FrontEnd(kind="stft", sample_rate=None, mel=None)
TINY = Bundle(
    "centroid", "toys", "1.0", {}, "features:toy", Task(("a", "b"), (1,), ("x",)),
    {"w": np.array([0.5], np.float32)}, seen=("t",),
)  # fmt: skip
FULL = Bundle(
    classifier="centroid",
    distribution="toys",
    version="1.0",
    parameters={"sharpness": 1e-05, "steps": 3, "kernel": "rbf", "fast": True},
    eats="image",
    task=Task(("rock & röll", "dub", "ska"), (64, 130), (), FRONT),
    state={
        **{name: np.arange(6).astype(name).reshape(2, 3) for name in sorted(TYPES)},
        "scalar": np.float32(3.5),
        "empty": np.zeros((0, 4), np.int32),
        "turned": np.arange(6.0).reshape(2, 3).T,
        "big endian": np.arange(3, dtype=">i4"),
    },
    calibration={"temperature": 1.25, "unsure_below": 0.3, "ece": 0.04, "method": "folds"},
    metrics={"part": "valid", "split": "published", "accuracy": 0.5, "tracks": 7, "refit": False,
             "macro_f1": None, "per_genre": {"dub": [1, 2]}},
    seed=2**70,
    card={"Data": "two\nlines", "Limits": "é"},
    seen=("gtzan:blues.00000", "Beyoncé.mp3", " a b "),
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a model.safetensors"


def header(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    text = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    return json.loads(text["mgrkit"])


def signed(path: Path, plain: dict[str, Any], arrays: dict[str, Any] | None = None) -> None:
    """Write a file with these fields and the digest that belongs to them, as a liar would."""
    plain.pop("digest", None)
    arrays = dict(load(path.read_bytes())) if arrays is None else arrays
    plain["digest"] = _digest(plain, arrays)
    path.write_bytes(save(arrays, {"mgrkit": canonical(plain)}))


def equal(one: Bundle, two: Bundle) -> bool:
    fields = [f.name for f in dataclasses.fields(Bundle) if f.name != "state"]
    return (
        all(getattr(one, name) == getattr(two, name) for name in fields)
        and one.state.keys() == two.state.keys()
        and all(
            np.array_equal(one.state[n], two.state[n])
            and np.asarray(one.state[n]).dtype.newbyteorder("<") == two.state[n].dtype
            for n in one.state
        )
    )


def refused(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        load_bundle(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(str(path))


@pytest.mark.parametrize("whole", [TINY, FULL, dataclasses.replace(TINY, seen=(), state={})])
def test_what_goes_in_comes_out(path: Path, whole: Bundle) -> None:
    digest = save_bundle(path, whole)
    assert equal(whole, load_bundle(path))
    assert header(path)["digest"] == digest
    assert load_bundle(path).task.frontend == whole.task.frontend


def test_the_same_bundle_gives_the_same_bytes(tmp_path: Path) -> None:
    state = dict(reversed(FULL.state.items()))
    save_bundle(tmp_path / "one", FULL)
    save_bundle(tmp_path / "two", dataclasses.replace(FULL, state=state))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_digest_is_the_documented_one(path: Path) -> None:
    # It stands in files: another number here makes them damaged.
    digest = "36576a88d1a49d26f12e4b54be266c5e63d48239879f8bc5fbf0bdf1339fbec9"
    assert save_bundle(path, TINY) == digest
    plain = header(path)
    assert plain.pop("digest") == digest
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    text += '["seen","uint8",[1]]t["state.w","float32",[1]]'
    assert hashlib.sha256(text.encode() + np.float32(0.5).tobytes()).hexdigest() == digest


def test_folders_are_made_and_an_older_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "m.safetensors"
    save_bundle(path, TINY)
    save_bundle(path, FULL)
    assert equal(FULL, load_bundle(path))
    assert os.listdir(path.parent) == ["m.safetensors"]
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_whoever_reads_an_older_file_reads_it_to_its_end(path: Path) -> None:
    save_bundle(path, TINY)
    content = path.read_bytes()
    with path.open("rb") as file:
        save_bundle(path, FULL)
        assert file.read() == content


def test_a_failed_write_leaves_the_older_file_and_nothing_else(path: Path, monkeypatch) -> None:
    save_bundle(path, TINY)

    def full(self: Path, data: bytes) -> None:
        with self.open("wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        save_bundle(path, FULL)
    assert equal(TINY, load_bundle(path))
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metrics": {"ece": float("nan")}}, "not JSON compliant"),
        ({"parameters": {"C": np.float32(1)}}, "float32 is not JSON"),
        ({"seen": ("a\nb",)}, "empty or holds a line"),
        ({"seen": ("a", "")}, "id of the seen tracks is empty"),
        ({"seen": ("caf\udce9.wav",)}, "surrogates not allowed"),
        ({"state": {"w": np.array(["text"])}}, "is of type <U4, which is not kept"),
        ({"state": {"w": np.array([object()])}}, "is of type object, which is not kept"),
        ({"state": {"w": np.array([1j])}}, "is of type complex128, which is not kept"),
        ({"state": {"": np.zeros(1)}}, "unknown tensor 'state.'"),
        ({"task": Task(("a",), (1,), ("x",))}, "labels must be at least two different names"),
    ],
)
def test_what_cannot_be_kept_is_not_written(path: Path, changes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        save_bundle(path, dataclasses.replace(TINY, **changes))
    assert not path.exists()


def test_every_flipped_bit_is_found(path: Path, monkeypatch) -> None:
    save_bundle(path, TINY)
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        # Without the disk, for it is thousands.
        monkeypatch.setattr(bundle, "_content", lambda path, data=bytes(flipped): data)
        with pytest.raises(BundleError):
            load_bundle(path)


def test_every_truncation_and_every_added_byte_is_found(path: Path, monkeypatch) -> None:
    save_bundle(path, TINY)
    content = path.read_bytes()
    for data in (*(content[:size] for size in range(len(content))), content + bytes(1)):
        monkeypatch.setattr(bundle, "_content", lambda path, data=data: data)
        assert "no safetensors file" in refused(path)


def test_other_files_are_named_for_what_they_are(tmp_path: Path, monkeypatch) -> None:
    assert refused(tmp_path / "none") == ": no such file"
    assert refused(tmp_path) == " is not a file"
    path = tmp_path / "x"
    path.write_bytes(pickle.dumps({"w": 1}))
    assert "no safetensors file" in refused(path)
    path.write_bytes(save({"w": np.zeros(3)}, {"format": "pt"}))
    assert refused(path) == " is a safetensors file, but not one of mgrkit's"
    path.write_bytes(save({"w": np.zeros(3)}))
    assert refused(path) == " is a safetensors file, but not one of mgrkit's"
    path.touch(0o000)
    path.chmod(0o000)
    if os.geteuid():
        assert refused(path) == " cannot be read: Permission denied"
    path.chmod(0o600)
    save_bundle(path, TINY)
    monkeypatch.setattr("mgrkit.classifiers.bundle.LARGEST", 100)
    assert "larger than a bundle may be" in refused(path)


def test_a_file_that_is_too_large_is_not_read(path: Path, monkeypatch) -> None:
    with path.open("wb") as file:
        file.truncate(bundle.LARGEST + 1)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("it was opened"))
    assert "larger than a bundle may be" in refused(path)


def test_more_seen_tracks_than_fit_into_memory_are_refused(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(bundlefields, "MOST_SEEN", 2)
    save_bundle(path, dataclasses.replace(TINY, seen=("a", "b")))
    with pytest.raises(BundleError, match="seen tracks are more than 2"):
        save_bundle(path, dataclasses.replace(TINY, seen=("a", "b", "c")))
    monkeypatch.setattr(bundlefields, "SEEN_BYTES", 2)
    assert "seen tracks are more than" in refused(path)


def test_types_that_numpy_lacks_are_named(path: Path) -> None:
    entry = {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}
    text = json.dumps({"state.w": entry, "__metadata__": {"mgrkit": "{}"}}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    assert "holds an array of type 'BF16'" in refused(path)


@pytest.mark.parametrize("shape", [[2**40], [2**62, 2**62], [0, 2**63 - 1], [-1]])
def test_a_lie_about_counts_takes_no_memory(path: Path, shape: list[int]) -> None:
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}
    text = json.dumps({"state.w": entry, "__metadata__": {"mgrkit": "{}"}}).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    refused(path)
    path.write_bytes((1 << 62).to_bytes(8, "little") + text)
    assert "no safetensors file" in refused(path)


@pytest.mark.parametrize("name", ["state.w", "seen"])
def test_a_missing_or_renamed_tensor_is_found(path: Path, name: str) -> None:
    save_bundle(path, TINY)
    plain, arrays = header(path), dict(load(path.read_bytes()))
    taken = arrays.pop(name)
    path.write_bytes(save(arrays, {"mgrkit": canonical(plain)}))
    assert "digest does not fit" in refused(path)
    path.write_bytes(save({**arrays, "state.v": taken}, {"mgrkit": canonical(plain)}))
    assert "digest does not fit" in refused(path)


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("other", np.zeros(1), "unknown tensor 'other'"),
        ("state.", np.zeros(1), "unknown tensor 'state.'"),
        ("state.c", np.zeros(1, np.complex64), "which is not kept"),
        ("seen", None, "tensor 'seen' is missing"),
        ("seen", np.zeros(1, np.float32), "are not bytes"),
        ("seen", np.zeros((1, 1), np.uint8), "are not bytes"),
        ("seen", np.array([0xFF], np.uint8), "not UTF-8"),
        ("seen", np.array([97, 10], np.uint8), "is empty"),
    ],
)
def test_signed_lies_about_tensors(path: Path, name: str, array: Any, message: str) -> None:
    save_bundle(path, TINY)
    arrays = {**load(path.read_bytes()), name: array}
    signed(path, header(path), {n: a for n, a in arrays.items() if a is not None})
    assert message in refused(path)


LIES = [
    ({"format": 3}, "has format 3, this mgrkit reads 2 (update mgrkit)"),
    ({"format": 10**30}, "update mgrkit"),
    ({"format": 0}, "format must be 1"),
    ({"format": True}, "format must be 1"),
    ({"format": "1"}, "format must be 1"),
    ({"author": "me"}, "unknown field 'author'"),
    ({"classifier": "No Name"}, "classifier must be"),
    ({"classifier": 3}, "classifier must be"),
    ({"distribution": None}, "distribution must be a text"),
    ({"version": 1.0}, "version must be a text"),
    ({"parameters": []}, "parameters must be"),
    ({"parameters": {"C": [1]}}, "parameters must be"),
    ({"parameters": {"C": None}}, "parameters must be"),
    ({"eats": "stones"}, "eats must be"),
    ({"eats": "image"}, "shape must have 2 numbers for image"),
    ({"eats": "samples"}, "columns must be 0 names for samples"),
    ({"labels": ["a"]}, "labels must be"),
    ({"labels": ["a", "a"]}, "labels must be"),
    ({"labels": ["a", ""]}, "labels must be"),
    ({"labels": ["a", 1]}, "labels must be"),
    ({"labels": "ab"}, "labels must be"),
    ({"shape": []}, "shape must have 1 number for"),
    ({"shape": [2]}, "columns must be 2 names"),
    ({"shape": [0]}, "shape must be"),
    ({"shape": [True]}, "shape must be"),
    ({"shape": [1 << 40]}, "shape must be"),
    ({"shape": [1.0]}, "shape must be"),
    ({"columns": []}, "columns must be 1 names"),
    ({"columns": ["x", "x"]}, "columns must be"),
    ({"frontend": "mel"}, "frontend must be"),
    ({"frontend": {}}, "front end has format None"),
    ({"frontend": {**json.loads(FRONT.to_json()), "sample_rate": 1}}, "sample_rate must be"),
    ({"frontend": {**json.loads(FRONT.to_json()), "format": 2}}, "update mgrkit"),
    (
        {
            "frontend": json.loads(OWN_RATE.to_json()),
            "eats": "image",
            "shape": [2, 3],
            "columns": [],
        },
        "at the rate of the file is for features alone",
    ),
    ({"calibration": None}, "calibration must be"),
    ({"calibration": {"temperature": 0}}, "calibration: temperature must be"),
    ({"calibration": {"temperature": 0.009}}, "must be a number from 0.01 to 100"),
    ({"calibration": {"temperature": 101}}, "must be a number from 0.01 to 100"),
    ({"calibration": {"temperature": "1"}}, "calibration: temperature must be"),
    ({"calibration": {"temperature": True}}, "calibration: temperature must be"),
    ({"calibration": {"unsure_below": 2}}, "calibration: unsure_below must be"),
    ({"metrics": 3}, "metrics must be"),
    ({"metrics": {"accuracy": "all"}}, "metrics: accuracy must be"),
    ({"metrics": {"accuracy": 1.5}}, "metrics: accuracy must be"),
    ({"metrics": {"tracks": -1}}, "metrics: tracks must be"),
    ({"metrics": {"refit": 0}}, "metrics: refit must be"),
    ({"seed": 1.5}, "seed must be a whole number"),
    ({"seed": False}, "seed must be a whole number"),
    ({"card": {"Data": 1}}, "card must be"),
    ({"x\x1b" * 100: 1}, "unknown field 'x\\x1bx"),
    ({"labels": ["a", "b\x1b[2J"]}, "labels holds control characters: 'b\\x1b[2J'"),
    ({"labels": ["a", "b\nc"]}, "labels holds control characters"),
    ({"labels": ["a", "\u202eb"]}, "labels holds control characters"),
    ({"labels": ["a", "\ud800"]}, "labels holds control characters"),
    ({"labels": ["a", "b" * 501]}, "labels holds a text of more than 500 characters"),
    ({"columns": ["x\x00"]}, "columns holds control characters"),
    ({"distribution": "toys\r"}, "distribution holds control characters"),
    ({"version": "1.0\x85"}, "version holds control characters"),
    ({"eats": "features:" + "a" * 500}, "eats holds a text of more than"),
    ({"classifier": "a" * 501}, "classifier holds a text of more than"),
    ({"parameters": {"a": "\t"}}, "parameters holds control characters"),
    ({"metrics": {"split": "\x1b"}}, "metrics holds control characters"),
    ({"metrics": {"folds": [{"\x1b": 1}]}}, "metrics holds control characters"),
    ({"card": {"Data": "a\rb"}}, "card holds control characters"),
    ({"card": {"Da\nta": "a"}}, "card holds control characters"),
    ({"card": {"Data": "a" * 100_001}}, "card holds a text of more than 100000"),
]


@pytest.mark.parametrize(("lie", "message"), LIES, ids=lambda v: str(v)[:40])
def test_signed_lies_about_fields(path: Path, lie: dict[str, Any], message: str) -> None:
    save_bundle(path, TINY)
    signed(path, {**header(path), **lie})
    assert message in refused(path)


def test_every_field_is_needed(path: Path) -> None:
    save_bundle(path, TINY)
    whole = header(path)
    for name in whole.keys() - {"digest"}:
        signed(path, {k: v for k, v in whole.items() if k != name})
        assert f"field {name!r} is missing" in refused(path)
    path.write_bytes(save(load(path.read_bytes()), {"mgrkit": canonical({})}))
    assert "digest does not fit" in refused(path)


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "3", "{", '{"a":1E-05}', '{"a": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}',
        '{"a":NaN}', '{"a":1e999}', '{"a":"é"}', '{"a":"\\u00E9"}', '{"a":' + "9" * 5000 + "}",
        "[" * 100_000, '{"a":' * 20_000 + "1" + "}" * 20_000,
    ],
    ids=lambda v: v[:12],
)  # fmt: skip
def test_other_text_than_canonical_is_damage(path: Path, text: str) -> None:
    path.write_bytes(save({"seen": np.zeros(0, np.uint8)}, {"mgrkit": text}))
    assert "not canonical JSON" in refused(path)


def test_nested_text_is_refused_whether_it_can_be_parsed_or_not(path: Path) -> None:
    """Python 3.13 parses it, 3.11 and 3.12 do not."""
    text = '{"a":' * 5000 + "1" + "}" * 5000
    path.write_bytes(save({"seen": np.zeros(0, np.uint8)}, {"mgrkit": text}))
    assert refused(path)


def good(**changes: Any) -> Bundle:
    state = {"sums": np.array([[0.0], [9.0]]), "counts": np.array([1.0, 1.0])}
    return dataclasses.replace(TINY, state=state, **changes)


def test_a_restored_classifier_predicts(path: Path) -> None:
    save_bundle(path, good(parameters={"sharpness": 2.0, "steps": 3}))
    model = restored_by(GOOD, load_bundle(path))
    assert model.parameters.sharpness == 2.0
    probabilities = model.predict_proba(np.array([[0.0], [8.0]], np.float32))
    assert probabilities.argmax(1).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": {"sharpness": 1e9}}, "sharpness must be"),
        ({"parameters": {"k": 1}}, "no parameter 'k'"),
        (
            {"eats": "samples", "task": Task(("a", "b"), (2,))},
            "eats samples, the installed one features:toy",
        ),
        ({"task": Task(("a", "b"), (2,), ("x", "y"))}, "sums is missing, or not of shape"),
    ],
)
def test_what_the_classifier_cannot_use_is_named(changes, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        restored_by(GOOD, good(**changes))


def test_a_bundle_of_another_feature_set_is_as_good() -> None:
    assert restored_by(GOOD, good(eats="features:other")).task.labels == good().task.labels


def test_whatever_restore_raises_is_the_bundles_fault(monkeypatch) -> None:
    class Odd(BaseException):
        pass

    for error in (
        KeyError("trees"), IndexError(), UsageError("no"), MemoryError(), SystemExit(3), Odd(),
        GeneratorExit(), ValueError("two\nlines"),
    ):  # fmt: skip

        def restore(*args: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr("tests.testing.toy_classifiers.Centroid.restore", restore)
        with pytest.raises(BundleError, match=r"centroid cannot use the bundle: \S.*$"):
            restored_by(GOOD, good())


def test_what_a_factory_makes_must_be_a_classifier(monkeypatch) -> None:
    monkeypatch.setattr("tests.testing.toy_classifiers.Centroid", lambda *_: object())
    with pytest.raises(RunError, match="the factory of centroid gave a object"):
        restored_by(GOOD, good())


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import not_there_at_all", r"'not_there_at_all' \(pip install not_there_at_all\)"),
        ("raise ImportError('libtorch.so is broken')", "libtorch.so is broken .mgrkit doctor"),
        ("raise OSError('libtorch.so: no such file')", "libtorch.so: no such file .mgrkit doctor"),
    ],
)
def test_what_it_cannot_import_is_no_fault_of_the_file(monkeypatch, code: str, why: str) -> None:
    monkeypatch.setattr("tests.testing.toy_classifiers.Centroid.restore", lambda *_: exec(code, {}))
    with pytest.raises(RunError, match=f"the classifier centroid cannot run: .*{why}") as caught:
        restored_by(GOOD, good())
    assert not isinstance(caught.value, BundleError)


def test_an_unknown_classifier_names_who_had_it() -> None:
    orphan = good(classifier="quantum", distribution="mgrkit-quantum", version="2.1")
    with pytest.raises(BundleError, match=r"no classifier 'quantum'.*mgrkit-quantum 2\.1"):
        restored(orphan)


def test_restored_finds_the_classifier_among_the_plugins(monkeypatch) -> None:
    class Plugins:
        def classifier(self, name: str) -> Any:
            assert name == "centroid"
            return type("Entry", (), {"spec": GOOD})

    monkeypatch.setattr("mgrkit.classifiers.restoring.installed", Plugins)
    assert restored(good()).predict_proba(np.zeros((1, 1), np.float32)).shape == (1, 2)


def test_nothing_is_unpickled(path: Path, monkeypatch) -> None:
    def never(*args: object, **options: object) -> None:
        raise AssertionError("unsafe")

    import pickle

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    monkeypatch.setattr(np, "load", never)
    torch = type("torch", (), {"load": never})
    monkeypatch.setitem(__import__("sys").modules, "torch", torch)
    save_bundle(path, good())
    restored_by(GOOD, load_bundle(path))


@pytest.mark.parametrize(
    ("text", "printable"),
    [
        ("rock & röll\u00a0日本", "rock & röll\u00a0日本"),
        ("a\x1b[2J\n\u202e\udce9", "a\\x1b[2J\\x0a\\x202e\\xdce9"),
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 497 + "..."),
    ],
)
def test_a_text_is_made_fit_for_a_bundle(path: Path, text: str, printable: str) -> None:
    assert bundlefields.printable_text(text) == printable
    save_bundle(path, dataclasses.replace(TINY, version=printable))
