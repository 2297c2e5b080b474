"""Who may know whom, what stays unloaded, and what works with the heavy libraries away."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrkit.cli.group import COMMANDS, command

ROOT = Path(__file__).parent.parent

LAYERS = {
    "errors": set(),
    "seeds": set(),
    "audio": {"errors"},
    "frontend": {"errors"},
    "augment": {"errors", "seeds", "audio"},
    "spectrograms": {"errors", "audio", "frontend"},
    "tracks": {"errors", "seeds", "audio"},
    "batch": {"errors"},
    "features": {"errors", "audio", "frontend", "spectrograms"},
    "registry": {"errors", "frontend"},
    "classifiers": {"errors", "seeds", "frontend", "registry"},
    "learning": {"errors", "seeds", "registry", "classifiers"},
    "testing": {"errors", "seeds", "audio", "frontend", "registry", "classifiers", "learning"},
    "commands": {
        "errors", "seeds", "audio", "frontend", "augment", "spectrograms", "features", "tracks",
        "batch", "registry", "classifiers", "learning", "testing",
    },
    "cli": {"errors", "frontend", "tracks", "batch", "commands"},
}  # fmt: skip
"""Each package and the packages of mgrkit that it may import."""

HEAVY = {
    "torch", "torchvision", "librosa", "sklearn", "matplotlib", "polars", "audiomentations",
    "scipy.signal", "scipy.stats",
}  # fmt: skip
AT_HELP = {"numpy", "scipy", "soundfile", "soxr", "av", "PIL", "rich", "asyncio", *HEAVY}


def imported(path: Path) -> set[str]:
    """Every module that a file imports, at its top or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.update({node.module or "", *(f"{node.module}.{a.name}" for a in node.names)})
    return names


def modules() -> list[Path]:
    return sorted((ROOT / "mgrkit").rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_imports_point_the_right_way(path: Path) -> None:
    own = path.relative_to(ROOT / "mgrkit").parts[0].removesuffix(".py")
    if own in ("__init__", "__main__"):
        return
    others = {n.split(".")[1] for n in imported(path) if n.startswith("mgrkit.")}
    assert others <= LAYERS[own] | {own, "__version__"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_only_the_command_line_prints_and_knows_rich(path: Path) -> None:
    if "cli" in path.relative_to(ROOT).parts:
        return
    calls = [n.func.id for n in ast.walk(ast.parse(path.read_text()))
             if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]  # fmt: skip
    assert "print" not in calls
    assert not {n.split(".")[0] for n in imported(path)} & {"rich", "typer"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_modules_fit_in_the_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def commands() -> Iterator[list[str]]:
    """The words of every command, those of groups too."""
    for name in COMMANDS:
        yield [name]
        yield from ([name, below] for below in getattr(command(name), "commands", ()))


@pytest.mark.parametrize("words", [["--help"], *([*words, "--help"] for words in commands())])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    loaded = run(
        "import sys\n"
        "from mgrkit.cli.app import app\n"
        f"try: app({words!r})\nexcept SystemExit: pass\n"
        "print('LOADED', *sys.modules)"
    ).split("LOADED", 1)[1]
    assert not AT_HELP & set(loaded.split())


def test_what_needs_no_heavy_library_works_without(tmp_path: Path) -> None:
    out = run(
        "import sys\n"
        f"for name in {sorted(HEAVY)!r}: sys.modules[name] = None\n"
        "import numpy as np, os, wave, pathlib\n"
        f"os.chdir({str(tmp_path)!r})\n"
        "pathlib.Path('in').mkdir()\n"
        "tone = np.sin(np.arange(22050) / 20) * 9000\n"
        "with wave.open('in/a.wav', 'wb') as f:\n"
        "    f.setparams((1, 2, 22050, 0, 'NONE', '')); f.writeframes(tone.astype('<i2'))\n"
        "from mgrkit.cli.app import app\n"
        "for words in ('augment in noisy', 'spectrograms in pictures', 'features in f.csv',\n"
        "              'predict in --csv', 'models', 'classifiers', 'plugins'):\n"
        "    print('\\nCODE', app(words.split(), standalone_mode=False) or 0)\n"
    )
    codes = [line for line in out.splitlines() if line.startswith("CODE")]
    assert codes == ["CODE 0"] * 7
