"""Clusters of Dask for tests: a scheduler and workers that are processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


class Foreign:
    """A scheduler, and workers with their nannies; each worker has one thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", self.file)
        wait(self.file.exists)
        self.address: str = json.loads(self.file.read_text())["address"]

    def _start(self, what: str, *words: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-W", "ignore", "-m", "dask", what, "--no-dashboard"]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"}
        process = subprocess.Popen(
            [*command, *map(str, words)], cwd=self.folder, env=environment,
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._processes.append(process)
        return process

    def add_worker(self, *words: object) -> subprocess.Popen[bytes]:
        """Its nanny."""
        return self._start(
            "worker", "--scheduler-file", self.file, "--nthreads", "1", "--no-dashboard", *words
        )

    def workers(self) -> list[int]:
        """The processes that work, not their nannies."""
        nannies = {process.pid for process in self._processes[1:]}
        found = []
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                line = status.read_text()
                command = status.with_name("cmdline").read_bytes()
                parent = int(line.rpartition(")")[2].split()[1])
                if parent in nannies and b"spawn_main" in command:
                    found.append(int(line.partition(" ")[0]))
        return found

    def close(self) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()
            process.wait()


def wait(true: Callable[[], object], seconds: float = 60.0) -> None:
    """Until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


@contextlib.contextmanager
def foreign(folder: Path, workers: int) -> Iterator[Foreign]:
    """A cluster with so many workers, from its first one on."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = Foreign(folder)
    try:
        for _ in range(workers):
            cluster.add_worker()
        wait(lambda: len(cluster.workers()) == workers)
        yield cluster
    finally:
        cluster.close()
