"""Mutated files end in finite sound or in a named reason, whatever the bytes.

``MGRKIT_FUZZ`` sets the number of files (default 1,000).
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio import open_sound
from mgrkit.errors import AudioError
from tests.audio.encoded import encode, tone

COUNT = int(os.environ.get("MGRKIT_FUZZ", "1000"))
REASONS = {"bad-rate", "channels-change", "damaged", "empty", "no-samples", "non-finite"}
REASONS |= {"not-audio", "truncated", "unread-rest"}
SNDFILE = {
    "wav": ("WAV", "PCM_16"),
    "float.wav": ("WAV", "FLOAT"),
    "adpcm.wav": ("WAV", "IMA_ADPCM"),
    "au": ("AU", "PCM_16"),
    "aiff": ("AIFF", "PCM_24"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
FFMPEG = {
    "m4a": ("aac", "ipod"),
    "aac": ("aac", "adts"),
    "wma": ("wmav2", "asf"),
    "mkv": ("aac", "matroska"),
}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory) -> list[tuple[str, bytes]]:
    folder, samples = tmp_path_factory.mktemp("seeds"), tone(0.2, 48000, 2)
    for suffix, (kind, subtype) in SNDFILE.items():
        soundfile.write(folder / f"x.{suffix}", samples.T, 48000, subtype, format=kind)
    for suffix, (codec, kind) in FFMPEG.items():
        encode(folder / f"x.{suffix}", samples, 48000, codec, kind)
    return [(path.suffix, path.read_bytes()) for path in sorted(folder.iterdir())]


def mutate(content: bytes, other: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, often in the header; a cut; or a part of another file put in."""
    data = bytearray(content)
    span = len(data) if rng.random() < 0.5 else min(200, len(data))
    for _ in range(rng.choice([0, 1, 3, 30])):
        data[rng.randrange(span)] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    if rng.random() < 0.3:
        del data[rng.randrange(len(data)) :]
    if rng.random() < 0.3:
        at, start = rng.randrange(len(data) + 1), rng.randrange(len(other))
        size = rng.randrange(1, 2000)
        data[at : at + rng.choice([0, size])] = other[start : start + size]
    return bytes(data)


def test_mutated_files_end_in_finite_sound_or_a_reason(seeds, tmp_path: Path):
    heard = 0
    for number in range(COUNT):
        rng = random.Random(f"audio {number}")
        suffix, content = seeds[number % len(seeds)]
        path = tmp_path / f"x{suffix}"
        path.write_bytes(mutate(content, rng.choice(seeds)[1], rng))
        begun, frames = time.monotonic(), 0
        try:
            with open_sound(path) as sound:
                for block in sound.blocks():
                    assert block.shape[0] == sound.channels, number
                    assert np.isfinite(block).all(), number
                    frames += block.shape[1]
            assert frames, number
            heard += 1
        except AudioError as error:
            assert error.reason in REASONS, (number, error)  # noqa: PT017
            assert "\n" not in str(error), number  # noqa: PT017
        assert time.monotonic() - begun < 60, number  # a hang, not a measurement
    assert COUNT // 10 < heard < COUNT  # both ends are reached
