"""The forest in torch beside scikit-learn's: ``python tests/bench/solver_forest.py``.

Prints, as Markdown, the accuracy on held-out rows of three tables, mean of ten seeds, and the time
for a made table (``--rows``, ``--columns``, ``--genres``, ``--trees``) on ``--device``, beside
those of `RandomForestClassifier` on all cores and of mgrkit's forest that grows by scikit-learn.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mgrkit_classical import forests, trees
from mgrkit_classical.arrays import Place
from mgrkit_classical.columns import Lesson
from mgrkit_classical.hooks import RandomForestParameters
from mgrkit_classical.solvers.torch import forest as solver
from record import record
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from mgrkit.classifiers import Run, Task

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
SEEDS = 10


def real() -> tuple[Any, Any]:
    """The Kaggle table: 1,000 clips of GTZAN, 57 columns, 10 genres."""
    with (DATA / "gtzan" / "features_30_sec.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    x = np.array([row[2:-1] for row in rows], np.float32)
    return x, np.unique([row[-1] for row in rows], return_inverse=True)[1]


def made(rows: int, columns: int, genres: int, seed: int = 0) -> tuple[Any, Any]:
    """Clouds, two to a genre, in a few directions of which others are mixtures."""
    telling = max(8, columns // 12)
    x, y = make_classification(
        rows, columns, n_informative=telling, n_redundant=2 * telling, n_classes=genres,
        n_clusters_per_class=2, flip_y=0.05, random_state=seed,
    )  # fmt: skip
    return x.astype(np.float32), y


def ours(x: Any, y: Any, asked: RandomForestParameters, seed: int, device: str) -> Any:
    """The state of the forest in torch."""
    place, k = Place(torch, device), int(y.max()) + 1
    nodes, shares = solver.grown(x, y, k, np.ones(len(y)), asked, place, Run(seed))
    return {**trees.joined(nodes), "leaves": np.concatenate(shares).astype(np.float32)}


def theirs(x: Any, y: Any, asked: RandomForestParameters, seed: int) -> Any:
    """The state of the forest by scikit-learn, tree by tree."""
    labels = np.arange(y.max() + 1)
    task = Task(tuple(map(str, labels)), (x.shape[1],))
    lesson = Lesson(x, y, labels, np.ones(len(y)))
    return forests.RandomForest(task, asked).learn(lesson, Run(seed))


def right(state: Any, x: Any, y: Any) -> float:
    """The share of rows that a forest tells the genres of."""
    mean = trees.Trees(state, Place.of("cpu")).mean(x)
    return float((mean.argmax(1) == y).mean())


def accuracies(device: str) -> Iterator[tuple[str, str, str]]:
    """On the tables, with 100 trees; what is made can be held out in plenty."""
    asked = RandomForestParameters(trees=100)
    tables = {
        "GTZAN's table of 1,000 x 57 x 10": (real(), 0.7),
        "made, 2,000 x 57 x 10": (made(12_000, 57, 10), 2000),
        "made, 3,000 x 200 x 8": (made(13_000, 200, 8, seed=1), 3000),
    }
    for name, ((x, y), size) in tables.items():
        found = []
        for seed in range(SEEDS):
            split = train_test_split(x, y, train_size=size, random_state=seed, stratify=y)
            train, held, of_train, of_held = split
            mine = right(ours(train, of_train, asked, seed, device), held, of_held)
            found.append((mine, right(theirs(train, of_train, asked, seed), held, of_held)))
        mine, other = 100 * np.mean(found, axis=0)
        spread = 100 * np.std(np.subtract(*zip(*found, strict=True))) / SEEDS**0.5
        measured = f"**{mine:.1f} %**, scikit-learn's {other:.1f} %; difference {mine - other:+.2f}"
        yield f"forest in torch, {name}, ten seeds", "±1", f"{measured} ± {spread:.2f}"


def times(asked: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """For the made table; each solver once, after a small forest that warms it."""
    x, y = made(asked.rows, asked.columns, asked.genres)
    few, all_trees = RandomForestParameters(trees=4), RandomForestParameters(trees=asked.trees)
    ours(x[:500], y[:500], few, 0, asked.device)
    taken = []
    options = {"max_features": 0.25, "min_samples_leaf": 2, "random_state": 0, "n_jobs": -1}
    for grow in (
        lambda: ours(x, y, all_trees, 0, asked.device),
        lambda: theirs(x, y, all_trees, 0),
        lambda: RandomForestClassifier(asked.trees, **options).fit(x, y),
    ):
        start = time.perf_counter()
        grow()
        taken.append(time.perf_counter() - start)
    mine, alone, together = taken
    measured = (
        f"**{mine:.1f} s**; tree by tree by scikit-learn {alone:.1f} s ({mine / alone:.2f} of it), "
        f"RandomForestClassifier on all cores {together:.1f} s ({mine / together:.2f} of it)"
    )
    shape = f"{asked.rows:,} x {asked.columns} x {asked.genres}, {asked.trees} trees"
    yield f"forest in torch on {asked.device}, {shape}", "2 x scikit-learn's", measured


def forest(asked: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """All rows of the table of figures."""
    if not asked.times:
        yield from accuracies(asked.device)
    yield from times(asked)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name, default in (("rows", 8000), ("columns", 518), ("genres", 8), ("trees", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--times", action="store_true", help="no accuracies")
    parser.add_argument("--record", action="store_true", help="write docs/figures.csv")
    asked = parser.parse_args()
    rows = []
    for row in forest(asked):
        print("| " + " | ".join(row) + " |", flush=True)
        rows.append(row)
    if asked.record:
        record("solvers", rows)


if __name__ == "__main__":
    main()
