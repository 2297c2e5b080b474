"""Style and types are promises too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


SPELLING = "codespell_lib"
TYPES = pytest.param("mypy", marks=pytest.mark.torch)  # it reads the types of torch too


@pytest.mark.parametrize(
    "command", ["ruff check --no-cache", "ruff format --check --no-cache", SPELLING, TYPES]
)
def test_style_and_types(command: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *command.split()], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_docs_have_no_dead_link_and_no_page_that_nothing_leads_to(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    commands = (tmp_path / "site" / "reference" / "commands.html").read_text()
    assert "mgrkit models fetch" in commands
    assert "--workers" in commands
