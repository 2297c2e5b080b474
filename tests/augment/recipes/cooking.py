"""Sounds, and recipes from TOML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from mgrkit.augment.altered import Altered
from mgrkit.augment.recipes import ReadyRecipe, Recipe

RATE = 22_050
GAIN = '[[step]]\ntransform = "Gain"\n'
NEEDED = {
    "AddBackgroundNoise": 'sounds_path = "hiss.wav"',
    "AddShortNoises": 'sounds_path = "hiss.wav"\nmax_time_between_sounds = 2.0',
    "AdjustDuration": "duration_seconds = 1.5",
    "ApplyImpulseResponse": 'ir_path = "hall.wav"',
    "Lambda": '[step.function]\ntransform = "Gain"',
    "Compose": '[[step.transforms]]\ntransform = "Gain"',
    "OneOf": '[[step.transforms]]\ntransform = "Gain"\n[[step.transforms]]\ntransform = "Clip"',
    "SomeOf": 'num_transforms = 1\n[[step.transforms]]\ntransform = "Gain"',
}
"""What transforms need beside their name."""


def chirp(seconds: float = 3.0, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """From 50 Hz to a third of the rate; each channel with another level."""
    time = np.arange(round(seconds * rate)) / rate
    sweep = np.sin(2 * np.pi * (50 * time + (rate / 3 - 50) / (2 * seconds) * time**2))
    return np.stack([sweep * 0.5 / (c + 1) for c in range(channels)]).astype("f4")


def music(data: Path, seconds: float = 3.0) -> np.ndarray:
    """Real music in mono, float32 ``(1, frames)`` at `RATE`."""
    samples, rate = soundfile.read(data / "gtzan/clips/blues.00006.flac", dtype="float32")
    assert rate == RATE
    return samples[None, : round(seconds * RATE)]


def made_music(seconds: float = 3.0, channels: int = 1, rate: int = RATE) -> np.ndarray:
    """Decaying chords on a beat, float32 ``(channels, frames)``; each channel for itself."""
    random = np.random.default_rng(7)
    time = np.arange(round(seconds * rate)) / rate
    beat = np.exp(-8 * (time % 0.5))
    rows = []
    for channel in range(channels):
        chord = sum(
            np.sin(2 * np.pi * f * time * 2 ** (channel / 12)) for f in (110.0, 277.2, 659.3, 1760)
        )
        rows.append(0.1 * beat * chord + 0.02 * beat * random.normal(size=len(time)))
    return np.stack(rows).astype("f4")


def recipe(folder: Path, text: str, name: str = "r") -> Recipe:
    path = folder / f"{name}.toml"
    path.write_text(text)
    return Recipe.load(str(path))


def ready(folder: Path, text: str, name: str = "r") -> ReadyRecipe:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return recipe(folder, text, name).ready(work)


def step(transform: str, more: str = "") -> str:
    return f'[[step]]\ntransform = "{transform}"\n{more}\n{NEEDED.get(transform, "")}\n'


def sounds(folder: Path) -> None:
    """``hiss.wav`` and ``hall.wav``, whose sound comes 100 frames late."""
    random = np.random.default_rng(1)
    soundfile.write(folder / "hiss.wav", random.normal(size=RATE) * 0.1, RATE, "FLOAT")
    hall = random.normal(size=4000) * 0.02 * np.exp(-np.arange(4000) / 800)
    hall[:100], hall[100] = 0, 1
    soundfile.write(folder / "hall.wav", hall, RATE, "FLOAT")


def apply(made: ReadyRecipe, samples: np.ndarray, rate: int = RATE, **place: Any) -> Altered:
    return made.apply(samples, rate, **{"seed": 1, "path": "a/b.wav", "k": 1, **place})
