"""The real weights of musicnn, for the tests that need them.

A wheel of musicnn 0.1.0, or what ``mgrkit models fetch musicnn`` keeps of it, by
``MGRKIT_TEST_WEIGHTS``. Where the variable CI is set, pip gets the wheel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def musicnn_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real weights, converted and of the pinned hash; skips where there are none."""
    from mgrkit_pretrained.checkpoint import musicnn
    from mgrkit_pretrained.hooks import MUSICNN
    from safetensors.numpy import save

    folder = tmp_path_factory.mktemp("musicnn")
    given = os.environ.get("MGRKIT_TEST_WEIGHTS")
    if given:
        path = Path(given)
    elif "CI" in os.environ:
        path = _downloaded(folder)
    else:
        pytest.skip(
            "the weights of musicnn are not here (MGRKIT_TEST_WEIGHTS=FILE, a wheel of musicnn "
            "0.1.0 or what `mgrkit models fetch musicnn` keeps; with CI=1 pip gets them)"
        )
    if path.suffix == ".whl":
        assert _hash(path) == MUSICNN.wheel_sha256, f"{path} is another wheel"
        path, wheel = folder / "musicnn.safetensors", path
        path.write_bytes(save(musicnn(wheel, lambda *_: None)))
    assert _hash(path) == MUSICNN.sha256, f"{path} has other weights"
    return path


def _downloaded(folder: Path) -> Path:
    from mgrkit_pretrained.hooks import MUSICNN

    wanted = f"{MUSICNN.package}=={MUSICNN.version}"
    command = ["download", wanted, "--no-deps", "--no-cache-dir", "-d", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *command],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if line.strip()]
        pytest.skip(f"pip cannot get {wanted}: {told[-1] if told else 'it says nothing'}")
    (wheel,) = folder.glob("*.whl")
    return wheel


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def ears(
    musicnn_weights: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A cache of its own that holds the weights; what is loaded from it is forgotten."""
    from mgrkit_pretrained.hooks import MUSICNN

    from mgrkit.inputs import extracting
    from mgrkit.weights.store import place

    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path_factory.mktemp("ears")))
    place(MUSICNN).parent.mkdir(parents=True)
    shutil.copyfile(musicnn_weights, place(MUSICNN))
    extracting._loaded.cache_clear()
    return place(MUSICNN)
