"""A fit that was stopped or killed goes on to the same numbers."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor

from mgrkit.errors import Stopped
from tests.plugins.small_network import fit, small, stopped


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("recipe", [{}, {"average": 0.9, "mixup": 0.4}, {"members": 2}])
def test_stopped_anywhere_it_goes_on_to_the_same_numbers(
    recipe: dict[str, float], tmp_path: Path, undrawn: None
) -> None:
    expected, whole = fit(small(**recipe), folder=tmp_path), rows(tmp_path)
    # In the first epoch, in the third, and towards the end (in the second member).
    for after in (1, 14, 22 * recipe.get("members", 1)):
        folder = tmp_path / f"{after}"
        folder.mkdir()
        stopped(small(**recipe), after, folder)
        again = fit(small(**recipe), folder=folder)
        np.testing.assert_array_equal(again, expected)
        for one, other in zip(rows(folder), whole, strict=True):
            for name in ("member", "epoch", "loss", "accuracy", "valid_loss", "valid_accuracy"):
                assert one[name] == other[name]


@pytest.mark.parametrize(("after", "lost"), [(5, 1), (11, 2), (12, 3), (16, 3)])
def test_only_the_epoch_begun_is_lost(after: int, lost: int, tmp_path: Path, undrawn: None) -> None:
    # An epoch asks five times while it learns, and once while it is judged.
    calls: list[int] = []
    stopped(small(lambda x: calls.append(len(x))), after, tmp_path)
    assert len(rows(tmp_path)) == lost - 1
    calls.clear()
    fit(small(lambda x: calls.append(len(x))), folder=tmp_path)
    assert len(calls) == (4 - lost + 1) * 5


def test_a_finished_fit_answers_at_once(tmp_path: Path, undrawn: None) -> None:
    expected = fit(small(members=2), folder=tmp_path)
    before = (tmp_path / "checkpoint.safetensors").stat()
    told: list[object] = []
    again = fit(small(members=2), folder=tmp_path, progress=lambda *one: told.append(one))
    np.testing.assert_array_equal(again, expected)
    assert told == []
    after = (tmp_path / "checkpoint.safetensors").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_notes_are_told_again_when_it_goes_on(tmp_path: Path, undrawn: None) -> None:
    def call(x: Tensor) -> None:
        if len(x) > 9:
            raise torch.OutOfMemoryError("CUDA out of memory")

    stopped(small(call), 15, tmp_path)
    notes: list[str] = []
    told = fit(small(call), folder=tmp_path, note=notes.append)
    assert notes == ["too little memory for batches of 16: went on with 8"]
    np.testing.assert_array_equal(told, fit(small(call)))


KILLED = """
import sys
from pathlib import Path
import torch
from mgrkit_neural import resuming
from tests.plugins.small_network import fit, small
torch.set_num_threads(1)
resuming.EVERY = 0.0
fit(small(epochs=40, average=0.9), folder=Path(sys.argv[1]))
"""


def test_killed_it_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    metrics = tmp_path / "metrics.csv"
    while not metrics.exists() or len(rows(tmp_path)) < 8:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert len(rows(tmp_path)) < 40
    told: list[int] = []
    again = fit(small(epochs=40, average=0.9), folder=tmp_path,
                progress=lambda step, total, _: told.append(step))  # fmt: skip
    # Of the last epochs at most one, and what was being written, is lost.
    assert 7 <= told[0] < 40
    np.testing.assert_array_equal(again, fit(small(epochs=40, average=0.9)))
    assert len(rows(tmp_path)) == 40


def test_stopped_is_raised_before_anything_is_learnt() -> None:
    with pytest.raises(Stopped):
        fit(small(), stop_requested=lambda: True)
