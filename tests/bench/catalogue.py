"""What whole collections cost, as a Markdown table: ``python tests/bench/catalogue.py [ROW...]``.

Made tables of FMA's full shape (106,574 tracks, 243 MB of ``tracks.csv``; 3 GB of TMPDIR with
``features.csv``), and 1,000 made files as long as GTZAN's (1.3 GB). Each row is a process of its
own: its seconds and CPU seconds without imports, the median of the rounds, and the most memory it
held at once, imports and mapped files included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 3
ASKED = {
    "a table read, split by artist and audited": "10 s, 1 GB",
    "1,000 clips imported and checked": "1.3 x of decoding",
}


def read_tracks(folder: Path) -> Any:
    from mgrkit.tracks.fma.metadata import read_fma

    return read_fma(folder, "full", [])


def read_first(folder: Path) -> Any:
    from mgrkit.tracks.fma.metadata import read_fma

    return read_fma(folder, "full", [], "first")


def numbers_of(path: Path, start: str) -> Any:
    """The columns whose names begin so, as ``train --columns`` reads them."""
    from mgrkit.datasets.wide import ROW, WideTable
    from mgrkit.tracks.fma.headed import INDEX

    table = WideTable.of(path)
    names = [name for name in table.columns if name != INDEX and name.startswith(start)]
    return table.numbers(names, table.texts([INDEX])[ROW])


def read_features(folder: Path) -> Any:
    return numbers_of(folder / "features.csv", "")


def read_mfcc(folder: Path) -> Any:
    return numbers_of(folder / "features.csv", "mfcc_")


def read_echonest(folder: Path) -> Any:
    return numbers_of(folder / "echonest.csv", "audio_features_")


def split_and_audit(folder: Path) -> Any:
    from mgrkit.commands.audit import audit
    from mgrkit.commands.split import SplitSettings, split

    made = folder / "split.csv"
    split(folder / "whole.csv", made, SplitSettings("grouped"), replace_out=True)
    assert not audit(made).exit_code
    return made.read_bytes().splitlines()[1:]


def decode(folder: Path) -> Any:
    import soundfile

    return [soundfile.read(path, dtype="float32")[0].size for path in folder.glob("gtzan/*/*.wav")]


def import_and_check(folder: Path) -> Any:
    import shutil

    from mgrkit.batch import Options
    from mgrkit.commands.check import check
    from mgrkit.commands.collect import CollectSettings, collect

    songs, table = folder / "gtzan", folder / "gtzan" / "tracks.csv"
    shutil.rmtree(songs / ".mgrkit", ignore_errors=True)
    (songs / "checked.csv").unlink(missing_ok=True)
    collect(CollectSettings("gtzan", replace=True), songs, table)
    checked = check(table, songs / "checked.csv", options=Options(workers=1), replace=True)
    assert checked.summary.made == 1000
    return range(checked.summary.made)


ROWS: dict[str, Callable[[Path], Any]] = {
    "tracks.csv as a track table, genre_top": read_tracks,
    "the same, every track with a genre": read_first,
    "features.csv, 518 columns": read_features,
    "features.csv, mfcc": read_mfcc,
    "echonest.csv, audio features": read_echonest,
    "a table read, split by artist and audited": split_and_audit,
    "1,000 clips decoded by soundfile": decode,
    "1,000 clips imported and checked": import_and_check,
}


def child(name: str, folder: Path) -> None:
    """Print seconds, CPU seconds, megabytes and the rows of what was read."""
    import polars  # noqa: F401  # not part of what is measured

    cpu, start = time.process_time(), time.perf_counter()
    found = ROWS[name](folder)
    spent = time.perf_counter() - start, time.process_time() - cpu
    # ru_maxrss would hold what the parent had in memory when it forked.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(*spent, peak, len(found))


def make(folder: Path) -> None:
    from tests.tracks.made_fma import FULL, make_fma

    make_fma(folder, tracks=FULL, features=FULL, echonest=13_129, bio=28)
    make_table(folder / "whole.csv", FULL)
    make_clips(folder / "gtzan")


def make_table(path: Path, rows: int) -> None:
    """Tracks of artists with six each, of sixteen genres."""
    import polars as pl

    number = pl.Series(range(rows))
    text = number.cast(pl.String).str.zfill(6)
    frame = pl.DataFrame({"path": text.str.slice(0, 3) + "/" + text + ".mp3"})
    artist = number // 6
    frame = frame.with_columns(
        genre="genre " + (artist % 16).cast(pl.String),
        artist="artist " + artist.cast(pl.String),
        title="song " + text,
    )
    frame.write_csv(path)


def make_clips(folder: Path) -> None:
    import numpy as np
    import soundfile

    draw = np.random.default_rng(0)
    for genre in ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop",
                  "reggae", "rock"):  # fmt: skip
        (folder / genre).mkdir(parents=True)
        for number in range(100):
            sound = draw.normal(0, 3000, 661_794).astype(np.int16)
            soundfile.write(folder / genre / f"{genre}.{number:05}.wav", sound, 22_050)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--record", action="store_true", help="write them into docs/figures.csv")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        child(asked.child[0], Path(asked.child[1]))
        return
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")])}
    figures = []
    with tempfile.TemporaryDirectory() as temp:
        make(Path(temp))
        print("| | s | CPU s | MB | rows |\n|---|---|---|---|---|")
        for name in asked.rows or ROWS:
            command = [sys.executable, __file__, "--child", name, temp]
            runs = [
                subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
                for _ in range(ROUNDS)
            ]
            values = [[float(word) for word in run.stdout.split()] for run in runs]
            wall, cpu, peak, rows = (median(column) for column in zip(*values, strict=True))
            print(f"| {name} | {wall:.2f} | {cpu:.2f} | {peak:,.0f} | {rows:,.0f} |", flush=True)
            figures.append((name, ASKED.get(name, "-"), f"{cpu:.2f} s of CPU, {peak:,.0f} MB"))
    if asked.record:
        from tests.bench.record import record

        record("collections", figures)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
