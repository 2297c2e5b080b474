"""``mgrkit data split``: a track table with parts, dealt as ``mgrkit train`` deals them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.batch import Options, Report
from mgrkit.compute.collector import paused_collector
from mgrkit.datasets.catalogue import COLUMNS, catalogued, read_rows
from mgrkit.datasets.entries import judged
from mgrkit.datasets.genres import AS_SPELT, GenreMap, genre_key, one_spelling
from mgrkit.datasets.labels import Labels
from mgrkit.datasets.tag_rows import labelled_rows, not_there, read_artists
from mgrkit.errors import RunError, UsageError
from mgrkit.files.outputs import check_folder
from mgrkit.tracks.collections.lookup import known
from mgrkit.tracks.dealing import USUAL, Shares
from mgrkit.tracks.find import SOUND, Search
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.schema import RECORDING_OF, SPLIT_BY, TABLE
from mgrkit.tracks.sources import Source
from mgrkit.tracks.splits import DEALT, Labelled, Split, check_split, make_split
from mgrkit.tracks.table import read_tracks, write_tracks

if TYPE_CHECKING:
    import polars as pl

FOLD = "fold"
_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class SplitSettings:
    """How to split.

    Parameters
    ----------
    how, seed, shares : as for `mgrkit.tracks.splits.make_split`.
    folds : so many folds instead of ``shares``; ``test_fold`` is test, the next one valid.
    keep : an earlier table, whose rows keep their part or fold.
    tags : take the artist of a file that no row names from its tags.
    allow_missing : let a genre of too few artists lack a part.
    label_from : as the ``by`` of `mgrkit.datasets.labels.Labels`; 'tag' takes artists from tags,
        too.
    genres : ours for theirs; OUT has ours.
    """

    how: str | None = None
    seed: int = 0
    shares: Shares = USUAL
    folds: int | None = None
    test_fold: int = 0
    keep: Path | None = None
    tags: bool = False
    allow_missing: bool = False
    label_from: str = ""
    genres: GenreMap = AS_SPELT

    def __post_init__(self) -> None:
        check_split(self.how)
        Labels(self.label_from)
        if self.folds is not None:
            Shares.of_folds(self.folds)
            if self.shares != USUAL:
                raise UsageError("--folds are equal", "leave out --ratio and --counts")
        if not 0 <= self.test_fold < (self.folds or 1):
            last = f"from 0 to {self.folds - 1}" if self.folds else "given with --folds"
            raise UsageError(f"--test-fold must be {last}, not {self.test_fold}")
        if self.how == "published" and self.deals:
            raise UsageError(
                "a published split is taken as it is",
                "leave out --ratio, --counts, --folds and --keep, or deal grouped or random",
            )

    @property
    def deals(self) -> bool:
        """Whether more is asked for than what a collection publishes."""
        return self.folds is not None or self.keep is not None or self.shares != USUAL

    def part_of(self, fold: str) -> str:
        """The part that a fold is; '' for none."""
        if not fold or not self.folds:
            return ""
        place = (int(fold) - self.test_fold) % self.folds
        return ("test", "valid")[place] if place < 2 else "train"


@dataclass(frozen=True)
class Parted:
    """What was written.

    Parameters
    ----------
    split : its kind; ``words`` go with every number from it.
    genres : how many tracks of each genre each part has, '' being those in none.
    passed_over : rows that failed, are duplicates, or, with genres of tags, have none or are of
        files that are not there, by why.
    """

    out: Path
    split: str
    words: str
    seed: int
    genres: Mapping[str, Mapping[str, int]]
    passed_over: Mapping[str, int]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        of_genre = {
            genre: {part or "none": n for part, n in counts.items()}
            for genre, counts in self.genres.items()
        }
        return {
            "out": str(self.out),
            "split": self.split,
            "words": self.words,
            "seed": self.seed,
            "genres": of_genre,
            "passed_over": dict(self.passed_over),
            "notes": list(self.notes),
        }


@paused_collector()
def split(
    data: Path,
    out: Path | None = None,
    settings: SplitSettings | None = None,
    *,
    table: Path | None = None,
    search: Search = SOUND,
    replace_out: bool = False,
    options: Options | None = None,
    report: Report | None = None,
) -> Parted:
    """Write the table of DATA with the columns ``split``, ``split_by`` and, of folds, ``fold``.

    Artists that were used stand in its column ``group``; all other columns are kept.

    Parameters
    ----------
    data : a track table, or a folder; ``table`` is then one of its files.
    out : CSV or Parquet; None is DATA's table, or ``tracks.csv`` in the folder.
    replace_out : write over what is there.

    Raises
    ------
    UsageError : DATA cannot be split so, a path has two genres, folders are artists and no
        genres, or OUT is there already.
    RunError : DATA or the earlier table cannot be read, or has nothing to split.
    Stopped : a person ended it while tags were read; nothing was written.
    """
    settings = settings or SplitSettings()
    if not data.exists():
        raise RunError(f"there is no {data}", "DATA is a track table, or a folder")
    source = Source.of(data, table)
    if source.table is None and not data.is_dir():
        raise UsageError(f"DATA is neither a folder nor a table: {data}", "CSV or Parquet")
    notes: list[str] = []
    out = out or source.table or source.folder / TABLE
    _check_out(out, replace_out=replace_out)
    frame = read_rows(source.table or data, notes, search, extras=True)
    by = Labels(settings.label_from, settings.genres.names, learns=True)
    frame, used = _usable(data, source.folder, frame, by, notes, options, report)
    rows = frame.filter(used)
    _check_torn(rows)
    asked = settings.tags or by.by_tag
    tags = read_artists(source.folder, rows, notes, options, report) if asked else {}
    labels = _labelled(rows, tags, settings.genres, notes)
    made = _made(labels, settings, source, notes)
    _write(out, source.folder, frame, used.to_list(), labels, made, settings)
    passed = _passed(source.folder, frame.filter(~used))
    return _parted(out, passed, labels, made, settings, notes)


def _parted(
    out: Path,
    passed: Mapping[str, int],
    labels: Mapping[str, Labelled],
    made: Split,
    settings: SplitSettings,
    notes: Sequence[str],
) -> Parted:
    """What was written, counted."""
    counts: dict[str, Counter[str]] = {}
    for name, part in _parts(labels, made, settings).items():
        counts.setdefault(labels[name].genre or "no genre", Counter())[part] += 1
    return Parted(
        out, made.name, made.words, settings.seed, dict(sorted(counts.items())), passed,
        (*dict.fromkeys((*notes, *made.notes)),),
    )  # fmt: skip


def _passed(folder: Path, unused: pl.DataFrame) -> Counter[str]:
    """How many rows are not used, by why."""
    names = ("path", "status", "duplicate_of")
    gone = not_there(folder, unused["path"].to_list())
    return Counter(
        "failed" if status == "failed"
        else "duplicate" if other
        else "missing" if path in gone
        else "no genre"
        for path, status, other in zip(*(unused[name].to_list() for name in names), strict=True)
    )  # fmt: skip


def _check_out(out: Path, *, replace_out: bool) -> None:
    """See before the work that OUT may be written."""
    if out.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"OUT is no table: {out}", "a file ending in .csv or .parquet")
    check_folder(out, "OUT")
    if out.exists() and not replace_out:
        raise UsageError(f"{out} is there already", "give another OUT, or --replace")


def _usable(
    data: Path,
    folder: Path,
    frame: pl.DataFrame,
    labels: Labels,
    notes: list[str],
    options: Options | None,
    report: Report | None,
) -> tuple[pl.DataFrame, pl.Series]:
    """The rows with the genres that are asked for, and which of them can be used."""
    used = (frame["status"] != "failed") & (frame["duplicate_of"] == "")
    rows = frame.filter(used)
    if not len(rows):
        raise RunError(f"no row of {data} can be used", "all failed or are duplicates")
    rows, lost = labelled_rows(data, folder, rows, labels, notes, options, report)
    if not labels.by_tag:
        return frame, used
    used &= ~frame["path"].is_in(list(lost))
    return frame.with_columns(_genres(frame, rows)), used


def _genres(frame: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """The column of genres, those of the rows that are used being the tags'."""
    import polars as pl

    tagged = dict(zip(rows["path"].to_list(), rows["genre"].to_list(), strict=True))
    both = zip(frame["path"].to_list(), frame["genre"].to_list(), strict=True)
    return pl.Series("genre", [tagged.get(path, genre) for path, genre in both], pl.String)


