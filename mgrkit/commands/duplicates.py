"""``mgrkit duplicates``: the same recording in several files, and the best file of each."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio.chromaprint import RATE, SECONDS, Beginning, fingerprint, program
from mgrkit.audio.codec import codec
from mgrkit.audio.measuring import Ending, measure
from mgrkit.audio.packets import packets_size
from mgrkit.batch import Item, Options, Output, Report, StreamSink, Summary, Work, run, run_now
from mgrkit.batch.model import Row
from mgrkit.commands.check import check_table
from mgrkit.commands.plan import Plan
from mgrkit.errors import AudioError, RunError, UsageError
from mgrkit.files.cache import cache_folder
from mgrkit.tracks.find import SOUND, Search, Track
from mgrkit.tracks.fingerprints import LEAST, Fingerprints
from mgrkit.tracks.lineage import as_written
from mgrkit.tracks.recordings import Heard, Member, Part, Recordings, recordings
from mgrkit.tracks.schema import RECORDING_OF, TABLE
from mgrkit.tracks.table import read_frame, write_tracks

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = (
    "sound", "codec", "lossless", "kbps", "duplicate_of", "same_as", "part_of", RECORDING_OF,
    "similarity", "compared", "keep",
)  # fmt: skip
"""What the table has beside what SRC's table says."""
_SETTINGS = {
    "command": "duplicates",
    "fingerprint": f"Chromaprint 2, {SECONDS} s",
    "measured": "until the last sound, bits of the sound",
}
_SILENT, _SHORT = "silent:", "too-short:"
_UNHEARD = (_SILENT, _SHORT)
"""What the reasons of files without a fingerprint begin with."""
_MEASURED = (
    "seconds",
    "sounding",
    "rate",
    "channels",
    "codec",
    "lossless",
    "bits",
    "kbps",
    "sound",
)


