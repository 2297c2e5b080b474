"""What a search costs beside its fits, what a second process gains, and how good it gets.

python tests/bench/tune.py features_30_sec.csv [--trials 60] [--rounds 3]

Each round searches ``svm`` by one process, then by two in one folder. A process times its fits from
within, so that fits and the rest are of the same seconds whoever else is at work on the machine. On
wall clocks two processes gain nothing where others take the cores: beside what was seen stands what
the shares of fits say of free cores, twice the share of the two over that of the one.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHILD = """
import json, sys, time
from pathlib import Path
from mgrkit.commands.tune import TuneSettings, tune
from mgrkit.experiments import searches
from mgrkit.learning.fitting import Folded

spent = {name: [0.0, 0.0] for name in ("fits", "search", "trials")}

def timed(name, function):
    def call(*words, **more):
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return function(*words, **more)
        finally:
            spent[name][0] += time.perf_counter() - wall
            spent[name][1] += time.process_time() - cpu
    return call

Folded.predicted = timed("fits", Folded.predicted)
searched = timed("search", searches.Searches.search)

def search(work):
    searched(work)
    spent["trials"] = list(spent["fits"])  # those of the last fit come later

searches.Searches.search = search
table, trials, out = sys.argv[1:]
found = tune("svm", Path(table), Path(out), TuneSettings(int(trials), outer=0))
print(json.dumps({"spent": spent, "inner": found.result["inner"]}))
"""


def run(table: Path, trials: int, out: Path, count: int) -> tuple[float, list[dict[str, Any]]]:
    """Seconds until so many processes in one folder have ended, and what each tells."""
    command = [sys.executable, "-c", CHILD, str(table), str(trials), str(out)]
    began = time.perf_counter()
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(count)]
    told = [json.loads(one.communicate()[0]) for one in started]
    return time.perf_counter() - began, told


def share(told: list[dict[str, Any]], clock: int) -> float:
    """Of the seconds in searches, those in fits of trials."""
    search = sum(one["spent"]["search"][clock] for one in told)
    fits = sum(one["spent"]["trials"][clock] for one in told)
    return fits / search


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    over: dict[str, list[float]] = {name: [] for name in ("wall", "cpu", "seen", "free")}
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            one_took, one = run(asked.table, asked.trials, place / "one", 1)
            two_took, two = run(asked.table, asked.trials, place / "two", 2)
        over["wall"].append(1 / share(one, 0))
        over["cpu"].append(1 / share(one, 1))
        over["seen"].append(one_took / two_took)
        over["free"].append(2 * share(two, 0) / share(one, 0))
    inner = one[0]["inner"]
    load = os.getloadavg()[0]
    print(f"load {load:.1f} on {os.cpu_count()} cores; medians of {asked.rounds} rounds")
    print(f"out of fold: the best {inner['accuracy']:.3f}, the defaults {inner['defaults']:.3f}; "
          f"{inner['ended_early']} of {inner['trials']} trials ended early")  # fmt: skip
    middle = {name: statistics.median(values) for name, values in over.items()}
    print(f"a search over its fits: x {middle['wall']:.2f} on the wall, x {middle['cpu']:.2f} CPU")
    print(f"two processes beside one: x {middle['seen']:.2f} seen, start and last fit included; "
          f"x {middle['free']:.2f} of the search on free cores")  # fmt: skip


if __name__ == "__main__":
    main()
