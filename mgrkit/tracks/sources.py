"""SRC and DATA as they are given: a folder, a table of files, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mgrkit.errors import RunError, UsageError
from mgrkit.files.remote import RemotePath
from mgrkit.tracks.lineage import Lineage
from mgrkit.tracks.schema import TABLE
from mgrkit.tracks.table import is_table


@dataclass(frozen=True)
class Source:
    """A folder, or the files of it that a table lists.

    Parameters
    ----------
    folder : what all paths are relative to.
    table : whose rows name the files; None takes all files of the folder, of which its own
        ``tracks.csv`` says what it knows.
    """

    folder: Path
    table: Path | None = None

    @classmethod
    def of(cls, path: Path, table: Path | None = None) -> Source:
        """The folder or the table at ``path``, or the folder with a table from elsewhere.

        Raises
        ------
        UsageError : a table with anything but a folder, what is no table, or one in a store that
            is not CSV.
        RunError : the table is not there.
        """
        if table is None:
            is_list = is_table(path) and not path.is_dir()
            if is_list and isinstance(path, RemotePath) and path.suffix.lower() != ".csv":
                raise UsageError(f"{path} is no CSV file", "of a store, or get it by --table")
            return cls(path.parent, path) if is_list else cls(path)
        if path.exists() and not path.is_dir():
            raise UsageError(
                f"--table goes with a folder, not with {path}", "the folder that its paths are in"
            )
        if not table.is_file():
            raise RunError(f"there is no table {table}", "--table takes a CSV or Parquet file")
        if not is_table(table):
            raise UsageError(f"--table is no table: {table}", "CSV or Parquet")
        return cls(path, table)

    def lineage(self, added: Sequence[str] = ()) -> Lineage:
        """What the table, or the folder's own, says; raises what `Lineage.read` does.

        Parameters
        ----------
        added : columns of a command, which those of the table give way to.

        Raises
        ------
        RunError : the table has no row of a file that can be used.
        """
        lineage = Lineage.read(self.folder, added, table=self.table)
        if self.table and not lineage.rows:
            why = "; ".join(lineage.notes) or f"one row a file, with a column path, as {TABLE} has"
            raise RunError(f"{self.table} lists no files", why)
        return lineage


def check_data(data: Sequence[Path], table: Path | None) -> None:
    """See that DATA is there, and one folder of it where a table of its files is given.

    Raises
    ------
    RunError : one of DATA is not there.
    UsageError : there are several folders, or none.
    """
    for path in data:
        if not path.exists():
            raise RunError(f"there is no {path}", "DATA is a table, or a folder by genre")
    check_one_folder(data, table)


def check_one_folder(data: Sequence[Path], table: Path | None) -> None:
    """Raise UsageError if a table is given, but not with exactly one folder among DATA."""
    folders = [path for path in data if path.is_dir()]
    if table and len(folders) != 1:
        given = "none is given" if not folders else f"{len(folders)} are given"
        raise UsageError(f"--table goes with one folder, {given}", "the folder of its files")
