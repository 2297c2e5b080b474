"""What a search costs beside its fits, what two processes gain, and how good it gets.

python tests/bench/tune.py features_30_sec.csv [--trials 60] [--rounds 3]

Each round takes in turn ``mgrkit tune svm`` by one process, by two in one folder, and a process
that does the very fits of the first and nothing else: it reads the table, fits each trial's folds
with its parameters as far as it came, then trains the best. All three start anew, so the times are
those of whole processes. Wall clock and CPU (user and system) are told, for others may be at work
on the machine.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

BARE = """
import csv, json, sys
from pathlib import Path
from mgrkit.classifiers import Run
from mgrkit.datasets.reading import read_dataset
from mgrkit.experiments.parts import Parts
from mgrkit.experiments.training import Recipe, fit_model
from mgrkit.inputs.kinds import input_of
from mgrkit.learning.fitting import Folded
from mgrkit.registry import installed
from mgrkit.tracks.splits import make_split

table, trials, out = map(Path, sys.argv[1:])
entry = installed().classifier("svm")
dataset = read_dataset(table, input_of(entry.spec.eats, "svm"))
split = make_split(dataset.labelled, None, 0)
parts = Parts.of(dataset, split)
folded = Folded.of(parts.train.examples(parts.labels), 5, 0)
for one in json.loads(trials.read_text()):
    recipe = Recipe.of(entry, one["parameters"])
    for number in range(one["folds"]):
        folded.predicted(number, recipe.maker(parts), entry.spec, len(parts.labels), Run(0))
fit_model(dataset, split, recipe, out, source=table, replace=True)
"""


def timed(*commands: list[str]) -> tuple[float, float]:
    """Seconds on the wall and of CPU until processes that start together have all ended."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    started = [subprocess.Popen(one, stdout=subprocess.DEVNULL) for one in commands]
    assert [one.wait() for one in started] == [0] * len(started)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return time.perf_counter() - began, cpu


def trials(out: Path) -> list[Any]:
    """Those of the search, as Optuna keeps them."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = optuna.storages.journal.JournalFileBackend(os.fspath(out / "study.jsonl"))
    storage = optuna.storages.JournalStorage(journal)
    return list(optuna.load_study(study_name="search", storage=storage).get_trials())


def fits(out: Path) -> list[dict[str, Any]]:
    """The parameters of each trial, the best last, and how many folds it was fit for."""
    folds = {
        one.number: len(one.intermediate_values) + (one.state.name == "COMPLETE")
        for one in trials(out)
    }
    best = json.loads((out / "tune.json").read_text())
    with (out / "trials.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = best["searched"]
    every = [
        {"parameters": {n: row[n] for n in names}, "folds": folds[int(row["trial"])]}
        for row in rows
    ]
    return [*every, {"parameters": best["parameters"], "folds": 0}]


def searching(out: Path) -> float:
    """Seconds from the first trial's beginning to the last one's end."""
    every = [one for one in trials(out) if one.datetime_complete]
    began = min(one.datetime_start for one in every if one.datetime_start)
    return (max(one.datetime_complete for one in every) - began).total_seconds()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    wall: dict[str, list[float]] = {"tune": [], "bare": [], "two": []}
    cpu: dict[str, list[float]] = {"tune": [], "bare": [], "two": []}
    phase: list[float] = []
    for number in range(asked.rounds):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)

            def tune(name: str, place: Path = place) -> list[str]:
                words = ["tune", "svm", str(asked.table), "--trials", str(asked.trials)]
                words += ["--outer", "0", "-q", "--json", "--out", str(place / name)]
                return [sys.executable, "-m", "mgrkit", *words]

            def note(name: str, *commands: list[str]) -> None:
                one, two = timed(*commands)
                wall[name].append(one)
                cpu[name].append(two)

            note("tune", tune("one"))
            (place / "fits.json").write_text(json.dumps(fits(place / "one")))
            words = [str(asked.table), str(place / "fits.json"), str(place / "m.safetensors")]
            note("bare", [sys.executable, "-c", BARE, *words])
            note("two", tune("two"), tune("two"))
            phase.append(searching(place / "one") / searching(place / "two"))
            found = json.loads((place / "one" / "tune.json").read_text())
        print(f"round {number + 1}: " + "; ".join(
            f"{name} {wall[name][-1]:.1f} s, CPU {cpu[name][-1]:.1f} s" for name in wall
        ), flush=True)  # fmt: skip
    inner = found["inner"]
    print(f"out of fold: the best {inner['accuracy']:.3f}, the defaults {inner['defaults']:.3f}; "
          f"{inner['ended_early']} of {inner['trials']} trials ended early")  # fmt: skip
    for what, over, under in (
        ("a search beside its fits", "tune", "bare"),
        ("one process beside two", "tune", "two"),
    ):
        ratios = (
            statistics.median(a / b for a, b in zip(times[over], times[under], strict=True))
            for times in (wall, cpu)
        )
        print(f"{what}: x {next(ratios):.2f} on the wall, x {next(ratios):.2f} of CPU")
    middle = statistics.median(phase)
    print(f"the same from the first trial's beginning to the last one's end: x {middle:.2f}")


if __name__ == "__main__":
    main()
