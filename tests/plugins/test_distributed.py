"""Two processes give what one gives, end together, and go on after one was killed."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_neural.distributed import GlobalBatchNorm, with_global_statistics
from torch import nn

from mgrkit.classifiers import Run
from mgrkit.errors import UsageError
from tests.plugins.small_network import SEED, TOY, fit, small, some

TOLERANCE = 1e-5
"""Of probabilities: sums of gradients are taken in another order."""
RECIPE = {"epochs": 6, "mixup": 0.3, "time_mask": 0.2, "average": 0.7, "class_weight": "balanced"}


def begun(folder: Path, meeting: str, kinds: Sequence[str]) -> list[subprocess.Popen[str]]:
    order = {"meeting": meeting, "kinds": kinds, "recipe": RECIPE}
    (folder / "run").mkdir(exist_ok=True)
    (folder / "order.json").write_text(json.dumps(order))
    command = [sys.executable, "-W", "error", "-m", "tests.plugins.fit_together"]
    return [
        subprocess.Popen(
            [*command, str(rank), str(folder)],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "GLOO_SOCKET_IFNAME": "lo"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]


def ended(folder: Path, processes: list[subprocess.Popen[str]]) -> list[Any]:
    """What each process told; they are gone afterwards."""
    try:
        for process in processes:
            _, errors = process.communicate(timeout=60)
            assert process.returncode == 0, errors
    finally:
        for process in processes:
            process.kill()
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[Any]]]:
    """The folder of two processes, and by scenario what each of them told."""
    folder = tmp_path_factory.mktemp("together")
    kinds = ["whole", "stop", "not finite", "memory"]
    told = ended(folder, begun(folder, "all", kinds))
    return folder, dict(zip(kinds, map(list, zip(*told, strict=True)), strict=True))


def test_two_processes_give_what_one_gives(
    together: tuple[Path, dict[str, list[Any]]], tmp_path: Path
) -> None:
    folder, told = together
    first, second = told["whole"]
    alone = fit(small(drop=0.0, **RECIPE), folder=tmp_path)
    np.testing.assert_allclose(first["probabilities"], alone, atol=TOLERANCE, rtol=0)
    np.testing.assert_allclose(first["probabilities"], second["probabilities"], atol=1e-6, rtol=0)
    # They shared the work: each had all steps, and half of each batch.
    assert first["steps"] == second["steps"] == 6 * 5
    for one, other in zip(metrics(folder / "run"), metrics(tmp_path), strict=True):
        for name in ("loss", "accuracy", "valid_loss", "valid_accuracy", "rate"):
            assert float(one[name]) == pytest.approx(float(other[name]), abs=TOLERANCE), name


def metrics(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_first_alone_tells_and_writes(
    together: tuple[Path, dict[str, list[Any]]],
) -> None:
    folder, told = together
    first, second = told["whole"]
    assert first["progress"] == [1, 2, 3, 4, 5, 6]
    assert second["progress"] == second["notes"] == []
    names = {path.name for path in (folder / "run").iterdir()}
    assert names == {
        "checkpoint.safetensors", "checkpoint.previous.safetensors", "metrics.csv", "curves.png",
    }  # fmt: skip


def test_asked_to_stop_one_stops_all(together: tuple[Path, dict[str, list[Any]]]) -> None:
    _, told = together
    assert [one["stopped"] for one in told["stop"]] == [8, 8]


def test_a_loss_that_is_not_finite_in_one_ends_all(
    together: tuple[Path, dict[str, list[Any]]],
) -> None:
    _, told = together
    for one in told["not finite"]:
        assert "not finite in epoch 2, step 3" in one["error"]


def test_too_little_memory_in_one_ends_all(
    together: tuple[Path, dict[str, list[Any]]],
) -> None:
    _, told = together
    first, second = told["memory"]
    assert "batches of 16 (--param batch=8)" in second["error"]
    assert "process 0 of 2 has lost another one" in first["error"]


def test_one_killed_ends_the_other_and_the_same_call_goes_on(
    together: tuple[Path, dict[str, list[Any]]], tmp_path: Path
) -> None:
    processes = begun(tmp_path, "first", ["whole"])
    path = tmp_path / "run" / "metrics.csv"
    while not path.exists() or len(metrics(path.parent)) < 2:
        assert processes[0].poll() is None, processes[0].communicate()
        time.sleep(0.005)
    processes[1].kill()
    _, errors = processes[0].communicate(timeout=60)
    assert processes[0].returncode == 0, errors
    (told,) = json.loads((tmp_path / "0.json").read_text())
    assert "process 0 of 2 has lost another one" in told["error"]
    assert "goes on from the last checkpoint" in told["error"]
    processes[1].communicate()
    before = len(metrics(path.parent))

    ((first,), _) = ended(tmp_path, begun(tmp_path, "second", ["whole"]))
    assert 2 <= before < 6
    assert first["progress"] == list(range(before + 1, 7))
    assert first["probabilities"] == together[1]["whole"][0]["probabilities"]


def test_a_batch_that_cannot_be_shared_evenly_is_refused() -> None:
    with pytest.raises(UsageError, match=r"batch of 16 cannot .* 3 processes \(--param batch=18\)"):
        fit(small(), world_size=3)


def test_fewer_pieces_than_processes_are_refused() -> None:
    with pytest.raises(UsageError, match="3 examples cannot be shared by 4 processes"):
        small().fit(some(TOY.train, [0, 2, 4]), None, Run(SEED, world_size=4))


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.BatchNorm2d])
def test_global_batch_norm_is_batch_norm(
    norm: Any, momentum: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In a world of one, sums over all are what is there.
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda _: None)
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Sequential(norm(5, momentum=momentum)))
    nn.init.uniform_(plain[0][0].weight, 0.5, 2)
    other = with_global_statistics(nn.Sequential(nn.Sequential(norm(5, momentum=momentum))))
    other.load_state_dict(plain.state_dict())
    assert isinstance(other[0][0], GlobalBatchNorm)  # type: ignore[index]
    shape = (6, 5, 4, 3) if norm is nn.BatchNorm2d else (6, 5)
    for _ in range(3):
        x = torch.randn(shape) * 3 + 1
        xs = [x.clone().requires_grad_(), x.clone().requires_grad_()]
        told = [plain(xs[0]), other(xs[1])]
        torch.testing.assert_close(*told)
        wanted = torch.randn(shape)
        for one in told:
            (one * wanted).sum().backward()
        torch.testing.assert_close(xs[0].grad, xs[1].grad)
    torch.testing.assert_close(plain.state_dict(), other.state_dict())
    torch.testing.assert_close(plain[0][0].weight.grad, other[0][0].weight.grad)  # type: ignore[index]
    torch.testing.assert_close(plain.eval()(x), other.eval()(x))
