"""What a cluster costs and brings: ``python tests/bench/cluster.py``.

1. Spectrograms of 1,000 real clips by two workers of a cluster that is up, against two threads of
   one process: whole calls in turn, the median of their ratios.
2. 100,000 items that do nothing: milliseconds of the call for each, and by how much the client's
   memory grows between the first thousand and the last.
3. From these figures, from what a four-minute MP3 costs one core, and from what a disk gives, the
   time for 500,000 such songs on 1 to 1,000 cores, and where the client or the disk ends the gain.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench import DATA, MGRKIT
from record import record

from mgrkit.batch import FolderSink, Item, Options, run
from mgrkit.compute.cluster import Cluster
from tests.batch import toys
from tests.batch.clusters import foreign

SONGS, SECONDS = 500_000, 240.0
SONG_BYTES = SECONDS * 256_000 / 8
DISK = 1.0e9
"""Bytes a second that a shared disk gives: a good 10-gigabit network file system."""
START_UP = 30.0
"""Seconds until a batch system has its workers up; ours take 2."""


def clips(folder: Path, count: int) -> Path:
    """So many clips as hard links where that is possible."""
    sources = sorted((DATA / "gtzan" / "clips").glob("*.flac"))
    folder.mkdir()
    for number, source in zip(range(count), itertools.cycle(sources), strict=False):
        first = folder / f"{sources.index(source):04}.flac"
        target = folder / f"{number:04}.flac"
        if first == target:
            shutil.copyfile(source, target)
        else:
            os.link(first, target)
    return folder


def called(*words: object) -> float:
    """Seconds of a whole command."""
    began = time.perf_counter()
    subprocess.run([MGRKIT, *map(str, words), "--quiet"], check=True)
    return time.perf_counter() - began


def drawn(folder: Path, address: str, count: int, rounds: int) -> tuple[float, float, float]:
    """Seconds on the cluster and here, and the median of their ratios."""
    audio, out = clips(folder / "audio", count), folder / "out"
    ways = {"cluster": ("--cluster", address), "local": ("--workers", 2)}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name in sorted(ways, reverse=number % 2 == 0):
            seconds = called("spectrograms", audio, out, *ways[name])
            shutil.rmtree(out)
            if number:  # the first warms the disk
                times[name].append(seconds)
    ratios = [a / b for a, b in zip(times["cluster"], times["local"], strict=True)]
    return median(times["cluster"]), median(times["local"]), median(ratios)


def resident() -> int:
    """Bytes of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))


def idle(folder: Path, where: Cluster, count: int) -> tuple[float, float]:
    """Milliseconds for each item that does nothing, and bytes that the client grows by."""
    sizes = []

    def items() -> Iterator[Item]:
        for number in range(count):
            if number == 1000:
                sizes.append(resident())
            name = f"{number:07}"
            yield Item(name, "", {"path": f"{name}.out", "source": name})

    sink = FolderSink(folder / "idle", {})
    summary = asyncio.run(run(items(), toys.nothing, sink, toys.COLUMNS, Options(cluster=where)))
    assert summary.made == count
    shutil.rmtree(folder / "idle")
    return summary.seconds / count * 1000, resident() - sizes[0]


def song_seconds() -> float:
    """Seconds of one core for the picture of a four-minute MP3, by real music of that length."""
    import soundfile

    from mgrkit.audio import open_sound, pieces
    from mgrkit.frontend import front_end
    from mgrkit.spectrograms import render

    parts = [soundfile.read(path)[0] for path in sorted((DATA / "gtzan" / "clips").glob("*.flac"))]
    with tempfile.NamedTemporaryFile(suffix=".mp3") as file:
        import numpy as np

        sound = np.concatenate([part if part.ndim == 1 else part.mean(1) for part in parts])
        stereo = np.stack([sound, sound], 1)[: int(SECONDS * 22050)]
        assert len(stereo) == SECONDS * 22050
        import soxr

        soundfile.write(file.name, soxr.resample(stereo, 22050, 44100), 44100, format="MP3")
        times = []
        for _ in range(5):
            began = time.process_time()
            with open_sound(file.name) as opened:
                for piece in pieces(opened, 22050, None):
                    render(piece.samples, front_end())
            times.append(time.process_time() - began)
    return median(times)


def simulated(cost: float, overhead: float, cores: int) -> tuple[float, str]:
    """Hours for all songs, and what decides them."""
    limits = {
        "cores": SONGS * cost / cores,
        "client": SONGS * overhead,
        "disk": SONGS * SONG_BYTES / DISK,
    }
    by = max(limits, key=lambda name: limits[name])
    return (START_UP + limits[by]) / 3600, by


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=1000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="write it into docs/figures.csv")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        folder = Path(temp)
        with foreign(folder / "cluster", 2) as cluster:
            there, here, ratio = drawn(folder, cluster.address, asked.clips, asked.rounds)
            each, growth = idle(folder, Cluster.of(cluster.address), asked.items)
        own, own_growth = idle(folder, Cluster.of("local:2"), asked.items)
    of_local = f"local:2, whose scheduler is in the client, {own_growth / 1e6:.0f} MB"
    rows = [
        (
            f"spectrograms of {asked.clips:,} clips: two workers of a cluster against two threads",
            "1.30 x, aim 1.15",
            f"**{ratio:.2f} x** ({there:.1f} and {here:.1f} s)",
        ),
        (
            "an item that does nothing on a cluster, milliseconds",
            "0.4, aim 0.25",
            f"**{each:.3f}**; local:2 with its start {own:.3f}",
        ),
        (
            f"growth of the client over {asked.items:,} such items",
            "50 MB, aim 20",
            f"**{growth / 1e6:.0f} MB**; {of_local}",
        ),
    ]
    cost = song_seconds()
    print(f"a four-minute MP3 takes one core {cost:.2f} s")
    for cores in (1, 2, 4, 16, 64, 100, 250, 500, 1000):
        hours, by = simulated(cost, each / 1000, cores)
        what = f"{SONGS:,} four-minute MP3s on {cores} core{'s' * (cores > 1)}, simulated"
        rows.append((what, "-", f"{hours:.2f} h, by the {by}"))
    by_disk, by_client = cost / (SONG_BYTES / DISK), cost / (each / 1000)
    limits = f"**{by_disk:.0f}** by a disk of {DISK / 1e9:g} GB/s, {by_client:.0f} by one client"
    what = f"cores that {SONGS:,} four-minute MP3s keep busy, simulated"
    rows.append((what, "-", f"{limits}; a song takes a core {cost:.2f} s"))
    for what, goal, measured in rows:
        print(f"{what}: {measured} (asked {goal})")
    if asked.record:
        record("cluster", rows)


if __name__ == "__main__":
    main()
