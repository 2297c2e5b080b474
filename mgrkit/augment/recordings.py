"""Recorded noise: silence passed over, looped without a seam, at any rate."""

from __future__ import annotations

import bisect
import functools
import hashlib
import math
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from mgrkit import seeds
from mgrkit.audio import SUFFIXES, Resampler, Sound, mono, open_sound
from mgrkit.augment.blocks import BLOCK, LOUDEST, Draw, Take, fade, regroup
from mgrkit.errors import ItemError, RunError, UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FRAME_SECONDS = 0.05
QUIET_DB = -60.0
"""A frame whose power above 20 Hz lies below this, relative to the loudest frame, is silence."""
SILENT_DB = -100.0
"""A recording whose loudest frame lies below this (re full scale) is silent as a whole."""
_FADES = 5  # a frame is this many cross-fades long
_WARM_UP = 0.1  # seconds that a resampler gets before its output counts


@dataclass(frozen=True)
class Recordings:
    """A recording or a folder of them, found but not yet read.

    Attributes
    ----------
    name : the file's stem, or the folder's name.
    folder : what the names in ``files`` are relative to.
    files : POSIX paths, sorted.
    begin : seconds into the recording where the noise begins; None for a place that is drawn.
    """

    name: str
    folder: Path
    files: tuple[str, ...]
    begin: float | None = None

    @classmethod
    def find(cls, path: Path, suffixes: Collection[str] = SUFFIXES) -> Recordings:
        """The recording at ``path``, or all those below it that have one of these suffixes.

        Raises
        ------
        UsageError : a folder that holds none.
        """
        if not path.is_dir():
            return cls(path.stem, path.parent, (path.name,))
        files = tuple(sorted(_below(path, suffixes)))
        if not files:
            raise UsageError(f"no recordings in the folder {path}", "give a folder of sound files")
        return cls(path.resolve().name, path, files)

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the names and bytes of all files, hexadecimal.

        Raises
        ------
        RunError : a file cannot be read.
        """
        total = hashlib.sha256()
        for name in self.files:
            try:
                with open(self.folder / name, "rb") as file:
                    content = hashlib.file_digest(file, "sha256").digest()
            except OSError as error:
                raise RunError(f"noise {self.folder / name}: {error.strerror}") from error
            total.update(os.fsencode(name) + b"\0" + content)
        return total.hexdigest()

    def spooled(self, folder: Path) -> Spooled:
        """Decode all files once, into raw float32 files in ``folder``.

        A file that cannot be used is passed over and named in `Spooled.warnings`.

        Raises
        ------
        RunError : none of the files can be used: silent, not decodable, shorter than 50 ms, or
            at an end before the noise begins.
        """
        loops, failures = [], []
        for number, name in enumerate(self.files):
            spool = folder / f"noise-{self.digest[:16]}-{number}.f32"
            try:
                loops.append(_spool(name, self.folder / name, spool, self.begin))
            except ItemError as error:
                failures.append(f"noise {self.folder / name}: {error}")
        if not loops:
            raise RunError(failures[0], "give another recording")
        return Spooled(self.name, tuple(loops), tuple(failures))


def _below(top: Path, suffixes: Collection[str]) -> Iterator[str]:
    for root, folders, files in os.walk(top):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith(".") and Path(name).suffix.lower() in suffixes:
                yield (Path(root) / name).relative_to(top).as_posix()


@dataclass(frozen=True)
class Loop:
    """What sounds in one recording, as a loop without a seam and without an offset.

    With ``begin`` it is the recording as it stands, silence and offset too: its end fades into
    its beginning, which it then goes on behind.

    Attributes
    ----------
    name : of the recording, as `Recordings.files` has it.
    spool : raw float32 samples, mono.
    rate : samples per second.
    frames : how many.
    places, origins : where each stretch begins in the loop, and in the recording.
    begin : seconds into it where the noise begins; None for a place that is drawn.
    lead : frames at the start that are no part of the loop.
    """

    name: str
    spool: Path
    rate: int
    frames: int
    places: tuple[int, ...] = field(repr=False)
    origins: tuple[int, ...] = field(repr=False)
    begin: float | None = None
    lead: int = 0

    def streams(self, start: int, rate: int, channels: int) -> list[_Stream]:
        """The noise at a rate: each channel from another place, at equal distances around the
        loop, as far from each other as can be; or all from where it begins.

        Parameters
        ----------
        start : frame of the first channel, where the beginning is drawn.
        """
        samples = np.memmap(self.spool, np.float32, "r")
        if self.begin is None:
            starts = [(start + self.frames * c // channels) % self.frames for c in range(channels)]
            warm_up = round(_WARM_UP * rate) if rate != self.rate else 0
            before = round(_WARM_UP * self.rate) if warm_up else 0
            return [_Stream(samples, at - before, self.rate, rate, warm_up) for at in starts]
        # The samples of the whole recording at that rate, from the wanted one on. Both rates have
        # a sample in each tick, so a resampler that starts on one gives the same as from 0 on.
        ticks = math.gcd(self.rate, rate)
        tick = max(0, math.floor((self.begin - _WARM_UP) * ticks))
        warm_up = round(self.begin * rate) - tick * rate // ticks
        at = tick * self.rate // ticks
        return [_Stream(samples, at, self.rate, rate, warm_up, self.lead) for _ in range(channels)]

    def seconds(self, frame: int) -> float:
        """Where in the recording a frame of the loop comes from."""
        stretch = bisect.bisect_right(self.places, frame) - 1
        return (self.origins[stretch] + frame - self.places[stretch]) / self.rate


@dataclass(frozen=True)
class Spooled:
    """Recordings that are ready to be mixed in; they can be pickled.

    Attributes
    ----------
    name : as of the `Recordings`.
    loops : one for each recording that can be used.
    warnings : one line for each that cannot.
    """

    name: str
    loops: tuple[Loop, ...]
    warnings: tuple[str, ...] = ()

    def take(self, draw: Draw, rate: int, channels: int) -> Take:
        """One recording for all channels; see `Loop.streams`."""
        random = seeds.generator(draw.seed, draw.path, (self.name, draw.k))
        loop = self.loops[int(random.integers(len(self.loops)))]
        start = int(random.integers(loop.frames))
        offset = loop.seconds(start) if loop.begin is None else loop.begin
        return Take(list(loop.streams(start, rate, channels)), loop.name, offset)


class _Stream:
    """The loop from some frame on, resampled, for ever.

    Parameters
    ----------
    warm_up : so many of the first samples that come out are dropped.
    lead : frames at the start of ``samples`` that are heard once.
    """

    def __init__(
        self,
        samples: Floats,
        start: int,
        rate_in: int,
        rate_out: int,
        warm_up: int = 0,
        lead: int = 0,
    ) -> None:
        self._samples = samples
        self._at = start
        self._lead = lead
        self._resampler = Resampler(rate_in, rate_out)
        self._rest = np.empty(0, np.float32)
        self(np.empty(warm_up, np.float32))

    def __call__(self, out: Floats) -> None:
        done = 0
        while done < len(out):
            if not len(self._rest):
                self._rest = self._resampler.push(self._read(BLOCK // 2))
            count = min(len(self._rest), len(out) - done)
            out[done : done + count] = self._rest[:count]
            self._rest = self._rest[count:]
            done += count

    def _read(self, count: int) -> Floats:
        lead, frames = self._lead, len(self._samples)
        at = self._at
        if not 0 <= at < frames:
            at = lead + (at - lead) % (frames - lead)
        self._at = at + count
        if self._at <= frames:
            return np.array(self._samples[at : self._at])
        places = np.arange(at, self._at)
        places[frames - at :] = lead + (places[frames - at :] - lead) % (frames - lead)
        return np.take(self._samples, places)


def _spool(name: str, path: Path, spool: Path, begin: float | None) -> Loop:
    """Write a recording to ``spool``: what sounds in it, or all from where it begins."""
    if begin is None:
        return _spool_sounding(name, path, spool)
    return _spool_all(name, path, spool, begin)


def _spool_all(name: str, path: Path, spool: Path, begin: float) -> Loop:
    """Write a recording as it stands; raises ItemError where it ends before ``begin``."""
    frames = 0
    with open_sound(path) as sound, open(spool, "w+b") as file:
        for block in sound.blocks():
            samples = mono(block)
            _check_level(samples)
            file.write(samples.data)
            frames += len(samples)
        rate = sound.rate
    if frames < round(FRAME_SECONDS * rate):
        raise ItemError("too-short", "the recording is shorter than 50 ms")
    if round(begin * rate) >= frames:
        message = f"the recording has {frames / rate:.6g} s, --noise-start is {begin:g} s"
        raise ItemError("too-short", message)
    lead = round(FRAME_SECONDS * rate) // _FADES
    rise, fall = fade(lead)
    ends = np.memmap(spool, np.float32, "r+")
    ends[-lead:] = ends[-lead:] * fall + ends[:lead] * rise
    ends.flush()
    return Loop(name, spool, rate, frames, (0,), (0,), begin, lead)


def _spool_sounding(name: str, path: Path, spool: Path) -> Loop:
    """Write what sounds in a recording to ``spool``; raises ItemError where nothing does."""
    with open_sound(path) as sound:
        frame = round(FRAME_SECONDS * sound.rate)
        means, powers = levels(sound, frame)
        if not len(powers):
            raise ItemError("too-short", "the recording is shorter than 50 ms")
        loudest = float(powers.max())
        if not loudest >= 10 ** (SILENT_DB / 10):
            raise ItemError("silent", "the recording is silent")
        sounding = powers >= loudest * 10 ** (QUIET_DB / 10)
        offset = np.float32(means[sounding].mean())  # unheard, it would take a mix's room
        with open(spool, "w+b") as file:
            splicer = _Splicer(file, frame // _FADES)
            for number, part in enumerate(_frames(sound, frame)):
                if sounding[number]:
                    cut = not (number and sounding[number - 1])
                    splicer.push(part - offset, number * frame if cut else None)
            frames = splicer.close()
    return Loop(name, spool, sound.rate, frames, *splicer.stretches())


def levels(sound: Sound, frame: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of each frame of a recording's mono mix, and its power above 20 Hz.

    A frame has ``frame`` samples, a 20th of a second; a rest of less than one is left out.
    """
    found = np.array([_level(part) for part in _frames(sound, frame)]).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _frames(sound: Sound, frame: int) -> Iterator[Floats]:
    """The whole frames of a recording's mono mix; a rest of less than a frame is left out."""
    for group in regroup((mono(block)[None] for block in sound.blocks()), 64 * frame):
        for start in range(0, group.shape[1] - frame + 1, frame):
            yield group[0, start : start + frame]


