"""Predictions on stdout: text for people, JSON, JSON lines or CSV.

The fields of a prediction are made by `mgrkit.models.prediction_fields`; here they are printed.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from mgrkit.cli.terminal.printing import print_json, printable
from mgrkit.cli.terminal.stdout import check_stdout, results
from mgrkit.errors import ReaderGoneError, UsageError
from mgrkit.files.outputs import check_output, starts_with
from mgrkit.files.replacing import replacing
from mgrkit.reports.verdicts import genre_columns
from mgrkit.tracks.lineage import as_written

COLUMNS = (
    "path", "kind", "start", "seconds", "genre", "probability", "unsure", "model", "warning",
    "error",
)  # fmt: skip
"""Of CSV, before a column for each genre; ``kind`` is song or piece."""


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
    only_unsure : print no verdict that is sure.
    pieces : of CSV, the file for a table of the songs' pieces; an older one is replaced.
    tags : whether CSV has a column for tags.

    Attributes
    ----------
    verdicts, unsure : how many it was given, and how many of them are unsure.

    Raises
    ------
    RunError : stdout is closed.
    UsageError : there is no folder for ``pieces``, or something else is there.
    """

    def __init__(
        self,
        form: str,
        *,
        only_unsure: bool = False,
        pieces: Path | None = None,
        tags: bool = False,
    ) -> None:
        check_stdout()
        if pieces:
            _check_pieces(pieces)
        self._form = form
        self._only_unsure = only_unsure
        self._pieces_path = pieces
        self._pieces: TextIO | None = None
        self.verdicts = self.unsure = 0
        self._rows: list[dict[str, Any]] = []
        self._tags = tags
        self._table = Table(())

    @contextlib.contextmanager
    def open(self, genres: Sequence[str]) -> Iterator[None]:
        """A context in which results of a model of these genres are taken."""
        self._table = Table(genres, tags=self._tags)
        with contextlib.ExitStack() as stack:
            if self._pieces_path:
                temp = stack.enter_context(replacing(self._pieces_path))
                self._pieces = stack.enter_context(temp.open("w", encoding="utf-8", newline=""))
                print(self._table.head, file=self._pieces)
            if self._form == "csv" and not _has(self._table.head):
                with _reader():
                    print(self._table.head, file=results(), flush=True)
            yield
            if self._form == "json":
                with _reader():
                    print_json(self._rows)

    def emit(self, row: dict[str, Any]) -> None:
        """Take one result of `mgrkit.commands.predict.predict`."""
        self.verdicts += "unsure" in row
        self.unsure += row.get("unsure", False)
        if self._only_unsure and row.get("unsure") is False:
            return
        if self._form == "json":
            self._rows.append(row)
            return
        if self._pieces:
            self._pieces.writelines(f"{line}\n" for line in self._table.pieces(row))
        with _reader():
            if self._form == "jsonl":
                print(json.dumps(row, ensure_ascii=True), file=results(), flush=True)
            elif self._form == "csv":
                print(self._table.song(row), file=results(), flush=True)
            elif "error" not in row:
                print("\n".join(_text(row)), file=results(), flush=True)


def _has(head: str) -> bool:
    """Whether stdout is a file that begins so, to which ``>>`` or an earlier call adds."""
    try:
        number = results().fileno()
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return False
        with open(f"/dev/fd/{number}", "rb") as file:
            return file.readline().rstrip(b"\r\n") == head.encode()
    except (OSError, ValueError):  # no descriptor, none that can be read, or no such place
        return False


def _check_pieces(path: Path) -> None:
    check_output(path, ".csv", "--pieces")
    if path.exists() and not starts_with(path, ",".join(COLUMNS).encode()):
        raise UsageError(f"{path} was not made by mgrkit predict", "give another --pieces")


class Table:
    """Results as lines of CSV, songs and pieces with the same columns."""

    def __init__(self, genres: Sequence[str], *, tags: bool = False) -> None:
        self._genres = dict(zip(genres, genre_columns(genres, COLUMNS), strict=True))
        self._columns = (*COLUMNS, *self._genres.values(), *(["tags"] if tags else ()))
        self.head = self._line(dict(zip(self._columns, self._columns, strict=True)))

    def song(self, row: Mapping[str, Any]) -> str:
        """A result of `mgrkit.commands.predict.predict`."""
        return self._verdict({"kind": "song", "start": None if "error" in row else 0.0}, row)

    def pieces(self, row: Mapping[str, Any]) -> list[str]:
        """The timeline of a result, if it has one."""
        of_piece = {"kind": "piece", "path": row["path"], "model": row.get("model")}
        return [self._verdict(of_piece, piece) for piece in row.get("timeline", ())]

    def _verdict(self, common: dict[str, Any], verdict: Mapping[str, Any]) -> str:
        genres = verdict.get("genres", ())
        shares = {self._genres[one["genre"]]: one["probability"] for one in genres}
        tags = "; ".join(f"{one['tag']} {one['value']:g}" for one in verdict.get("tags", ()))
        return self._line({**common, **verdict, **shares, "tags": tags})

    def _line(self, row: Mapping[str, Any]) -> str:
        text = io.StringIO()
        # With this terminator a carriage return within a field is quoted, too.
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([_cell(row.get(name)) for name in self._columns])
        return text.getvalue().removesuffix("\r\n")


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return as_written(value) if isinstance(value, str) else value


def _text(row: dict[str, Any]) -> list[str]:
    tags = ", ".join(f"{one['tag']} {one['value']:.2f}" for one in row.get("tags", ()))
    if "genres" not in row:
        return [printable(f"{row['path']}: {tags}")]
    best, *others = row["genres"]
    mark = "?" if row["unsure"] else ""
    first = f"{best['genre']}{mark} {best['probability']:.2f}"
    rest = ", ".join(f"{other['genre']} {other['probability']:.2f}" for other in others)
    lines = [f"{row['path']}: {first}{f' ({rest})' if rest else ''}"]
    lines += [f"  tags: {tags}"] if tags else []
    lines += [
        f"  {_clock(piece['start'])}  {piece['genre']} {piece['probability']:.2f}"
        for piece in row.get("timeline", ())
    ]
    return list(map(printable, lines))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text:>7}"
