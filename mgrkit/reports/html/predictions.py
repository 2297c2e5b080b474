"""What ``predict`` said of songs, read from any of its forms, as a page."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.reports.html.content import Content, shaped
from mgrkit.reports.html.page import Fact, Facts, Grid, Lines, Page, Section, Share
from mgrkit.reports.html.tracks import (
    TEXT,
    Column,
    Tracks,
    choice_column,
    clock_column,
    name_column,
    pieces_column,
    share_column,
    shares_column,
    text_column,
)

SONG_HEADS = ("path", "kind", "start", "seconds", "genre", "probability", "unsure", "model")
"""How the tables of ``predict --csv`` and ``--pieces`` begin."""
_FIXED = (*SONG_HEADS, "warning", "error", "tags")
_NONE = "no verdict"
_SUFFIX = " (genre)"
_NOT = "it holds something else than predict wrote"

_UNSURE = (
    "A verdict is unsure where its probability is below a limit, by default the one below which "
    "most are wrong, or where the sound is unlike what was learnt, as its note then says."
)


@dataclass(frozen=True)
class Piece:
    """A piece of a song, and its likeliest genre."""

    start: float
    seconds: float
    genre: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What was said of a song.

    Parameters
    ----------
    genres : names and probabilities, the likeliest first; none of tags alone, or of an error.
    tags : names and values.
    error : why it could not be used; else ''.
    """

    path: str
    genres: Sequence[tuple[str, float]] = ()
    unsure: bool = False
    seconds: float | None = None
    model: str = ""
    warning: str = ""
    error: str = ""
    pieces: Sequence[Piece] = ()
    tags: Sequence[tuple[str, float]] = ()

    @property
    def state(self) -> str:
        """In a word."""
        if self.error:
            return "failed"
        return "" if not self.genres else "unsure" if self.unsure else "sure"


def from_rows(rows: Iterable[object], source: Path) -> tuple[list[Prediction], list[str]]:
    """Predictions from the objects of ``--json`` and ``--jsonl``, and the files passed over.

    Raises
    ------
    UsageError : an object is none that predict writes; it is told which.
    """
    found, ignored = [], []
    for number, row in enumerate(rows, 1):
        with shaped(f"{source}: object {number} is no prediction", _NOT):
            match row:
                case {"path": str(path), "ignored": reason}:
                    ignored.append(f"{path}: {reason}")
                case {"path": str(path), "error": str(error)}:
                    found.append(Prediction(path, error=error))
                case {"path": str(path), **fields}:
                    found.append(_from_row(path, {str(name): one for name, one in fields.items()}))
                case _:
                    raise ValueError
    return found, ignored


def _from_row(path: str, row: Mapping[str, Any]) -> Prediction:
    return Prediction(
        path,
        [(str(one["genre"]), _probability(one["probability"])) for one in row.get("genres", ())],
        _truth(row.get("unsure", False)),
        _number(row["seconds"]),
        str(row["model"]),
        str(row.get("warning", "")),
        pieces=[
            Piece(
                _number(one["start"]), _number(one["seconds"]), str(one["genre"]),
                _probability(one["probability"]),
            )
            for one in row.get("timeline", ())
        ],
        tags=[(str(one["tag"]), _number(one["value"])) for one in row.get("tags", ())],
    )  # fmt: skip


def _probability(value: object) -> float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError(number)
    return number


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _number(value: object) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):  # JSON has none such
        raise ValueError(number)
    return number


def from_table(table: Content) -> list[Prediction]:
    """Predictions from a table of ``predict --csv``.

    Raises
    ------
    UsageError : it is a table of pieces, or a row is none that predict writes.
    """
    (_, rows), path = table.rows(), table.path
    if rows and all(row.get("kind") == "piece" for row in rows.values()):
        raise UsageError(f"{path} holds pieces, not songs", f"give the songs, and --pieces {path}")
    found = []
    for number, row in rows.items():
        with shaped(f"{path}: row {number} is no prediction", _NOT):
            found.append(_from_line(row))
    return found


def _from_line(row: Mapping[str, str]) -> Prediction:
    if row["error"]:
        return Prediction(row["path"], error=row["error"])
    if not row["model"] or None in row:  # cut off in the middle of the file, or too long
        raise ValueError
    genres = {
        name.removesuffix(_SUFFIX) if name.removesuffix(_SUFFIX) in _FIXED else name: value
        for name, value in row.items()
        if name not in _FIXED and value
    }
    known = sorted(((name, _probability(p)) for name, p in genres.items()), key=lambda one: -one[1])
    tags = [text.rpartition(" ")[::2] for text in row.get("tags", "").split("; ") if text]
    return Prediction(
        row["path"], known, row["unsure"] == "true", _number(row["seconds"]), row["model"],
        row["warning"], tags=[(name, _number(value)) for name, value in tags],
    )  # fmt: skip


