#!/usr/bin/env bash
# Dask's client and scheduler keep the last 1,000 messages of each connection, arguments included.
#
# A task that is done, gathered and released is gone from all of Dask's tables, and its memory is
# expected to be free. But each end of a connection keeps what it sent last, whole, for people who
# debug: 1,000 batches of messages, by their number and not by their size. Small tasks that are
# submitted one after another with 100 kB of arguments cost the client 100 MB, and the scheduler
# 100 MB for the worker that it handed them to; with 1 MB it is ten times that. It looks like a leak,
# until it stops. The setting that bounds it speaks of logs: distributed.admin.low-level-log-length.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q distributed==2026.8.0
cat > seen.py <<'PYTHON'
import asyncio
import os
import subprocess
import sys
import time

import distributed

SIZE, TASKS = 100_000, 1_200


def megabytes(process: int) -> float:
    with open(f"/proc/{process}/status") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


async def main() -> tuple[float, float]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    file = f"{os.getpid()}.json"
    words = ["--port", "0", "--no-dashboard", "--scheduler-file", file]
    scheduler = subprocess.Popen([*dask, "scheduler", *words], **quiet)
    words = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--scheduler-file", file]
    worker = subprocess.Popen([*dask, "worker", *words], **quiet)
    try:
        while not os.path.exists(file):
            time.sleep(0.1)
        async with distributed.Client(scheduler_file=file, asynchronous=True) as client:
            await client.wait_for_workers(1)
            for number in range(TASKS + 50):
                if number == 50:
                    before = [megabytes(one) for one in (os.getpid(), scheduler.pid)]
                future = client.submit(len, os.urandom(SIZE), pure=False)
                assert await future.result() == SIZE
                future.release()
            await asyncio.sleep(1)
            assert not client.futures
            after = [megabytes(one) for one in (os.getpid(), scheduler.pid)]
    finally:
        worker.kill()
        scheduler.kill()
        worker.wait()
        scheduler.wait()
    return after[0] - before[0], after[1] - before[1]


client, scheduler = asyncio.run(main())
print(
    f"distributed {distributed.__version__}, low-level-log-length {sys.argv[1]}: {TASKS} tasks, done and"
    f" released, of {SIZE // 1000} kB: client {client:+.0f} MB, scheduler {scheduler:+.0f} MB"
)
if sys.argv[1] == "1000":
    assert client > 60
    assert scheduler > 60
else:
    assert client < 20
    assert scheduler < 20
PYTHON
for length in 1000 10; do
  DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH=$length venv/bin/python -W ignore seen.py $length
done

# Seen:
#   distributed 2026.8.0, low-level-log-length 1000: 1200 tasks, done and released, of 100 kB: client +93 MB, scheduler +94 MB
#   distributed 2026.8.0, low-level-log-length 10: 1200 tasks, done and released, of 100 kB: client +0 MB, scheduler +1 MB
