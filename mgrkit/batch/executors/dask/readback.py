"""What lost workers of a cluster have left in their journals."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from mgrkit.batch.journalfiles import Record, done_and_begun, is_written
from mgrkit.batch.sinks.base import Sink
from mgrkit.files.shards import Worker

_PATIENCE = 10.0
_TICK = 0.1


def journals(sink: Sink, call: str) -> list[Path]:
    """Those of all workers of a run."""
    path = sink.journal.path
    return list(path.parent.glob(f"{Worker.files_of(call)}.jsonl")) if path else []


async def let_go(files: list[Path]) -> None:
    """Wait until nobody writes to these, a while: a worker may live on, and only be cut off."""
    end = time.monotonic() + _PATIENCE
    while any(map(is_written, files)) and time.monotonic() < end:
        await asyncio.sleep(_TICK)


async def read_back(sink: Sink, worker: Worker) -> tuple[dict[str, Record], set[str] | None]:
    """What a lost worker has finished, and had begun; None where it keeps no journal."""
    if not (sink.at_worker() and sink.journal.path):
        return {}, None
    file = sink.journal.path.with_name(f"{worker.writer}.jsonl")
    if not file.exists():
        return {}, set()
    await let_go([file])
    return done_and_begun(file)
