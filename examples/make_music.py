#!/usr/bin/env python3
"""Make a small collection of synthetic music: OUT/<style>/<style>.NNNNN.wav and OUT/tracks.csv.

The table gives each song's path, genre and artist (as its group), so that whatever is made
from the songs can be split by artist.
"""

from __future__ import annotations

import argparse
import csv
import sys
import wave
from pathlib import Path

import numpy as np

from mgrkit.errors import MgrkitError
from mgrkit.testing import music


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("out", nargs="?", default="audio", type=Path, help="the folder to fill")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each song")
    parser.add_argument("--songs", type=int, default=3, help="songs in each style")
    parser.add_argument("--artists", type=int, default=3, help="artists in each style")
    parser.add_argument("--rate", type=int, default=22050, help="sample rate in Hz")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other artists")
    asked = parser.parse_args()
    if asked.songs < 1 or asked.artists < 1:
        parser.error("--songs and --artists are at least 1")
    try:
        rows = make(asked)
    except (MgrkitError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    sys.stdout.write(
        f"made {len(rows)} songs of {asked.seconds:g} s in {len(music.STYLES)} styles "
        f"({', '.join(music.STYLES)}) in {asked.out}\n"
    )
    return 0


def make(asked: argparse.Namespace) -> list[tuple[str, str, str]]:
    """Write the songs and their table; return its rows."""
    rows = []
    for style in music.STYLES:
        (asked.out / style).mkdir(parents=True, exist_ok=True)
        for song in range(asked.songs):
            artist = song % asked.artists + 1
            path = f"{style}/{style}.{song:05d}.wav"
            sound = music.render(style, artist, song, asked.seconds, asked.rate, asked.seed)
            with wave.open(str(asked.out / path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(asked.rate)
                file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
            rows.append((path, style, music.artist_name(style, artist)))
    with (asked.out / "tracks.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(("path", "genre", "group"))
        writer.writerows(rows)
    return rows


if __name__ == "__main__":
    sys.exit(main())
