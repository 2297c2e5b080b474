"""DATA of ``train`` and ``evaluate`` read: a table, or a folder of sound or pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.datasets.categories import column_of
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.entries import DataTrack, judged
from mgrkit.datasets.genres import one_spelling, with_genres
from mgrkit.datasets.labels import AS_STATED, Labels, no_tags
from mgrkit.datasets.numbers import holds, read_columns, refuse_unknown, refuse_unlisted
from mgrkit.datasets.preparing import prepare
from mgrkit.datasets.tables import is_feature_table, read_feature_table
from mgrkit.datasets.wide import fma_levels
from mgrkit.errors import RunError, UsageError
from mgrkit.features.sets.columns import GTZAN57_COLUMNS
from mgrkit.inputs.columns import ALL, Columns, TableChoice, chosen
from mgrkit.inputs.kinds import Features, Input
from mgrkit.inputs.wording import how_to_get
from mgrkit.tracks.audit import audit
from mgrkit.tracks.identity import NAME
from mgrkit.tracks.layout import HINT, is_number
from mgrkit.tracks.sources import Source
from mgrkit.tracks.splits import one_part
from mgrkit.tracks.table import is_table

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report


def read_dataset(
    data: Path,
    wanted: Input,
    options: Options | None = None,
    report: Report | None = None,
    table: Path | None = None,
    choice: TableChoice = ALL,
    labels: Labels = AS_STATED,
) -> Dataset:
    """Everything in DATA that has a genre and can be used.

    Parameters
    ----------
    data : a feature table or track table (CSV, Parquet), or a folder of sound or pictures by
        genre.
    wanted : what is made of sound. A feature table and pictures are what they are: the
        ``input`` of the dataset says what.
    table : a track table whose rows name the files of the folder DATA that are taken.
    choice : of the columns of a table, or of the feature set that sound becomes.
    labels : where the genres are from.

    Raises
    ------
    RunError : DATA is not there, or nothing in it can be used.
    UsageError : a table without the columns that are needed, DATA of another kind than is
        wanted, or what `Labels.check` refuses.
    """
    if not data.exists():
        raise RunError(f"there is no {data}", "DATA is a table, or a folder by genre")
    source = Source.of(data, table)
    if data.is_dir():
        sound = _of_sound(data, wanted, choice)
        dataset = prepare(data, sound, source.table, options, report, labels)
    elif not is_table(data):
        raise UsageError(f"DATA is neither a folder nor a table: {data}", "CSV or Parquet")
    elif _holds_numbers(data, wanted, choice):
        if labels.by_tag:
            raise no_tags(data, "numbers")
        dataset = _of_numbers(data, wanted, choice)
    else:
        sound = _of_sound(data, wanted, choice)
        refuse_unlisted(data)
        dataset = prepare(source.folder, sound, source.table, options, report, labels)
    return _checked(data, dataset)


def _holds_numbers(table: Path, wanted: Input, choice: TableChoice) -> bool:
    """Whether a table is one of numbers, and no list of files."""
    return holds(table, choice) or is_feature_table(table, _named(wanted))


def _of_numbers(table: Path, wanted: Input, choice: TableChoice) -> Dataset:
    if isinstance(wanted, Columns):
        return read_columns(table, wanted, choice)
    if not isinstance(wanted, Features):
        raise UsageError(f"{table} holds numbers, not {wanted.name}", how_to_get(wanted))
    by_columns = bool(choice or wanted.fills) and wanted.feature_set.windows.window is None
    if by_columns or fma_levels(table):
        return read_columns(table, wanted, choice)
    return read_feature_table(
        table, wanted.feature_set, asked=wanted.asked, choice=choice, chosen=wanted.chosen
    )


def _of_sound(data: Path, wanted: Input, choice: TableChoice) -> Input:
    """What sound becomes, with the columns of its feature set that are chosen."""
    for option, value in (
        ("--label-column", choice.label),
        ("--group-column", choice.group),
        ("--subset", choice.subset),
    ):
        if value:
            raise UsageError(f"{option} is for tables of numbers, and {data} is none")
    if not choice:
        return wanted
    assert isinstance(wanted, Features)
    if data.is_file() and not any(chosen(wanted.columns, word) for word in choice.columns):
        refuse_unknown(data, choice)
    return wanted.chosen_by(choice)


def _named(wanted: Input) -> tuple[str, ...]:
    """Columns by which a table is known to hold what is wanted, or what that is made of."""
    if isinstance(wanted, Features):
        return (*wanted.columns, *wanted.feature_set.windows.columns)
    return (*wanted.columns, *map(column_of, wanted.columns)) or GTZAN57_COLUMNS


def _checked(data: Path, dataset: Dataset) -> Dataset:
    """Without tracks that have no genre and exact duplicates; slices with their recordings."""
    notes = list(dataset.notes)
    entries, labels = judged(dataset.entries, notes)
    # A copy is what its recording is, whatever its folder's table still says.
    genres = one_spelling([label.genre for label in labels], notes)
    dataset = with_genres(replace(dataset, entries=entries, labelled=labels), genres)
    entries = dataset.entries
    named = [i for i, entry in enumerate(entries) if entry.genre]
    if not named:
        raise RunError(f"no track in {data} has a genre", "; ".join(_unlabelled(dataset)))
    if len(named) < len(entries):
        notes.append(f"{len(entries) - len(named)} tracks without a genre left out")
    dataset = dataset.take(named)
    roots = [i for i, entry in enumerate(dataset.entries) if not entry.is_copy]
    checked = audit(
        [dataset.entries[i].name for i in roots],
        [_proof(dataset.labelled[i].id, dataset.entries[i]) for i in roots],
        [dataset.entries[i].genre for i in roots],
        [dataset.entries[i].digest for i in roots],
        [dataset.labelled[i].part for i in roots],
    )
    if len(checked.keep) < len(roots):
        dropped = set(roots) - {roots[k] for k in checked.keep}
        dataset = dataset.take([i for i in range(len(dataset.entries)) if i not in dropped])
    notes += checked.notes
    return replace(_joined(dataset, notes), notes=tuple(notes))


def _unlabelled(dataset: Dataset) -> Iterator[str]:
    """Why it may be that nothing has a label, and how to give some."""
    yield from dataset.notes
    paths = [one.name for one in dataset.entries]
    fma = any(one.id.startswith("fma:") for one in dataset.labelled)
    numbers = any(is_number(step) for path in paths for step in path.split("/")[:-1])
    if not fma and not numbers:
        yield "folders by genre, or a tracks.csv with the columns path and genre"
    elif not any(HINT in note for note in dataset.notes):
        yield f"folders of numbers are no genres: {HINT}" if numbers else HINT
    if fma:
        yield "FMA's are in its fma_metadata, tracks.csv, track.genre_top"


def _joined(dataset: Dataset, notes: list[str]) -> Dataset:
    """The slices of a recording of a known collection as the pieces of one track."""
    of_id: dict[str, list[int]] = {}
    for index, (entry, one) in enumerate(zip(dataset.entries, dataset.labelled, strict=True)):
        if not entry.is_copy:
            of_id.setdefault(one.id, []).append(index)
    place = np.arange(len(dataset.entries))
    labels = list(dataset.labelled)
    for track_id, members in of_id.items():
        if len(members) == 1 or not any(dataset.entries[i].piece for i in members):
            continue
        place[members] = members[0]
        part = one_part(track_id, {labels[i].part for i in members}, notes)
        by = next((labels[i].by for i in members if part and labels[i].part == part), "")
        group = next((labels[i].group for i in members if labels[i].group), "")
        labels[members[0]] = replace(labels[members[0]], group=group, part=part, by=by)
    places = np.where(dataset.places < 0, -1, place[dataset.places])
    joined = replace(dataset, places=places, labelled=tuple(labels))
    return joined.take(np.unique(place).tolist())


def _proof(track_id: str, entry: DataTrack) -> str:
    """An id that two tracks share only if they are one: a file's name alone proves nothing."""
    return entry.name if track_id.startswith(NAME) else f"{track_id} {entry.piece}"
