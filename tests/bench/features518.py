"""How much quicker fma518 is than FMA's own script: CPU time a clip, in turns, on the same core.

    OPENBLAS_NUM_THREADS=1 python tests/bench/features518.py FILE... [--rounds 5]

Each round describes every file by the script (today's librosa, see `fma_script`) and by mgrkit, one
after the other: once as a whole, decoding included, once the numbers alone. Medians over rounds for
a file, over files in the last line; the ratios are those of medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

import librosa

from mgrkit.audio import open_sound, pieces
from mgrkit.features.sets.fma518 import fma518
from tests.bench.fma_script import numbers


def decoded(path: str) -> tuple[Any, int]:
    """The one piece of a file of at most 45 s, and its rate."""
    with open_sound(path) as sound:
        (piece,) = pieces(sound, sound.rate)
        return piece.samples, sound.rate


WAYS: dict[str, Callable[[str], object]] = {
    "script": lambda path: numbers(*librosa.load(path, sr=None, mono=True)),
    "mgrkit": lambda path: fma518(*decoded(path)),
}


def milliseconds(work: Callable[[], object]) -> float:
    """Of CPU time, of all threads."""
    begin = time.process_time()
    work()
    return 1000 * (time.process_time() - begin)


def measured(path: str, rounds: int) -> dict[str, float]:
    """The medians of each way, in ms; 'script numbers' and 'mgrkit numbers' without decoding."""
    sound, rate = decoded(path)
    jobs: dict[str, Callable[[], object]] = {
        **{name: lambda way=way: way(path) for name, way in WAYS.items()},
        "script numbers": lambda: numbers(sound, rate),
        "mgrkit numbers": lambda: fma518(sound, rate),
    }
    times: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            times[name].append(milliseconds(job))
    return {name: statistics.median(of) for name, of in times.items()}


def line(name: str, of: dict[str, float]) -> str:
    """A row for people."""
    whole, alone = of["script"] / of["mgrkit"], of["script numbers"] / of["mgrkit numbers"]
    cells = "  ".join(f"{of[key]:7.1f}" for key in of)
    return f"{name:<24}{cells}  {whole:5.2f}  {alone:5.2f}"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="write it into docs/figures.csv")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    for way in WAYS.values():  # librosa compiles at its first call
        way(asked.files[0])
    print("ms of CPU time          script   mgrkit  script-  mgrkit-  ratio  ratio-  (-: numbers)")
    found = []
    for path in asked.files:
        found.append(measured(path, asked.rounds))
        print(line(Path(path).name, found[-1]), flush=True)
    middle = {key: statistics.median(of[key] for of in found) for key in found[0]}
    print(line("median", middle))
    if asked.record:
        from tests.bench.record import record

        ratio = middle["script"] / middle["mgrkit"]
        told = f"**{ratio:.1f} x**: {middle['mgrkit']:.0f} and {middle['script']:.0f} ms of CPU"
        sounds = f"{len(found)} clips of 30 s, median of {asked.rounds} rounds"
        what = "fma518 against FMA's script on librosa 0.11"
        record("collections", [(what, "2 x / 4 x", f"{told} ({sounds})")])


if __name__ == "__main__":
    main()
