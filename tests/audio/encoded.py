"""Small sound files for tests, in the formats that libsndfile cannot write."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from mgrkit.audio.members import Member, members
from mgrkit.audio.spans import Source


def tone(seconds: float = 1.0, rate: int = 22050, channels: int = 1) -> np.ndarray:
    """A tone of another pitch in each channel, float32 (channels, frames), peak 0.5."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 220.0 * np.arange(1, channels + 1)
    return (0.5 * np.sin(2 * np.pi * pitch[:, None] * time)).astype(np.float32)


def encode(
    path: Path,
    samples: np.ndarray,
    rate: int,
    codec: str,
    kind: str | None = None,
    kbits: int = 64,
) -> None:
    """Write float32 (channels, frames) with FFmpeg's encoder ``codec``, container ``kind``."""
    layout = "mono" if len(samples) == 1 else "stereo"
    with av.open(str(path), "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.bit_rate = 1000 * kbits
        for start in range(0, samples.shape[1], 4096):
            part = np.ascontiguousarray(samples[:, start : start + 4096])
            frame = av.AudioFrame.from_ndarray(part, "fltp", layout)
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def bare_mp3(path: Path, samples: np.ndarray, rate: int, kbits: int = 64) -> bytes:
    """Write and return an MP3 of frames alone: no Xing or Info frame, no tag."""
    layout = "mono" if len(samples) == 1 else "stereo"
    options = {"write_xing": "0", "id3v2_version": "0"}
    with av.open(str(path), "w", format="mp3", options=options) as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout=layout)
        stream.bit_rate = 1000 * kbits
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def dsdiff(path: Path, seconds: float = 0.5, rate: int = 2_822_400) -> None:
    """Write a mono DSDIFF file (Philips, version 1.5) whose bits are half ones: silence."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return name + len(body).to_bytes(8, "big") + body + bytes(len(body) % 2)

    kinds = chunk(b"FS  ", rate.to_bytes(4, "big")) + chunk(b"CHNL", b"\0\1C000")
    kinds += chunk(b"CMPR", b"DSD \x0enot compressed\0")
    sound = chunk(b"DSD ", b"\x69" * round(seconds * rate / 8))
    body = chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", b"SND " + kinds) + sound
    path.write_bytes(chunk(b"FRM8", b"DSD " + body))


def sounds(path: Path) -> list[Member]:
    """The sounds that a file holds."""
    with path.open("rb") as file:
        return members(Source(path, file, path.stat().st_size))


def encode_picture(path: Path) -> None:
    """Write a film without sound."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), "rgb24")
        for packet in (*stream.encode(frame), *stream.encode(None)):
            container.mux(packet)
