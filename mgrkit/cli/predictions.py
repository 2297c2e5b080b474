"""Predictions on stdout: text for people, JSON, JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from typing import Any

from mgrkit.cli.tables import print_json, printable
from mgrkit.errors import RunError

COLUMNS = (
    "path", "start", "seconds", "genre", "probability", "unsure", "genres", "model", "error",
)  # fmt: skip
"""Of CSV; ``start`` is empty in the row of the whole song, and filled in those of pieces."""


class Printer:
    """Prints each prediction as it comes, and a JSON list at the end.

    Parameters
    ----------
    form : 'text', 'json', 'jsonl' or 'csv'.
    """

    def __init__(self, form: str) -> None:
        if sys.stdout is None:
            raise RunError("stdout is closed, so results have nowhere to go")
        self._form = form
        self._rows: list[dict[str, Any]] = []
        self._csv = csv.DictWriter(
            sys.stdout, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n"
        )
        if form == "csv":
            self._csv.writeheader()

    def emit(self, row: dict[str, Any]) -> None:
        """Take one result of `mgrkit.commands.predict.predict`."""
        if self._form == "json":
            self._rows.append(row)
        elif self._form == "jsonl":
            print(json.dumps(row, ensure_ascii=True), flush=True)
        elif self._form == "csv":
            row = {**row, "path": printable(row["path"])}
            self._csv.writerow({**row, "genres": _pairs(row.get("genres", ()))})
            for piece in row.get("timeline", ()):
                self._csv.writerow({"path": row["path"], "model": row["model"], **piece})
            sys.stdout.flush()
        elif "error" not in row:
            print("\n".join(_text(row)), flush=True)

    def close(self) -> None:
        """Print what could not be printed before all was known."""
        if self._form == "json":
            print_json(self._rows)


def _text(row: dict[str, Any]) -> list[str]:
    best, *others = row["genres"]
    mark = "?" if row["unsure"] else ""
    first = f"{best['genre']}{mark} {best['probability']:.2f}"
    rest = ", ".join(f"{other['genre']} {other['probability']:.2f}" for other in others)
    lines = [f"{printable(row['path'])}: {first}{f' ({rest})' if rest else ''}"]
    return lines + [
        f"  {_clock(piece['start'])}  {piece['genre']} {piece['probability']:.2f}"
        for piece in row.get("timeline", ())
    ]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:3}:{rest:02}"


def _pairs(genres: Iterable[dict[str, Any]]) -> str:
    return " ".join(f"{one['genre']}={one['probability']}" for one in genres)
