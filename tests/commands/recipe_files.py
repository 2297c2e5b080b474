"""Recipes and sounds for the tests of the command."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

RATE = 22_050
RECIPES = {
    "loud": "[[step]]\ntransform = 'Gain'\nmin_gain_db = 24.0\nmax_gain_db = 24.0\n",
    "hiss": "copies = 2\n[[step]]\nnoise = 'pink'\nsnr = [5, 20]\n",
    "moved": (
        "[[step]]\ntransform = 'Shift'\nmin_shift = 0.1\nmax_shift = 0.1\n"
        "shift_unit = 'seconds'\nrollover = false\n"
    ),
    "never": "[[step]]\ntransform = 'PolarityInversion'\np = 0.0\n",
    "mute": "[[step]]\ntransform = 'Gain'\nmin_gain_db = -200.0\nmax_gain_db = -200.0\n",
    "burst": 2 * "[[step]]\ntransform = 'Gain'\nmin_gain_db = 700.0\nmax_gain_db = 700.0\n",
    "stub": "[[step]]\ntransform = 'AdjustDuration'\nduration_samples = 100\n",
    "drawn": (
        "[[step]]\ntransform = 'Gain'\nmin_gain_db = -9.0\nmax_gain_db = -3.0\n"
        "[[step]]\ntransform = 'AddGaussianNoise'\n"
    ),
}


def recipe(folder: Path, name: str, text: str = "") -> str:
    """The path of a recipe of `RECIPES`, or of this text."""
    path = folder / f"{name}.toml"
    path.write_text(text or RECIPES[name])
    return str(path)


def music(path: Path, seconds: float = 1.0, channels: int = 1, subtype: str = "PCM_16") -> Path:
    """A chord with some noise, another for each path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(list(path.name.encode()))
    time = np.arange(round(RATE * seconds)) / RATE
    chord = sum(np.sin(2 * np.pi * f * time) for f in random.uniform(200, 2000, 3))
    sound = np.stack([0.1 * chord + random.normal(0, 0.02, len(time)) for _ in range(channels)])
    soundfile.write(path, sound.T, RATE, subtype)
    return path


def table(out: Path) -> dict[str, dict[str, str]]:
    """The rows of a folder's table by path."""
    with (out / "tracks.csv").open(newline="", encoding="utf-8") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def tree(out: Path) -> dict[str, bytes]:
    """Every file of a folder but those of its journal."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and ".mgrkit" not in path.parts
    }
