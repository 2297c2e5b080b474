"""What a source holds, told by its bytes: whatever its file is called, and from a pipe too."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.table import PARQUET, is_table

PIPE = Path("stdin")
"""What a pipe is called."""
_GZIP, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT = 1 << 16


@dataclass(frozen=True)
class Content:
    """The bytes of a file or a pipe.

    Parameters
    ----------
    path : how messages and titles call it.
    data : as it would be without gzip and byte order mark.
    """

    path: Path
    data: bytes

    @classmethod
    def of(cls, path: Path, piped: bytes | None = None) -> Content:
        """What is in a file; or what came through a pipe, which is called ``path``.

        Raises
        ------
        UsageError : it is in UTF-16.
        RunError : it is empty, or no whole gzip.
        OSError : it cannot be read.
        """
        data = path.read_bytes() if piped is None else piped
        if data.startswith(_GZIP):
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError, zlib.error) as error:
                raise RunError(f"cannot read {path}: {error}", "it is no whole gzip") from None
        if data.startswith(_UTF_16):
            raise UsageError(f"{path} is text in UTF-16", "save it in UTF-8")
        data = data.removeprefix(_BOM)
        if not data.strip():
            raise RunError(f"{path} is empty", "there is nothing to show")
        return cls(path, data)

    @property
    def is_json(self) -> bool:
        """Whether it begins like JSON, and not like a table of odd columns."""
        return self.data.lstrip()[:1] in (b"{", b"[") and "path" not in self._first

    @property
    def is_table(self) -> bool:
        """Whether it is a table: by its name, as Parquet, or by a column ``path``."""
        return is_table(self.path) or self.data.startswith(PARQUET) or "path" in self._first

    @cached_property
    def _first(self) -> list[str]:
        """The cells of the first line, whatever stands between them."""
        line = self.data[:_LOOKED_AT].partition(b"\n")[0].decode("utf-8", "replace")
        return [cell.strip(' \r"') for mark in ",;\t" for cell in line.split(mark)]

    def begins(self, heads: Sequence[str]) -> bool:
        """Whether it is a CSV whose first columns are these."""
        return self.data.startswith(",".join(heads).encode())

    def rows(self) -> tuple[list[str], dict[int, dict[str, str]]]:
        """The columns of a CSV, and its rows by their number, of which 1 is the head.

        Those that `passed_over` tells are left out.

        Raises
        ------
        UsageError : it is no CSV in UTF-8, or one put behind another that has other columns.
        """
        heads, rows, _ = self._table
        return heads, rows

    @property
    def passed_over(self) -> list[str]:
        """What is to be said of a CSV: that a kill cut off its last row, or another one follows."""
        return self._table[2]

    @cached_property
    def _table(self) -> tuple[list[str], dict[int, dict[str, str]], list[str]]:
        try:
            with io.StringIO(self.data.decode(), newline="") as text:
                reader = csv.DictReader(text, restval=None)
                rows = list(reader)
                heads = list(reader.fieldnames or ())
        except (csv.Error, UnicodeDecodeError) as error:
            raise UsageError(f"{self.path} cannot be read: {error}", "CSV in UTF-8") from None
        notes = []
        if rows and None in rows[-1].values() and not self.data.endswith(b"\n"):
            rows.pop()  # it has neither all cells nor an end
            notes.append(f"{self.path}: the last row is cut off, and passed over")
        numbered = dict(enumerate(rows, 2))
        again = [number for number, row in numbered.items() if self._is_head(number, row)]
        if again:
            notes.append(f"{self.path}: {heads_again(len(again))}")
        whole = {
            number: {name: cell or "" for name, cell in row.items()}
            for number, row in numbered.items()
            if number not in set(again)
        }
        return heads, whole, notes

    def _is_head(self, number: int, row: dict[str, str]) -> bool:
        """Whether a row is a head again, as where one call's table was put behind another's."""
        if row.get("path") != "path":
            return False
        if all(name == cell for name, cell in row.items()):
            return True
        same = [name == cell for name, cell in row.items()]
        if 2 * sum(same) <= len(same):
            return False
        what = f"{self.path}: from row {number} on it is another table, with other columns"
        raise UsageError(what, "give each alone")

    def value(self) -> Any:
        """The only JSON value in it; None if there are several, or none."""
        try:
            return _value(self.data)
        except ValueError:
            return None

    def lines(self) -> tuple[list[Any], list[str]]:
        """The values of JSON lines, and what is to be said of those that are none.

        Whoever is killed leaves a torn last line, and goes on behind it; as of all files of lines,
        those that are none are passed over, and it is said.

        Raises
        ------
        UsageError : no line is JSON.
        """
        values, torn = [], []
        for number, line in enumerate(self.data.split(b"\n"), 1):
            if line.strip():
                try:
                    values.append(_value(line))
                except ValueError:
                    torn.append(number)
        if not values:
            raise UsageError(f"{self.path} is no JSON", "and none of its lines is")
        if not torn:
            return values, []
        lines = f"line {torn[0]} is" if len(torn) == 1 else f"{len(torn)} lines are"
        return values, [f"{self.path}: {lines} cut off or damaged, and passed over"]


def heads_again(rows: int) -> str:
    """What is to be said of rows that are the head again."""
    if rows == 1:
        return "a row repeats the head, and is passed over"
    return f"{rows} rows repeat the head, and are passed over"


@contextlib.contextmanager
def shaped(what: str, hint: str = "") -> Iterator[None]:
    """A context in which a value is read that should have known fields; else a UsageError."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise UsageError(what, hint) from None


def _value(text: bytes) -> Any:
    """The value of a JSON text.

    ValueError for what is none, for NaN and for numbers beyond those of computers, and for what is
    too deep.
    """
    try:
        return json.loads(text, parse_constant=_refused, parse_float=_float, parse_int=_int)
    except RecursionError:
        raise ValueError("too deep") from None


def _float(text: str) -> float:
    if math.isinf(number := float(text)):
        _refused(f"{text:.20}...")
    return number


def _int(text: str) -> int:
    _float(text)
    return int(text)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")
