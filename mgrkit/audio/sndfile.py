"""Decoding with libsndfile: WAV, AU, AIFF, FLAC, Ogg, Opus, MP3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from mgrkit.audio.probe import flac_sound_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Read as int16 and scaled here: the same numbers as libsndfile's own floats, several times
# faster.
_INT16_SUBTYPES = frozenset({"PCM_16", "PCM_S8", "PCM_U8"})
# By suffix alone libsndfile takes any bytes for headerless sound (a text named x.au "decodes").
_HEADERLESS = frozenset({".raw", ".vox", ".gsm"})
_UNKNOWN_LENGTH = 2**63 - 1
_FLAC_BYTES = {"PCM_S8": 1, "PCM_16": 2, "PCM_24": 3}
_FLAC_REST = 4096  # tags behind the sound; taken for sound they only send the file to FFmpeg


class Refused(Exception):  # noqa: N818
    """This decoder does not know the file; another may."""


class Damaged(Exception):  # noqa: N818
    """The decoder failed after some blocks."""


class _Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Without the seek to where it is already that soundfile makes after each read: in an MP3
    that alters samples, in a FLAC of unknown length it fails."""

    def seekable(self) -> bool:
        return False


class SndfileDecoder:
    """One pass over one file.

    Attributes
    ----------
    rate : samples per second, as the header says.
    channels : their number.
    promised : frames that the header promises; 0 where it does not say.
    integer : whether samples are read as integers, which can be neither NaN nor infinite.

    Raises
    ------
    Refused : libsndfile does not take the file.
    """

    def __init__(self, path: str | Path) -> None:
        if Path(path).suffix.lower() in _HEADERLESS:
            raise Refused
        try:
            # As bytes, because soundfile cannot encode every name that a file may have.
            self._path = path
            self._file = _Forward(os.fsencode(path) if os.name == "posix" else str(path))
        except (RuntimeError, ValueError, TypeError, OSError) as error:
            raise Refused from error
        if not self._believable():
            self._file.close()
            raise Refused
        self.rate = int(self._file.samplerate)
        self.channels = int(self._file.channels)
        self.integer = self._file.subtype in _INT16_SUBTYPES
        frames = int(self._file.frames)
        self.promised = 0 if frames >= _UNKNOWN_LENGTH else frames

    def _believable(self) -> bool:
        """False where FFmpeg may know better."""
        if self._file.format == "RAW" or not self._file.frames:
            return False
        if self._file.format == "FLAC":  # FFmpeg can do with a false header
            try:
                frame = np.empty(self._file.channels, np.int16)
                found = bool(self._file.buffer_read_into(frame, "int16"))
                self._file.seek(0)
            except RuntimeError:
                return False
            return found and not self._overfull()
        return True

    def _overfull(self) -> bool:
        """Whether a FLAC file holds more bytes than the samples that it promises can fill.

        A frame is never much larger than its samples (RFC 9639, verbatim subframes), so then
        the header promises too few of them.
        """
        raw = int(self._file.frames) * self._file.channels * _FLAC_BYTES[self._file.subtype]
        return bool(flac_sound_bytes(self._path) > 1.1 * raw + _FLAC_REST)

    def blocks(self, frames: int) -> Iterator[NDArray[np.float32]]:
        """Blocks float32 ``(channels, n)``, n at most ``frames``.

        Raises
        ------
        Damaged : the decoder failed.
        """
        dtype = np.int16 if self.integer else np.float32
        buffer = np.empty((frames, self.channels), dtype)
        while True:
            try:
                count = self._file.buffer_read_into(buffer, dtype.__name__)
            except RuntimeError as error:
                raise Damaged from error
            if not count:
                return
            block = np.empty((self.channels, count), np.float32)
            if self.integer:
                for channel in range(self.channels):
                    np.multiply(buffer[:count, channel], np.float32(2**-15), out=block[channel])
            else:
                np.copyto(block, buffer[:count].T)
            yield block

    def close(self) -> None:
        """Close the file."""
        self._file.close()