@dataclass
class Duplicates:
    """What was found.

    Parameters
    ----------
    summary : of the run.
    groups : the files of each recording that is there several times, the best first.
    parts : which recordings lie in longer ones, see `mgrkit.tracks.recordings.Recordings`.
    names : the other names of files that have several (links), by the path that is compared.
    left_out : the files that could not be compared, as (path, reason).
    """

    summary: Summary
    groups: list[list[Member]] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all files were looked at; else nothing was compared."""
        return self.summary.to_do is None and not self.summary.stopped_by

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "groups": [
                [one.as_json() | {"names": self.names.get(one.heard.path, [])} for one in group]
                for group in self.groups
            ],
            "parts": [one.as_json() for one in self.parts],
            "left_out": [{"path": path, "reason": reason} for path, reason in self.left_out],
            "files": self.summary.made + self.summary.kept + self.summary.failed,
            "exit_code": self.summary.exit_code,
        }


def duplicates(
    sources: Sequence[Path],
    out: Path | None = None,
    *,
    files: Sequence[str] | None = None,
    search: Search = SOUND,
    table: Path | None = None,
    resume: Path | None = None,
    options: Options | None = None,
    report: Report | None = None,
) -> Duplicates:
    """Find the recordings that are in several of the files below ``sources``.

    Parameters
    ----------
    sources : folders, sound files, or one track table.
    out : a track table to write, ending in ``.csv`` or ``.parquet``.
    files : relative paths below the only source, instead of all that is there.
    search : which files of a folder are taken.
    table : whose rows name the files of the only source.
    resume : the journal that keeps the fingerprints; None for one in the cache folder.

    Raises
    ------
    UsageError : SRC are folders and files, OUT is no table or is somebody else's.
    RunError : there is no sound, no program with Chromaprint, or OUT cannot be written.
    """
    sources, files = _sources(sources, files)
    if out:
        _check_out(out, [*sources, *(source / TABLE for source in sources), *filter(None, [table])])
    program()
    resume = resume or _journal(sources)
    plan = Plan(sources, resume, COLUMNS, files, to_table=True, search=search, table=table)
    with Fingerprints() as prints:
        found = _Found(prints)
        sink = StreamSink(found.take, _SETTINGS, resume)
        # What SRC's table says of a file does not change how it sounds.
        items = (replace(item, inputs="") for item in plan.items(found.maker(plan)))
        columns, count = ["path", "status", "reason"], plan.finder.count
        going = run(items, fingerprinted, sink, columns, options, report, count)
        made = Duplicates(plan.complete(run_now(going)))
        if made.complete:
            its = found.recordings()
            made.groups, made.parts, made.names = its.groups, its.parts, found.names
            made.left_out = sorted(found.left_out.items())
            made.summary.warnings += found.said_of_links()
            if out:
                _write(out, plan.columns, found, its)
        return made


def _sources(
    sources: Sequence[Path], files: Sequence[str] | None
) -> tuple[Sequence[Path], Sequence[str] | None]:
    """The sources as a plan takes them: of several files, their folder and their names in it."""
    are_folders = {source.is_dir() for source in sources if source.exists()}
    if len(sources) < 2 or are_folders == {True}:
        return sources, files
    for source in sources:
        if not source.exists():
            raise RunError(f"there is no {source}", "SRC are folders, or sound files")
    if len(are_folders) > 1 or files is not None:
        raise UsageError("SRC are folders and files", "give folders only, or files only")
    folder = os.path.commonpath([os.path.abspath(source.parent) for source in sources])
    names = [Path(os.path.relpath(source, folder)).as_posix() for source in sources]
    way = os.path.relpath(folder) if not any(map(Path.is_absolute, sources)) else folder
    return [Path(way)], names


def _check_out(out: Path, read: Sequence[Path]) -> None:
    check_table(out, "--out", read)
    if out.exists() and RECORDING_OF not in read_frame(out, 1).columns:
        raise RunError(f"{out} was not made by mgrkit duplicates", "move it, or give another --out")


def _journal(sources: Sequence[Path]) -> Path:
    """Where the fingerprints of the files below these sources are kept."""
    whose = [*sorted(os.path.realpath(source) for source in sources), *_SETTINGS.values()]
    name = hashlib.sha256(os.fsencode("\0".join(whose))).hexdigest()[:16]
    folder = cache_folder() / "duplicates"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(
            f"cannot write to {folder}: {error.strerror}", "name a file with --resume"
        ) from None
    return folder / f"{name}.jsonl"


def fingerprinted(item: Item, work: Work) -> list[Output]:
    """The job: one pass over a sound gives its digest, its length and its fingerprint."""
    beginning, ending = Beginning(), Ending()

    def listen(block: NDArray[np.float32], rate: int) -> None:
        beginning.push(block, rate)
        ending.push(block, rate)

    found = measure(item.source, work.allow, listen)
    if found.failure:
        raise found.failure
    words = fingerprint(beginning.samples()[: round(ending.seconds * RATE)])
    kind = codec(item.source)
    row: Row = {
        "seconds": round(found.seconds, 3),
        "sounding": round(ending.seconds, 3),
        "rate": found.rate,
        "channels": found.channels,
        "codec": kind.name,
        "lossless": kind.is_lossless,
        "bits": kind.bits,
        "kbps": round(8 * _coded(item.source) / found.seconds / 1000),
        "sound": found.digest,
        "words": base64.b64encode(words.astype("<u4").tobytes()).decode(),
    }
    warning = found.warning
    if found.silence:
        warning = str(found.silence)
    elif len(words) < LEAST:
        warning = f"{_SHORT} {ending.seconds:.3g} s are too few for a fingerprint"
    return [Output(row, warning=warning)]


def _coded(path: str) -> int:
    """Bytes of a file's sound; all of those that FFmpeg does not know, which are few."""
    try:
        return packets_size(path)
    except AudioError:
        return os.path.getsize(path)


