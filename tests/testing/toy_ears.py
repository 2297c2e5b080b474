"""A feature set that keeps the contract, and one class for each way to break it."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import threading
import time

import numpy as np

from mgrkit.errors import ItemError
from mgrkit.features.windows import windows

WINDOW, HOP = 2000, 1000


def loudness(samples) -> np.ndarray:
    """A function of one piece: its level and its peak."""
    if len(samples) < 512:
        raise ItemError("too-short", "512 samples at least")
    if not samples.any():
        raise ItemError("silent", "it is silent")
    return np.array([[np.sqrt((samples**2).mean()), np.abs(samples).max()]], np.float64)


def twice(samples) -> np.ndarray:
    return loudness(samples).repeat(2, axis=0)


def ears(samples) -> np.ndarray:
    return Ears(None, "cpu").prepare(samples)


def words(samples) -> list[str]:
    ears(samples)
    return ["loud", "soft"]


class Ears:
    """Level, peak and change of windows of 0.25 s at 8,000 Hz, and the share of the low half."""

    def __init__(self, weights, device) -> None:
        self.device = device

    def prepare(self, samples) -> np.ndarray:
        self.check(samples)
        cut = windows(samples, WINDOW, HOP).astype(np.float64)
        level = np.sqrt((cut**2).mean(1))
        change = np.abs(np.diff(cut, axis=1)).mean(1)
        power = np.abs(np.fft.rfft(cut)) ** 2
        low = power[:, : WINDOW // 4].sum(1) / (power.sum(1) + 1e-9)
        return np.stack([level, np.abs(cut).max(1), change, low], axis=1)

    def check(self, samples) -> None:
        if len(samples) and not samples.any():
            raise ItemError("silent", "it is silent")

    def embed(self, prepared) -> list[np.ndarray]:
        return list(prepared)


class Raises:
    def __init__(self, weights, device) -> None:
        raise OSError("no such file")


class NoEmbed:
    prepare = Ears.prepare

    def __init__(self, weights, device) -> None:
        pass


class Infinite(Ears):
    def prepare(self, samples) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(super().prepare(samples) * 0)


class WholeNumbers(Ears):
    def prepare(self, samples) -> np.ndarray:
        return (super().prepare(samples) * 1000).astype(int)


class OneColumnMore(Ears):
    def embed(self, prepared) -> list[np.ndarray]:
        return [np.column_stack([rows, rows[:, 0]]) for rows in prepared]


class OneArray(Ears):
    def embed(self, prepared) -> list[np.ndarray]:
        return [np.concatenate(prepared)]


class OneRow(Ears):
    def prepare(self, samples) -> np.ndarray:
        return super().prepare(samples).mean(0)[None]


class WantsWholeHops(Ears):
    def prepare(self, samples) -> np.ndarray:
        if WINDOW <= len(samples) <= WINDOW + 1:
            raise ItemError("too-short", "two windows at least")
        return super().prepare(samples)


class LosesTheBreath(Ears):
    """Ends at 30 s, as networks that know so many positions do."""

    def prepare(self, samples) -> np.ndarray:
        return super().prepare(samples)[: np.newaxis if len(samples) < 30 * 8000 else 0]


class OverflowsWhenLoud(Ears):
    def prepare(self, samples) -> np.ndarray:
        rows = super().prepare(samples)
        rows[rows[:, 1] > 1.5] = np.inf
        return rows


class DescribesSilence(Ears):
    def check(self, samples) -> None:
        pass


class StumblesOverSilence(Ears):
    def check(self, samples) -> None:
        if len(samples) and not samples.any():
            raise ZeroDivisionError("division by zero")


class StumblesOverConstants(Ears):
    def check(self, samples) -> None:
        super().check(samples)
        if len(samples) > 1 and not np.ptp(samples):
            raise ZeroDivisionError("division by zero")


class DescribesNothing(Ears):
    def prepare(self, samples) -> np.ndarray:
        return super().prepare(samples if len(samples) > 1 else np.ones(WINDOW, np.float32))


class StumblesWhenShort(Ears):
    def check(self, samples) -> None:
        super().check(samples)
        if len(samples) < WINDOW:
            raise ValueError("window is longer than the sound")


class Normalises(Ears):
    def prepare(self, samples) -> np.ndarray:
        rows = super().prepare(samples)
        samples /= 2
        return rows


class Dithers(Ears):
    def prepare(self, samples) -> np.ndarray:
        rows = super().prepare(samples)
        return rows + 1e-9 * np.random.default_rng().normal(size=rows.shape)


class Dropout(Ears):
    """Other rows in each object, as of a layer that nobody filled."""

    def __init__(self, weights, device) -> None:
        super().__init__(weights, device)
        self.scale = 1 + 1e-9 * np.random.default_rng().random()

    def prepare(self, samples) -> np.ndarray:
        return super().prepare(samples) * self.scale


class LooksAtBatch(Ears):
    def embed(self, prepared) -> list[np.ndarray]:
        mean = np.concatenate(prepared).mean() if len(prepared) > 1 else 0
        return [rows + 1e-9 * mean for rows in prepared]


class FirstIsBest(Ears):
    def embed(self, prepared) -> list[np.ndarray]:
        first = [prepared[0] + 1e-9, *prepared[1:]] if len(prepared) > 1 else prepared
        return first if len(prepared) < 2 or len(first[0]) == 6 else list(prepared)


class SharesScratch(Ears):
    def prepare(self, samples) -> np.ndarray:
        self.samples = samples
        time.sleep(0.001)
        return super().prepare(self.samples)


class EmbedsWhatIsPrepared(Ears):
    busy = 0

    def prepare(self, samples) -> np.ndarray:
        self.busy += 1
        time.sleep(0.02)
        self.busy -= 1
        return super().prepare(samples)

    def embed(self, prepared) -> list[np.ndarray]:
        return [rows + 1e-9 * (self.busy > 0) for rows in prepared]


class Unpickles(Ears):
    def __init__(self, weights, device) -> None:
        super().__init__(weights, device)
        pickle.loads(pickle.dumps(ItemError("silent", "hush")))


class Prints(Ears):
    def embed(self, prepared) -> list[np.ndarray]:
        print(f"{len(prepared)} pieces")
        return super().embed(prepared)


class SeedsRandom(Ears):
    def __init__(self, weights, device) -> None:
        super().__init__(weights, device)
        random.seed(0)


class DrawsGlobally(Ears):
    def prepare(self, samples) -> np.ndarray:
        np.random.uniform()  # noqa: NPY002
        return super().prepare(samples)


class LeavesThread(Ears):
    end = threading.Event()

    def __init__(self, weights, device) -> None:
        super().__init__(weights, device)
        threading.Thread(target=self.end.wait, daemon=True).start()


class LeavesProcess(Ears):
    left: list[subprocess.Popen] = []  # noqa: RUF012

    def __init__(self, weights, device) -> None:
        super().__init__(weights, device)
        self.left.append(subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1))


class OtherOnCuda(Ears):
    def embed(self, prepared) -> list[np.ndarray]:
        return [rows * (1 if self.device == "cpu" else 1.01) for rows in prepared]
