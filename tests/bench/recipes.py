"""Recipes beside a plain loop of audiomentations: ``python tests/bench/recipes.py``.

Both are whole calls on the real clips, start-up included: ``mgrkit augment --recipe``, and a script
that reads with soundfile, applies the same transforms with the same seeds and writes PCM_16 with
soundfile, on two spawned processes. In a round each has its turn, with few and with many copies, so
that the time of a copy without start-up is there too; every other round goes backwards. The
samples of both must be the same where nothing had to be kept from clipping.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from record import record

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):  # two processes on two cores: one thread each
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
RECIPES = Path(__file__).parents[2] / "mgrkit" / "augment" / "recipes" / "shipped"
ASKED = "at most 1.10 x"
FEW, MANY = 1, 4
SHIPPED = "pitch-and-stretch"
"""The only one that ships of transforms alone: what is mgrkit's own a plain loop cannot play."""
STEPS: dict[str, list[dict[str, Any]]] = {
    SHIPPED: tomllib.loads((RECIPES / f"{SHIPPED}.toml").read_text())["step"],
    # The example of audiomentations' README.
    "readme": [
        {"transform": "AddGaussianNoise", "min_amplitude": 0.001, "max_amplitude": 0.015, "p": 0.5},
        {"transform": "TimeStretch", "min_rate": 0.8, "max_rate": 1.25, "p": 0.5},
        {"transform": "PitchShift", "min_semitones": -4, "max_semitones": 4, "p": 0.5},
        {"transform": "Shift", "p": 0.5},
    ],
    # What costs next to nothing itself, so that all else is seen.
    "gain": [
        {"transform": "Gain", "min_gain_db": -12.0, "max_gain_db": -6.0, "p": 1.0},
        {"transform": "PolarityInversion", "p": 0.5},
    ],
    "filters": [
        {"transform": "HighPassFilter", "max_cutoff_freq": 400.0, "p": 1.0},
        {"transform": "LowPassFilter", "min_cutoff_freq": 3000.0, "p": 1.0},
        {"transform": "SevenBandParametricEQ", "max_gain_db": 0.0, "p": 1.0},
    ],
}
"""Recipes that the plain loop can play, by name."""


def toml(steps: Sequence[dict[str, Any]]) -> str:
    lines = []
    for step in steps:
        lines += ["[[step]]", *(f"{name} = {value!r}" for name, value in step.items())]
    return "\n".join(lines).replace("True", "true").replace("False", "false")


def plain(name: str, clip: str, out: str, copies: int) -> None:
    """Copies of a clip by audiomentations alone, seeded as mgrkit seeds each step."""
    import audiomentations
    import numpy as np
    import soundfile

    from mgrkit.seeds import entropy

    path = Path(clip)
    for k in range(1, copies + 1):
        samples, rate = soundfile.read(clip, dtype="float32")
        for number, step in enumerate(STEPS[name], 1):
            seed = entropy(0, path.name, (name, k, number))
            random.seed(seed)
            np.random.seed([seed >> shift & 0xFFFFFFFF for shift in range(0, 128, 32)])  # noqa: NPY002
            given = {key: value for key, value in step.items() if key != "transform"}
            samples = getattr(audiomentations, step["transform"])(**given)(samples, rate)
        target = Path(out) / f"{path.stem}.{name}_{k}.wav"
        soundfile.write(target, samples, rate, subtype="PCM_16")


def loop(name: str, clips: Path, out: Path, copies: int) -> None:
    """The script: two processes, a clip at a time."""
    sources = sorted(map(str, clips.glob("*.flac")))
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        done = [pool.submit(plain, name, clip, str(out), copies) for clip in sources]
        for one in done:
            one.result()