class _Found:
    """What the run gives, file by file."""

    def __init__(self, prints: Fingerprints) -> None:
        self.prints = prints
        self.rows: dict[str, Row] = {}
        """By path."""
        self.left_out: dict[str, str] = {}
        self.links: dict[str, str] = {}
        """Names of files that have another name, and that name."""
        self._heard: list[Heard] = []
        self._stated: dict[str, tuple[str, str, Row]] = {}
        """By key the path, the file, and what SRC's table says of it."""

    def maker(self, plan: Plan) -> Callable[[Track, Row, str], Iterator[Item]]:
        """What makes the item of a track, called as the caller would call it."""
        called = dict(zip(plan.finder.roots, plan.sources, strict=True))

        def make(track: Track, row: Row, key: str) -> Iterator[Item]:
            path = os.path.normpath(os.path.join(called[track.root], track.path))
            if row["parent"] == track.path:  # no copy of another
                row["parent"] = ""
            self._stated[key] = path, track.file, row
            problem = track.problem
            if problem and problem.reason == "coincides":  # a matter of outputs
                problem = None
            yield Item(key, track.file, {"key": key, "path": path, "source": path}, error=problem)

        return make

    def take(self, row: Row) -> None:
        """The next row of the run; an earlier one may have been called from elsewhere."""
        path, file, stated = self._stated.pop(row["key"])
        self.rows[path] = {**stated, **row, "path": path, "file": file}
        if row["status"] == "failed":
            self.left_out[path] = row["reason"]
            return
        words = np.frombuffer(base64.b64decode(self.rows[path].pop("words")), "<u4")
        if row["reason"].startswith(_UNHEARD):
            self.left_out[path] = row["reason"]
        if not row["reason"].startswith(_SILENT):
            self.prints.append(words)
            self._heard.append(Heard(path, *(row[name] for name in _MEASURED)))

    def recordings(self) -> Recordings:
        """What the files have in common; one of several names counts once."""
        order, seen = [], dict[tuple[int, int], str]()
        for number in sorted(range(len(self._heard)), key=lambda n: self._heard[n].path):
            path = self._heard[number].path
            status = os.stat(self.rows[path]["file"])
            first = seen.setdefault((status.st_dev, status.st_ino), path)
            if first == path:
                order.append(number)
            else:
                self.links[path] = first
                self.left_out[path] = f"link: another name of {first}"
        self.prints.arrange(order)
        return recordings([self._heard[number] for number in order], self.prints)

    @property
    def names(self) -> dict[str, list[str]]:
        """Of each file that has several the names beside its first, by that one."""
        found: dict[str, list[str]] = {}
        for path, first in self.links.items():
            found.setdefault(first, []).append(path)
        return found

    def said_of_links(self) -> Iterator[str]:
        """That some files have several names, in a line."""
        for first, others in list(self.names.items())[:1]:
            count = len(self.names)
            have = "1 file has" if count == 1 else f"{count} files have"
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            yield f"{have} several names: {first} is also {others[0]}{more}"


def _write(out: Path, columns: Sequence[str], found: _Found, its: Recordings) -> None:
    """The track table of all files, with what they have in common."""
    import polars as pl

    folder = os.path.abspath(out.parent)

    def called(path: str) -> str:
        return as_written(Path(os.path.relpath(found.rows[path]["file"], folder)).as_posix())

    for path, reason in found.left_out.items():
        found.rows[path]["reason"] = reason
    for path, first in found.links.items():
        found.rows[path]["duplicate_of"] = called(first)
    for path, best in its.families.items():
        found.rows[path][RECORDING_OF] = called(best)
    # Of several that it lies in, the shortest.
    for part in sorted(its.parts, key=lambda part: -part.whole.seconds):
        found.rows[part.heard.path]["part_of"] = called(part.whole.path)
    for group in its.groups:
        for one in group:
            found.rows[one.heard.path] |= {
                "duplicate_of": called(one.exact) if one.exact else "",
                "same_as": "" if one.keep else called(group[0].heard.path),
                "part_of": found.rows[group[0].heard.path].get("part_of", ""),
                "similarity": f"{one.similarity:.4f}",
                "compared": one.compared,
                "keep": _yes(one.keep),
            }
    rows = []
    for path in sorted(found.rows):
        row = found.rows[path] | {"path": called(path)}
        if "lossless" in row:
            row["lossless"] = _yes(row["lossless"])
        rows.append([as_written(str(row.get(name, ""))) for name in columns])
    frame = pl.DataFrame(rows, dict.fromkeys(columns, pl.String), orient="row")
    filled = [name for name in columns if name in COLUMNS or (frame[name] != "").any()]
    try:
        write_tracks(out, frame.select(filled))
    except OSError as error:
        raise RunError(f"cannot write {out}: {error.strerror}", "give another --out") from None


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