def _level(frame: Floats) -> tuple[float, float]:
    """Mean, and power without it: what is above 20 Hz, for a frame lasts a 20th of a second."""
    _check_level(frame)
    mean = frame.mean()
    moving = frame - mean
    return float(mean), float(np.dot(moving, moving)) / len(frame)


def _check_level(samples: Floats) -> None:
    peak = float(np.abs(samples).max())
    if peak > LOUDEST:
        raise ItemError("out-of-range", f"a sample of {peak:.2g}, where 1 is full scale")


class _Stretch(NamedTuple):
    place: int
    origin: int


class _Splicer:
    """Joins stretches by cross-fades, and at last the end to the beginning."""

    def __init__(self, file: BinaryIO, frames: int) -> None:
        self._file = file
        self._rise, self._fall = fade(frames)
        self._written = 0
        self._head: Floats | None = None
        self._tail = np.empty(0, np.float32)
        self._stretches: list[_Stretch] = []

    def push(self, samples: Floats, origin: int | None) -> None:
        """Append samples; ``origin`` is given where a new stretch begins."""
        length = len(self._rise)
        if origin is not None:
            self._stretches.append(_Stretch(self._written, origin))
            samples = samples.copy()
            if self._head is None:
                self._head = samples[:length].copy()
            else:
                samples[:length] = samples[:length] * self._rise + self._tail * self._fall
        else:
            self._write(self._tail)
        self._write(samples[:-length])
        self._tail = samples[-length:].copy()

    def close(self) -> int:
        """Close the loop; returns its length in frames."""
        assert self._head is not None
        self._file.seek(0)
        self._file.write((self._head * self._rise + self._tail * self._fall).data)
        return self._written

    def stretches(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        places, origins = zip(*self._stretches, strict=True)
        return places, origins

    def _write(self, samples: Floats) -> None:
        self._file.write(samples.data)
        self._written += len(samples)
