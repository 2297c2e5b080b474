"""Checkpoints: whole or absent, two generations, of one fit and no other."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_neural import checkpoints, resuming
from mgrkit_neural.checkpoints import NAME, PREVIOUS, Checkpoint

from mgrkit.classifiers import Run, Task
from mgrkit.errors import RunError, UsageError
from tests.plugins.small_network import SEED, TOY, Quick, Small, fit, small, some, stopped


def checkpoint(number: int, size: int = 50) -> Checkpoint:
    arrays = {
        "weights": np.arange(size, dtype=np.float32).reshape(5, -1).T + number,
        "count": np.array(number),
        "flags": np.array([True, False]),
    }
    return Checkpoint({"epochs": 4, "labels": ["é", "b"]}, {"epoch": number}, arrays)


def number(folder: Path) -> int | None:
    """Of the newest checkpoint."""
    content = checkpoints.newest(folder)
    if content is None:
        return None
    found = checkpoints.parsed(content)
    assert found is not None
    return int(found.place["epoch"])


def test_what_is_saved_is_found(tmp_path: Path) -> None:
    assert checkpoints.newest(tmp_path) is None
    checkpoints.save(tmp_path, checkpoint(1))
    content = checkpoints.newest(tmp_path)
    assert content is not None
    found = checkpoints.parsed(content)
    assert found is not None
    assert found.settings == checkpoint(1).settings
    assert found.place == {"epoch": 1}
    assert set(found.arrays) == set(checkpoint(1).arrays)
    for name, array in checkpoint(1).arrays.items():
        assert (found.arrays[name].dtype, found.arrays[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found.arrays[name], array)


def test_two_generations_are_kept(tmp_path: Path) -> None:
    for k in (1, 2, 3):
        checkpoints.save(tmp_path, checkpoint(k))
    assert {path.name for path in tmp_path.iterdir()} == {NAME, PREVIOUS}
    assert number(tmp_path) == 3
    (tmp_path / NAME).unlink()
    assert number(tmp_path) == 2


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
def test_a_torn_one_is_as_good_as_none(tmp_path: Path, share: float) -> None:
    checkpoints.save(tmp_path, checkpoint(1))
    checkpoints.save(tmp_path, checkpoint(2))
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[: int(share * len(content))])
    assert number(tmp_path) == 1
    # The next one does not push the good one out for the torn one.
    assert not (tmp_path / NAME).exists()
    checkpoints.save(tmp_path, checkpoint(3))
    assert number(tmp_path) == 3
    (tmp_path / NAME).unlink()
    assert number(tmp_path) == 1
    (tmp_path / PREVIOUS).write_bytes(b"")
    assert number(tmp_path) is None


def test_any_flipped_bit_is_noticed(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, checkpoint(1))
    content = (tmp_path / NAME).read_bytes()
    for place in range(0, len(content), 7):
        other = bytearray(content)
        other[place] ^= 1 << place % 8
        found = checkpoints.parsed(bytes(other))
        # A space for a tab in the padding of the header changes nothing.
        assert found is None or found.place == {"epoch": 1}
    assert checkpoints.parsed(bytes([*content[:-1], content[-1] ^ 1])) is None


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """No file may grow beyond 1000 bytes, so that a write fails half-way.

    For one call only: what pytest itself writes may go to a larger file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_earlier_ones(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, checkpoint(1))
    checkpoints.save(tmp_path, checkpoint(2))
    with pytest.raises(RunError, match="cannot be written") as caught, full_disk():
        checkpoints.save(tmp_path, checkpoint(3, 5000))
    assert str(tmp_path) in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {NAME, PREVIOUS}
    assert number(tmp_path) == 2


