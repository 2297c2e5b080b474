"""A test that hangs does not take the others with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HANGS = """
import time

def test_hangs():
    time.sleep(600)
"""


def test_a_test_that_hangs_is_ended_with_where_it_hangs(tmp_path: Path) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGS)
    words = ["-p", "no:cacheprovider", "-o", "faulthandler_timeout=1", "test_hanging.py"]
    words += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", "."]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=tmp_path, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert ended.returncode == 1, ended.stdout
    assert "in test_hangs" in ended.stderr


def test_there_is_a_limit(pytestconfig: object) -> None:
    assert float(pytestconfig.getini("faulthandler_timeout")) > 60  # type: ignore[attr-defined]
