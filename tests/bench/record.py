"""The figures of the docs: a row each in ``docs/figures.csv``, which benchmarks write."""

from __future__ import annotations

import csv
import datetime
import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures.csv"
COLUMNS = ("table", "what", "asked", "measured", "command", "date", "machine")


def record(table: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Put rows of what, asked and measured into the file, in the place of earlier ones."""
    command = " ".join(["python", f"tests/bench/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    with FIGURES.open(encoding="utf-8", newline="") as file:
        kept = {(row["table"], row["what"]): row for row in csv.DictReader(file)}
    for what, asked, measured in rows:
        values = (table, what, asked, measured, command, today, machine)
        kept[table, what] = dict(zip(COLUMNS, values, strict=True))
    with FIGURES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(kept.values())
