"""What files are at a glance, by their sizes and first bytes, their names and collections."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from mgrkit.errors import RunError
from mgrkit.tracks.findings import Finding, mislabelled, published, reason
from mgrkit.tracks.splits import group_key

Row = dict[str, str]
"""A row of a track table; what it has not is ''."""

_LFS = b"version https://git-lfs"
_SMALL = 1024
_SHOWN = 3
_SAID = {
    "pointer": "Git LFS pointers instead of sound (run: git lfs pull)",
    "empty": "files of 0 bytes",
    "missing": "files that are not there",
    "unreadable": "files that cannot be read",
    "label": "folder or name speak of another genre",
    "listed": "known to be bad (mgrkit data check decodes them)",
}
"""What is found, in the order in which it is said."""


def look(root: Path, rows: Sequence[Row], notes: list[str], form: str = "") -> None:
    """Give each row status and reason, in the words of `mgrkit data check`. No sound is decoded.

    Parameters
    ----------
    rows : with paths relative to ``root``. A row with a reason keeps it.
    notes : what was found is added, one line each.
    form : the folder by which a collection's form is known, such as ``fma_small``.

    Raises
    ------
    RunError : all files are Git LFS pointers.
    """
    whole = f"{Path(os.path.abspath(root)).as_posix()}/{form}"
    genres = {group_key(row["genre"]) for row in rows} - {""}
    found: dict[str, list[str]] = {}
    for row in rows:
        if row.get("reason"):
            continue
        path = row["path"]
        findings = [*_of_file(root / path)]
        findings += mislabelled(path, row["genre"], genres, by_table=True)
        fails = any(finding.fails for finding in findings)
        of = published(path, whole)
        if not fails:
            findings += of.listed([of.fault.partition(":")[0]])  # it is not yet looked for
        for code in dict.fromkeys(finding.code for finding in findings):
            found.setdefault(code, []).append(path)
        row |= {"status": "failed" if fails else "ok", "reason": reason(findings)}
    if rows and len(found.get("pointer", ())) == len(rows):
        raise RunError(
            f"all {len(rows)} files in {root} are Git LFS pointers: texts of some 130 bytes that "
            "stand for the sound, which was not fetched",
            "run git lfs pull there, or get another copy",
        )
    for code, what in _SAID.items():
        say(notes, what, found.get(code, ()))


def _of_file(file: Path) -> Iterator[Finding]:
    try:
        size = file.stat().st_size
        is_pointer = 0 < size < _SMALL and file.read_bytes().startswith(_LFS)
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            yield Finding("missing", "there is no such file", fails=True)
        else:
            yield Finding("unreadable", f"{error.strerror}", fails=True)
        return
    if is_pointer:
        yield Finding("pointer", "a text that stands for a file in Git LFS", fails=True)
    if not size:
        yield Finding("empty", "the file has 0 bytes", fails=True)


def say(notes: list[str], what: str, names: Sequence[str]) -> None:
    """Add a note with the number and the first few; none for none."""
    if names:
        more = f", and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        notes.append(f"{what}: {len(names):,} ({', '.join(names[:_SHOWN])}{more})")
