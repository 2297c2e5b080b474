"""What whole collections cost, as a Markdown table: ``python tests/bench/catalogue.py [ROW...]``.

Made tables of FMA's full shape (106,574 tracks, 243 MB of ``tracks.csv``; 3 GB of TMPDIR with
``features.csv``). Each row is a process of its own: its seconds and CPU seconds without imports,
the median of the rounds, and the most memory it held at once, imports and mapped files included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3


def read_tracks(folder: Path) -> Any:
    from mgrkit.tracks.fma.metadata import read_fma

    return read_fma(folder, "full", [])


def read_first(folder: Path) -> Any:
    from mgrkit.tracks.fma.metadata import read_fma

    return read_fma(folder, "full", [], "first")


def read_features(folder: Path) -> Any:
    from mgrkit.tracks.fma.tables import read_fma_table

    return read_fma_table(folder / "features.csv")


def read_mfcc(folder: Path) -> Any:
    from mgrkit.tracks.fma.tables import read_fma_table

    return read_fma_table(folder / "features.csv", ["mfcc"])


def read_echonest(folder: Path) -> Any:
    from mgrkit.tracks.fma.tables import read_fma_table

    return read_fma_table(folder / "echonest.csv")


ROWS: dict[str, Callable[[Path], Any]] = {
    "tracks.csv as a track table, genre_top": read_tracks,
    "the same, every track with a genre": read_first,
    "features.csv, 518 columns": read_features,
    "features.csv, mfcc": read_mfcc,
    "echonest.csv, 13,129 rows": read_echonest,
}


def child(name: str, folder: Path) -> None:
    """Print seconds, CPU seconds, megabytes and the rows of what was read."""
    import polars  # noqa: F401  # not part of what is measured

    cpu, start = time.process_time(), time.perf_counter()
    found = ROWS[name](folder)
    spent = time.perf_counter() - start, time.process_time() - cpu
    # ru_maxrss would hold what the parent had in memory when it forked.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(*spent, peak, len(found))


def make(folder: Path) -> None:
    from tests.tracks.made_fma import FULL, make_fma

    make_fma(folder, tracks=FULL, features=FULL, echonest=13_129, bio=28)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], Path(asked.child[1]))
        return
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as temp:
        make(Path(temp))
        print("| | s | CPU s | MB | rows |\n|---|---|---|---|---|")
        for name in asked.rows or ROWS:
            command = [sys.executable, __file__, "--child", name, temp]
            runs = [
                subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
                for _ in range(ROUNDS)
            ]
            values = [[float(word) for word in run.stdout.split()] for run in runs]
            wall, cpu, peak, rows = (median(column) for column in zip(*values, strict=True))
            print(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:,.0f} | {rows:,.0f} |", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
