"""Several processes under torchrun, as the command sees them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.spectrograms import SpectrogramsSettings, spectrograms
from mgrkit.commands.train import train
from mgrkit.compute.ranks import Ranks
from mgrkit.errors import RunError, UsageError
from mgrkit.frontend import front_end
from mgrkit.synthetic.collection import write_collection
from tests.datasets.made_tables import rows, write


def test_without_torchrun_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert Ranks.here() == Ranks(0, 1, 0)


def pretend(monkeypatch: pytest.MonkeyPatch, rank: str, size: str) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    monkeypatch.setenv("LOCAL_RANK", "1")


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "3", "4")
    ranks = Ranks.here()
    assert ranks == Ranks(3, 4, 1)
    assert (ranks.device("cuda"), ranks.device("cpu")) == ("cuda:1", "cpu")
    assert Ranks(0, 1, 0).device("cuda") == "cuda"


@pytest.mark.parametrize(("rank", "size"), [("4", "4"), ("x", "2"), ("0", "-1"), ("0", "")])
def test_an_environment_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, rank: str, size: str
) -> None:
    pretend(monkeypatch, rank, size)
    with pytest.raises(UsageError, match=f"RANK={rank}, WORLD_SIZE={size}"):
        Ranks.here()


def test_what_one_process_fits_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "0", "2")
    with pytest.raises(UsageError, match="svm is fit by one process"):
        train("svm", write(tmp_path / "t.csv", rows()), tmp_path / "m.safetensors")


@pytest.mark.torch
def test_others_that_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "0", "2")
    for name in ("MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RunError, match="cannot join"), Ranks.here().together("cpu"):
        pass


def free_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return str(free.getsockname()[1])


@pytest.mark.torch
def test_the_others_end_when_the_first_fails(tmp_path: Path) -> None:
    """Without torchrun, which would end them itself."""
    (tmp_path / "nothing").mkdir()
    words = ["train", "cnn", "nothing", "--out", "m.safetensors"]
    ranks = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port(), "WORLD_SIZE": "2"}
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "mgrkit", *words],
            cwd=tmp_path, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **ranks, "RANK": rank, "LOCAL_RANK": rank, "OMP_NUM_THREADS": "1"},
        )
        for rank in ("0", "1")
    ]  # fmt: skip
    try:
        errors = [process.communicate(timeout=60)[1] for process in both]
    finally:
        for process in both:
            process.kill()
    assert errors[0].startswith("mgrkit: no sound in nothing can be used")
    assert errors[1] == "mgrkit: process 0 has failed (it says why)\n"
    assert [process.returncode for process in both] == [3, 3]


@pytest.mark.torch
def test_two_processes_write_one_bundle(tmp_path: Path) -> None:
    write_collection(tmp_path / "audio", songs=4, artists=4, seconds=1.5)
    drawing = SpectrogramsSettings(front_end(n_mels=32))
    spectrograms(drawing, [tmp_path / "audio"], tmp_path / "pictures")
    words = ["train", "cnn", "pictures", "--out", "m.safetensors", "--param", "epochs=2",
             "--param", "crop_seconds=0.75", "--param", "width=4"]  # fmt: skip
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2",
                "--master-addr", "127.0.0.1", "--master-port", free_port(),
                "-m", "mgrkit", *words]  # fmt: skip
    done = subprocess.run(
        torchrun, cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("wrote m.safetensors") == 1
    assert load_bundle(tmp_path / "m.safetensors").classifier == "cnn"
    assert (tmp_path / "m.run" / "model" / "metrics.csv").exists()
