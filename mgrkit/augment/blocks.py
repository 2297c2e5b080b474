"""What all noise sources share: the grid of blocks, a draw, and how to fade."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

BLOCK = 2**20
"""Frames of a block of noise, at every rate: the unit that has a seed of its own.

So large because each NumPy call costs some microseconds and a hand-over of the interpreter
lock: two threads make white copies of 30 s in four fifths of the time that blocks of 2**18
frames take.
"""

LOUDEST = 1e9
"""A larger sample is no sound, and the power of many such is beyond float32."""


class Draw(NamedTuple):
    """What one copy's noise is drawn for; the SNR is no part of it.

    Attributes
    ----------
    seed : of the run.
    path : of the sound, relative, POSIX.
    k : which copy, from 1.
    """

    seed: int
    path: str
    k: int


class Take(NamedTuple):
    """Noise for one sound, from its start.

    Attributes
    ----------
    channels : one function for each channel; its next call fills the given float32
        ``(frames,)`` with the next block: `BLOCK` frames, fewer only in the last one.
    recording : the file it comes from; empty for a colour.
    offset : seconds into that file where the first channel begins.
    """

    channels: list[Callable[[Floats], None]]
    recording: str = ""
    offset: float = 0.0


def regroup(
    blocks: Iterable[Floats],
    frames: int,
    make: Callable[[int, int], Floats] = lambda channels, frames: np.empty(
        (channels, frames), np.float32
    ),
) -> Iterator[Floats]:
    """Cut ``(channels, n)`` blocks of any size anew, ``frames`` in each but the last.

    ``make(channels, frames)`` gives the arrays that the new blocks are copied to.
    """
    held: list[Floats] = []
    count = 0
    for block in blocks:
        rest = block
        while count + rest.shape[1] >= frames:
            held.append(rest[:, : frames - count])
            yield np.concatenate(held, axis=1, out=make(len(block), frames))
            rest = rest[:, frames - count :]
            held, count = [], 0
        held.append(rest)
        count += rest.shape[1]
    if count:
        yield np.concatenate(held, axis=1, out=make(len(held[0]), count))


@functools.lru_cache(maxsize=16)
def fade(frames: int) -> tuple[Floats, Floats]:
    """A rising and a falling curve whose squares add up to one, float32 ``(frames,)`` each.

    The slope of the Vorbis I window: its derivative is continuous at both ends, so that a
    join leaves nothing at high frequencies.
    """
    sine = np.sin(np.pi / 2 * (np.arange(frames) + 0.5) / frames)
    rise = np.sin(np.pi / 2 * sine**2).astype(np.float32)
    return rise, rise[::-1].copy()
