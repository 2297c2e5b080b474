"""One page of all that was explored, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.files.replacing import replacing
from mgrkit.reports.explore import Section
from mgrkit.reports.markdown import escaped, grid

PAGE = "README.md"


@dataclass(frozen=True)
class Explored:
    """What was found and written.

    Parameters
    ----------
    parts : tracks by part.
    files : below ``out``, the page first.
    skipped : by plot why it could not be made.
    """

    data: str
    out: str
    tracks: int
    columns: int
    genres: int
    artists: int
    parts: Mapping[str, int]
    split: str
    sections: Mapping[str, Section]
    skipped: Mapping[str, str]
    notes: Sequence[str]
    files: Sequence[str]
    failed: int

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        kept = ("data", "out", "tracks", "columns", "genres", "artists", "split", "failed")
        found = {
            name: {"files": one.files, "text": one.text} for name, one in self.sections.items()
        }
        return {
            "command": "explore",
            **{name: getattr(self, name) for name in kept},
            "parts": dict(self.parts),
            "plots": found,
            "skipped": dict(self.skipped),
            "notes": list(self.notes),
            "files": list(self.files),
            "exit_code": self.exit_code,
        }

    @property
    def exit_code(self) -> int:
        return 1 if self.failed else 0


def write_page(out: Path, name: str, found: Explored) -> None:
    """Write the page into ``out``, whole or not at all.

    Parameters
    ----------
    name : of DATA.
    """
    parts = ", ".join(f"{count:,} {part}" for part, count in found.parts.items() if count)
    words = (
        f"{found.tracks:,} tracks of {found.genres} genres by {found.artists:,} artists, "
        f"{found.columns} columns. {parts} ({found.split}). Everything is learnt from train "
        "alone; other parts are shown apart."
    )
    lines = [f"# What {escaped(name)} holds", "", escaped(words)]
    for section in found.sections.values():
        lines += ["", f"## {section.title}", "", escaped(section.text)]
        for picture in section.pictures:
            lines += ["", f"![{section.title}]({picture})"]
        if section.shown:
            lines += ["", *grid(*section.shown)]
        if section.tables:
            links = ", ".join(f"[{table}]({table})" for table in section.tables)
            lines += ["", f"As tables: {links}"]
    if found.skipped or found.notes:
        lines += ["", "## Notes", ""]
        lines += [f"- {plot} is not here: {escaped(why)}" for plot, why in found.skipped.items()]
        lines += [f"- {escaped(note)}" for note in found.notes]
    with replacing(out / PAGE) as temp:
        temp.write_text("\n".join(lines) + "\n", encoding="utf-8")