def _check_torn(rows: pl.DataFrame) -> None:
    """Raise UsageError if a path has two genres."""
    genres: dict[str, str] = {}
    torn = {}
    for path, genre in zip(rows["path"].to_list(), rows["genre"].to_list(), strict=True):
        before = genres.setdefault(path, genre)
        if before != genre and genre_key(before) != genre_key(genre):
            torn[path] = f"{before or 'none'} and {genre or 'none'}"
    if torn:
        path, both = next(iter(torn.items()))
        more = f"; {len(torn) - 1} more like it" if len(torn) > 1 else ""
        raise UsageError(f"{path} has two genres, {both}{more}", "one genre a file")


def _labelled(
    rows: pl.DataFrame, tags: Mapping[str, str], ours: GenreMap, notes: list[str]
) -> dict[str, Labelled]:
    """What is known of each track, by its path; parts that were dealt before are forgotten."""
    import polars as pl

    dealt = rows[SPLIT_BY].is_in(DEALT)
    rows = rows.with_columns(
        pl.when(dealt).then(pl.lit("")).otherwise(pl.col("split")).alias("split"),
        pl.when(dealt).then(pl.lit("")).otherwise(pl.col(SPLIT_BY)).alias(SPLIT_BY),
        pl.lit("").alias(FOLD),
    )
    entries, labels = judged(
        [entry for entry, _ in catalogued(rows, notes, lambda path: tags.get(path, ""))], notes
    )
    genres = one_spelling([one.genre for one in labels], notes)
    ours.check_theirs(genres)
    genres = ours.renamed(genres, notes) if ours.pairs else genres
    return {
        entry.name: one if genre == one.genre else replace(one, genre=genre)
        for entry, one, genre in zip(entries, labels, genres, strict=True)
    }


