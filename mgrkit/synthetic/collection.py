"""Synthetic music on disk, and rain to drown it in, for tests, examples and the demo."""

from __future__ import annotations

import csv
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mgrkit import seeds
from mgrkit.errors import UsageError
from mgrkit.synthetic import music

_DROPS = 60
"""Near ones, a second; the far ones are a hiss."""


def write_collection(
    folder: Path,
    *,
    songs: int = 3,
    artists: int = 3,
    seconds: float = 10.0,
    rate: int = 22050,
    seed: int = 0,
    parts: Sequence[str] = (),
) -> list[tuple[str, ...]]:
    """Write ``<style>/<style>-NN.wav`` and their ``tracks.csv`` into ``folder``.

    The table gives each song's path, genre and artist (as its group), so that whatever is made
    from the songs can be split by artist.

    Parameters
    ----------
    songs, artists : of each style, at least 1; the songs take turns with the artists.
    seconds, rate : length of each song and its sample rate in Hz.
    seed : another seed, other artists.
    parts : of a split, such as 'train', one for each artist, for a column ``split``.

    Returns
    -------
    The rows of the table: path, genre, group, and split if there are parts.
    """
    if parts and len(parts) != artists:
        raise UsageError(f"{len(parts)} parts for {artists} artists", "one for each")
    if songs < 1 or artists < 1:
        raise UsageError("a style has at least one song and one artist")
    rows: list[tuple[str, ...]] = []
    for style in music.STYLES:
        (folder / style).mkdir(parents=True, exist_ok=True)
        for song in range(songs):
            artist = song % artists + 1
            path = f"{style}/{style}-{song + 1:02d}.wav"
            sound = music.render(style, artist, song, seconds, rate, seed)
            write_wav(folder / path, sound, rate)
            part = parts[artist - 1 : artist]
            rows.append((path, style, music.artist_name(style, artist), *part))
    with (folder / "tracks.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("path", "genre", "group", "split")[: len(rows[0])])
        writer.writerows(rows)
    return rows


def write_wav(path: Path, sound: music.Samples, rate: int = 22050) -> None:
    """Write mono sound, from -1 to 1, as 16-bit WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())


def rain(seconds: float = 10.0, rate: int = 22050, seed: int = 0) -> music.Samples:
    """A noise as a microphone hears it outdoors: float32 ``(frames,)``, its peak `music.PEAK`.

    Parameters
    ----------
    seconds : length, at least 0.1.
    rate : Hz, at least 12,000: drops ring at up to 6,000 Hz.
    """
    rng = seeds.generator(seed, "rain")
    frames = round(seconds * rate)
    sound = 0.05 * np.diff(rng.standard_normal(frames + 1))
    time = np.arange(round(0.02 * rate)) / rate
    fading = np.exp(-time / 0.005)
    for start in rng.integers(0, frames - len(time), round(_DROPS * seconds)):
        drop = np.sin(2 * np.pi * rng.uniform(1500, 6000) * time) * fading
        sound[start : start + len(time)] += rng.exponential(0.15) * drop
    wet: music.Samples = (music.PEAK * sound / np.abs(sound).max()).astype(np.float32)
    return wet
