"""A network from the command line: stopped at any moment, gone on with, and two at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mgrkit.commands.spectrograms import SpectrogramsSettings, spectrograms
from mgrkit.frontend import front_end
from mgrkit.synthetic.collection import write_collection

EPOCHS = 40


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    write_collection(folder / "audio", songs=4, artists=4, seconds=1.5)
    drawing = SpectrogramsSettings(front_end(n_mels=32))
    spectrograms(drawing, [folder / "audio"], folder / "pictures")
    return folder


def start(place: Path, out: str, epochs: int = EPOCHS) -> subprocess.Popen[str]:
    words = ["train", "cnn", "pictures", "--out", f"{out}.safetensors", "--param", "width=2",
             "--param", f"epochs={epochs}", "--param", "crop_seconds=0.5"]  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "mgrkit", *words], cwd=place, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip


def wait_for(metrics: Path, lines: int) -> None:
    end = time.monotonic() + 60
    while not metrics.exists() or metrics.read_text().count("\n") < lines:
        assert time.monotonic() < end, "it does not begin"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def whole(place: Path) -> bytes:
    going = start(place, "whole")
    out, err = going.communicate(timeout=120)
    assert going.returncode == 0, err
    assert "valid (used to choose): accuracy" in out
    found = [line for line in err.splitlines() if line.startswith("fit: ")]
    assert len(found) >= EPOCHS
    assert all(" of " in line and "loss " in line for line in found)
    return (place / "whole.safetensors").read_bytes()


@pytest.mark.torch
@pytest.mark.parametrize(
    ("number", "code", "lines"), [(signal.SIGINT, 130, 2), (signal.SIGTERM, 143, 12)]
)
def test_a_stopped_fit_says_so_and_goes_on(
    place: Path, whole: bytes, number: int, code: int, lines: int
) -> None:
    out = f"stopped-{code}"
    going = start(place, out)
    wait_for(place / f"{out}.run" / "model" / "metrics.csv", lines)
    going.send_signal(number)
    _, err = going.communicate(timeout=60)
    assert going.returncode == code
    assert "stopped" in err
    assert (place / f"{out}.run" / "model" / "checkpoint.safetensors").exists()
    assert not (place / f"{out}.safetensors").exists()
    again = start(place, out)
    again.communicate(timeout=120)
    assert (place / f"{out}.safetensors").read_bytes() == whole
    assert not list((place / f"{out}.run").rglob("*.safetensors")), "checkpoints have done"
    kept = {path.name for path in (place / f"{out}.run" / "model").iterdir()}
    assert kept == {"metrics.csv", "curves.png"}


@pytest.mark.torch
def test_two_at_once_do_not_meet(place: Path) -> None:
    first = start(place, "twice", epochs=2000)
    wait_for(place / "twice.run" / "model" / "metrics.csv", 2)
    second = start(place, "twice", epochs=2000)
    _, err = second.communicate(timeout=60)
    assert second.returncode == 3
    assert "another process is training in twice.run" in err
    first.kill()
    first.communicate()
    third = start(place, "twice", epochs=3)
    _, err = third.communicate(timeout=60)
    assert third.returncode == 2
    assert "--param epochs=2000 instead of 3" in err


@pytest.mark.torch
def test_a_refused_call_leaves_nothing_in_the_way(place: Path) -> None:
    words = ["train", "vit", "pictures", "--out", "vit.safetensors", "--param", "epochs=1"]
    done = subprocess.run(
        [sys.executable, "-m", "mgrkit", *words, "--param", "patch_bands=12"],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "patch_bands" in done.stderr
    assert not (place / "vit.run").exists()


@pytest.mark.torch
@pytest.mark.parametrize("weights", ["none.pth", "cut.safetensors"])
def test_weights_that_cannot_be_read_leave_nothing_in_the_way(place: Path, weights: str) -> None:
    (place / "cut.safetensors").write_bytes(b"cut off")
    done = subprocess.run(
        [sys.executable, "-m", "mgrkit", "train", "efficientnet_lite0", "pictures",
         "--out", "eye.safetensors", "--param", f"weights={weights}"],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert weights in done.stderr
    assert not (place / "eye.run").exists()
