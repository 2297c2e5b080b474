"""Fits in torch beside scikit-learn's: ratios of their times, and how far their answers differ.

python tests/bench/solvers.py svm|logistic [--device cpu] [--rounds 3] [--quick] [--record]

The forest has a benchmark of its own, solver_forest.py.
Data are made, of 2,000 x 57 numbers and 10 genres and 8,000 x 518 and 8, and real: GTZAN's feature
table in the test data. In a round each side has its turn, the other one first the next time; a
ratio is scikit-learn's time over torch's, the median over the rounds.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from record import record

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
TABLE = DATA / "gtzan" / "features_30_sec.csv"
SIZES = ((2000, 57, 10), (8000, 518, 8))


class Rows(NamedTuple):
    """Standardised columns and their classes, rising."""

    name: str
    z: Any
    y: Any


def made(n: int, columns: int, genres: int, seed: int = 0) -> Rows:
    """Overlapping clouds of correlated columns; three labels of ten are drawn at random."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, genres, n)
    hidden = rng.normal(size=(genres, 40))[y] + 2 * rng.normal(size=(n, 40))
    x = hidden @ rng.normal(size=(40, columns)) / 40**0.5 + 0.7 * rng.normal(size=(n, columns))
    return rows(
        f"{n:,} x {columns} x {genres}",
        x,
        np.where(rng.random(n) < 0.3, rng.integers(0, genres, n), y),
    )


def real() -> Rows:
    """GTZAN's published features of 30 seconds."""
    with TABLE.open(encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(",") for line in file]
    at = [i for i, name in enumerate(lines[0]) if name not in ("filename", "length", "label")]
    x = np.array([[float(line[i]) for i in at] for line in lines[1:]])
    _, y = np.unique([line[lines[0].index("label")] for line in lines[1:]], return_inverse=True)
    return rows("features_30_sec.csv", x, y)


def rows(name: str, x: Any, y: Any) -> Rows:
    order = np.argsort(y, kind="stable")
    x = x[order] - x.mean(0)
    return Rows(name, x / np.where(x.std(0) > 0, x.std(0), 1), y[order].astype(np.int64))


def in_turns(
    theirs: Callable[[], Any], ours: Callable[[], Any], rounds: int
) -> tuple[float, Any, Any]:
    """The median ratio of their time to ours, and what each made last."""
    ratios, sides = [], [theirs, ours]
    for number in range(rounds):
        seconds: dict[int, float] = {}
        results: dict[int, Any] = {}
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            began = time.perf_counter()
            results[side] = sides[side]()
            seconds[side] = time.perf_counter() - began
        ratios.append(seconds[0] / seconds[1])
        print(f"  {seconds[0]:.2f} s, {seconds[1]:.2f} s", flush=True)
    return median(ratios), results[0], results[1]


def svm(data: Rows, device: str, rounds: int) -> str:
    """Default parameters; decision values of all pairs on all rows, votes as predictions."""
    import torch
    from mgrkit_classical import kernels
    from mgrkit_classical.arrays import Place
    from mgrkit_classical.hooks import SVMParameters
    from mgrkit_classical.solvers.torch import svc
    from sklearn.svm import SVC

    from mgrkit.classifiers import Run

    asked, here, place = SVMParameters(), Place.of("cpu"), Place(torch, device)
    y, n, columns = data.y, *data.z.shape
    k, gamma = int(y[-1]) + 1, asked.gamma / columns
    likeness = kernels.kernel(here, data.z, data.z, asked, gamma)
    upper = np.triu_indices(k, 1)

    def theirs(tolerance: float = 1e-3) -> Any:
        """Each pair by itself, as SVC does too."""
        decided = []
        for i, j in zip(*upper, strict=True):
            both = np.flatnonzero((y == i) | (y == j))
            machine = SVC(C=asked.C, gamma=gamma, tol=tolerance)
            machine.fit(data.z[both], y[both] == i)
            decided.append((both[machine.support_], machine.dual_coef_[0], machine.intercept_[0]))
        return decided

    def ours() -> Any:
        z = torch.tensor(data.z, device=device)
        return svc.machines(z, y, np.ones(n), asked, gamma, place, Run(0, device))

    ours()  # Libraries, and a device, start slowly.
    ratio, found, (weights, bias) = in_turns(theirs, ours, rounds)
    counts = np.bincount(y).tolist()
    decided = kernels.decisions(here, likeness, weights, bias, counts)[:, *upper]

    def apart(found: Any) -> str:
        other = np.stack([likeness[:, at] @ of + level for at, of, level in found], 1)
        same = (votes(other, k) == votes(decided, k)).mean()
        return f"{abs(other - decided).max():.2g} apart, {same:.2%} the same"

    return f"x {ratio:.2f}; {apart(found)}; with libsvm's tolerance 1e-6 {apart(theirs(1e-6))}"


def logistic(data: Rows, device: str, rounds: int) -> str:
    """Default parameters; weights and bias."""
    import torch
    from mgrkit_classical.arrays import Place
    from mgrkit_classical.hooks import LogisticRegressionParameters
    from mgrkit_classical.solvers.sklearn import logistic as theirs
    from mgrkit_classical.solvers.torch import logistic as ours

    from mgrkit.classifiers import Run

    price, weight, run = LogisticRegressionParameters().C, np.ones(len(data.y)), Run(0, device)
    here, place = Place.of("cpu"), Place(torch, device)
    there = torch.tensor(data.z, device=device)
    ours.odds(there, data.y, weight, price, place, run)
    ratio, one, other = in_turns(
        lambda: theirs.odds(data.z, data.y, weight, price, here, run),
        lambda: ours.odds(there, data.y, weight, price, place, run),
        rounds,
    )
    apart = max(abs(a - b).max() for a, b in zip(one, other, strict=True))
    return f"x {ratio:.2f}; coefficients {apart:.2g} apart"


def votes(decided: Any, k: int) -> Any:
    """The classes that win most pairs, the first of equals."""
    upper = np.triu_indices(k, 1)
    won = np.zeros((len(decided), k))
    for column, (i, j) in zip(decided.T, np.transpose(upper), strict=True):
        won[:, i] += column > 0
        won[:, j] += column <= 0
    return won.argmax(1)


SOLVERS = {"svm": svm, "logistic": logistic}
ASKED = {
    "svm": "less time at 8,000 x 518; 1e-3 apart; 99.9 % the same",
    "logistic": "1e-4 apart",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("solver", choices=SOLVERS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="leave out the largest data")
    parser.add_argument("--record", action="store_true", help="write docs/figures.csv")
    asked = parser.parse_args()
    tables = [made(*size) for size in (SIZES[:1] if asked.quick else SIZES)]
    tables += [real()] if TABLE.exists() else []
    found = []
    for data in tables:
        measured = SOLVERS[asked.solver](data, asked.device, asked.rounds)
        print(f"{data.name}: {measured}", flush=True)
        name = f"{asked.solver} in torch on {asked.device}, {data.name}"
        found.append((name, ASKED[asked.solver], measured))
    if asked.record:
        record("solvers", found)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
