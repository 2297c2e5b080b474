"""What ``mgrkit evaluate --under`` costs beside plain evaluate, each with an empty cache.

``python tests/bench/robustness.py [--rounds N] [--model MODEL]``: the 44 clips of GTZAN, the
default model (its weights must have been fetched; they are copied to a cache of its own) and
eight conditions. Plain and under take turns; CPU is of all processes together.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from mgrkit.files.cache import cache_folder

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or ROOT.parent / "shared" / "data")
MIXED = ["white@20,10,0", "mp3@64", "opus@24", "gsm", "reverb", "gain@-20"]
EACH = ["white@10", "mp3@64", "opus@24", "aac@64", "gsm", "reverb", "gain@-20", "pitch@1"]
CONDITIONS = 8


def cost(weights: Path, words: list[str]) -> tuple[float, float]:
    """Seconds on the clock and of CPU of ``mgrkit evaluate`` with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        if weights.is_dir():
            shutil.copytree(weights, Path(folder) / "weights")
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        command = [sys.executable, "-m", "mgrkit", "evaluate", *words, "--quiet", "--json"]
        subprocess.run(
            command,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "MGRKIT_CACHE": folder},
        )
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="vote")
    asked = parser.parse_args()
    weights = cache_folder() / "weights"
    plain = [asked.model, str(DATA / "gtzan" / "clips"), "--seen"]
    for name, conditions in (("white@20,10,0 and five others", MIXED), ("one of each", EACH)):
        words = [*plain, *(word for one in conditions for word in ("--under", one))]
        rows = [(cost(weights, plain), cost(weights, words)) for _ in range(asked.rounds)]
        for what, place in (("wall", 0), ("CPU", 1)):
            ratio = median(under[place] / ((CONDITIONS + 1) * bare[place]) for bare, under in rows)
            bare, under = (median(row[side][place] for row in rows) for side in (0, 1))
            print(
                f"{name}, {what}: plain {bare:.1f} s, under {under:.1f} s, "
                f"{ratio:.2f} x {CONDITIONS + 1} plain (at most 1.3)", flush=True,
            )  # fmt: skip


if __name__ == "__main__":
    main()
