"""What ``evaluate`` found, from its JSON, its table of verdicts, or both, as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mgrkit.errors import UsageError
from mgrkit.reports.html import scores
from mgrkit.reports.html.charts import Span, spans
from mgrkit.reports.html.content import Content
from mgrkit.reports.html.page import Fact, Facts, Grid, Lines, Matrix, Page, Section
from mgrkit.tracks.identity import artist_id

VERDICT_HEADS = ("path", "id", "noise", "snr", "genre", "predicted", "probability", "unsure")
"""How the table of ``evaluate --predictions`` begins."""
_FIXED = (*VERDICT_HEADS, "verdict", "artist", "artist_heard")
_BY = ("album", "folder")
_SUFFIX = " (genre)"
_HARD = "The lower the probability of what is true, the harder. All tracks are here."


@dataclass(frozen=True)
class Verdicts:
    """The tracks of a table of verdicts, and what else it says of each, by title."""

    judged: scores.Judged
    more: Mapping[str, Sequence[str]]
    unsure: int


def read_verdicts(table: Content) -> Verdicts:
    """The table of ``evaluate --predictions``; raises UsageError for any other."""
    heads, numbered = table.rows()
    rows = list(numbered.values())
    fixed = {*_FIXED, *(name for name in heads[: len(_FIXED) + 2] if _is_group(name, heads))}
    columns = {name: _genre(name, fixed) for name in heads if name not in fixed}
    labels = list(columns.values())
    try:
        y = np.array([labels.index(row["genre"]) for row in rows], np.int64)
        values = [[float(row[name]) for name in columns] for row in rows]
        probabilities = np.array(values, np.float64).reshape(len(rows), len(labels))
        if not rows or not np.isfinite(probabilities).all():
            raise ValueError
    except (KeyError, TypeError, ValueError):
        hint = "give the file that evaluate --predictions wrote"
        raise UsageError(f"{table.path} is no table of verdicts", hint) from None
    groups = [artist_id(row["artist"]) if row["artist"] else row["id"] for row in rows]
    judged = scores.Judged([row["path"] for row in rows], y, groups, labels, probabilities)
    return Verdicts(judged, dict(_more(rows)), sum(row["unsure"] == "true" for row in rows))


def _is_group(name: str, heads: Sequence[str]) -> bool:
    """Whether a column is that of albums or folders, or of their verdicts."""
    by = name.removesuffix("_predicted")
    return by in _BY and f"{by}_predicted" in heads


def _genre(name: str, fixed: set[str]) -> str:
    bare = name.removesuffix(_SUFFIX)
    return bare if bare in fixed else name


def _more(rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """What else a person wants to know of each track."""
    titles = {"artist": "artist", "artist_heard": "artist known", "noise": "noise", "snr": "SNR"}
    titles |= {name: name for name in (*_BY, *(f"{by}_predicted" for by in _BY))}
    for column, title in titles.items():
        texts = [row.get(column, "") for row in rows]
        if any(texts):
            yield title, texts


def evaluation_page(found: Mapping[str, Any], verdicts: Verdicts | None, source: Path) -> Page:
    """A page of what ``evaluate --json`` printed.

    Raises
    ------
    UsageError : the JSON lacks a part, or the table of verdicts is that of another call.
    """
    if verdicts:
        _check_same(found, verdicts)
    title = f"{found['model']} on {found['part']}" if "part" in found else str(found["model"])
    overview = [scores.measured(found)]
    if words := list(_words(found, verdicts)):
        overview.append(Facts(words))
    sections = [Section("Overview", overview), *_grouped(found)]
    sections += scores.sections(found, verdicts.judged if verdicts else None)
    sections += _noises(found)
    sections += _under([found]) if "under" in found else []
    if verdicts:
        sections.append(_hardest(verdicts))
    if notes := [*found.get("notes", ()), *found.get("grouped", {}).get("notes", ())]:
        sections.append(Section("Notes", [Lines(list(map(str, notes)))]))
    lead = [f"{found['tracks']:,} tracks: {found['split']}."]
    return Page(title, [*lead, _from(source)], sections)


def verdicts_page(verdicts: Verdicts, source: Path) -> Page:
    """A page of a table of verdicts alone."""
    found = verdicts.judged.scores()
    words = Fact("unsure", f"{verdicts.unsure:,} of {found['tracks']:,} tracks")
    sections = [Section("Overview", [scores.measured(found), Facts([words])])]
    sections += [*scores.sections(found, verdicts.judged), _hardest(verdicts)]
    lead = (
        "Which part of which split these tracks are, and whether the model knows their artists, "
        "this table does not say; evaluate --json does."
    )
    return Page(f"Verdicts of {source.name}", [lead], sections)


def under_page(results: Sequence[Mapping[str, Any]], source: Path) -> Page:
    """A page of what ``evaluate --under --json`` printed of one model or several."""
    sections = list(_under(results))
    for found in results:
        name = str(found["model"])
        matrix = Matrix(found["labels"], found["confusion"])
        sections.append(Section(f"{name}, clean", [scores.measured(found), matrix], scores.MATRIX))
    notes = dict.fromkeys(str(note) for found in results for note in found.get("notes", ()))
    if notes:
        sections.append(Section("Notes", [Lines(list(notes))]))
    first = results[0]
    lead = [f"{first['tracks']:,} tracks: {first['split']}.", _from(source)]
    names = ", ".join(str(found["model"]) for found in results)
    return Page(f"{names} under conditions", lead, sections)


def _from(source: Path) -> str:
    return f"From {source.name}."


def _check_same(found: Mapping[str, Any], verdicts: Verdicts) -> None:
    measured = verdicts.judged.scores()
    if found["confusion"] != measured["confusion"]:
        what = "the table of --predictions is not of the call that printed the JSON"
        raise UsageError(what, "give both of one mgrkit evaluate")


def _words(found: Mapping[str, Any], verdicts: Verdicts | None) -> Iterator[Fact]:
    if dropped := found.get("dropped_as_seen"):
        yield Fact("left out: it was fit or chosen on them", f"{dropped:,} tracks")
    if failed := found.get("failed"):
        yield Fact("could not be used", f"{failed:,} files")
    if verdicts:
        yield Fact("unsure", f"{verdicts.unsure:,} of {found['tracks']:,} tracks")


def _hardest(verdicts: Verdicts) -> Section:
    return Section("Hardest tracks", [scores.hardest(verdicts.judged, verdicts.more)], _HARD)


def _grouped(found: Mapping[str, Any]) -> Iterator[Section]:
    if one := found.get("grouped"):
        low, high = one["accuracy_low"], one["accuracy_high"]
        facts = [
            Fact(f"{one['by']}s right", f"{one['accuracy']:.3f}", f"95 %: {low:.3f} to {high:.3f}",
                 True),
            Fact(f"their {one['tracks']:,} tracks one by one", f"{one['tracks_accuracy']:.3f}",
                 "", True),
            Fact(f"{one['by']}s", f"{one['groups']:,}", "", True),
        ]  # fmt: skip
        yield Section(f"By {one['by']}", [Facts(facts)])


def _noises(found: Mapping[str, Any]) -> Iterator[Section]:
    if rows := found.get("by_noise"):
        named = [
            f"{row['noise'] or 'unknown'}, "
            + ("SNR unknown" if row["snr"] is None else f"{row['snr']:g} dB")
            for row in rows
        ]
        both = zip(named, rows, strict=True)
        of = [
            Span(name, row["accuracy"], row["accuracy_low"], row["accuracy_high"])
            for name, row in both
        ]
        caption = "Accuracy of each noise and ratio, with its 95 % interval."
        yield Section("Noise", [spans("accuracy by noise", of, caption)])


def _under(results: Sequence[Mapping[str, Any]]) -> Iterator[Section]:
    parts: list[Any] = []
    for found in results:
        rows = [row for row in found["under"] if row["accuracy"] is not None]
        of = [
            Span(str(row["condition"]), row["accuracy"], row["accuracy_low"], row["accuracy_high"])
            for row in rows
        ]
        caption = "Accuracy under each condition, with its 95 % interval."
        chart = spans(f"accuracy of {found['model']}", of, caption)
        parts += [replace(chart, heading=str(found["model"])), _changes(found["under"])]
    yield Section(
        "Conditions", parts,
        "Changes are those from the same tracks as they are; an interval that holds zero is none "
        "that these tracks show.",
    )  # fmt: skip


def _changes(rows: Sequence[Mapping[str, Any]]) -> Grid:
    heads = ("condition", "tracks", "accuracy", "change", "95 %", "macro F1", "calibration error",
             "unsure")  # fmt: skip
    cells = []
    for row in rows:
        if row["accuracy"] is None:
            cells.append([str(row["condition"]), "0", *[""] * 6])
            continue
        low, high = row["accuracy_change_low"], row["accuracy_change_high"]
        cells.append(
            [
                str(row["condition"]), f"{row['tracks']:,}", f"{row['accuracy']:.3f}",
                f"{row['accuracy_change']:+.3f}", f"{low:+.3f} to {high:+.3f}",
                f"{row['macro_f1']:.3f}", f"{row['ece']:.3f}", f"{row['unsure']:.3f}",
            ]
        )  # fmt: skip
    return Grid("what each condition costs", heads, cells, range(1, 8))
