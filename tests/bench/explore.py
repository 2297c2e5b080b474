"""How long ``mgrkit explore`` takes for a table as large as FMA's, and how much memory.

    python tests/bench/explore.py [--tracks 106574] [--columns 518] [--csv] [NAME,...]

The numbers are made: 16 genres of 16,000 artists, in directions that overlap. The command runs in
a process of its own; seconds and the largest resident memory are those of that process.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

GENRES, ARTISTS = 16, 16_000


def make(path: Path, tracks: int, columns: int) -> None:
    """A table whose genres differ in size as FMA's do, by artists that belong to one genre."""
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, GENRES + 1)
    of_artist = random.choice(GENRES, ARTISTS, p=shares / shares.sum())
    artist = random.integers(0, ARTISTS, tracks)
    genre = of_artist[artist]
    mixing = random.normal(0, 1, (40, columns)).astype(np.float32)
    centres = random.normal(0, 0.5, (GENRES, 40)).astype(np.float32)
    latent = centres[genre] + random.normal(0, 1, (tracks, 40)).astype(np.float32)
    x = latent @ mixing + random.normal(0, 3, (tracks, columns)).astype(np.float32)
    x[random.random(tracks) < 0.01, 0] = np.nan
    frame = pl.DataFrame(
        {
            "path": [f"{number:06d}.mp3" for number in range(tracks)],
            "genre": [f"genre {number}" for number in genre],
            "artist": [f"artist {number}" for number in artist],
            **{f"number{column}": x[:, column] for column in range(columns)},
        }
    )
    if path.suffix == ".csv":
        frame.write_csv(path, float_precision=6)
    else:
        frame.write_parquet(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("plots", nargs="?", default="")
    parser.add_argument("--tracks", type=int, default=106_574)
    parser.add_argument("--columns", type=int, default=518)
    parser.add_argument("--csv", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / ("made.csv" if asked.csv else "made.parquet")
        make(table, asked.tracks, asked.columns)
        words = ["explore", str(table), "--out", f"{folder}/out", "--quiet"]
        words += ["--plots", asked.plots] if asked.plots else []
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", "mgrkit", *words], env=os.environ)
        seconds = time.perf_counter() - began
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        size = sum(path.stat().st_size for path in Path(f"{folder}/out").iterdir()) / 2**20
    print(f"{asked.tracks:,} x {asked.columns}: {seconds:.0f} s, {memory:.2f} GiB, {size:.0f} MiB")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
