"""``mgrkit data import``: a collection as it is published, or anybody's, as a track table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.commands.collecting import NO_FILE, Found, by_folder, by_table, of_fma, of_gtzan
from mgrkit.commands.looking import Row
from mgrkit.compute.stopping import stop_signals
from mgrkit.errors import RunError, Stopped, UsageError, nearest
from mgrkit.files.archives import extract, is_archive, without_suffix
from mgrkit.files.downloads import Progress, download
from mgrkit.files.published import Published
from mgrkit.inputs.kinds import PICTURES
from mgrkit.tracks.balance import Balance, balance
from mgrkit.tracks.collections.lookup import find_collection
from mgrkit.tracks.find import SOUND, Search
from mgrkit.tracks.fma.tree import RULES
from mgrkit.tracks.lineage import as_written
from mgrkit.tracks.schema import CATALOGUE, TABLE
from mgrkit.tracks.table import is_table, write_tracks

if TYPE_CHECKING:
    import polars as pl

FMA = ("fma-small", "fma-medium", "fma-large", "fma-full")
NAMES = ("gtzan", *FMA, "folder", "table", "pictures")
_METADATA = "fma_metadata"


@dataclass(frozen=True)
class CollectSettings:
    """What to import, and how.

    Parameters
    ----------
    name : of `NAMES`.
    download : fetch what is published into SRC.
    mirrors : addresses of folders that hold the same files.
    replace : write a table anew that is there.
    columns : of a table, by ``path``, ``genre``, ``artist`` and ``split``, where they are called
        otherwise.
    genres : of FMA's tracks, one of `mgrkit.tracks.fma.tree.RULES`.
    """

    name: str
    download: bool = False
    mirrors: tuple[str, ...] = ()
    replace: bool = False
    columns: tuple[tuple[str, str], ...] = ()
    genres: str = RULES[0]

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            hint = nearest(self.name, NAMES, "there are")
            raise UsageError(f"there is no collection {self.name!r}", hint)
        if self.download and not self._published:
            raise UsageError(f"--download: {self.name} is published nowhere", "give SRC")
        if self.mirrors and not self.download:
            raise UsageError("--mirror goes with --download")
        if self.columns and self.name != "table":
            raise UsageError(f"columns are those of a table, not of {self.name}")
        if self.genres not in RULES:
            hint = nearest(self.genres, RULES, "there are")
            raise UsageError(f"there is no --genres {self.genres!r}", hint)
        if self.genres != RULES[0] and self.name not in FMA:
            raise UsageError(f"--genres goes with FMA, not with {self.name}")

    @property
    def _form(self) -> str:
        return self.name.removeprefix("fma-") if self.name in FMA else "original"

    @property
    def _published(self) -> tuple[Published, ...]:
        if self.name != "gtzan" and self.name not in FMA:
            return ()
        forms = find_collection(self.name.partition("-")[0]).forms
        return next(form.downloads for form in forms if form.name == self._form)


@dataclass(frozen=True)
class Collected:
    """What was imported.

    Parameters
    ----------
    table : where the track table lies.
    balance : of the rows that can be used.
    reasons : how many rows failed, by the first word of the reason.
    notes : what a person should know, one line each.
    missing : ids of tracks of the collection that have no file.
    extra : files that are no track of it, or a track that another file is, too.
    """

    table: Path
    rows: int
    balance: Balance
    reasons: dict[str, int]
    notes: tuple[str, ...]
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 when a row failed."""
        return 1 if self.reasons else 0

    def as_json(self) -> dict[str, Any]:
        """The same for JSON."""
        return {
            "table": str(self.table),
            "rows": self.rows,
            "failed": sum(self.reasons.values()),
            "reasons": self.reasons,
            **self.balance.as_json(),
            "notes": list(self.notes),
            "missing": list(self.missing),
            "extra": list(self.extra),
            "exit_code": self.exit_code,
        }


def collect(
    settings: CollectSettings,
    source: Path | None = None,
    out: Path | None = None,
    progress: Progress = lambda *_: None,
) -> Collected:
    """Write the track table of a collection. Its sound is not opened, nor copied.

    Parameters
    ----------
    source : a folder, an archive, which is extracted into the folder of ``out``, or, for
        ``table``, a table. With ``download`` the folder for what is fetched. Default: the
        folder of the collection's name.
    out : the table; paths in it are relative to it. Default: ``tracks.csv`` in the source, beside
        a table, or in a folder of the archive's name beside that.

    Raises
    ------
    UsageError : a wrong call, or ``out`` is there.
    RunError : the source is not there or holds nothing of it, all of it are Git LFS pointers,
        an archive or a download fails, or the table cannot be written.
    Stopped : a person ended it; the same call goes on from there.
    """
    source = source or Path(settings.name)
    out = out or _default(source)
    _check_call(settings, source, out)
    if not settings.download and not source.exists():
        raise RunError(f"there is no {source}", "give SRC, or --download it")
    with stop_signals() as stop_requested:

        def reported(step: str, done: int, total: int) -> None:
            if stop_requested():
                raise Stopped("stopped; the same command goes on from there")
            progress(step, done, total)

        def of_bytes(step: str, done: int, total: int) -> None:
            reported(f"{step} ({total / 1e6:,.0f} MB)", done, total)

        if settings.download:
            for one in settings._published:
                download(one, source, settings.mirrors, of_bytes)
        root = _unpacked(settings, source, out, of_bytes)
        notes: list[str] = []
        rows, missing, extra = _rows(settings, source, root, out, notes, reported)
    if not rows:
        raise RunError(f"nothing of {settings.name} is in {source}", "; ".join(notes) or NO_FILE)
    return _written(rows, root, out, notes, missing, extra)


