"""SIGKILL of a cluster's workers at random moments; 6 kills here, 200 in a nox session."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("distributed")
if not Path("/proc").is_dir():
    pytest.skip("workers are found in /proc", allow_module_level=True)

from mgrkit.batch import FolderSink, Options, run
from mgrkit.compute.cluster import Cluster
from tests.batch import toys
from tests.batch.clusters import Foreign, foreign

KILLS = min(200, int(os.environ.get("MGRKIT_KILLS", "6")))


class Killer(threading.Thread):
    """Kills one worker after another, until it is over."""

    def __init__(self, cluster: Foreign) -> None:
        super().__init__()
        self.cluster, self.over, self.kills = cluster, threading.Event(), 0
        self.seen: dict[int, float] = {}

    def run(self) -> None:
        chance = random.Random(1)
        while self.kills < KILLS and not self.over.wait(chance.uniform(0.05, 0.6)):
            if pids := self.grown_up():
                try:
                    os.kill(chance.choice(pids), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.kills += 1

    def grown_up(self) -> list[int]:
        """Workers that their nannies know: one that dies before that is not started again."""
        now = time.monotonic()
        return [pid for pid in self.cluster.workers() if now - self.seen.setdefault(pid, now) > 2]


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def test_killed_workers_cost_time_only(tmp_path: Path) -> None:
    source = toys.fill(tmp_path / "in", 60 * KILLS)
    for path in source.iterdir():
        path.write_text(path.read_text() + " slow")
    one, two = tmp_path / "one", tmp_path / "two"
    with foreign(tmp_path / "cluster", 2) as cluster:
        killer = Killer(cluster)
        killer.start()
        try:
            options = Options(cluster=Cluster.of(cluster.address))
            going = run(toys.items(source), toys.copy, FolderSink(one, {}), toys.COLUMNS, options)
            summary = asyncio.run(going)
        finally:
            killer.over.set()
            killer.join()
    assert killer.kills
    assert (summary.made, summary.failed) == (60 * KILLS, 0), "nobody is blamed"
    asyncio.run(run(toys.items(source), toys.copy, FolderSink(two, {}), toys.COLUMNS))
    assert contents(one) == contents(two)
    journal = (one / ".mgrkit" / "journal" / "0.jsonl").read_text().splitlines()
    keys = [line["done"] for line in map(json.loads, journal) if "done" in line]
    assert sorted(keys) == sorted(path.name for path in source.iterdir()), "each once"
