"""Who may know whom, what stays unloaded, and what works with the heavy libraries away."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.cli.group import COMMANDS, command

ROOT = Path(__file__).parent.parent

ROOMS = {
    "errors": "what can go wrong, and what is said of it",
    "seeds": "random numbers that depend on nothing but what they are for",
    "files": "files whole or absent, locked, hashed; the folder for what can be made again",
    "compute": "on which device and in which process, when to stop; transforms and memory",
    "audio": "files <-> samples, their digest, their tags",
    "frontend": "how sound becomes a model's input, as data",
    "synthetic": "made music",
    "batch": "many items through one job; knows nothing of sound",
    "augment": "samples -> noisy samples",
    "spectrograms": "samples -> spectra -> pictures",
    "features": "samples -> named numbers",
    "tracks": "tables, names, lineage, ids, splits",
    "registry": "what plugins say of themselves, and the loader",
    "classifiers": "what a model is, and the file that keeps one",
    "learning": "fit, calibrate, judge: arrays in, arrays out",
    "weights": "the weights of networks: kept, fetched, checked",
    "inputs": "a piece of sound as what a classifier eats",
    "datasets": "DATA -> labelled examples",
    "models": "trained models at hand, ready to answer",
    "experiments": "DATA and a split -> a measured model, once or many times",
    "reports": "results as pictures and documents for people",
    "commands": "one module a command, without a terminal",
    "cli": "parse, call, show",
    "testing": "checks for authors of plugins",
}
"""The rooms of mgrkit from the ground up: each may know those above it in this list."""

STRANGERS = {
    "batch": set(ROOMS) - {"errors", "files", "compute"},
    "tracks": {"batch"},
    "learning": {"audio", "batch", "tracks", "frontend", "spectrograms", "features"},
    "models": {"datasets"},
}
"""Rooms that a room does not know although they are above it."""

FOR_PLUGINS = {
    "errors", "seeds", "files", "compute", "frontend", "spectrograms", "features", "registry",
    "classifiers", "learning", "weights", "reports", "testing",
}  # fmt: skip
"""Rooms that mgrkit's own plugins may know, as anybody's."""

HEAVY = {
    "torch", "torchvision", "librosa", "sklearn", "matplotlib", "polars", "audiomentations",
    "scipy.signal", "scipy.stats", "optuna", "distributed", "dask", "mutagen",
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


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in modules()
}


def plugin_modules() -> list[Path]:
    return sorted((ROOT / "plugins").rglob("*.py"))


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def known_by(path: Path) -> set[str]:
    """The modules of mgrkit that a file imports, at its top or inside a function."""
    names = {name for name in imported(path) if name.startswith("mgrkit.")}
    # Of "from mgrkit.audio import probe" the face mgrkit.audio is not what is wanted.
    wanted = {name for name in names if not any(one.startswith(f"{name}.") for one in names)}
    return {module for name in wanted if (module := module_of(name))}


def module_of(name: str) -> str:
    """The module that a dotted name is, or lies in."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def test_every_room_is_in_the_list() -> None:
    assert {room_of(module) for module in MODULES} - {"", "__main__"} == set(ROOMS)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_import_climbs(module: str) -> None:
    own, order = room_of(module), list(ROOMS)
    if own in ("", "__main__"):
        return
    for other in {room_of(name) for name in known_by(MODULES[module])} - {own, ""}:
        climbs = order.index(other) > order.index(own) or other in STRANGERS.get(own, ())
        assert not climbs, (
            f"{module} imports from {other}, but the room {own} ({ROOMS[own]}) may not know "
            f"{other} ({ROOMS[other]}): move what both need into a room above {own} in ROOMS, or "
            f"{module} into {other} or a room below it"
        )


@pytest.mark.parametrize("path", plugin_modules(), ids=lambda p: p.relative_to(ROOT).as_posix())
def test_plugins_know_what_anybodys_may(path: Path) -> None:
    rooms = {room_of(name) for name in known_by(path)} - {""}
    assert rooms <= FOR_PLUGINS


def test_no_two_files_know_each_other() -> None:
    """Neither directly nor by way of others; an import inside a function counts."""
    knows = {module: known_by(path) - {module} for module, path in MODULES.items()}
    while outer := [m for m in knows if not knows[m] or not any(m in o for o in knows.values())]:
        knows = {m: others - {*outer} for m, others in knows.items() if m not in outer}
    assert not knows, f"move what these files share to a module of its own: {knows}"


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


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("model", ["cnn", "svm"])
def test_to_predict_on_a_cpu_takes_no_heavy_library(tmp_path: Path, model: str, away: bool) -> None:
    soundfile.write(tmp_path / "a.mp3", np.sin(np.arange(88_200) / 20) / 3, 22_050)
    out = run(
        "import sys\n"
        f"for name in {sorted(HEAVY) if away else []!r}: sys.modules[name] = None\n"
        "from mgrkit.cli.app import app\n"
        f"words = 'predict {tmp_path / 'a.mp3'} --json --model {model} --device cpu'.split()\n"
        "print('CODE', app(words, standalone_mode=False))\n"
        "print('LOADED', *(name for name, module in sys.modules.items() if module))\n"
    )
    told, loaded = out.split("LOADED", 1)
    assert '"genre": "' in told
    assert told.endswith("CODE 0\n")
    # Of scipy nothing but the transforms: the rest takes longer to import than a song to judge.
    assert not {name for name in loaded.split() if name in HEAVY or name == "scipy"}


@pytest.mark.parametrize("room", ["commands", "datasets", "experiments", "models"])
def test_functions_fit_on_a_screen(room: str) -> None:
    paths = [path for path in modules() if path.relative_to(ROOT / "mgrkit").parts[0] == room]
    trees = {path: ast.parse(path.read_text()) for path in paths}
    assert not [
        (path.name, node.name)
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= 50
    ]


def test_no_room_is_a_warehouse() -> None:
    lines = dict.fromkeys(ROOMS, 0)
    for module, path in MODULES.items():
        if room_of(module) in lines:
            lines[room_of(module)] += len(path.read_text().splitlines())
    everything = sum(lines.values()) + sum(
        len(p.read_text().splitlines()) for p in plugin_modules()
    )
    biggest = max(lines, key=lambda room: lines[room])
    assert lines[biggest] <= 0.16 * everything, f"{biggest} is a warehouse: split it"