def _default(source: Path) -> Path:
    if is_archive(source) and not source.is_dir():
        return source.parent / without_suffix(source.name) / TABLE
    return (source.parent if source.is_file() else source) / TABLE


def _check_call(settings: CollectSettings, source: Path, out: Path) -> None:
    if not is_table(out) or out.name.lower().endswith(".gz") or out.is_dir():
        raise UsageError(f"OUT is no table: {out}", "its name ends in .csv or .parquet")
    if settings.download and source.is_file():
        raise UsageError(f"--download: SRC is a file: {source}", "give the folder to fetch into")
    if out.exists() and not settings.replace:
        raise UsageError(f"{out} is there", "--replace writes it anew, or give another OUT")


def _unpacked(settings: CollectSettings, source: Path, out: Path, progress: Progress) -> Path:
    """The folder of the files, once archives in it, or as which it is given, are extracted."""
    if settings.name == "table":
        if source.is_dir():
            raise UsageError(f"SRC is a folder: {source}", "import table takes a CSV or Parquet")
        return source.parent
    if source.is_dir():
        for one in settings._published:
            if (source / one.name).is_file():
                extract(source / one.name, source, progress)
        return source
    if not is_archive(source):
        raise UsageError(f"SRC is neither a folder nor an archive: {source}", "zip, tar or tar.gz")
    extract(source, out.parent, progress)
    beside = source.parent / f"{_METADATA}.zip"
    if settings.name in FMA and beside.is_file():
        extract(beside, out.parent, progress)
    return out.parent


def _rows(
    settings: CollectSettings,
    source: Path,
    root: Path,
    out: Path,
    notes: list[str],
    progress: Progress,
) -> Found:
    """The rows, with paths relative to ``root``; what is missing, and what is there besides."""
    if settings.name == "gtzan":
        return of_gtzan(root, notes)
    if settings.name in FMA:
        metadata = _metadata(source, root)
        return of_fma(root, metadata, settings._form, settings.genres, notes)
    if settings.name == "table":
        return by_table(source, dict(settings.columns), notes), [], []
    search = Search(PICTURES) if settings.name == "pictures" else SOUND
    read = partial(progress, "reading tags")
    return by_folder(root, search, out, notes, read), [], []


def _metadata(source: Path, root: Path) -> Path:
    places = (root, source.parent, Path(os.path.abspath(root)).parent)
    for place in places:
        if (place / _METADATA / "tracks.csv").is_file():
            return place / _METADATA
    raise RunError(
        f"there is no {_METADATA} in {root} or beside it",
        f"FMA's genres and artists are there: put {_METADATA}.zip into the same folder",
    )


def _written(
    rows: list[Row],
    root: Path,
    out: Path,
    notes: list[str],
    missing: Sequence[str],
    extra: Sequence[str],
) -> Collected:
    way = _way(root, out)
    paths = {row["path"] for row in rows}
    for row in rows:
        row["path"] = as_written(way(row["path"]))
        if (parent := row.get("parent", "")) in paths or "/" in parent:
            row["parent"] = as_written(way(parent))
    frame = _frame(rows)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_tracks(out, frame)
    good = [row for row in rows if row.get("status") != "failed"]
    reasons = Counter(r["reason"].partition(":")[0] for r in rows if r.get("status") == "failed")
    if any(row["path"].startswith("../") for row in rows):
        notes.append(
            "files lie outside the folder of the table: commands that make files from it refuse "
            "that; put OUT into the folder of the sound, or above it"
        )
    counts = balance([row["genre"] for row in good], [row.get("split", "") for row in good])
    return Collected(
        out, len(rows), counts, dict(reasons), tuple(notes), tuple(missing), tuple(extra)
    )


def _way(root: Path, out: Path) -> Callable[[str], str]:
    """From a path relative to a folder to one relative to the folder of the table."""
    try:
        way = Path(os.path.relpath(root, out.parent)).as_posix()
    except ValueError:  # Windows: another drive
        way = Path(os.path.abspath(root)).as_posix()
    return lambda path: path if way == "." or os.path.isabs(path) else f"{way}/{path}"


def _frame(rows: Sequence[Row]) -> pl.DataFrame:
    import polars as pl

    names = dict.fromkeys([*CATALOGUE, *(name for row in rows for name in row)])
    columns = {name: [row.get(name, "") for row in rows] for name in names}
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
