"""Decoding with libsndfile: WAV, AU, AIFF, FLAC, Ogg, Opus, MP3."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import soundfile

from mgrkit.audio import flac, mpeg, ogg
from mgrkit.audio.riff import Padded
from mgrkit.audio.spans import Span, SpanFile, opened
from mgrkit.errors import AudioError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Read as int16 and scaled here: the same numbers as libsndfile's own floats, several times
# faster.
_INT16_SUBTYPES = frozenset({"PCM_16", "PCM_S8", "PCM_U8"})
# By suffix alone libsndfile takes any bytes for headerless sound (a text named x.au "decodes").
_HEADERLESS = frozenset({".raw", ".vox", ".gsm"})
_UNKNOWN_LENGTH = 2**63 - 1
_OPUS_RATE = 48_000  # libsndfile decodes at the rate that the header mentions for information
_SMALL = 1_024  # frames of a block when what a failing decoder still gives is taken


class Refused(Exception):  # noqa: N818
    """This decoder does not know the file; another may."""


class Decoder(Protocol):
    """What gives the samples of a file; see `SndfileDecoder`."""

    rate: int
    channels: int
    promised: int
    unread: int
    behind: int
    integer: bool

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """Blocks float32 ``(channels, n)``, n at most ``frames``."""

    def close(self) -> None:
        """Close the file."""


class Damaged(Exception):  # noqa: N818
    """The decoder failed after some blocks."""


def changed() -> AudioError:
    """What a decoder raises when sound goes on in another form."""
    message = "the number of channels or the sample rate changes on the way"
    return AudioError("channels-change", message, "split it or mix it down")


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Without the seek to where it is already that soundfile makes after each read: in an MP3
    that alters samples, in a FLAC of unknown length it fails."""

    def seekable(self) -> bool:
        return False


