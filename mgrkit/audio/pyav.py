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
from av.audio.plane import AudioPlane

from mgrkit.audio.sndfile import Damaged, changed
from mgrkit.audio.spans import Span, opened
from mgrkit.audio.tagbytes import metadata_end, sound_end, tags_around, zeros_begin
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from av.container import InputContainer
    from numpy.typing import NDArray

av.logging.set_level(None)  # what FFmpeg prints comes without the file's name

FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,gsm,iff,loas,matroska,webm,mlp,mov,"
    "mp4,m4a,mp3,mpc,mpc8,mpeg,mpegts,ogg,rm,tak,truehd,tta,voc,w64,wav,wv"
)
"""FFmpeg's names of the formats that are read."""

# Where the length is a promise. Elsewhere FFmpeg guesses it from the bit rate (ADTS, AVI), or a
# picture's length or time to fill a buffer count (ASF).
_HONEST_LENGTH = ("mov", "matroska", "wv", "ape", "mpc", "rm")
_HONEST_IN_OGG = frozenset({"flac", "opus", "vorbis"})  # FFmpeg takes some Speex wrongly
_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
# Frames one behind the other, without a container: a decoder finds its way over what is none.
_FRAMED = frozenset({"aac", "ac3", "dts", "eac3", "flac", "gsm", "loas", "mlp", "mp3", "truehd"})
_GSM_FRAME = 33
# PyAV 19 has lost the keyword, and by itself keeps tags that are not UTF-8.
_REPLACING = hasattr(av.container.InputContainer, "metadata_errors")
_TAGS: dict[str, Any] = {"metadata_errors": "replace"} if _REPLACING else {}
# PyAV names FFmpeg's errors after many built-in classes, and NumPy may want too much memory.
_FAILURES = (av.error.FFmpegError, ArithmeticError, LookupError, MemoryError, ValueError, OSError)


def open_container(path: str | Path, span: Span | None = None) -> InputContainer:
    """A file as FFmpeg sees it, to be closed; raises what FFmpeg and PyAV raise.

    Parameters
    ----------
    span : only these bytes of it.
    """
    # FFmpeg would also take a text for an animation, and follow a playlist to other files. The
    # prefix keeps names like "concat:a.wav" from being read as orders.
    protocols, prefix = "file", "file:"
    if span:
        protocols, prefix = "file,subfile", f"subfile,,start,{span.start},end,{span.end},,:file:"
    options = {"format_whitelist": FORMATS, "protocol_whitelist": protocols}
    container: InputContainer = av.open(prefix + os.fsdecode(path), options=options, **_TAGS)
    return container


