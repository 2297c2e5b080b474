"""A page: what stands on it, as records, and the one file that it becomes.

All texts are made fit to be seen, and escaped, by Jinja2; what the script reads is JSON in a block
of data. The content security policy allows the script and the style of this file, by their
digests, and nothing else.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from mgrkit.errors import UsageError
from mgrkit.files.names import printable
from mgrkit.files.outputs import check_output, starts_with
from mgrkit.files.replacing import replacing
from mgrkit.reports.html.tracks import Tracks

if TYPE_CHECKING:
    import jinja2

HEAD = "<!doctype html>\n<!-- mgrkit report -->"
"""How a report begins, by which it is known."""
_SHADES = 10


@dataclass(frozen=True)
class Fact:
    """A name and what is so.

    Parameters
    ----------
    more : in small letters behind it.
    large, wide : whether its letters are large, and whether it takes a whole line.
    """

    name: str
    value: str
    more: str = ""
    large: bool = False
    wide: bool = False


@dataclass(frozen=True)
class Facts:
    """Facts beside one another."""

    form: ClassVar[str] = "facts"
    facts: Sequence[Fact]
    heading: str = ""


@dataclass(frozen=True)
class Share:
    """A cell of a grid with a bar: ``share`` is from 0 to 1."""

    text: str
    share: float


@dataclass(frozen=True)
class Grid:
    """A small table.

    Parameters
    ----------
    name : for those who cannot see it.
    numbers : the columns that stand right, by their place.
    """

    form: ClassVar[str] = "grid"
    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str | Share]]
    numbers: Sequence[int] = ()
    heading: str = ""


@dataclass(frozen=True)
class Matrix:
    """A confusion matrix: counts ``(labels, labels)``, a row for each true label."""

    form: ClassVar[str] = "matrix"
    labels: Sequence[str]
    counts: Sequence[Sequence[int]]
    heading: str = ""

    def __post_init__(self) -> None:
        """Raise ValueError or TypeError for what is none, as it may be in a foreign record."""
        size = len(self.labels)
        if [len(row) for row in self.counts] != [size] * size:
            raise ValueError(f"no matrix of {size} labels")
        if not all(isinstance(count, int) for row in self.counts for count in row):
            raise TypeError("counts are whole numbers")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """As the template draws them."""
        return [
            {"label": label, "cells": [self._cell(place, at) for at in range(len(self.labels))]}
            for place, label in enumerate(self.labels)
        ]

    def _cell(self, place: int, at: int) -> dict[str, Any]:
        count, total = self.counts[place][at], sum(self.counts[place])
        share = count / total if total else 0.0
        truth, verdict = self.labels[place], self.labels[at]
        return {
            "text": str(count) if count else "",
            "shade": max(1, round(_SHADES * share)) if count else 0,
            "hit": place == at,
            "title": f"{truth} judged {verdict}: {count} of {total} ({100 * share:.0f} %)",
        }


@dataclass(frozen=True)
class Shape:
    """One element of a drawing, such as ``Shape("line", {"x1": 0, ...})``."""

    tag: str
    attributes: Mapping[str, object]
    text: str = ""


@dataclass(frozen=True)
class Chart:
    """A drawing, in units that are as large as a letter is high in 12.

    Parameters
    ----------
    name : what it is, for those who cannot see it.
    """

    form: ClassVar[str] = "chart"
    name: str
    width: int
    height: int
    shapes: Sequence[Shape]
    caption: str
    heading: str = ""


@dataclass(frozen=True)
class Lines:
    """Texts, one below the other."""

    form: ClassVar[str] = "lines"
    texts: Sequence[str]
    heading: str = ""


@dataclass(frozen=True)
class Section:
    """Parts below a heading, with a line of text where there is something to say."""

    title: str
    parts: Sequence[Facts | Grid | Matrix | Chart | Lines | Tracks]
    text: str = ""


@dataclass(frozen=True)
class Page:
    """All that stands on a page.

    Parameters
    ----------
    lead : paragraphs below the title.
    notes : what the reader of the records could not use; for whoever makes the page.
    """

    title: str
    lead: Sequence[str]
    sections: Sequence[Section]
    notes: Sequence[str] = field(default=())

    @property
    def tracks(self) -> list[Tracks]:
        """The tables of tracks, in their order."""
        parts = (part for section in self.sections for part in section.parts)
        return [part for part in parts if isinstance(part, Tracks)]

    def saying(self, words: Sequence[str]) -> Page:
        """The page, on which and beside which these words stand."""
        return Page(self.title, [*self.lead, *words], self.sections, [*self.notes, *words])


def check_report(path: Path, *, replace: bool) -> None:
    """Before the work: whether the page may be written there.

    Raises
    ------
    UsageError : the name does not end in .html, there is no such folder, or something is there
        that is no report, without ``replace``.
    """
    check_output(path, ".html", "--out")
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "give another --out")
    if path.exists() and not replace and not starts_with(path, HEAD.encode()):
        hint = "give another --out, or --replace to write over it"
        raise UsageError(f"{path} was not made by mgrkit report", hint)


def write_page(page: Page, path: Path) -> None:
    """Write the page, whole or not at all: the same bytes for the same page.

    Raises
    ------
    OSError : it cannot be written.
    """
    content = rendered(page)
    with replacing(path) as temp:
        temp.write_bytes(content)


def rendered(page: Page) -> bytes:
    """The page as HTML in UTF-8."""
    style, script = _template("report.css"), _template("report.js")
    for number, tracks in enumerate(page.tracks):
        tracks.id = f"tracks-{number}"
    text = (
        _environment()
        .get_template("report.html")
        .render(
            page=page,
            head=HEAD,
            style=style,
            script=script,
            policy=_policy(style, script),
            version=metadata.version("mgrkit"),
        )
    )
    return text.encode() + b"\n"


def _policy(style: str, script: str) -> str:
    # To some browsers a local file is no neighbour of another: hence file: beside 'self'.
    return (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "img-src data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _template(name: str) -> str:
    return resources.files("mgrkit.reports").joinpath("templates", name).read_text("utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template), autoescape=True, undefined=jinja2.StrictUndefined,
        finalize=_seen,
    )  # fmt: skip
    made.filters["as_json"] = as_json
    return made


def _seen(value: object) -> object:
    """What stands on the page of a value; what is markup already stays."""
    return printable(value) if type(value) is str else value


def as_json(value: object) -> Any:
    """JSON for a block of data: ASCII, and nothing in it is markup to whoever reads the file.

    >>> str(as_json("</script><!-- & \u2028"))
    '"\\\\u003c/script\\\\u003e\\\\u003c!-- \\\\u0026 \\\\u2028"'
    """
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - nothing that is markup is left in it