class SndfileDecoder:
    """One pass over one file, or over a span of it.

    Attributes
    ----------
    rate : samples per second, as the header says.
    channels : their number.
    promised : frames that the header promises.
    unread : 0, since the formats that are taken state how much there is.
    behind : frames that fit into bytes behind those of an MP3 or a FLAC, which are no tag.
    integer : whether samples are read as integers, which can be neither NaN nor infinite.

    Parameters
    ----------
    padded : the file is a WAV of 24 bits in 4 bytes.
    otherwise : opens another decoder, for the rest of an Opus file: libsndfile 1.2.2 refuses some
        of what newer encoders write.

    Raises
    ------
    Refused : libsndfile does not take the file, or does not know its true length.
    """

    unread = behind = 0

    def __init__(
        self,
        path: str | Path,
        span: Span | None = None,
        padded: Padded | None = None,
        otherwise: Callable[[], Decoder] | None = None,
    ) -> None:
        self._otherwise = otherwise
        if Path(path).suffix.lower() in _HEADERLESS:
            raise Refused
        self._source = path, span, padded
        try:
            self._file = self._opened()
        except (RuntimeError, ValueError, TypeError, OSError) as error:
            raise Refused from error
        self.promised = int(self._file.frames)
        if not self._is_trusted():
            self._file.close()
            raise Refused
        self.rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.integer = self._file.subtype in _INT16_SUBTYPES

    def _opened(self) -> _Forward:
        path, span, padded = self._source
        if padded:
            raw = SpanFile(path, padded.span)
            form = ("PCM_32", "LITTLE", "RAW")
            return _Forward(raw, "r", padded.rate, padded.channels, *form)
        if span:
            return self._from_start(_Forward(SpanFile(path, span)))
        # As bytes, because soundfile cannot encode every name that a file may have.
        return self._from_start(_Forward(os.fsencode(path) if os.name == "posix" else str(path)))

    @staticmethod
    def _from_start(file: _Forward) -> _Forward:
        if file.subtype == "OPUS":
            file.seek(0)  # else libsndfile 1.2.2 leaves the encoder's delay in, and the end out
        return file

    def _is_trusted(self) -> bool:
        """False where libsndfile would stop early or guess, and FFmpeg knows better."""
        path, span, padded = self._source
        kind, subtype = self._file.format, self._file.subtype
        if not self.promised or (kind == "RAW" and not padded):
            return False
        if kind == "W64":
            return False  # what lies behind the sound would be sound, too
        if kind == "FLAC":
            return self._has_sound() and self._tells_all(path, span)
        if kind == "OGG" and subtype == "VORBIS":
            with opened(path, span) as file:
                return ogg.sounds(file) < 2  # else the length is the one of all
        if kind == "OGG":
            return bool(subtype == "OPUS" and self._file.samplerate == _OPUS_RATE)
        if subtype.startswith("MPEG"):
            return bool(kind == "MP3") and self._reaches_end(path, span)
        return True

    def _tells_all(self, path: str | Path, span: Span | None) -> bool:
        """Whether a FLAC's header, or where it states no length its frames, count all there is."""
        found = flac.counted(path, span)
        is_unknown = self.promised >= _UNKNOWN_LENGTH
        if found is None:
            return not is_unknown
        self.behind = found.behind
        if is_unknown:
            self.promised = found.samples
        return 0 < found.samples <= self.promised

    def _reaches_end(self, path: str | Path, span: Span | None) -> bool:
        """Whether an MP3 states its length, or the estimate is large enough: then counting does."""
        rest = mpeg.unexplained(path, span)
        if rest is not None:
            self.behind = round(rest * self.promised)
            return True
        found = mpeg.counted(path, span)
        if not 0 < found <= self.promised:
            return False
        self.promised = found
        return True

    def _has_sound(self) -> bool:
        try:
            frame = np.empty(self._file.channels, np.int16)
            found = bool(self._file.buffer_read_into(frame, "int16"))
            self._file.seek(0)
        except RuntimeError:
            return False
        return found

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """Blocks float32 ``(channels, n)``, n at most ``frames``.

        Raises
        ------
        Damaged : the decoder failed; what it gave before has come.
        """
        got = 0
        try:
            for block in self._read(frames, self.promised):
                got += block.shape[1]
                yield block
        except RuntimeError as error:
            for block in self._rescued(frames, got):
                got += block.shape[1]
                yield block
            if not self._otherwise or self._file.subtype != "OPUS":
                raise Damaged from error
            other = self._otherwise()
            try:
                for block in other.blocks(frames):
                    rest = np.ascontiguousarray(block[:, got:])
                    got = max(0, got - block.shape[1])
                    if rest.shape[1]:
                        yield rest
            finally:
                other.close()

    def _read(self, frames: int, promised: int) -> Iterator[NDArray[np.float32]]:
        """Blocks up to the promised end: what lies behind it, tags for example, is no sound."""
        padded = self._source[2]
        is_low = padded is not None and padded.low
        dtype = np.int16 if self.integer else np.int32 if is_low else np.float32
        buffer = np.empty((frames, self.channels), dtype)
        while promised:
            count = self._file.buffer_read_into(buffer[: min(frames, promised)], dtype.__name__)
            if not count:
                return
            promised -= count
            block = np.empty((self.channels, count), np.float32)
            if self.integer:
                for channel in range(self.channels):
                    np.multiply(buffer[:count, channel], np.float32(2**-15), out=block[channel])
            elif is_low:
                np.multiply((buffer[:count] << 8).T, np.float32(2**-31), out=block)
            else:
                np.copyto(block, buffer[:count].T)
            yield block

    def _rescued(self, frames: int, got: int) -> Iterator[NDArray[np.float32]]:
        """What comes between the last whole block and the failure, which no larger block gives."""
        self._file.close()
        self._file = self._opened()
        try:
            for _ in self._read(frames, got):
                pass
            yield from self._read(_SMALL, self.promised - got)
        except RuntimeError:
            return

    def close(self) -> None:
        """Close the file."""
        self._file.close()