def _made(
    labels: Mapping[str, Labelled], settings: SplitSettings, source: Source, notes: list[str]
) -> Split:
    """The split of the tracks; with ``--keep``, around the earlier one."""
    tracks, how = list(labels.values()), settings.how
    kept: list[str] = []
    if settings.keep:
        kept, by = _kept(settings.keep, list(labels), settings, source, notes)
        how = how or by or None
        if by and how != by:
            raise UsageError(f"{settings.keep} was dealt {by}, not {how}", f"--split {by}")
    if settings.deals and how is None:
        tracks = [replace(one, part="", by="") for one in tracks]
    shares = Shares.of_folds(settings.folds) if settings.folds else settings.shares
    made = make_split(
        tracks, how, settings.seed, shares=shares, kept=kept, strict=not settings.allow_missing
    )
    return checked(tracks, made)


def _kept(
    keep: Path, names: Sequence[str], settings: SplitSettings, source: Source, notes: list[str]
) -> tuple[list[str], str]:
    """The part or fold that each track has in an earlier table, and how that was dealt.

    Tracks of known collections are the same wherever they lie, others where they are one file.
    """
    frame = read_tracks(keep)
    column = FOLD if settings.folds else "split"
    if column not in frame.columns or not (frame[column] != "").any():
        raise UsageError(f"{keep} has no parts to keep", f"a column {column}")
    folds = {str(number) for number in range(settings.folds or 0)}
    if settings.folds and (others := set(frame[column].to_list()) - folds - {""}):
        raise UsageError(f"{keep} has other folds than --folds {settings.folds}: {min(others)}")
    earlier = dict(zip(frame["path"].to_list(), frame[column].to_list(), strict=True))
    held = {_key(keep.parent, path): part for path, part in earlier.items()}
    parts = [held.get(_key(source.folder, name), "") for name in names]
    if not any(parts):
        raise UsageError(
            f"{keep} and DATA have no track in common: {next(iter(earlier))}, {names[0]}",
            "paths are relative to their table",
        )
    old = len(parts) - parts.count("")
    notes.append(f"{old} tracks keep their part, {parts.count('')} are new")
    if lost := sum(map(bool, earlier.values())) - old:
        notes.append(f"{lost} rows of {keep} are not in DATA")
    by = next((one for one in DEALT[::-1] if (frame[SPLIT_BY] == one).any()), "")
    return parts, by


def _key(folder: Path, path: str) -> str:
    fact = known(path)
    return f"{fact.id}{fact.piece}" if fact else os.path.abspath(os.path.join(folder, path))


def _parts(labels: Mapping[str, Labelled], made: Split, settings: SplitSettings) -> dict[str, str]:
    """The part of each track, by its path."""
    if settings.folds:
        return dict(zip(labels, map(settings.part_of, made.parts), strict=True))
    return dict(zip(labels, made.parts, strict=True))


def _write(
    out: Path,
    folder: Path,
    frame: pl.DataFrame,
    used: Sequence[bool],
    labels: Mapping[str, Labelled],
    made: Split,
    settings: SplitSettings,
) -> None:
    """Write the rows with what was found, their paths relative to OUT."""
    import polars as pl

    paths = frame["path"].to_list()
    parts = _parts(labels, made, settings)
    # A row that was not dealt, such as one that failed, is in no part.
    groups = {path: one.group for path, one in labels.items()}
    new = {
        "group": [g or groups.get(p, "") for g, p in zip(frame["group"], paths, strict=True)],
        "split": [parts[p] if u else "" for p, u in zip(paths, used, strict=True)],
        SPLIT_BY: [made.name if made.name in (*DEALT, "published") else ""] * len(paths),
    }
    if settings.genres.pairs:
        old = zip(frame["genre"], paths, used, strict=True)
        new["genre"] = [labels[p].genre if u else genre for genre, p, u in old]
    frame = frame.drop(FOLD, strict=False)
    if settings.folds:
        folds = dict(zip(labels, made.parts, strict=True))
        new[FOLD] = [folds[p] if u else "" for p, u in zip(paths, used, strict=True)]
    if os.path.abspath(folder) != os.path.abspath(out.parent):
        way = Path(os.path.relpath(folder, out.parent)).as_posix()
        moved = {path: os.path.normpath(f"{way}/{path}") for path in frame["path"].to_list()}
        for name in ("path", "parent", "duplicate_of", RECORDING_OF, "same_as", "part_of"):
            if name in frame:
                new[name] = [moved.get(value, value) for value in frame[name].to_list()]
    frame = frame.with_columns(pl.Series(name, v) for name, v in new.items())
    write_tracks(out, frame.drop(n for n in COLUMNS if n in frame and not (frame[n] != "").any()))
