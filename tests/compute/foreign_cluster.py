"""A cluster of somebody else's: a process with a scheduler, and workers of their own processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

CODE = """
import asyncio, json, os, sys
from distributed import LocalCluster

async def main():
    async with LocalCluster(
        n_workers=int(sys.argv[1]), threads_per_worker=1, asynchronous=True, host="127.0.0.1",
        dashboard_address="127.0.0.1:0", scheduler_kwargs={"dashboard": False}, memory_limit=0,
        silence_logs=50,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

if __name__ == "__main__":
    asyncio.run(main())
"""


@contextlib.contextmanager
def foreign(folder: Path, workers: int, **env: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the scheduler, and the process that it is in.

    Parameters
    ----------
    folder : for a file.
    env : variables of the workers.
    """
    script = folder / "foreign.py"  # its workers are started from a file
    script.write_text(CODE)
    process = subprocess.Popen(
        [sys.executable, str(script), str(workers)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        env={**os.environ, **env},
    )  # fmt: skip
    assert process.stdout
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("tcp://")
        yield address, process
    finally:
        try:
            process.communicate("", timeout=20)
        except (subprocess.TimeoutExpired, ValueError):
            process.kill()
            process.wait()