@pytest.mark.parametrize("failing", [0, 1])
def test_a_failing_move_leaves_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    checkpoints.save(tmp_path, checkpoint(1))
    checkpoints.save(tmp_path, checkpoint(2))
    replace, calls = os.replace, []

    def fails(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == failing + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(source, target)

    monkeypatch.setattr(checkpoints.os, "replace", fails)
    with pytest.raises(RunError, match="cannot be written"):
        checkpoints.save(tmp_path, checkpoint(3))
    assert number(tmp_path) == 2


def test_one_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(RunError, match="cannot be read"):
        checkpoints.newest(tmp_path)


# In a fit.


def test_a_fit_goes_on_after_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    monkeypatch.setattr(resuming, "EVERY", 0.0)
    expected, saved = fit(small()), []
    save = checkpoints.save

    def full(folder: Path, one: Checkpoint) -> None:
        saved.append(one)
        with full_disk() if len(saved) == 3 else contextlib.nullcontext():
            save(folder, one)

    monkeypatch.setattr(checkpoints, "save", full)
    with pytest.raises(RunError, match=f"{tmp_path}"):
        fit(small(), folder=tmp_path)
    told: list[int] = []
    again = fit(small(), folder=tmp_path, progress=lambda step, *_: told.append(step))
    assert told == [3, 4]
    np.testing.assert_array_equal(again, expected)


def test_a_fit_goes_on_from_the_one_before_a_torn_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    monkeypatch.setattr(resuming, "EVERY", 0.0)
    expected = fit(small())
    stopped(small(), 20, tmp_path)
    (tmp_path / NAME).write_bytes((tmp_path / NAME).read_bytes()[:-100])
    np.testing.assert_array_equal(fit(small(), folder=tmp_path), expected)


def test_checkpoints_are_not_written_more_often_than_worth_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undrawn: None
) -> None:
    saved: list[int] = []
    monkeypatch.setattr(checkpoints, "save", lambda _, one: saved.append(one.place["epoch"]))
    fit(small(), folder=tmp_path)
    # Ten seconds are more than all of it: only the end is.
    assert saved == [0]
    monkeypatch.setattr(resuming, "EVERY", 0.0)
    fit(small(), folder=tmp_path)
    assert saved == [0, 1, 2, 3, 4, 0]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"epochs": 5}, "other settings: --param epochs=4 instead of 5 "),
        ({"learning_rate": 0.03}, "--param learning_rate=0.02 instead of 0.03"),
        ({"seed": 4}, "--seed 3 instead of 4"),
        ({"precision": "mixed"}, "--precision float32 instead of mixed"),
        (
            {"labels": ("polka", "ambient", "jazz")},
            "genres polka and ambient and dub instead of polka",
        ),
        ({"frames": 60}, "bands and columns 64 and 64 instead of 64 and 60"),
        ({"fewer": 2}, "pieces in train 72 instead of 70"),
        ({"valid": None}, "pieces in valid 24 instead of 0"),
        ({"other": 1}, "made with other settings: other examples of DATA "),
        ({"network": 1}, "made with other settings: another network "),
    ],
)
def test_a_run_of_other_settings_is_refused(
    tmp_path: Path, change: dict[str, Any], difference: str, undrawn: None
) -> None:
    stopped(small(), 10, tmp_path)
    train, valid, task = TOY.train, TOY.valid, TOY.task
    if "labels" in change:
        task = Task(change["labels"], task.shape)
    if "frames" in change:
        task = Task(task.labels, (64, change["frames"]))
        train, valid = (
            dataclasses.replace(e, x=np.ascontiguousarray(e.x[:, :, : change["frames"]]))
            for e in (train, valid)
        )
    if "fewer" in change:
        train = some(train, np.arange(len(train) - change["fewer"]))
    if "other" in change:
        train = dataclasses.replace(train, y=train.y[::-1].copy())
    recipe = {n: v for n, v in change.items() if n in ("epochs", "learning_rate")}
    model = Small(task, Quick(**recipe))
    if "network" in change:
        model.network = lambda: torch.nn.Sequential(  # type: ignore[method-assign]
            torch.nn.Flatten(), torch.nn.Linear(64 * 32, 3)
        )
    run = Run(change.get("seed", SEED), folder=tmp_path,
              precision=change.get("precision", "float32"))  # fmt: skip
    before = (tmp_path / NAME).read_bytes()
    with pytest.raises(UsageError, match=difference) as caught:
        model.fit(train, change.get("valid", valid), run)
    assert str(tmp_path) in str(caught.value)
    assert (tmp_path / NAME).read_bytes() == before
