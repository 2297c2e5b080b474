"""Kill a writer again and again at random moments, and look at its folder after each kill.

The same harness judges the engine and, as a negative control, a naive writer.
"""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ITEMS = 150

ENGINE = """
import asyncio, sys
from pathlib import Path
from mgrkit.batch import FolderSink, Options, run
from tests.batch import toys
if __name__ == "__main__":
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    sink = FolderSink(out, {"seed": 0})
    summary = asyncio.run(run(toys.items(source), toys.copy, sink, toys.COLUMNS, Options(16)))
    raise SystemExit(summary.exit_code)
"""

NAIVE = """
import hashlib, sys, time
from pathlib import Path
source, out = Path(sys.argv[1]), Path(sys.argv[2])
out.mkdir(exist_ok=True)
for path in sorted(source.iterdir()):
    target = out / f"{path.name}.out"
    if target.exists():
        continue
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with target.open("w") as file:
        file.write(digest[:32]); file.flush(); time.sleep(0.01); file.write(digest[32:])
(out / "tracks.csv").write_text("path\\n")
"""


class BrokenPromiseError(AssertionError):
    """The writer broke a promise."""


def expected(source: Path) -> dict[str, str]:
    """Every output by name."""
    return {
        f"{path.name}.out": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(source.iterdir())
    }


def finished(out: Path) -> dict[str, int]:
    """The outputs that the journal calls finished, with their mtime_ns."""
    done = {}
    for journal in (out / ".mgrkit" / "journal").glob("*.jsonl"):
        for line in journal.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            done.update({path: time_ns for path, _, time_ns in entry.get("out", ())})
    return done


def look(out: Path, right: dict[str, str], before: dict[str, int]) -> dict[str, int]:
    """Check the folder after a kill; returns what is finished now."""
    for path in out.glob("*.out"):
        if path.read_text() != right[path.name]:
            raise BrokenPromiseError(f"a partial file is visible: {path.name}")
    done = finished(out)
    for name, time_ns in before.items():
        if done.get(name) != time_ns:
            raise BrokenPromiseError(f"finished before, but redone or forgotten: {name}")
    for name, time_ns in done.items():
        if (out / name).stat().st_mtime_ns != time_ns:
            raise BrokenPromiseError(f"finished by the journal, not by the file: {name}")
    return done


def torture(writer: str, source: Path, out: Path, kills: int, seed: int) -> int:
    """Kill ``writer`` until it was killed ``kills`` times; then let it finish and compare.

    A run that ends before its kill starts over in an empty folder's place: one output and
    the table are deleted, so that there is work again. Returns the number of kills.
    """
    rng = random.Random(seed)
    right = expected(source)
    before: dict[str, int] = {}
    killed = 0
    while killed < kills:
        process = start(writer, source, out)
        wait_for_growth(process, out)
        time.sleep(rng.uniform(0, 0.12))
        if process.poll() is None:
            process.kill()
            killed += 1
        process.wait()
        before = look(out, right, before)
        if len(before) == len(right):
            for name in rng.sample(sorted(before), len(before) // 2):
                (out / name).unlink()
                del before[name]
    if start(writer, source, out).wait(60) != 0:
        raise BrokenPromiseError("it did not finish after the last kill")
    look(out, right, before)
    if {path.name for path in out.iterdir()} != {*right, "tracks.csv", ".mgrkit"}:
        raise BrokenPromiseError("something is missing or left over")
    return killed


def start(writer: str, source: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", writer, str(source), str(out)], cwd=ROOT)


def wait_for_growth(process: subprocess.Popen[bytes], out: Path) -> None:
    """Until the writer has done something in this run, or has ended."""
    began = time.time_ns()
    while process.poll() is None and time.time_ns() - began < 5e9:
        if any(path.stat().st_mtime_ns > began for path in _recent(out)):
            return
        time.sleep(0.002)


def _recent(out: Path) -> list[Path]:
    return [path for path in [out, *out.glob(".mgrkit/journal/*.jsonl")] if path.exists()]
