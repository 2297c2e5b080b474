"""The table of tracks on a page: columns of values, which the script draws a few rows at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mgrkit.files.names import printable

NAME, TEXT, CHOICE, NUMBER, CLOCK, SHARE, SHARES, PIECES = (
    "name", "text", "choice", "number", "clock", "share", "shares", "pieces",
)  # fmt: skip
"""Kinds of columns: see the functions that make them."""

_MOST_CHOICES = 60
"""Values that a person can choose from; a column of more is searched only."""


@dataclass
class Column:
    """A value for each row, as the script takes it.

    Parameters
    ----------
    key : by which it is sorted; it is unlike all others of the table.
    values : JSON values, as the kind has them.
    more : what else the kind needs.
    shown : whether it has a place in the table, or is seen with the details of a row only.
    """

    key: str
    title: str
    kind: str
    values: Sequence[Any]
    more: Mapping[str, Any] = field(default_factory=dict)
    shown: bool = True

    def as_data(self) -> dict[str, Any]:
        """For the script, every text as people may see it."""
        fixed = {
            "key": printable(self.key), "title": printable(self.title), "kind": self.kind,
            "shown": self.shown,
        }  # fmt: skip
        more = dict(self.more)
        if "labels" in more:
            more["labels"] = list(map(printable, more["labels"]))
        values = [printable(one) if isinstance(one, str) else one for one in self.values]
        return {**fixed, **more, "values": values}


@dataclass
class Tracks:
    """Rows of tracks.

    Parameters
    ----------
    names : of the rows: paths or ids, by which their sound is looked for.
    columns : the first is that of the names.
    noun : what the rows are called.
    sort : the key of the column by which they stand at first, and 'ascending' or 'descending'.
    first : the rows whose sound is wanted, in the order in which pictures are; none of those that
        failed.
    sounds : by row the address of its sound, relative to the page.
    pictures : by row a PNG in base64.
    failures : by row why its sound could not be drawn.
    """

    form: ClassVar[str] = "tracks"
    names: Sequence[str]
    columns: Sequence[Column]
    noun: str
    sort: tuple[str, str]
    first: Sequence[int]
    heading: str = ""
    sounds: dict[int, str] = field(default_factory=dict)
    pictures: dict[int, str] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    id: str = ""

    @property
    def data(self) -> dict[str, Any]:
        """For the script."""
        return {
            "rows": len(self.names),
            "noun": self.noun,
            "sort": list(map(printable, self.sort)),
            "columns": [column.as_data() for column in self.columns],
            "sounds": self.sounds,
            # Threads finish in any order.
            "pictures": dict(sorted(self.pictures.items())),
            "failures": {row: printable(why) for row, why in sorted(self.failures.items())},
        }


def name_column(names: Sequence[str], title: str) -> Column:
    """The names, beside which players and pictures stand."""
    return Column("name", title, NAME, list(names))


def text_column(key: str, texts: Sequence[str], title: str = "", *, shown: bool = True) -> Column:
    """Texts; where few of them differ, a person can choose one."""
    kinds = len(set(texts))
    if kinds <= _MOST_CHOICES and 2 * kinds <= len(texts):
        return choice_column(key, texts, title or key, shown=shown)
    return Column(key, title or key, TEXT, list(texts), shown=shown)


def digest_column(key: str, texts: Sequence[str], title: str) -> Column:
    """Texts that are compared and not read: the row shows how they begin, its details all."""
    return Column(key, title, TEXT, list(texts), {"short": True})


def choice_column(
    key: str,
    texts: Sequence[str],
    title: str,
    marks: Mapping[str, str] | None = None,
    *,
    shown: bool = True,
) -> Column:
    """Texts of few kinds, one of which a person can choose.

    Parameters
    ----------
    marks : by text how it is marked: 'unsure' or 'failed'.
    """
    labels = sorted(set(texts), key=lambda text: (text.casefold(), text))
    place = {label: number for number, label in enumerate(labels)}
    more: dict[str, Any] = {"labels": labels, "filter": 1 < len(labels) <= _MOST_CHOICES}
    if marks:
        more["marks"] = [marks.get(label, "") for label in labels]
    return Column(key, title, CHOICE, [place[text] for text in texts], more, shown)


def number_column(
    key: str, values: Sequence[float | None], title: str = "", digits: int | None = 0
) -> Column:
    """Numbers with so many digits behind the point, or all they have; None is shown as nothing."""
    rounded = [v if v is None or digits is None else round(v, digits) for v in values]
    return Column(key, title or key, NUMBER, rounded, {"digits": digits})


def clock_column(key: str, seconds: Sequence[float | None], title: str) -> Column:
    """Seconds, shown as 3:05."""
    return Column(key, title, CLOCK, [None if one is None else round(one, 1) for one in seconds])


def share_column(key: str, shares: Sequence[float | None], title: str) -> Column:
    """Probabilities and the like, 0 to 1, with a bar."""
    return Column(key, title, SHARE, [permille(share) for share in shares])


def shares_column(
    rows: Sequence[Sequence[tuple[str, float]]], labels: Sequence[str], title: str
) -> Column:
    """Of each row the probabilities of genres, the largest first, with a bar each."""
    place = {label: number for number, label in enumerate(labels)}
    values = [[one for name, p in row for one in (place[name], permille(p))] for row in rows]
    return Column("shares", title, SHARES, values, {"labels": list(labels)})


def pieces_column(
    rows: Sequence[Sequence[tuple[float, float, str, float]]],
    labels: Sequence[str],
    lengths: Sequence[float | None],
) -> Column:
    """Of each row its pieces: where they begin, how long they are, their genre, its probability.

    Parameters
    ----------
    lengths : seconds of each row's sound.
    """
    place = {label: number for number, label in enumerate(labels)}
    values = [
        [
            one
            for start, seconds, genre, p in row
            for one in (round(start, 1), round(seconds, 1), place[genre], permille(p))
        ]
        for row in rows
    ]
    more = {"labels": list(labels), "lengths": list(lengths)}
    return Column("pieces", "timeline", PIECES, values, more, shown=False)


def permille(share: float | None) -> int | None:
    """A share in thousandths, which take less room."""
    return None if share is None else round(1000 * share)
