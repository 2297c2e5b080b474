"""``mgrkit report``: results as one HTML file, with small spectrograms and players beside them."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mgrkit.batch import Item, Options, Output, Report, StreamSink, Summary, Work, run, run_now
from mgrkit.batch.model import Row
from mgrkit.errors import ItemError, RunError, Stopped, UsageError
from mgrkit.reports.html.page import Page, check_report, write_page
from mgrkit.reports.html.sources import Beside, page_of
from mgrkit.reports.html.thumbnails import thumbnail
from mgrkit.reports.html.tracks import Tracks
from mgrkit.tracks.find import Finder
from mgrkit.tracks.identity import track_id
from mgrkit.tracks.lineage import as_called

PICTURES = 200
"""Rows with a small spectrogram at most, unless more are asked for."""
MOST_PICTURES = 2000
_COLUMNS = ("path", "status", "reason")


@dataclass(frozen=True)
class Reported:
    """What was written.

    Parameters
    ----------
    rows : of all tables of tracks.
    sounds : rows whose sound was found, and can be played.
    pictures : rows with a small spectrogram.
    summary : of the drawing of pictures.
    notes : what a person should know.
    """

    out: Path
    title: str
    rows: int
    sounds: int
    pictures: int
    summary: Summary
    notes: Sequence[str] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "command": "report",
            "out": str(self.out),
            "title": self.title,
            "rows": self.rows,
            "sounds": self.sounds,
            "pictures": self.pictures,
            "failed": self.summary.failed,
            "bytes": self.out.stat().st_size,
            "notes": list(self.notes),
            "exit_code": self.summary.exit_code,
        }


def report(
    source: Path,
    out: Path,
    *,
    beside: Beside | None = None,
    sound: Path | None = None,
    pictures: int = PICTURES,
    replace: bool = False,
    options: Options | None = None,
    told: Report | None = None,
    piped: bytes | None = None,
) -> Reported:
    """Write one page about a result, which asks no network and no other file but sounds.

    Parameters
    ----------
    source : what `mgrkit.reports.html.sources.page_of` takes.
    out : an .html file; another report there is replaced.
    beside : what belongs to the source.
    sound : the folder of the sound files, by whose paths, names or ids tracks are found; None
        looks for paths here and beside the source only.
    pictures : how many rows get a small spectrogram at most, 0 to 2,000: the first, or of judged
        tracks the hardest.
    replace : write over something else, too.
    piped : what came through a pipe, in place of the file ``source``.

    Raises
    ------
    UsageError : the source is nothing that can be shown, or the call is wrong.
    RunError : the source cannot be read, or ``out`` not written.
    Stopped : a person ended it; nothing was written.
    """
    if not 0 <= pictures <= MOST_PICTURES:
        raise UsageError(f"--pictures must be from 0 to {MOST_PICTURES:,}, not {pictures}")
    if sound is not None and not sound.is_dir():
        raise UsageError(f"--sound must be a folder, not {sound}")
    check_report(out, replace=replace)
    if piped is None and source.exists() and out.exists() and out.samefile(source):
        raise UsageError(f"--out is SRC: {out}", "give another --out")
    page = page_of(source, beside or Beside(), piped)
    places = _Places.of(source, sound)
    found = [places.files(tracks.names) for tracks in page.tracks]
    page = page.saying(_link(list(zip(page.tracks, found, strict=True)), out, sound))
    summary = _draw(list(zip(page.tracks, found, strict=True)), pictures, options, told)
    try:
        write_page(page, out)
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}", "give another --out") from None
    return _reported(page, out, summary)


def _link(
    tables: Sequence[tuple[Tracks, Mapping[int, Path]]], out: Path, sound: Path | None
) -> list[str]:
    """Give rows the addresses of their sounds; returns what is to be said of those not here.

    Where only some are not, their rows say it, too.
    """
    for tracks, files in tables:
        tracks.sounds |= {row: _address(file, out) for row, file in _played(tracks, files)}
    lost = [(tracks, row) for tracks, files in tables for row in tracks.first if row not in files]
    if not lost:
        return []
    where = f"in {sound}" if sound else "here; --sound FOLDER says where it is"
    if len(lost) == sum(len(tracks.first) for tracks, _ in tables):
        return [f"no player and no picture: the sound of no track is {where}"]
    for tracks, row in lost:
        tracks.failures[row] = "its sound was not found"
    which = "a row has" if len(lost) == 1 else f"{len(lost):,} rows have"
    return [f"{which} no player and no picture, as the sound is not {where}"]


def _reported(page: Page, out: Path, summary: Summary) -> Reported:
    tables = [tracks for tracks in page.tracks if tracks.first]
    rows = sum(len(tracks.names) for tracks in tables)
    sounds = sum(len(tracks.sounds) for tracks in tables)
    drawn = sum(len(tracks.pictures) for tracks in tables)
    return Reported(out, page.title, rows, sounds, drawn, summary, page.notes)


@dataclass(frozen=True)
class _Places:
    """Where sound is looked for: paths below folders, and by ids where a folder was named."""

    folders: Sequence[Path]
    known: Mapping[str, Path | None]

    @classmethod
    def of(cls, source: Path, sound: Path | None) -> _Places:
        if sound is None:
            return cls((Path(), source if source.is_dir() else source.parent), {})
        known: dict[str, Path | None] = {}
        for track in Finder([sound]):
            name = track_id(track.path)
            known[name] = None if name in known else Path(track.file)  # two of a name are none
        return cls((sound,), known)

    def files(self, names: Sequence[str]) -> dict[int, Path]:
        """By row the file of its track, where there is one."""
        both = ((row, self._file(name)) for row, name in enumerate(names))
        return {row: file for row, file in both if file is not None}

    def _file(self, name: str) -> Path | None:
        for folder in self.folders:
            for path in dict.fromkeys((folder / name, folder / as_called(name))):
                if "\0" not in name and os.path.isfile(path):
                    return path
        return self.known.get(name) or self.known.get(track_id(name)) if self.known else None


def _played(tracks: Tracks, files: Mapping[int, Path]) -> Iterator[tuple[int, Path]]:
    """Rows with a sound to listen to: neither pictures, nor what SRC says failed."""
    for row in sorted(tracks.first):
        if row in files and files[row].suffix.lower() != ".png":
            yield row, files[row]


def _address(file: Path, out: Path) -> str:
    """Of a file, from where the page lies."""
    relative = os.path.relpath(os.path.abspath(file), os.path.abspath(out.parent))
    return "./" + quote(os.fsencode(relative.replace(os.sep, "/")))


def _draw(
    tables: Sequence[tuple[Tracks, Mapping[int, Path]]],
    most: int,
    options: Options | None,
    told: Report | None,
) -> Summary:
    """Put small spectrograms beside ``most`` rows, those that want them first.

    A row whose sound cannot be read says why in place of both, picture and player.
    """
    rows = [(tracks, row, files[row]) for tracks, files in tables for row in tracks.first
            if row in files][:most]  # fmt: skip
    wanted: dict[str, list[tuple[Tracks, int]]] = {}
    for tracks, row, file in rows:
        wanted.setdefault(str(file), []).append((tracks, row))
    if not wanted:
        return Summary()

    def take(row: Row) -> None:
        for tracks, place in wanted[row["path"]]:
            if row["status"] == "failed":
                tracks.failures[place] = row["reason"]
                tracks.sounds.pop(place, None)
            else:
                tracks.pictures[place] = row["picture"]

    items = (Item(file, file, {"path": file, "source": file}) for file in wanted)
    sink = StreamSink(take, {"command": "report"})
    summary = run_now(run(items, drawn, sink, _COLUMNS, options, told, lambda: len(wanted)))
    if summary.stopped_by:
        code = 128 + summary.stopped_by
        raise Stopped("stopped; no report was written", "run it again", code)
    return summary


def drawn(item: Item, work: Work) -> list[Output]:
    """The job: the small spectrogram of one file, in base64."""
    try:
        picture = thumbnail(Path(item.source), work.allow)
    except OSError as error:
        raise ItemError("unreadable", f"{error.strerror or error}") from None
    return [Output({"picture": base64.b64encode(picture).decode()})]
