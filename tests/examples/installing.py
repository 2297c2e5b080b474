"""Examples of plugins, installed as a stranger would install them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def installed(name: str, folder: Path) -> dict[str, str]:
    """The environment of a process in which ``examples/<name>`` is installed, into ``folder``."""
    # A copy, so that building leaves nothing in the repository.
    source = shutil.copytree(ROOT / "examples" / name, folder / "source")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--target", str(folder / "site")]
    run([sys.executable, "-m", "pip", "install", "--no-index", *options, str(source)], {})
    return {"PYTHONPATH": str(folder / "site")}


def run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> str:
    """What a command that must succeed prints."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def mgrkit(words: list[str], environment: dict[str, str], folder: Path) -> str:
    """What a command of mgrkit prints."""
    return run([sys.executable, "-m", "mgrkit", *words], environment, folder)


def keeps_the_contract(plugin: Path, environment: dict[str, str], folder: Path) -> None:
    """Run the plugin's own tests in ``folder``."""
    shutil.copy(plugin / "test_contract.py", folder)
    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    told = run(command, environment, folder)
    assert " passed" in told
    assert " failed" not in told
