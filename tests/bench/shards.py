"""How long it takes to unite shards: ``python tests/bench/shards.py``.

Four shards of 100,000 files each, made without sound, in one folder; `mgrkit merge` reads their
journals, sees that each file is there, and writes the one table.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mgrkit.batch import FolderSink
from mgrkit.batch.journalfiles import Record
from mgrkit.batch.merging import merge
from mgrkit.files.shards import Shard
from mgrkit.tracks.schema import COLUMNS

SETTINGS = {"command": "spectrograms", "settings": "0123456789ab"}


def make(out: Path, shard: Shard, files: int) -> None:
    """The files and the journal of one shard, as a run leaves them."""
    sink = FolderSink(out, SETTINGS, shard=shard)
    sink.open([*COLUMNS, "peak_db"])
    (out / str(shard.number)).mkdir()
    for number in range(files):
        path = f"{shard.number}/{number:06}.png"
        (out / path).write_bytes(b"picture")
        status = (out / path).stat()
        row = {
            "path": path, "genre": "rock", "group": "an artist", "split": "train", "start": 0.0,
            "seconds": 30.0, "rate": 22050, "channels": 1, "kind": "mel", "status": "ok",
            "reason": "", "source": f"{path}.mp3", "settings": "0123456789ab", "peak_db": 31.4159,
        }  # fmt: skip
        done = [(path, status.st_size, status.st_mtime_ns)]
        sink.journal.done(f"{path}.mp3\tabcdef\tmel", Record([7, 1], done, [row]))
    sink.end(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000, help="of each shard")
    parser.add_argument("--record", action="store_true", help="write it into docs/figures.csv")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        out = Path(temp)
        for number in range(1, 5):
            make(out, Shard(number, 4), asked.files)
        wall, cpu = time.perf_counter(), time.process_time()
        merged = asyncio.run(merge(FolderSink(out, SETTINGS), []))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert merged.is_complete, merged
    assert merged.made == 4 * asked.files, merged
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    measured = f"**{wall:.1f} s** by the clock, {cpu:.1f} s of CPU, {peak:.0f} MB"
    print(measured)
    if asked.record:
        from tests.bench.record import record

        record("speed", [(f"merge of 4 x {asked.files:,} rows", "20 s / 8 s", measured)])


if __name__ == "__main__":
    main()
