"""What all tests share: where the real data lies, what goes without torch, and what is missed.

A test that needs torch is marked ``torch``; a module that needs it says so by
``torch = pytest.importorskip("torch")``.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from tests.real_weights import ears, lite0_weights, musicnn_weights

__all__ = ["ears", "lite0_weights", "musicnn_weights"]

# As the command line does; the order of sums, and so the last digits, hang on it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# One process of tests a core: threads of torch and scikit-learn that wait for each other in turning
# loops made some tests last twenty times as long. Those that are about threads ask for their own.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or ROOT.parent / "shared" / "data")
TORCH = importlib.util.find_spec("torch") is not None
_missed: list[str] = []


@pytest.fixture
def data(request: pytest.FixtureRequest) -> Path:
    """The folder of real clips, songs and hostile files; skips where there is none."""
    if not DATA.is_dir():
        _missed.append(request.node.nodeid)
        pytest.skip("real data is not here (MGRKIT_TEST_DATA)")
    return DATA


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the cache of whoever runs it."""
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "torch: needs torch, and is skipped where there is none")
    if "MGRKIT_TEST_DATA" in os.environ and not DATA.is_dir():
        raise pytest.UsageError(f"MGRKIT_TEST_DATA is set, but {DATA} is not a folder")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not TORCH and item.get_closest_marker("torch"):
        pytest.skip("torch is not installed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _missed:
        terminalreporter.write_line(
            f"{len(_missed)} tests skipped: no real data (MGRKIT_TEST_DATA)"
        )
    if not TORCH:
        terminalreporter.write_line("torch is not installed: the tests of networks were skipped")
