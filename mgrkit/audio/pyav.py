"""Decoding with FFmpeg's libraries (PyAV): M4A, AAC, WMA, the sound of videos, and what
libsndfile refuses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from mgrkit.audio.sndfile import Damaged
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from av.container import InputContainer
    from numpy.typing import NDArray

av.logging.set_level(None)  # what FFmpeg prints comes without the file's name

FORMATS = "aac,aiff,asf,au,flac,matroska,webm,mov,mp4,m4a,mp3,ogg,wav"
"""FFmpeg's names of the formats that are read."""

# FFmpeg would also take a text for an animation, and follow a playlist to other files.
_OPTIONS = {
    "format_whitelist": FORMATS,
    "protocol_whitelist": "file",
}
# Where the length is a promise; elsewhere (ADTS) FFmpeg guesses it from the bit rate.
_HONEST_LENGTH = ("mov", "matroska", "asf")
# PyAV names FFmpeg's errors after many built-in classes, and NumPy may want too much memory.
_FAILURES = (av.error.FFmpegError, ArithmeticError, LookupError, MemoryError, ValueError, OSError)


def open_container(path: str | Path) -> InputContainer:
    """A file as FFmpeg sees it, to be closed; raises what FFmpeg and PyAV raise."""
    # The prefix keeps names like "concat:a.wav" from being read as orders.
    return av.open("file:" + os.fsdecode(path), options=_OPTIONS, metadata_errors="replace")


class PyavDecoder:
    """One pass over the first sound of one file; attributes as in `SndfileDecoder`.

    Rate and channels are those of the first decoded frame, because headers lie.

    Raises
    ------
    AudioError : ``not-audio`` or ``no-samples``.
    Damaged : nothing could be decoded.
    """

    integer = False

    def __init__(self, path: str | Path) -> None:
        try:
            self._container = open_container(path)
        except _FAILURES as error:
            hint = "is it sound, and whole?"
            raise AudioError("not-audio", "no decoder knows this file", hint) from error
        try:
            self._open()
        except BaseException:
            self._container.close()
            raise

    def _open(self) -> None:
        if not self._container.streams.audio:
            raise AudioError("not-audio", "there is no sound in this file")
        stream = self._container.streams.audio[0]
        if stream.codec_context is None:  # whatever PyAV's types say
            raise AudioError("not-audio", "no decoder knows the sound in this file")
        try:
            stream.codec_context.thread_count = 1
            self._frames = iter(self._container.decode(stream))
            first = next(self._frames, None)
        except _FAILURES as error:
            raise Damaged from error
        if first is None or not first.layout.nb_channels:
            raise AudioError("no-samples", "the file holds no samples")
        self._first = first
        self.rate = int(first.sample_rate)
        self.channels = first.layout.nb_channels
        self.promised = self._promised(stream)

    def _promised(self, stream: av.AudioStream) -> int:
        kind = self._container.format.name
        if not kind.startswith(_HONEST_LENGTH):
            return 0
        if stream.duration and stream.time_base:
            return round(stream.duration * stream.time_base * self.rate)
        # Beside a picture, the length of the whole may be the picture's.
        alone = len(self._container.streams) == 1
        return round((self._container.duration or 0) * self.rate / av.time_base) if alone else 0

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """Blocks float32 ``(channels, n)``, n at most ``frames``.

        Raises
        ------
        Damaged : the decoder failed.
        AudioError : ``channels-change``.
        """
        block = np.empty((self.channels, frames), np.float32)
        filled = 0
        for samples in self._decoded():
            while samples.shape[1]:
                taken = min(frames - filled, samples.shape[1])
                block[:, filled : filled + taken] = samples[:, :taken]
                samples = samples[:, taken:]
                filled += taken
                if filled == frames:
                    yield block
                    block = np.empty((self.channels, frames), np.float32)
                    filled = 0
        if filled:
            yield np.ascontiguousarray(block[:, :filled])

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        try:
            for frame in chain((self._first,), self._frames):
                if (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                    message = "the number of channels or the sample rate changes on the way"
                    raise AudioError("channels-change", message, "split it or mix it down")
                yield _samples(frame)
        except _FAILURES as error:
            raise Damaged from error

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def _samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    raw: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        raw = raw.reshape(-1, frame.layout.nb_channels).T
    if raw.dtype.kind == "f":
        with np.errstate(over="ignore"):  # ends as inf, which is reported as such
            return raw.astype(np.float32, copy=False)
    if raw.dtype.kind == "u":
        return (raw.astype(np.float32) - np.float32(128)) / np.float32(128)
    return raw.astype(np.float32) * np.float32(0.5 ** (8 * raw.itemsize - 1))
