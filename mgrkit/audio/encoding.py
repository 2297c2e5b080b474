"""Samples to compressed files with tags: the same samples give the same bytes.

Ogg Vorbis is encoded by libsndfile, since not all builds of PyAV have an encoder worth using, and
FLAC as `mgrkit.audio.writing` does; both get their tags afterwards. MP3, Opus and AAC are FFmpeg's.
What an encoder puts in front of the sound is stated in the file, so that a decoder takes it off
again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from mgrkit.audio.comments import tagged
from mgrkit.audio.writing import Guarded, Writer, quantise
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FORMATS = ("wav", "flac", "mp3", "ogg", "opus", "m4a")
"""Also their suffixes."""
OPUS_RATE = 48_000
QUALITY = 5.0
"""Of Ogg Vorbis, as ``oggenc -q``: about 160 kbit/s in stereo."""
_VORBIS_RATE = 200_000
_LAYOUTS = {1: "mono", 2: "stereo"}
_EXACT = {"fflags": "+bitexact"}  # no release of FFmpeg's and no random number in the file


class _Part(Protocol):
    def write(self, block: NDArray[Any]) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class _Codec(NamedTuple):
    name: str
    container: str
    samples: str
    kbits: int


_CODECS = {
    "mp3": _Codec("libmp3lame", "mp3", "fltp", 192),
    "opus": _Codec("libopus", "ogg", "flt", 128),
    "m4a": _Codec("aac", "ipod", "fltp", 160),
}
KBITS = {name: codec.kbits for name, codec in _CODECS.items()}
"""The usual bit rate of formats that have one, in kbit/s."""


class Encoder:
    """Writes a sound file of any of `FORMATS` block by block; a context manager.

    Parameters
    ----------
    path : the file, made anew. After an exception inside the context it is no valid file.
    subtype : of wav and flac: PCM_16, PCM_24, or FLOAT (wav only).
    kbits : of mp3, opus and m4a, in kbit/s.
    quality : of ogg, 0 to 10.
    tags : as `mgrkit.audio.tags.every.every_tag` gives them; a format keeps those it has names for.

    Attributes
    ----------
    beyond : samples that were beyond full scale and are cut off there; float formats cut none.

    Raises
    ------
    AudioError : ``no-format``, when the format cannot hold so many channels or such a rate.
    OSError : the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        format: str,  # noqa: A002
        rate: int,
        channels: int,
        *,
        subtype: str = "PCM_16",
        kbits: int = 0,
        quality: float = QUALITY,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.beyond = 0
        self._subtype = subtype if format in ("wav", "flac") else ""
        # Ogg Vorbis and FLAC are tagged once they are there.
        self._raw = f"{path}.raw" if format in ("ogg", "flac") else ""
        self._target = path, tags or {}
        try:
            self._part: _Part
            if format in _CODECS:
                codec = _CODECS[format]
                codec = codec._replace(kbits=kbits or codec.kbits)
                self._part = _Ffmpeg(path, codec, rate, channels, tags or {})
            elif format == "ogg":
                self._part = _Vorbis(self._raw, rate, channels, quality)
            else:
                self._part = Writer(self._raw or path, rate, channels, subtype, format, tags)
        except AudioError as error:
            hold = f"{format} cannot hold {channels} channels at {rate} Hz"
            raise AudioError("no-format", hold, "--rate 44100 --channels 1") from error

    def write(self, block: NDArray[np.float32]) -> None:
        """Append float32 ``(channels, frames)``, full scale 1."""
        if self._subtype:
            if self._subtype != "FLOAT":
                self.beyond += int(np.count_nonzero(np.abs(block) > 1))
            self._part.write(quantise(block, self._subtype))
        else:
            self._part.write(block)

    def __enter__(self) -> Encoder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._part.__exit__(kind, error, trace)
        if kind is None and self._raw:
            path, tags = self._target
            tagged(self._raw, path, tags)
            os.unlink(self._raw)


class _Ffmpeg:
    """One of FFmpeg's encoders in one of its containers."""

    def __init__(
        self, path: str | Path, codec: _Codec, rate: int, channels: int, tags: Mapping[str, str]
    ) -> None:
        import av

        if channels not in _LAYOUTS:
            raise AudioError("no-format", "one or two channels")
        self._layout, self._rate, self._codec = _LAYOUTS[channels], rate, codec
        self._container = av.open(f"file:{path}", "w", format=codec.container, options=_EXACT)
        self._container.metadata.update(tags)
        try:
            stream: Any = self._container.add_stream(codec.name, rate=rate, layout=self._layout)
            self._stream = stream
            self._stream.bit_rate = 1000 * codec.kbits
            context = self._stream.codec_context
            context.format = codec.samples
            context.thread_count = 1
            context.flags |= av.codec.context.Flags.bitexact
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            self._container.close()
            raise AudioError("no-format", "FFmpeg's encoder refuses it") from error
        self._size = context.frame_size
        self._frames = 0
        self._rest = np.empty((channels, 0), np.float32)

    def write(self, block: NDArray[np.float32]) -> None:
        """Encode whole frames, and keep the rest for the next block."""
        samples = np.concatenate([self._rest, block], 1)
        end = samples.shape[1] // self._size * self._size
        for at in range(0, end, self._size):
            self._encode(samples[:, at : at + self._size])
        self._rest = samples[:, end:]

    def _encode(self, samples: NDArray[np.float32]) -> None:
        import av

        planar = self._codec.samples.endswith("p")
        data = np.ascontiguousarray(samples if planar else samples.T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(data, self._codec.samples, self._layout)
        frame.sample_rate, frame.pts = self._rate, self._frames
        frame.time_base = Fraction(1, self._rate)
        self._frames += samples.shape[1]
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del error, trace
        try:
            if kind is None:
                if self._rest.shape[1]:
                    self._encode(self._rest)
                self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


class _Vorbis:
    """Libsndfile's encoder, whose file has a random serial number and no tags."""

    def __init__(self, path: str, rate: int, channels: int, quality: float) -> None:
        import soundfile

        # Beyond that rate, libsndfile 1.2.2 crashes or writes no file.
        if channels not in _LAYOUTS or rate > _VORBIS_RATE:
            raise AudioError("no-format", "two channels and 200 kHz at most")
        self._raw = Guarded(path, "w+")
        form = {"subtype": "VORBIS", "format": "OGG", "compression_level": 1 - quality / 10}
        try:
            self._file = soundfile.SoundFile(self._raw, "w", rate, channels, **form)
        except soundfile.LibsndfileError as error:
            self._raw.close()
            self._raw.check()
            raise AudioError("no-format", "libsndfile's encoder refuses it") from error

    def write(self, block: NDArray[np.float32]) -> None:
        """Append ``(channels, frames)``."""
        try:
            self._file.write(np.ascontiguousarray(block.T))
        except RuntimeError as error:
            raise self._raw.failure or error from error
        self._raw.check()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._raw:
            self._file.close()
        if kind is None:
            self._raw.check()
