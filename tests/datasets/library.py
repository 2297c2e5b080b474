"""A library of music as people keep it, Artist/Album/song, whose tags name the genres."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np

RATE = 16_000
TONES = {"Rock": 220.0, "Hip-Hop": 880.0, "Folk": 3_520.0}


def song(path: Path, frequency: float, seed: int = 0, **tags: str) -> Path:
    """A FLAC of three seconds with these tags."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    time = np.arange(3 * RATE) / RATE
    samples = 0.3 * np.sin(2 * np.pi * frequency * time) + rng.normal(0, 0.02, time.size)
    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream("flac", RATE)
        part = np.round(samples * 32_767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(part, "s16", "mono")
        frame.rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def library(
    folder: Path, genres: Mapping[str, str], artists: int = 4, songs: int = 2, first: int = 0
) -> Path:
    """Artists of each genre, by what the tags call it; the sound of each genre is its own.

    Parameters
    ----------
    genres : of `TONES` to what the tags say; '' for no tag.
    first : the number of the first artist.
    """
    for genre, called in genres.items():
        for number in range(first, first + artists):
            artist = f"The {genre} Band {number}"
            for n in range(songs):
                frequency = TONES[genre] * (1 + 0.02 * (number % 4))
                tags = {"artist": artist, "genre": called} if called else {"artist": artist}
                song(folder / artist / "First" / f"{n}.flac", frequency, number * 9 + n, **tags)
    return folder
