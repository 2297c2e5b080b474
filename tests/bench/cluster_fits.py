"""What the fits of a comparison gain on a cluster of two processes, start-up included and not.

python tests/bench/cluster_fits.py features_30_sec.csv [--rounds 3] [--workers 2]

Each round compares three classical classifiers with four seeds, here and on ``local:N``, in turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAMES = "svm,knn,logistic_regression"


def seconds(table: Path, out: Path, *words: str) -> tuple[float, float]:
    """Of the whole call, and from its first fit on."""
    call = [sys.executable, "-m", "mgrkit", "compare", str(table), "--classifiers", NAMES,
            "--seeds", "4", "--out", str(out), *words]  # fmt: skip
    began = time.perf_counter()
    first = began
    with subprocess.Popen(call, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as p:
        assert p.stderr
        for line in p.stderr:
            if line.startswith("1 of 12") and first == began:
                first = time.perf_counter()
    if p.returncode:
        raise SystemExit(f"exit code {p.returncode}")
    end = time.perf_counter()
    return end - began, end - first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    gains = []
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as folder:
            here = seconds(asked.table, Path(folder) / "here")
            there = seconds(
                asked.table, Path(folder) / "there", "--cluster", f"local:{asked.workers}"
            )
        gains.append([one / other for one, other in zip(here, there, strict=True)])
        print(f"here {here[0]:.1f} s, {here[1]:.1f} s from the first fit; "
              f"there {there[0]:.1f} s, {there[1]:.1f} s")  # fmt: skip
    whole, fits = (statistics.median(column) for column in zip(*gains, strict=True))
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} cores; medians of {asked.rounds} rounds")
    print(
        f"local:{asked.workers} beside one process: x {whole:.2f}, x {fits:.2f} from the first fit"
    )


if __name__ == "__main__":
    main()
