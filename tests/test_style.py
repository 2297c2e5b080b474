"""Style and types are promises too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


TYPES = pytest.param("mypy", marks=pytest.mark.torch)  # it reads the types of torch too


@pytest.mark.parametrize(
    "command", ["ruff check --no-cache", "ruff format --check --no-cache", TYPES]
)
def test_style_and_types(command: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
