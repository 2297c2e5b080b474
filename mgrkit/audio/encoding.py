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
_MPEG = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
RATES = {"mp3": _MPEG, "opus": (OPUS_RATE,), "m4a": (7350, *_MPEG, 64_000, 88_200, 96_000)}
"""Of formats that hold some only, in Hz: ISO/IEC 11172-3 and 13818-3, RFC 7845, ISO/IEC 14496-3."""
_HIGHEST = {"flac": 655_350, "ogg": 200_000}
"""In Hz; beyond that of ogg, libsndfile 1.2.2 crashes or writes no file."""
_CHANNELS = {"wav": 1024, "flac": 8}
"""Libsndfile's and FLAC's (RFC 9639) limits; of the others, what is encoded here is two."""
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


def misfit(name: str, rate: int, channels: int, kbits: int = 0) -> tuple[str, str] | None:
    """Why a format cannot hold a sound, and the options that make it fit; None where it can.

    Parameters
    ----------
    name : one of `FORMATS`.
    rate, channels : of the sound, in Hz.
    kbits : the bit rate that is asked for, in kbit/s; 0 for the usual one.
    """
    nearest = min(rate, _HIGHEST.get(name, rate))
    if name in RATES:
        nearest = min(RATES[name], key=lambda one: abs(one - rate))
    found = []
    if nearest != rate:
        found.append((f"sound at {rate} Hz", f"--rate {nearest}"))
    if channels > _CHANNELS.get(name, 2):
        found.append((f"{channels} channels", "--channels 1"))
    if found:
        what, cures = zip(*found, strict=True)
        return f"{name} cannot hold {' or '.join(what)}", " ".join(cures)
    if kbits:
        least, most = _bit_rates(name, rate, channels)
        if not least <= kbits <= most:
            sound = f"{name} at {rate} Hz in {_LAYOUTS[channels]}"
            cure = f"--bit-rate {min(max(kbits, least), most)}"
            return f"{sound} has {least} to {most} kbit/s, not {kbits}", cure
    return None


def _bit_rates(name: str, rate: int, channels: int) -> tuple[int, int]:
    """The least and the most in kbit/s; beyond them an encoder would take another unasked."""
    if name == "mp3":  # of MPEG-1, of MPEG-2, and of what was added to it
        return (32, 320) if rate >= 32_000 else (8, 160 if rate >= 16_000 else 64)
    if name == "opus":
        return 1, 256 * channels
    return 1, 6 * rate * channels // 1000  # 6144 bits in each frame of 1024 samples


class Encoder:
    """Writes a sound file of any of `FORMATS` block by block; a context manager.

    Parameters
    ----------
    path : the file, made anew. After an exception inside the context it is no valid file.
    subtype : of wav and flac: PCM_16, PCM_24, or FLOAT (wav only).
    kbits : of mp3, opus and m4a, in kbit/s; 0 for `KBITS`, or the most that there is if less.
    quality : of ogg, 0 to 10.
    tags : as `mgrkit.audio.tags.every.every_tag` gives them; a format keeps those it has names for.

    Attributes
    ----------
    beyond : samples that were beyond full scale and are cut off there; float formats cut none.

    Raises
    ------
    AudioError : ``no-format``, when the format cannot hold it: see `misfit`.
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
        if refused := misfit(format, rate, channels, kbits):
            raise AudioError("no-format", *refused)
        self.beyond = 0
        self._subtype = subtype if format in ("wav", "flac") else ""
        # Ogg Vorbis and FLAC are tagged once they are there.
        self._raw = f"{path}.raw" if format in ("ogg", "flac") else ""
        self._target = path, tags or {}
        self._part: _Part
        if format in _CODECS:
            codec = _CODECS[format]
            most = _bit_rates(format, rate, channels)[1]
            codec = codec._replace(kbits=kbits or min(codec.kbits, most))
            self._part = _Ffmpeg(path, codec, rate, channels, tags or {})
        elif format == "ogg":
            self._part = _Vorbis(self._raw, rate, channels, quality)
        else:
            self._part = Writer(self._raw or path, rate, channels, subtype, format, tags)

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
