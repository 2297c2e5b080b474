"""``mgrkit explore``: what DATA holds, as pictures, tables and one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mgrkit.classifiers.base import silent
from mgrkit.datasets.genres import AS_SPELT, GenreMap
from mgrkit.datasets.labels import Labels
from mgrkit.datasets.numbers import holds
from mgrkit.datasets.reading import read_dataset
from mgrkit.datasets.tables import is_feature_table
from mgrkit.errors import RunError, UsageError, nearest
from mgrkit.experiments.records import SETTINGS, folder_record, write_record
from mgrkit.features.sets.columns import GTZAN57_COLUMNS
from mgrkit.files.outputs import check_folder
from mgrkit.inputs.columns import ALL, TableChoice
from mgrkit.inputs.kinds import input_of
from mgrkit.registry.loader import require
from mgrkit.reports import explore_columns, explore_maps, explore_tracks
from mgrkit.reports.explore import MAKER, Material, Section, SkippedError
from mgrkit.reports.explore_page import PAGE, Explored, write_page
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.splits import PARTS, check_split, make_split
from mgrkit.tracks.table import is_table

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report
    from mgrkit.datasets.dataset import Dataset
    from mgrkit.tracks.splits import Split

PLOTS: Mapping[str, Callable[[Material], Section]] = {
    "counts": explore_columns.counts,
    "histograms": explore_columns.histograms,
    "boxes": explore_columns.boxes,
    "correlation": explore_columns.correlation,
    "pca": explore_maps.pca,
    "lda": explore_maps.lda,
    "tsne": explore_maps.tsne,
    "umap": explore_maps.umap,
    "importance": explore_tracks.importance,
    "similarity": explore_tracks.similarity,
    "suspects": explore_tracks.suspects,
    "outliers": explore_tracks.outliers,
}
"""By name, in the order of the page."""

_EVERY = TableChoice(("*",))


@dataclass(frozen=True)
class ExploreSettings:
    """What is explored, and how.

    Parameters
    ----------
    plots : of `PLOTS`; none takes all.
    seed : decides the split where DATA has none, samples, folds and maps.
    split, feature_set, genres, table, choice, label_from : as for
        `mgrkit.commands.train.TrainSettings`; of a table of numbers all columns are taken where
        none is chosen.
    """

    plots: Sequence[str] = ()
    seed: int = 0
    split: str | None = None
    feature_set: str | None = None
    genres: GenreMap = AS_SPELT
    table: Path | None = None
    choice: TableChoice = ALL
    device: str = "auto"
    label_from: str = ""


def explore(
    data: Path,
    out: Path,
    settings: ExploreSettings | None = None,
    *,
    options: Options | None = None,
    report: Report | None = None,
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
) -> Explored:
    """Draw and count what DATA holds; whatever is learnt is learnt from its train part alone.

    The same call writes the same bytes, on as many cores as there may be.

    Parameters
    ----------
    data : a table of numbers, a track table, or a folder of sound by genre.
    out : a new folder, or one that was made by this command: its files are replaced.
    progress : called with the plots done and all there are.

    Raises
    ------
    UsageError : the call is wrong, DATA holds no two genres or no numbers, or ``out`` holds
        something else.
    RunError : DATA cannot be read, ``out`` not written, or a module is not installed.
    """
    settings = settings or ExploreSettings()
    names = _plots(settings.plots)
    check_split(settings.split)
    _check_folder(out)
    require(MAKER, ("sklearn", "matplotlib"))
    material, split, failed, notes = _read(data, settings, options, report)
    folder = _Folder(out)
    skipped: dict[str, str] = {}
    sections = _made(material, names, folder, skipped, progress)
    if not sections:
        raise RunError(f"nothing can be drawn of {data}: {_told(skipped)}", "other --plots")
    parts = Counter(material.parts)
    found = Explored(
        str(data), str(out), len(material.y), len(material.names), len(material.genres),
        len(np.unique(material.artist_numbers)), {part: parts[part] for part in PARTS},
        split.words, sections, skipped, notes,
        [PAGE, *(name for one in sections.values() for name in one.files)], failed,
    )  # fmt: skip
    folder.claim([PAGE])
    write_page(out, data.name, found)
    folder.finish(found.files)
    return found


def _made(
    material: Material,
    names: Sequence[str],
    folder: _Folder,
    skipped: dict[str, str],
    progress: Callable[[int, int, Mapping[str, float]], None],
) -> dict[str, Section]:
    """Each plot made and written; adds why some cannot be."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    sections: dict[str, Section] = {}
    # Of several threads sums differ in their last digits, and maps then differ altogether.
    with threadpool_limits(1):
        for number, name in enumerate(names):
            progress(number, len(names), {})
            try:
                section = PLOTS[name](material)
            except SkippedError as error:
                skipped[name] = str(error)
                continue
            folder.claim(section.files)
            section.write(folder.path)
            # What is written is no longer needed, and long.
            tables = dict.fromkeys(section.tables, ((), ()))
            sections[name] = replace(section, tables=tables)
    progress(len(names), len(names), {})
    return sections


