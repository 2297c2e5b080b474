"""Samples to WAV and FLAC files: the same samples give the same bytes.

The WAV header is our own: libsndfile puts a time stamp into float files and a plain header
where the extensible one is due. Rounding is apart from writing (`quantise`), so that a caller
can measure what rounding does before it writes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np

from mgrkit.errors import AudioError, UsageError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from numpy.typing import NDArray

BITS = {"PCM_16": 16, "PCM_24": 24, "FLOAT": 32}
"""Bits per sample of each subtype."""
FORMATS = ("wav", "flac")
INFO = {
    "title": b"INAM", "artist": b"IART", "album": b"IPRD", "genre": b"IGNR", "date": b"ICRD",
    "track": b"ITRK", "comment": b"ICMT", "copyright": b"ICOP",
}  # fmt: skip
"""Names of tags in a WAV file (Microsoft, RIFF MCI 1.0; ITRK as others write it)."""
RIFF_LIMIT = 0xFFFFFFFF
"""The largest file, less 8 bytes, whose size a RIFF header can state; beyond it is RF64."""
_FLAC_CHANNELS, _FLAC_RATE = 8, 655_350
# The tail of the sub-format GUIDs of WAVE_FORMAT_EXTENSIBLE (mmreg.h).
_GUID = bytes.fromhex("000000001000800000aa00389b71")
_SPEAKERS = {1: 0x4, 2: 0x3}  # centre; left and right; of more channels we know no places


def lsb(subtype: str) -> float:
    """The step between neighbouring values: 2**-15, 2**-23, or 0.0 for FLOAT."""
    return 0.0 if subtype == "FLOAT" else float(2.0 ** (1 - BITS[subtype]))


def quantise(block: NDArray[np.float32], subtype: str) -> NDArray[Any]:
    """Round samples to the values that a subtype can hold, those out of range to the nearest.

    Parameters
    ----------
    block : float32 of any shape, full scale 1.
    subtype : PCM_16, PCM_24 or FLOAT.

    Returns
    -------
    Of the same shape: int16, int32 (holding 24-bit values), or the block itself for FLOAT.
    """
    if subtype == "FLOAT":
        return block
    top = 2 ** (BITS[subtype] - 1)
    scaled = block * np.float32(top)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -top, top - 1, out=scaled)
    return scaled.astype(np.int16 if subtype == "PCM_16" else np.int32)


class _Sink(Protocol):
    def write(self, block: NDArray[Any]) -> None: ...

    def close(self, complete: bool) -> None: ...


class Writer:
    """Writes a sound file block by block; a context manager.

    Parameters
    ----------
    path : the file, made anew. After an exception inside the context it is no valid file.
    rate, channels : of the sound.
    subtype : PCM_16, PCM_24 or FLOAT.
    format : wav (RF64 when it grows beyond 4 GiB) or flac (PCM only).
    tags : of wav: what `INFO` has a name for is kept in a chunk behind the sound.

    Raises
    ------
    UsageError : an unknown subtype or format, or FLOAT in flac.
    AudioError : ``no-flac``, when FLAC cannot hold so many channels or such a rate.
    OSError : the file cannot be written, as `open` says it.
    """

    def __init__(
        self,
        path: str | Path,
        rate: int,
        channels: int,
        subtype: str,
        format: str = "wav",  # noqa: A002
        tags: Mapping[str, str] | None = None,
    ) -> None:
        if subtype not in BITS:
            raise UsageError(f"no subtype {subtype!r}", f"one of {', '.join(BITS)}")
        if format not in FORMATS:
            raise UsageError(f"no format {format!r} for writing", f"one of {', '.join(FORMATS)}")
        self._sink: _Sink
        if format == "wav":
            self._sink = _Wav(path, rate, channels, subtype, info(tags or {}))
        else:
            self._sink = _Flac(path, rate, channels, subtype)

    def write(self, block: NDArray[Any]) -> None:
        """Append ``(channels, frames)`` as `quantise` gives them."""
        self._sink.write(block)

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sink.close(complete=kind is None)


class _Wav:
    def __init__(
        self, path: str | Path, rate: int, channels: int, subtype: str, behind: bytes
    ) -> None:
        self._layout = rate, channels, subtype
        self._behind = behind
        self._bytes = 0
        self._file: BinaryIO = open(path, "wb")  # noqa: SIM115
        self._file.write(wav_header(rate, channels, subtype, 0))

    def write(self, block: NDArray[Any]) -> None:
        subtype = self._layout[2]
        if subtype == "PCM_24":
            data = _packed24(block)
        else:
            data = np.ascontiguousarray(block.T, "<i2" if subtype == "PCM_16" else "<f4")
        self._file.write(data.data)
        self._bytes += data.nbytes

    def close(self, complete: bool) -> None:
        with self._file:
            if complete:
                self._file.write(b"\0" * (self._bytes % 2) + self._behind)
                self._file.seek(0)
                self._file.write(wav_header(*self._layout, self._bytes, len(self._behind)))


class _Flac:
    def __init__(self, path: str | Path, rate: int, channels: int, subtype: str) -> None:
        if subtype == "FLOAT":
            raise UsageError("FLAC holds no float samples", "use PCM_24, or the format wav")
        if channels > _FLAC_CHANNELS or rate > _FLAC_RATE:
            message = f"FLAC cannot hold {channels} channels at {rate} Hz"
            raise AudioError("no-flac", message, "use the format wav")
        import soundfile

        self._raw = Guarded(path, "w+")
        self._file = soundfile.SoundFile(self._raw, "w", rate, channels, subtype, format="FLAC")
        self._shift = 8 if subtype == "PCM_24" else 0  # libsndfile wants 24 bits on top of 32

    def write(self, block: NDArray[Any]) -> None:
        try:
            self._file.write(np.ascontiguousarray((block << self._shift).T))
        except RuntimeError as error:
            raise self._raw.failure or error from error
        self._raw.check()

    def close(self, complete: bool) -> None:
        with self._raw:
            self._file.close()
        if complete:
            self._raw.check()


class Guarded(io.FileIO):
    """A file that keeps its failure, because none gets through libsndfile."""

    failure: OSError | None = None

    def write(self, data: ReadableBuffer) -> int:
        view = memoryview(data)
        try:
            done = 0
            while done < len(view):
                done += super().write(view[done:]) or 0
        except OSError as error:
            self.failure = error
        return len(view)

    def check(self) -> None:
        if self.failure:
            raise self.failure


def info(tags: Mapping[str, str]) -> bytes:
    """The chunk ``LIST INFO`` of those tags that `INFO` names, in UTF-8; b'' for none of them."""
    body = b""
    for name, tag in INFO.items():
        if text := tags.get(name):
            if name == "track":  # "3/9" is no number
                text = text.partition("/")[0]
            value = text.encode("utf-8", "replace") + b"\0"
            body += _chunk(tag, value) + b"\0" * (len(value) % 2)
    return _chunk(b"LIST", b"INFO" + body) if body else b""


def wav_header(rate: int, channels: int, subtype: str, data: int, behind: int = 0) -> bytes:
    """The header of a WAV file, of the same length whatever the size.

    Parameters
    ----------
    data : bytes of sound that follow, without the byte that pads an odd number.
    behind : bytes of the chunks that follow the sound, an even number.

    Notes
    -----
    WAVE_FORMAT_PCM up to 2 channels of 16 bits, else WAVE_FORMAT_EXTENSIBLE; RF64 (EBU Tech
    3306) beyond `RIFF_LIMIT`, its ``ds64`` in the place of a ``JUNK`` chunk.
    """
    bits = BITS[subtype]
    frame = channels * bits // 8
    is_pcm = bits == 16 and channels <= 2
    fmt = struct.pack("<HHIIHH", 1 if is_pcm else 0xFFFE, channels, rate, rate * frame, frame, bits)
    if not is_pcm:
        tag = 3 if subtype == "FLOAT" else 1
        fmt += struct.pack("<HHIH", 22, bits, _SPEAKERS.get(channels, 0), tag) + _GUID
    chunks = _chunk(b"fmt ", fmt)
    if subtype == "FLOAT":
        chunks += _chunk(b"fact", struct.pack("<I", min(data // frame, 0xFFFFFFFF)))
    # 12 bytes RIFF, 36 JUNK or ds64, 8 of the data chunk; the first 8 do not count.
    size = 12 + 36 + len(chunks) + 8 + data + data % 2 + behind - 8
    if size <= RIFF_LIMIT:
        start = struct.pack("<4sI4s", b"RIFF", size, b"WAVE") + _chunk(b"JUNK", bytes(28))
        return start + chunks + struct.pack("<4sI", b"data", data)
    long_sizes = struct.pack("<QQQI", size, data, data // frame, 0)
    start = struct.pack("<4sI4s", b"RF64", 0xFFFFFFFF, b"WAVE") + _chunk(b"ds64", long_sizes)
    return start + chunks + struct.pack("<4sI", b"data", 0xFFFFFFFF)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


def _packed24(block: NDArray[np.int32]) -> NDArray[np.uint8]:
    """The low three bytes of each value, interleaved; by columns, five times faster."""
    values = np.ascontiguousarray(block.T, "<i4").view(np.uint8).reshape(-1, 4)
    packed = np.empty((len(values), 3), np.uint8)
    for byte in range(3):
        packed[:, byte] = values[:, byte]
    return packed
