"""A sound of any length as a bounded number of columns, in one pass and bounded memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.audio import Mixdown, Resampler, open_sound
from mgrkit.errors import AudioError
from mgrkit.frontend import front_end
from mgrkit.spectrograms.chroma import chroma, spectral_peaks, tuning
from mgrkit.spectrograms.transform import frame_count, short_time_power

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from mgrkit.spectrograms.transform import Floats

COLUMNS = 4000
"""At most so many columns, and more than half as many of a sound that has enough frames."""
KEPT_SECONDS = 600
"""Of the longest sound whose samples are kept."""
_FRONT = front_end()
_CHUNK = 2**20


@dataclass(frozen=True)
class Overview:
    """A sound in columns of equal length, except the last.

    Parameters
    ----------
    rate, channels : of the file.
    seconds : its length.
    extremes : the lowest and the highest sample of any channel, float32 ``(columns, 2)``.
    extreme_seconds : the time from one row of ``extremes`` to the next.
    power : the average power at ``analysis_rate``, float32 ``(columns, bins)``.
    column_seconds : the time from one row of ``power`` to the next.
    warning : why the sound is not whole, else ''.
    samples : of all of it, mono at ``analysis_rate``, if they were to be kept; else none.
    """

    rate: int
    channels: int
    seconds: float
    extremes: Floats
    extreme_seconds: float
    power: Floats
    column_seconds: float
    warning: str = ""
    analysis_rate: int = _FRONT.rate
    samples: Floats = field(default_factory=lambda: np.empty(0, np.float32))

    def chroma(self) -> Floats:
        """Chroma of the columns ``(columns, 12)``, in the tuning of the whole sound."""
        n_fft = _FRONT.transform.n_fft
        found = tuning([spectral_peaks(self.power, self.analysis_rate, n_fft)])
        return chroma(self.power, self.analysis_rate, n_fft, found)


class Columns:
    """Rows that come in, joined to at most `COLUMNS` columns of as many rows each.

    When there are too many columns, each two neighbours become one.

    Parameters
    ----------
    join : of rows ``(n, size, k)``, along axis 1; joining joined rows must give the same.
    """

    def __init__(self, join: Callable[[Floats], Floats]) -> None:
        self.size = 1
        self._join = join
        self._full: list[Floats] = []
        self._count = 0
        self._rest: Floats | None = None
        self._rest_rows = 0

    def push(self, rows: Floats) -> None:
        """Take the next rows ``(n, k)``."""
        while len(rows):
            if self._rest is None and len(rows) >= self.size:
                count = min(len(rows) // self.size, COLUMNS - self._count)
                taken = count * self.size
                shape = (count, self.size, rows.shape[1])
                self._add(self._join(rows[:taken].reshape(shape)))
            else:
                taken = min(self.size - self._rest_rows, len(rows))
                self._hold(self._join(rows[None, :taken]), taken)
            rows = rows[taken:]

    def _hold(self, part: Floats, rows: int) -> None:
        """Add to the last column, which has too few rows as yet."""
        joined = part if self._rest is None else np.concatenate([self._rest, part])
        self._rest = self._join(joined[None])
        self._rest_rows += rows
        if self._rest_rows == self.size:
            column, self._rest, self._rest_rows = self._rest, None, 0
            self._add(column)

    def _add(self, columns: Floats) -> None:
        self._full.append(columns)
        self._count += len(columns)
        if self._count == COLUMNS:  # an even number, and no column has too few rows
            pairs = np.concatenate(self._full)
            halved = self._join(pairs.reshape(COLUMNS // 2, 2, -1))
            self._full, self._count, self.size = [halved], len(halved), 2 * self.size

    def columns(self) -> tuple[Floats, NDArray[np.int64]]:
        """The columns so far ``(n, k)``, and how many rows each has."""
        parts = [*self._full, *([] if self._rest is None else [self._rest])]
        rows = [self.size] * self._count + [self._rest_rows] * (self._rest is not None)
        return np.concatenate(parts), np.array(rows, np.int64)


def overview(
    path: Path,
    allow_truncated: bool = False,
    *,
    keeps: bool = False,
    heard: Callable[[float], None] | None = None,
) -> Overview:
    """Look at a sound once, from start to end, or of one that is not whole to where it ends.

    Parameters
    ----------
    heard : called after each block with the seconds decoded so far.
    keeps : whether the samples are wanted, of a sound that is no longer than `KEPT_SECONDS`.

    Raises
    ------
    AudioError : what reading raises, ``silent``, ``too-short`` for less than one window, or
        ``too-long`` for samples that are not kept.
    """
    kept: list[Floats] = []
    extremes = Columns(_extremes)
    power = Columns(_sum)
    with open_sound(path, heard, allow_truncated=allow_truncated) as sound:
        frames = 0

        def mixed() -> Iterator[Floats]:
            nonlocal frames
            mixdown = Mixdown()
            for block in sound.blocks():
                frames += block.shape[1]
                extremes.push(np.stack([block.min(axis=0), block.max(axis=0)], axis=1))
                yield mixdown.push(block)
            mixdown.check()

        blocks = _resampled(mixed(), sound.rate)
        for rows in _power(_held(blocks, kept) if keeps else blocks):
            power.push(rows)
        sums, counts = power.columns()
        average: Floats = np.asarray(sums / counts[:, None], np.float32)
        return Overview(
            rate=sound.rate,
            channels=sound.channels,
            seconds=frames / sound.rate,
            extremes=extremes.columns()[0],
            extreme_seconds=extremes.size / sound.rate,
            power=average,
            column_seconds=power.size * _FRONT.transform.hop_length / _FRONT.rate,
            warning=sound.warning,
            samples=np.concatenate([np.empty(0, np.float32), *kept]),
        )


def _sum(rows: Floats) -> Floats:
    summed: Floats = rows.sum(axis=1)
    return summed


def _extremes(rows: Floats) -> Floats:
    return np.stack([rows[..., 0].min(axis=1), rows[..., 1].max(axis=1)], axis=1)


def _resampled(blocks: Iterator[Floats], rate: int) -> Iterator[Floats]:
    resampler = Resampler(rate, _FRONT.rate)
    for block in blocks:
        yield resampler.push(block)
    yield resampler.push(np.empty(0, np.float32), last=True)


def _held(blocks: Iterator[Floats], into: list[Floats]) -> Iterator[Floats]:
    """The blocks, which are held too."""
    most = KEPT_SECONDS * _FRONT.rate
    for block in blocks:
        most -= len(block)
        if most < 0:
            raise AudioError("too-long", f"a kind is drawn of at most {KEPT_SECONDS} s")
        into.append(block.copy())
        yield block


def _power(blocks: Iterator[Floats]) -> Iterator[Floats]:
    """Power ``(n, bins)`` of a stream, the same as of the whole sound at once."""
    transform = _FRONT.transform
    hop, reach = transform.hop_length, transform.n_fft // transform.hop_length // 2
    parts: list[Floats] = []
    skip = 0  # frames at the start that were given already
    for block in blocks:
        parts.append(block)
        if sum(map(len, parts)) >= _CHUNK:
            held = np.concatenate(parts)
            # The last frames reach beyond what is held.
            stop = frame_count(len(held), transform) - 1 - reach
            yield from _between(held, skip, stop)
            parts, skip = [held[(stop - reach) * hop :]], reach
    held = np.concatenate(parts)
    if skip == 0 and len(held) < transform.n_fft:
        raise AudioError(
            "too-short",
            f"{len(held)} samples at {_FRONT.rate} Hz, one window needs {transform.n_fft}",
        )
    yield from _between(held, skip, frame_count(len(held), transform))


def _between(samples: Floats, first: int, stop: int) -> Iterator[Floats]:
    """The frames from ``first`` to before ``stop``."""
    for at, rows in short_time_power(samples, _FRONT.transform):
        yield rows[max(0, first - at) : max(0, stop - at)]