class Bench:
    """The recipes' files and the seconds of each call."""

    def __init__(self, tmp: Path, clips: Path, names: Sequence[str]) -> None:
        self.tmp, self.clips = tmp, clips
        self.times: dict[tuple[str, str, int], list[float]] = {}
        for name in set(names) - {SHIPPED}:
            (tmp / f"{name}.toml").write_text(toml(STEPS[name]))

    def words(self, who: str, name: str, copies: int) -> list[str]:
        places = [str(self.clips), str(self.tmp / who)]
        if who == "plain":
            return [sys.executable, __file__, "--loop", name, *places, str(copies)]
        recipe = name if name == SHIPPED else str(self.tmp / f"{name}.toml")
        asked = ["--recipe", recipe, "--copies", str(copies), "-q"]
        return [sys.executable, "-m", "mgrkit", "augment", *places, *asked, "-j", "16"]

    def measure(self, who: str, name: str, copies: int) -> None:
        out = self.tmp / who
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        begin = time.perf_counter()
        subprocess.run(self.words(who, name, copies), check=True)
        spent = time.perf_counter() - begin
        made, wanted = len(list(out.glob("*.wav"))), copies * len(list(self.clips.glob("*.flac")))
        if made != wanted:
            sys.exit(f"{made} copies of {wanted} by {who}")
        self.times.setdefault((who, name, copies), []).append(spent)
        print(f"{name}, {copies} copies, {who}: {spent:.2f} s", file=sys.stderr, flush=True)

    def compare(self, name: str) -> str:
        """That both have made the same samples; how many of them."""
        import numpy as np
        import soundfile

        with (self.tmp / "ours" / "tracks.csv").open(newline="") as file:
            paths = [row["path"] for row in csv.DictReader(file) if row["gain"] == "1.0"]
        for path in paths:
            ours, theirs = (soundfile.read(self.tmp / who / path, dtype="int16")[0]
                            for who in ("ours", "plain"))  # fmt: skip
            # soundfile rounds by 32767, mgrkit by 32768.
            if ours.shape != theirs.shape or np.abs(ours.astype(int) - theirs).max() > 1:
                sys.exit(f"{name}: {path} is another sound")
        return f"{len(paths)} of {len(paths)} copies without a gain of the same samples"

    def row(self, name: str) -> str:
        ours, theirs = (
            {copies: self.times[who, name, copies] for copies in (FEW, MANY)}
            for who in ("ours", "plain")
        )
        whole = [a / b for a, b in zip(ours[MANY], theirs[MANY], strict=True)]
        few = [a / b for a, b in zip(ours[FEW], theirs[FEW], strict=True)]
        each = [
            (a - b) / (c - d)
            for a, b, c, d in zip(ours[MANY], ours[FEW], theirs[MANY], theirs[FEW], strict=True)
        ]
        count = len(list(self.clips.glob("*.flac")))
        seconds = (median(times[MANY]) for times in (ours, theirs))
        return (
            f"**{median(whole):.2f} x** ({min(whole):.2f} to {max(whole):.2f}; {count * MANY} "
            f"copies, {' and '.join(f'{one:.1f} s' for one in seconds)}); {median(few):.2f} x "
            f"with {count} copies; {median(each):.2f} x a copy without start-up"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=STEPS, default=list(STEPS), metavar="NAME")
    parser.add_argument("--record", action="store_true", help="put them into docs/figures.csv")
    parser.add_argument("--loop", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.loop:
        name, clips, out, copies = asked.loop
        loop(name, Path(clips), Path(out), int(copies))
        return
    ram = Path("/dev/shm")  # where there is one, no disk counts for anybody
    with tempfile.TemporaryDirectory(dir=ram if ram.is_dir() else None) as tmp:
        bench = Bench(Path(tmp), DATA / "gtzan" / "clips", asked.only)
        found = []
        for name in asked.only:
            turns = [(who, copies) for copies in (FEW, MANY) for who in ("ours", "plain")]
            for turn in range(asked.rounds):
                for who, copies in turns if turn % 2 == 0 else reversed(turns):
                    bench.measure(who, name, copies)
            # What was made last has few copies of both, or many.
            print(bench.compare(name), file=sys.stderr)
            transforms = ", ".join(step["transform"] for step in STEPS[name])
            what = f"a recipe of {transforms} against a plain loop of them on two processes"
            found.append((what, ASKED, bench.row(name)))
            print(f"| {' | '.join(found[-1])} |", flush=True)
        if asked.record:
            record("recipes", found)


if __name__ == "__main__":
    main()