class PyavDecoder:
    """One pass over the first sound of one file; attributes as in `SndfileDecoder`.

    Rate and channels are those of the first decoded frame, because headers lie. Where the file
    is nothing but frames, what cannot be decoded is passed over, and ``unread`` says after the
    pass how many samples it would have been.

    Raises
    ------
    AudioError : ``not-audio`` or ``no-samples``.
    Damaged : nothing could be decoded.
    """

    integer = False
    unread = behind = 0

    def __init__(self, path: str | Path, span: Span | None = None) -> None:
        self._path = path
        self._span = _without_tags_behind(path, span)
        try:
            self._container = open_container(path, self._span)
        except _FAILURES as error:
            hint = "is it sound, and complete?"
            raise AudioError("not-audio", "no decoder knows this file", hint) from error
        try:
            self._open()
        except BaseException:
            self._container.close()
            raise

    def _open(self) -> None:
        if not self._container.streams.audio:
            raise AudioError("not-audio", "there is no sound in this file")
        self._stream = stream = self._container.streams.audio[0]
        if stream.codec_context is None:  # whatever PyAV's types say
            raise AudioError("not-audio", "no decoder knows the sound in this file")
        if self._container.format.name == "gsm":  # which FFmpeg knows by the suffix alone
            with opened(self._path, self._span) as file:
                if not _is_gsm(file.read(1)):
                    raise AudioError("not-audio", "this begins with no frame of GSM")
        self._lost: list[Span] = []
        self._used = 0
        try:
            stream.codec_context.thread_count = 1
            self._frames = self._decode()
            first = next(self._frames, None)
        except av.error.PatchWelcomeError as error:
            message = "FFmpeg's decoder lacks a part that the sound in this file needs"
            raise AudioError("not-audio", message, "convert it with what plays it") from error
        except _FAILURES as error:
            raise Damaged from error
        if first is None and self._lost:
            raise Damaged
        if first is None or not first.layout.nb_channels:
            raise AudioError("no-samples", "the file holds no samples")
        self._first = first
        self.rate = int(first.sample_rate)
        self.channels = first.layout.nb_channels
        self.promised = self._promised(stream)

    def _promised(self, stream: av.AudioStream) -> int:
        kind = self._container.format.name
        in_ogg = kind == "ogg" and stream.codec_context.name in _HONEST_IN_OGG
        if not (in_ogg or kind.startswith(_HONEST_LENGTH)):
            return 0
        if stream.duration and stream.time_base:
            delay = max(0, stream.start_time or 0)  # the encoder's, which is not decoded
            return round((stream.duration - delay) * stream.time_base * self.rate)
        # Beside a picture, the length of all may be the picture's.
        alone = len(self._container.streams) == 1
        return round((self._container.duration or 0) * self.rate / av.time_base) if alone else 0

    def _decode(self) -> Iterator[av.AudioFrame]:
        """Frames as they come; in files of frames alone, what gives none is kept in mind."""
        kind = self._container.format.name
        is_framed = kind in _FRAMED
        end = self._size()
        reached = 0
        for packet in self._container.demux(self._stream):
            if is_framed and packet.pos is not None and kind != "flac":  # whose places drift
                self._lose(reached or packet.pos, packet.pos)
                reached = packet.pos + packet.size
            try:
                if kind == "gsm" and not _is_gsm(bytes(packet)):
                    raise ValueError("the decoder would take it for noise")
                frames = packet.decode()
            except _FAILURES:
                if not is_framed or packet.pos is None:
                    raise
                self._lose(packet.pos, packet.pos + packet.size)
            else:
                self._used += packet.size
                yield from frames
        self._lose(reached or end, end)

    def _size(self) -> int:
        with opened(self._path, self._span) as file:
            return file.seek(0, os.SEEK_END)

    def _lose(self, start: int, end: int) -> None:
        if end > start:
            self._lost.append(Span(start, end))

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """Blocks float32 ``(channels, n)``, n at most ``frames``.

        Raises
        ------
        Damaged : the decoder failed; what it gave before has come.
        AudioError : ``channels-change``; likewise.
        """
        block = np.empty((self.channels, frames), np.float32)
        got = filled = 0
        failure: Exception | None = None
        try:
            for samples in self._decoded():
                while samples.shape[1]:
                    taken = min(frames - filled, samples.shape[1])
                    block[:, filled : filled + taken] = samples[:, :taken]
                    samples = samples[:, taken:]
                    filled += taken
                    got += taken
                    if filled == frames:
                        yield block
                        block = np.empty((self.channels, frames), np.float32)
                        filled = 0
        except (Damaged, AudioError) as error:
            failure = error
        if filled:
            yield np.ascontiguousarray(block[:, :filled])
        if failure:
            raise failure
        share = got / max(1, self._used)
        self.unread, self.behind = (round(count * share) for count in self._lost_bytes())

    def _lost_bytes(self) -> tuple[int, int]:
        """Of what gave no frame, the bytes that are not tags between joined files either.

        Those in front of the zeros at the end, and these: whether they stand for sound that was
        lost, nothing says.
        """
        if not self._lost:
            return 0, 0
        lost = zeros = explained = 0
        with opened(self._path, self._span) as file:
            blank = zeros_begin(file, self._lost[-1].end)
            for span in self._lost:
                found = max(tags_around(file, span.start), metadata_end(file, span.start))
                explained = max(explained, found)
                start = max(span.start, explained)
                lost += max(0, min(span.end, blank) - start)
                zeros += max(0, span.end - max(start, blank))
        return lost, zeros

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        try:
            for frame in chain((self._first,), self._frames):
                if (frame.sample_rate, frame.layout.nb_channels) != (self.rate, self.channels):
                    raise changed()
                yield _samples(frame)
        except _FAILURES as error:
            raise Damaged from error

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def _is_gsm(packet: bytes) -> bool:
    """Whether each frame of GSM 06.10 has the mark that it begins with."""
    return all(first >> 4 == 0xD for first in packet[::_GSM_FRAME])


def _without_tags_behind(path: str | Path, span: Span | None) -> Span | None:
    """Decoders of frames take tags for some, or for a part of the last one."""
    with opened(path, span) as file:
        size = file.seek(0, os.SEEK_END)
        end = sound_end(file, size)
    start = span.start if span else 0
    return Span(start, start + end) if end < size else span


def _samples(frame: av.AudioFrame) -> NDArray[np.float32]:
    channels = frame.layout.nb_channels
    dtype = np.dtype(_TYPES[frame.format.name.removesuffix("p")])
    if frame.format.is_planar:
        # Not all of frame.planes: of eight channels PyAV counts nine, up to release 18.
        planes: list[Any] = [AudioPlane(frame, index) for index in range(channels)]
        raw = np.stack([np.frombuffer(plane, dtype, frame.samples) for plane in planes])
    else:
        packed: Any = AudioPlane(frame, 0)
        raw = np.frombuffer(packed, dtype, frame.samples * channels).reshape(-1, channels).T
    if raw.dtype.kind == "f":
        with np.errstate(over="ignore"):  # ends as inf, which is reported as such
            return raw.astype(np.float32, copy=False)
    if raw.dtype.kind == "u":
        return (raw.astype(np.float32) - np.float32(128)) / np.float32(128)
    return raw.astype(np.float32) * np.float32(0.5 ** (8 * raw.itemsize - 1))
