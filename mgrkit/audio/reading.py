"""Sound files as float32 blocks, decoded as a stream, each failure under its own name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.audio.probe import FFMPEG_SUFFIXES, Head, inspect
from mgrkit.audio.sndfile import Damaged, Decoder, Refused, SndfileDecoder, changed
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_FRAMES = 2**18  # large, since two threads trip over the interpreter lock between blocks
LOWEST_RATE, HIGHEST_RATE = 1_000, 768_000
SILENCE_DB = -90.0
"""A peak below this (re full scale) is silence; so is one step of 16 bits."""
CANCELLED_DB = -20.0
"""Channels whose mix has so much less power than they have on average cancel each other."""
MISSING_SECONDS, MISSING_SHARE = 0.1, 0.01
"""A shortfall above the larger of these means that the file was cut."""
_HIGHEST_LEVEL = 1e15
"""300 dB above full scale; the powers of what is much beyond cannot be added."""
SHORTFALLS = frozenset({"channels-change", "damaged", "truncated", "unread-rest"})
"""Reasons of files that hold more than could be decoded."""
_BLOCK_SAMPLES = 2**22  # bounds the memory of a block of very many channels


class Sound:
    """An open sound file; made by `open_sound`.

    Attributes
    ----------
    rate : samples per second, 1,000 to 768,000.
    channels : 1 or more.
    promised_seconds : what the header says, 0 where it says nothing; it may lie.
    warning : after a pass, what is odd about the file, or with ``allow_truncated`` why the
        sound is not whole; else ''.
    """

    def __init__(
        self,
        path: str | Path,
        heard: Callable[[float], None] | None = None,
        *,
        allow_truncated: bool = False,
    ) -> None:
        self._path = path
        self._heard = heard
        self._allow_truncated = allow_truncated
        self.warning = ""
        self._unused: Decoder | None
        self._heads = inspect(path)
        self._unused = first = _decoder(path, self._heads[0])
        self.rate = first.rate
        self.channels = first.channels
        self.promised_seconds = max(0, first.promised) / max(1, self.rate)
        if not LOWEST_RATE <= self.rate <= HIGHEST_RATE:
            self.close()
            message = f"the sample rate is {self.rate} Hz, outside 1 kHz to 768 kHz"
            raise AudioError("bad-rate", message)

    def __enter__(self) -> Sound:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a pass that is under way closes its own decoder."""
        if self._unused:
            self._unused.close()
            self._unused = None

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[NDArray[np.float32]]:
        """Decode from the start; each call is a new pass with the same samples.

        Parameters
        ----------
        frames : the most frames of a block.

        Yields
        ------
        float32 ``(channels, n)`` in C order, n at most ``frames``, always finite; a new
        array each time.

        Raises
        ------
        AudioError : ``no-samples``, ``non-finite``, or one of `SHORTFALLS`, as late as the
            decoder comes upon it. With ``allow_truncated`` a shortfall behind some sound only
            ends the pass, and becomes the ``warning``.
        """
        self.warning = ""
        got = 0
        try:
            for block in self._decoded(frames):
                got += block.shape[1]
                yield block
        except AudioError as error:
            if not (got and self._allow_truncated and error.reason in SHORTFALLS):
                raise
            self._warn(f"{error.reason}: {error.message}")

    def _decoded(self, frames: int) -> Iterator[NDArray[np.float32]]:
        got = 0
        for head in self._heads:
            begun = got
            decoder, self._unused = self._unused or self._next(head, got), None
            try:
                for block in decoder.blocks(max(1, min(frames, _BLOCK_SAMPLES // self.channels))):
                    if not (decoder.integer or np.isfinite(block).all()):
                        message = f"NaN or infinity among the samples after {self._seconds(got)}"
                        raise AudioError("non-finite", message, "write the file anew")
                    got += block.shape[1]
                    if self._heard:
                        self._heard(got / self.rate)
                    yield block
            except Damaged as error:
                raise self._damaged(got) from error
            finally:
                decoder.close()
            self._check_end(head, begun, got - begun, decoder)

    def _next(self, head: Head, got: int) -> Decoder:
        """The decoder of a sound behind the first one; AudioError ``damaged``, as it has begun."""
        try:
            decoder = _decoder(self._path, head)
        except AudioError as error:
            raise self._damaged(got) from error
        if (decoder.rate, decoder.channels) != (self.rate, self.channels):
            decoder.close()
            raise changed()
        return decoder

    def _damaged(self, got: int) -> AudioError:
        message = f"the decoder fails after {self._seconds(got)}"
        return AudioError("damaged", message, "get the file again")

    def _check_end(self, head: Head, before: int, got: int, decoder: Decoder) -> None:
        """Of one sound, of which ``got`` frames came behind those of the ones ``before``."""
        if not got:
            raise AudioError("no-samples", "the file holds no samples")
        held = self._seconds(before + got)
        if head.cut:
            raise AudioError("truncated", f"the file breaks off after {held}", "get it again")
        stated = max(round(got * head.promised), round(head.seconds * self.rate))
        promised = max(decoder.promised, stated)
        if self._is_much(promised - got, promised):
            promise = self._seconds(before + promised)
            message = f"the header promises {promise}, the file holds {held}"
            raise AudioError("truncated", message, "get it again")
        rest = max(decoder.unread, round(got * head.rest))
        if self._is_much(rest, got + rest):
            raise AudioError("unread-rest", self._rest_of(held, rest), "write the file anew")
        behind = max(decoder.behind, round(got * head.behind))
        if self._is_much(behind, got + behind):
            # The file says where the sound ends, so it is whole; but who knows what this is?
            self._warn(f"unread-rest: {self._rest_of(held, behind)}")
        elif not head.ended:
            self._warn(f"truncated: after {held} its last page does not say that it is the last")

    def _warn(self, message: str) -> None:
        """Each of several joined sounds may have a warning."""
        self.warning = f"{self.warning}; {message}" if self.warning else message

    def _rest_of(self, held: str, rest: int) -> str:
        return (
            f"{held} were decoded; bytes for about {rest / self.rate:.3g} s more are "
            "there that no decoder reads"
        )

    def _is_much(self, missing: int, total: int) -> bool:
        return missing > max(MISSING_SECONDS * self.rate, MISSING_SHARE * total)

    def _seconds(self, frames: int) -> str:
        return f"{frames / self.rate:.6g} s"


def open_sound(
    path: str | Path,
    heard: Callable[[float], None] | None = None,
    *,
    allow_truncated: bool = False,
) -> Sound:
    """Open a sound file of any known kind, whatever its suffix says.

    Parameters
    ----------
    path : a WAV, AU, AIFF, FLAC, Ogg, Opus or MP3 file, or anything FFmpeg's decoders know;
        of a video, its first sound. Streams joined end to end are one sound.
    heard : called after each block with the seconds decoded so far in this pass.
    allow_truncated : take what can be decoded of a file that is cut or damaged on the way, and
        say so in ``warning``.

    Returns
    -------
    A context manager with ``rate``, ``channels`` and ``blocks()``.

    Raises
    ------
    AudioError : ``missing``, ``unreadable``, ``empty``, ``lfs-pointer``, ``not-audio``,
        ``no-samples``, ``damaged`` or ``bad-rate``; see `Sound.blocks` for the later ones.
    """
    return Sound(path, heard, allow_truncated=allow_truncated)


def _decoder(path: str | Path, head: Head) -> Decoder:
    def by_ffmpeg() -> Decoder:
        from mgrkit.audio.pyav import PyavDecoder

        return PyavDecoder(path, head.span)

    if Path(path).suffix.lower() not in FFMPEG_SUFFIXES:
        try:
            return SndfileDecoder(path, head.span, head.padded, by_ffmpeg)
        except Refused:
            pass
    try:
        return by_ffmpeg()
    except Damaged as error:
        message = "the decoder fails at the first sample"
        raise AudioError("damaged", message, "get the file again") from error


def mono(block: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the channels: ``(channels, frames)`` to ``(frames,)``; of one, a view."""
    if len(block) == 1:
        only: NDArray[np.float32] = block[0]
        return only
    # Row by row, because numpy's mean over a short axis is several times slower.
    mix: NDArray[np.float32] = block[0] + block[1]
    for channel in block[2:]:
        mix += channel
    mix /= np.float32(len(block))
    return mix


class Mixdown:
    """The mono mix of a sound, judged at its end.

    ``push`` gives the mix of each block in turn, float32 ``(frames,)``; ``check`` raises
    ``silent`` where nothing of the sound, or next to nothing of what its channels hold, is
    left in the mix.
    """

    def __init__(self) -> None:
        self._lowest, self._highest = math.inf, -math.inf
        self._mixed = self._apart = 0.0

    def push(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mix ``(channels, frames)`` to mono; AudioError ``non-finite`` beyond any real level."""
        with np.errstate(over="ignore"):  # ends as inf
            return self._push(block)

    def _push(self, block: NDArray[np.float32]) -> NDArray[np.float32]:
        mix = mono(block)
        self._lowest = min(self._lowest, float(mix.min()))
        self._highest = max(self._highest, float(mix.max()))
        if max(-self._lowest, self._highest) > _HIGHEST_LEVEL:
            raise AudioError("non-finite", "a sample is beyond any real level")
        if len(block) > 1:
            self._mixed += float(np.dot(mix, mix))
            self._apart += sum(float(np.dot(channel, channel)) for channel in block) / len(block)
        return mix

    def check(self) -> None:
        """Raise ``silent`` for a mix that is none."""
        if self._mixed < self._apart * 10 ** (CANCELLED_DB / 10):
            left = "silent"
            if _is_audible(self._lowest, self._highest):
                left = f"{10 * math.log10(self._apart / self._mixed):.0f} dB below them"
            message = f"the mix of its channels is {left}: they cancel each other"
            raise AudioError("silent", message, "turn one of them over")
        check_audible(self._lowest, self._highest)


def check_audible(lowest: float, highest: float) -> None:
    """Raise ``silent`` when a sound's samples span less than -90 dBFS.

    The span counts, not the magnitude: a constant cannot be heard either.
    """
    if not _is_audible(lowest, highest):
        raise AudioError("silent", f"its samples differ by less than {SILENCE_DB:g} dBFS")


def _is_audible(lowest: float, highest: float) -> bool:
    return (highest - lowest) / 2 >= 10 ** (SILENCE_DB / 20)