def with_pieces(songs: Sequence[Prediction], table: Content) -> list[Prediction]:
    """The songs with the pieces in a table of ``predict --pieces``.

    Raises
    ------
    UsageError : it is no such table, or knows none of the songs.
    """
    path = table.path
    if not table.begins(SONG_HEADS):
        raise UsageError(f"{path} was not made by mgrkit predict --pieces")
    of: dict[str, list[Piece]] = defaultdict(list)
    for number, row in table.rows()[1].items():
        with shaped(f"{path}: row {number} is no piece", _NOT):
            piece = Piece(
                _number(row["start"]), _number(row["seconds"]), row["genre"],
                _probability(row["probability"]),
            )  # fmt: skip
        of[row["path"]].append(piece)
    if of and not of.keys() & {song.path for song in songs}:
        raise UsageError(f"{path} has pieces of none of the songs", "give that of the same call")
    return [replace(song, pieces=of.get(song.path, song.pieces)) for song in songs]


def predictions_page(
    songs: Sequence[Prediction], ignored: Sequence[str], source: Path, noun: str = "songs"
) -> Page:
    """The page: how many songs there are of each genre, and all songs."""
    failed = sum(bool(song.error) for song in songs)
    unsure = sum(song.state == "unsure" for song in songs)
    models = ", ".join(sorted({song.model for song in songs if song.model}))
    facts = [
        Fact(noun, f"{len(songs):,}", large=True),
        *([Fact("unsure", f"{unsure:,}", large=True)] if unsure else []),
        *([Fact("could not be used", f"{failed:,}", large=True)] if failed else []),
        *([Fact("judged by", models, large=True)] if models else []),
    ]
    sections = [Section("Overview", [Facts(facts), *_genres(songs)])]
    sections.append(Section(noun.capitalize(), [songs_table(songs, noun)], _HOW))
    if ignored:
        sections.append(Section("Passed over", [Lines(ignored)], "Files that were not tried."))
    return Page(f"Genres of {source.name}", [_UNSURE] if unsure else [], sections)


_HOW = (
    "A column's head sorts by it. + shows all that is known of a row. Of a timeline, each colour "
    "is the likeliest genre of a piece."
)


def _genres(songs: Sequence[Prediction]) -> Iterator[Grid]:
    """How many songs there are of each genre; unsure ones are counted apart."""
    counts = Counter(song.genres[0][0] for song in songs if song.genres)
    unsure = Counter(song.genres[0][0] for song in songs if song.state == "unsure")
    if not counts:
        return
    most = max(counts.values())
    rows: list[list[str | Share]] = [
        [genre, Share(f"{count:,}", count / most), f"{unsure[genre]:,}"]
        for genre, count in counts.most_common()
    ]
    yield Grid("songs by genre", ("genre", "songs", "of them unsure"), rows, (1, 2))


def songs_table(songs: Sequence[Prediction], noun: str) -> Tracks:
    """All songs, in their order."""
    labels = sorted({name for song in songs for name, _ in song.genres})
    labels = sorted({*labels, *(piece.genre for song in songs for piece in song.pieces)})
    names = [song.path for song in songs]
    first = [song.genres[0] if song.genres else (_NONE, None) for song in songs]
    marks = {"unsure": "unsure", "failed": "failed"}
    columns = [name_column(names, noun.removesuffix("s"))]
    if labels:
        columns += [
            choice_column("genre", [genre for genre, _ in first], "genre"),
            share_column("probability", [p for _, p in first], "probability"),
        ]
    if any(len(song.genres) > 1 for song in songs):
        columns.append(shares_column([song.genres for song in songs], labels, "likeliest"))
    columns += [
        choice_column("state", [song.state for song in songs], "verdict", marks),
        clock_column("length", [song.seconds for song in songs], "length"),
        *_texts(songs),
    ]
    if any(song.pieces for song in songs):
        rows = [[(p.start, p.seconds, p.genre, p.probability) for p in s.pieces] for s in songs]
        columns.append(pieces_column(rows, labels, [song.seconds for song in songs]))
    wanted = [number for number, song in enumerate(songs) if not song.error]
    return Tracks(names, columns, noun, ("", ""), wanted)


def _texts(songs: Sequence[Prediction]) -> Iterator[Column]:
    if any(song.tags for song in songs):
        tags = [", ".join(f"{name} {value:.2f}" for name, value in song.tags) for song in songs]
        yield Column("tags", "tags", TEXT, tags)
    if any(song.warning or song.error for song in songs):
        notes = [song.error or song.warning for song in songs]
        yield Column("note", "note", TEXT, notes)
    models = [song.model for song in songs]
    if len(set(models) - {""}) > 1:
        yield text_column("model", models, "model")