def _plots(asked: Sequence[str]) -> list[str]:
    for name in asked:
        if name not in PLOTS:
            hint = nearest(name, list(PLOTS), "there are")
            raise UsageError(f"--plots: there is no plot {name!r}", hint)
    return [name for name in PLOTS if name in asked or not asked]


def _told(skipped: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in skipped.items())


def _check_folder(out: Path) -> None:
    """Before the work: whether the folder is new, empty, or of this command."""
    check_folder(out, "--out")
    kept = folder_record(out)
    if kept is not None and kept.get("made by") != MAKER:
        raise UsageError(f"{out} holds something else", "give another --out")


class _Folder:
    """The folder of results, whose record names the files that are ours: no other is touched."""

    def __init__(self, out: Path) -> None:
        self.path = out
        out.mkdir(exist_ok=True)
        kept = folder_record(out) or {}
        self._ours = {str(name) for name in kept.get("files", []) if "/" not in str(name)}
        self._record()

    def claim(self, names: Sequence[str]) -> None:
        """Before they are written; UsageError if another's file has one of the names."""
        for name in names:
            if name not in self._ours and (self.path / name).exists():
                raise UsageError(f"{self.path / name} was not made by {MAKER}", "another --out")
        self._ours |= {*names}
        self._record()

    def finish(self, names: Sequence[str]) -> None:
        """Take away what an earlier call made and this one did not."""
        for name in self._ours - {*names}:
            (self.path / name).unlink(missing_ok=True)
        self._ours = {*names}
        self._record()

    def _record(self) -> None:
        write_record(self.path / SETTINGS, {"made by": MAKER, "files": sorted(self._ours)})


def _read(
    data: Path, settings: ExploreSettings, options: Options | None, report: Report | None
) -> tuple[Material, Split, int, list[str]]:
    """The tracks of DATA as they are explored, their split, files that failed, and notes."""
    wanted = input_of("features:gtzan57", "explore", None, settings.feature_set, settings.device)
    choice = _choice(data, settings)
    labels = Labels(settings.label_from, settings.genres.names)
    dataset = read_dataset(data, wanted, options, report, settings.table, choice, labels)
    [dataset] = settings.genres.applied(dataset)
    notes = list(dataset.notes)
    if dataset.input.columns == ():
        raise UsageError(f"{data} holds {dataset.input.name}, and no numbers", "give a table")
    split = checked(dataset.labelled, make_split(dataset.labelled, settings.split, settings.seed))
    known = {e.genre for e, p in zip(dataset.entries, split.parts, strict=True) if p == "train"}
    if len(known) < 2:
        held = f"one genre only, {next(iter(known))}" if known else "nothing"
        raise UsageError(
            f"the train part holds {held}",
            "at least two genres with two artists each, or another --split",
        )
    kept = [
        row
        for row, (entry, part) in enumerate(zip(dataset.entries, split.parts, strict=True))
        if part and entry.genre in known and not entry.is_copy
    ]
    notes += [*split.notes, *_left_out(dataset, split, known)]
    parts = [split.parts[row] for row in kept]
    dataset = dataset if len(kept) == len(dataset.entries) else dataset.take(kept)
    return _material(dataset, parts, settings.seed), split, dataset.failed, notes


def _choice(data: Path, settings: ExploreSettings) -> TableChoice:
    """All columns of a table of numbers, where none is chosen."""
    chosen = settings.choice
    if chosen or not data.is_file() or not is_table(data) or settings.feature_set:
        return chosen
    every = replace(chosen, columns=_EVERY.columns)
    if not is_feature_table(data, GTZAN57_COLUMNS) and not holds(data, every):
        return chosen  # a list of sounds
    return every


def _left_out(dataset: Dataset, split: Split, known: set[str]) -> Iterator[str]:
    copies = sum(entry.is_copy for entry in dataset.entries)
    if copies:
        yield f"left out, noisy copies: {copies} tracks"
    both = zip(dataset.entries, split.parts, strict=True)
    if lost := sum(bool(part) and entry.genre not in known for entry, part in both):
        yield f"left out, of genres that train lacks: {lost} tracks"


def _material(dataset: Dataset, parts: Sequence[str], seed: int) -> Material:
    """A row for each track: the mean of its pieces."""
    x, tracks = dataset.x, dataset.tracks
    count = len(dataset.entries)
    if len(tracks) != count or (tracks != np.arange(count)).any():
        sums = np.zeros((count, x.shape[1]))
        np.add.at(sums, tracks, x)
        x = (sums / np.bincount(tracks, minlength=count)[:, None]).astype(np.float32)
    genres = [entry.genre for entry in dataset.entries]
    of_train = Counter(g for g, part in zip(genres, parts, strict=True) if part == "train")
    order = tuple(sorted(of_train, key=lambda genre: (-of_train[genre], genre)))
    place = {genre: number for number, genre in enumerate(order)}
    return Material(
        tuple(dataset.input.columns), x, [entry.name for entry in dataset.entries],
        [one.group or one.unit for one in dataset.labelled], order,
        np.array([place[genre] for genre in genres], np.int64), parts, seed,
    )  # fmt: skip
