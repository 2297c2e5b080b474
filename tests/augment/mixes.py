"""Sounds, and a writer that keeps what `mix` writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from mgrkit.augment import Mixed, mix

RATE = 22_050
STEPS = {"PCM_16": 2.0**-15, "PCM_24": 2.0**-23, "FLOAT": 1.0}


def tone(frames: int, rms: float = 0.1, channels: int = 1, bits: int | None = 16) -> np.ndarray:
    """A chord with some noise, float32 ``(channels, frames)``, on the grid of ``bits``."""
    random = np.random.default_rng(frames)
    time = np.arange(frames) / RATE
    chord = sum(np.sin(2 * np.pi * f * time + f) for f in (220.3, 331.7, 1207.1))
    sound = np.stack([chord + random.normal(size=frames) for _ in range(channels)])
    sound *= rms / np.sqrt(np.mean(sound**2))
    return (np.rint(sound * 2 ** (bits - 1)) / 2 ** (bits - 1) if bits else sound).astype("f4")


def source(sound: np.ndarray, size: int = 10_007) -> Callable[[], Iterator[np.ndarray]]:
    """The sound in blocks of an awkward size, again in each call."""
    starts = range(0, sound.shape[1], size)
    return lambda: (sound[:, start : start + size].copy() for start in starts)


@dataclass
class Kept:
    """A writer's factory; ``samples`` is the last file as float64, ``files`` their number."""

    files: int = 0
    blocks: list[np.ndarray] = field(default_factory=list)

    @contextmanager
    def __call__(self) -> Iterator[Kept]:
        self.files += 1
        self.blocks = []
        yield self

    def write(self, block: np.ndarray) -> None:
        self.blocks.append(block.copy())

    @property
    def raw(self) -> np.ndarray:
        return np.concatenate(self.blocks, axis=1)


def mixed(sound, noise, snr=10.0, subtype="FLOAT", seed=1, path="a/b.wav", k=1, size=10_007,
          rate=RATE):  # fmt: skip
    """Mix; returns what `mix` returns, the file's samples in float64, and the writer."""
    kept = Kept()
    made: Mixed = mix(
        source(sound, size), rate, len(sound), noise, snr, seed, path, k, subtype, kept
    )
    return made, kept.raw.astype(np.float64) * STEPS[subtype], kept


def residual(sound: np.ndarray, made: Mixed, samples: np.ndarray) -> np.ndarray:
    """What the file holds beside the sound, float64."""
    return samples - made.gain * sound.astype(np.float64)


def audible(sound: np.ndarray, rate: int = RATE) -> float:
    """The energy above 20 Hz, by the Fourier transform of each whole channel without its mean."""
    size = 2 ** int(np.ceil(np.log2(max(2 * rate, 4 * sound.shape[-1]))))
    centred = sound - sound.mean(axis=-1, keepdims=True, dtype=np.float64)
    energy = np.abs(np.fft.rfft(centred, size)) ** 2 * 2 / size
    return float(np.sum(centred**2) - energy[:, np.fft.rfftfreq(size, 1 / rate) < 20].sum())


def snr_of(sound: np.ndarray, made: Mixed, samples: np.ndarray) -> float:
    power = audible(made.gain * sound.astype(np.float64))
    return float(10 * np.log10(power / audible(residual(sound, made, samples))))
