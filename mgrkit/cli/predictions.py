"""Predictions on stdout: text for people, JSON, JSON lines or CSV."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from mgrkit.cli.stdout import results
from mgrkit.cli.tables import print_json, printable
from mgrkit.errors import ReaderGoneError, RunError
from mgrkit.tracks.lineage import as_written

COLUMNS = (
    "path", "start", "seconds", "genre", "probability", "unsure", "genres", "model",
    "warning", "error",
)  # fmt: skip
"""Of CSV; ``start`` is empty in the row of the whole song, and filled in those of pieces."""


@contextlib.contextmanager
def _reader() -> Iterator[None]:
    """While results are printed: an end of whoever reads them is the end of the run."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderGoneError("nobody reads the results any more") from None


class Printer:
    """Prints each prediction as it comes, and a JSON list at the end.

    Parameters
    ----------
    form : 'text', 'json', 'jsonl' or 'csv'.
    """

    def __init__(self, form: str) -> None:
        if results() is None:
            raise RunError("stdout is closed, so results have nowhere to go")
        self._form = form
        self._rows: list[dict[str, Any]] = []
        if form == "csv":
            with _reader():
                print(",".join(COLUMNS), file=results(), flush=True)

    def emit(self, row: dict[str, Any]) -> None:
        """Take one result of `mgrkit.commands.predict.predict`."""
        if self._form == "json":
            self._rows.append(row)
            return
        with _reader():
            if self._form == "jsonl":
                print(json.dumps(row, ensure_ascii=True), file=results(), flush=True)
            elif self._form == "csv":
                print("\n".join(_lines(row)), file=results(), flush=True)
            elif "error" not in row:
                print("\n".join(_text(row)), file=results(), flush=True)

    def close(self) -> None:
        """Print what could not be printed before all was known."""
        with _reader():
            if self._form == "json":
                print_json(self._rows)


def _lines(row: dict[str, Any]) -> Iterator[str]:
    """CSV of a result and of its pieces."""
    yield _line({**row, "genres": _pairs(row.get("genres", ()))})
    for piece in row.get("timeline", ()):
        yield _line({"path": row["path"], "model": row["model"], **piece})


def _line(row: dict[str, Any]) -> str:
    text = io.StringIO()
    # With this terminator a carriage return within a field is quoted, too.
    writer = csv.DictWriter(text, COLUMNS, "", extrasaction="ignore", lineterminator="\r\n")
    writer.writerow({k: as_written(v) if isinstance(v, str) else v for k, v in row.items()})
    return text.getvalue().removesuffix("\r\n")


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
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text:>7}"


def _pairs(genres: Iterable[dict[str, Any]]) -> str:
    return " ".join(f"{one['genre']}={one['probability']}" for one in genres)
