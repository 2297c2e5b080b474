"""A small collection of synthetic music on disk, for tests, examples and the demo."""

from __future__ import annotations

import csv
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mgrkit.errors import UsageError
from mgrkit.testing import music


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
            with wave.open(str(folder / path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(rate)
                file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
            part = parts[artist - 1 : artist]
            rows.append((path, style, music.artist_name(style, artist), *part))
    with (folder / "tracks.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("path", "genre", "group", "split")[: len(rows[0])])
        writer.writerows(rows)
    return rows
