"""SIGKILL while altered copies are made, and while a network learns from them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")

from mgrkit.synthetic.collection import write_collection
from tests.crash import harness

TRAIN = """
import sys
import torch
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit_neural import resuming
if __name__ == "__main__":
    torch.set_num_threads(1)
    resuming.EVERY = 0.0
    raise SystemExit(guarded(app, sys.argv[1:]))
"""
PARTS = ("train", "train", "train", "train", "valid", "test")
EPOCHS = 15


def start(audio: Path, out: Path, cache: Path) -> subprocess.Popen[bytes]:
    words = [
        "train", "cnn", str(audio), "-o", str(out), "-q", "--device", "cpu",
        "--augment", "white@10", "--augment", "pink@5", "--augment-copies", "2",
        "--param", f"epochs={EPOCHS}", "--param", "width=2", "--param", "views=1",
        "--param", "batch=8",
    ]  # fmt: skip
    environment = {**os.environ, "MGRKIT_CACHE": str(cache)}
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, *words], cwd=harness.ROOT, env=environment
    )


def killed_once(process: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    """Kill it once it has got so far."""
    while not reached():
        assert process.poll() is None, "it ended before"
        time.sleep(0.002)
    process.kill()
    process.wait()


def test_killed_while_it_prepares_and_while_it_learns_it_ends_in_the_same_bytes(
    tmp_path: Path,
) -> None:
    audio, out, cache = tmp_path / "audio", tmp_path / "m.safetensors", tmp_path / "cache"
    write_collection(audio, songs=6, artists=6, seconds=2.0, parts=PARTS)
    metrics = tmp_path / "m.run" / "model" / "metrics.csv"

    def kept() -> int:
        return len(list(cache.rglob("*.safetensors")))

    def epochs() -> int:
        return len(metrics.read_text().splitlines()) - 1 if metrics.exists() else 0

    # The 24 songs and some copies of the 16 of train; then after some epochs.
    killed_once(start(audio, out, cache), lambda: kept() >= 30)
    assert kept() < 24 + 64
    killed_once(start(audio, out, cache), lambda: epochs() >= 3)
    assert kept() == 24 + 64
    assert epochs() < EPOCHS
    assert start(audio, out, cache).wait() == 0
    whole = tmp_path / "whole.safetensors"
    assert start(audio, whole, tmp_path / "other").wait() == 0
    assert out.read_bytes() == whole.read_bytes()
