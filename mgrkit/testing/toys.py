"""Examples that anything worth calling a classifier tells apart, for each thing that it may eat.

Three genres, 12 tracks of each by four artists, two pieces of each track: in ``features`` the
genres are clouds 12 standard deviations apart, in ``image`` each has a bright band of its own,
in ``samples`` a tone; all else is noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit import seeds
from mgrkit.classifiers.base import Examples, Task
from mgrkit.frontend import front_end

if TYPE_CHECKING:
    from numpy.typing import NDArray

LABELS = ("polka", "ambient", "dub")
COLUMNS = 8
SIDE = 64
FRAMES = 8192
_TRACKS, _PIECES, _TRACKS_A_GROUP = 12, 2, 3


@dataclass(frozen=True)
class Toy:
    """A task with examples; ``held_out`` is for testing.

    Parameters
    ----------
    train, valid, held_out : 72, 24 and 72 pieces, no track or group in two of them.
    asked : what models are compared on, ``(107, *task.shape)``: ``held_out.x``, then 35 mixtures
        of two genres, where models that differ at all differ most.
    """

    task: Task
    train: Examples
    valid: Examples
    held_out: Examples
    asked: NDArray[Any]


def toy(eats: str, seed: int = 0, shape: tuple[int, ...] = ()) -> Toy:
    """The toy set for a classifier that eats this: ``features:<set>``, ``image``, ``samples``.

    Parameters
    ----------
    shape : of an image or of samples; empty for 64 x 64, or 8192.
    """
    make: _Make = _features
    task = Task(LABELS, (COLUMNS,), tuple(f"toy{i}" for i in range(COLUMNS)))
    if eats == "image":
        shape = shape or (SIDE, SIDE)
        task = Task(LABELS, shape, frontend=front_end(n_mels=shape[0]))
        make = partial(_images, shape)
    elif eats == "samples":
        shape = shape or (FRAMES,)
        make, task = partial(_samples, shape[0]), Task(LABELS, shape, frontend=front_end())
    parts = {"train": _TRACKS, "valid": _TRACKS // 3, "held_out": _TRACKS}
    examples, first = {}, 0
    for part, tracks in parts.items():
        examples[part] = _part(make, tracks, first, seeds.generator(seed, "toy", (eats, part)))
        first += tracks * len(LABELS)
    x = examples["held_out"].x
    # The first piece of each track with that of the next track, which is of another genre.
    mixed = x[:-_PIECES:_PIECES].astype(np.float64) + x[_PIECES::_PIECES]
    return Toy(task, **examples, asked=np.concatenate([x, (mixed / 2).astype(x.dtype)]))


def copied(examples: Examples) -> Examples:
    """The same in new arrays, so that whoever changes them changes nobody else's."""
    return examples.take(np.arange(len(examples)))


def without(examples: Examples, label: int) -> Examples:
    """The examples of all other labels."""
    return examples.take(examples.y != label)


_Make = Callable[["NDArray[np.int64]", np.random.Generator], "NDArray[Any]"]


def _part(make: _Make, tracks: int, first: int, rng: np.random.Generator) -> Examples:
    number = np.arange(tracks * len(LABELS)).repeat(_PIECES)
    # Groups are of one genre, as artists mostly are, and genres take turns along the rows.
    label, nth = number % len(LABELS), number // len(LABELS)
    group = nth // _TRACKS_A_GROUP * len(LABELS) + label
    return Examples(make(label, rng), label, number + first, group + first)


def _features(label: NDArray[np.int64], rng: np.random.Generator) -> NDArray[Any]:
    centres = np.zeros((len(LABELS), COLUMNS))
    for genre in range(len(LABELS)):
        centres[genre, genre :: len(LABELS)] = 6.0
    return (centres[label] + rng.normal(size=(len(label), COLUMNS))).astype(np.float32)


def _images(
    shape: tuple[int, ...], label: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[Any]:
    pixels = rng.integers(0, 64, (len(label), *shape), dtype=np.uint8)
    for image, genre in zip(pixels, label, strict=True):
        start = int(genre) * shape[0] // len(LABELS) + 4
        image[start : start + 12] += 160
    return pixels


def _samples(frames: int, label: NDArray[np.int64], rng: np.random.Generator) -> NDArray[Any]:
    hertz = np.array([300.0, 1200.0, 4800.0])[label][:, None]
    phase = rng.uniform(0, 2 * np.pi, (len(label), 1))
    tone = 0.4 * np.sin(2 * np.pi * hertz * np.arange(frames) / 22050 + phase)
    return (tone + 0.05 * rng.normal(size=tone.shape)).astype(np.float32)
