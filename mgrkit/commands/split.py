"""``mgrkit data split``: a table that says which track is in which part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.datasets.catalogue import COLUMNS, Progress, Tags, catalogued, read_rows, unseen
from mgrkit.datasets.entries import DataTrack, artist_folders, belonging, labelled
from mgrkit.datasets.genres import one_spelling
from mgrkit.errors import UsageError
from mgrkit.files.outputs import check_folder
from mgrkit.tracks.balance import Balance, balance
from mgrkit.tracks.dealing import USUAL, Shares
from mgrkit.tracks.leaks import checked
from mgrkit.tracks.schema import SPLIT_BY
from mgrkit.tracks.splits import Labelled, Split, check_split, make_split, published_part
from mgrkit.tracks.table import is_table, read_tracks, write_tracks

if TYPE_CHECKING:
    import polars as pl

FOLD = "fold"
_PART_OF_FOLD = ("test", "valid")


@dataclass(frozen=True)
class SplitSettings:
    """How a table is split.

    Parameters
    ----------
    how : 'published', 'grouped', 'random', or None for the first that DATA allows.
    shares : how much goes where.
    test_fold : of folds, the one that is test; the next is valid.
    keep : an earlier table, whose tracks keep their parts.
    tags : read the artists that nothing else names from the tags of the files.
    allow_missing : let a genre lack a part.
    """

    how: str | None = None
    seed: int = 0
    shares: Shares = USUAL
    test_fold: int = 0
    keep: Path | None = None
    tags: bool = False
    allow_missing: bool = False

    def __post_init__(self) -> None:
        check_split(self.how)
        if self.how == "published" and (self.shares is not USUAL or self.keep):
            raise UsageError("a published split is taken as it is", "leave out the other options")
        if self.folds and self.keep:
            raise UsageError("--keep goes with parts, not with --folds", "leave out one of them")
        if not 0 <= self.test_fold < max(1, self.folds):
            raise UsageError(
                f"--test-fold must be from 0 to {max(0, self.folds - 1)}, not {self.test_fold}",
                "it goes with --folds",
            )

    @property
    def folds(self) -> int:
        """How many; 0 for parts."""
        return 0 if "train" in self.shares.parts else len(self.shares.parts)


@dataclass(frozen=True)
class Parted:
    """What was written.

    Parameters
    ----------
    split : the kind of split, and ``words`` what every number from it has to carry.
    balance : the tracks of each genre and part.
    left_out : tracks in no part.
    """

    path: Path
    split: str
    words: str
    balance: Balance
    left_out: int
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "table": str(self.path),
            "split": self.split,
            "words": self.words,
            **self.balance.as_json(),
            "left_out": self.left_out,
            "notes": list(self.notes),
        }


def split(
    data: Path,
    out: Path,
    settings: SplitSettings | None = None,
    *,
    replace: bool = False,
    progress: Progress = unseen,
) -> Parted:
    """Write DATA's table with the columns ``split`` and ``split_by``, and ``fold`` of folds.

    All rows of a path go to one part, and so does what belongs together: the tracks of an artist
    (unless the split is random), slices, noisy copies and exact duplicates. ``group`` is filled
    in with the artist that was found.

    Parameters
    ----------
    data : a table with a column of paths, or a folder.
    out : CSV or Parquet; an existing one only with ``replace``. DATA itself may be.

    Raises
    ------
    UsageError : DATA that cannot be split so, a path of two genres, or an ``out`` that is no table
        or there already.
    RunError : DATA cannot be read, or lists nothing.
    OSError : ``out`` cannot be written.
    """
    settings = settings or SplitSettings()
    _check_out(out, replace=replace)
    notes: list[str] = []
    frame = read_rows(data, extras=True)
    entries, tracks = _judged(data, frame, settings, notes, progress)
    kept = _kept(settings.keep, entries) if settings.keep else ()
    dealt = make_split(
        tracks, settings.how, settings.seed,
        shares=settings.shares, kept=kept, strict=not settings.allow_missing,
    )  # fmt: skip
    made = checked(tracks, dealt)
    parts = made.parts
    if settings.folds and made.name != "published":
        parts = tuple(_part(fold, settings) for fold in parts)
    _write(out, frame, entries, tracks, made, parts)
    folder = _folder(data)
    if out.resolve().parent != folder.resolve():
        notes.append(f"the paths are relative to {folder}: --table {out} goes with that folder")
    shown = balance([track.genre for track in tracks], parts)
    notes += made.notes
    return Parted(out, made.name, made.words, shown, parts.count(""), tuple(notes))


def _folder(data: Path) -> Path:
    """What the paths of DATA are relative to."""
    return data if data.is_dir() else data.parent


def _check_out(out: Path, *, replace: bool) -> None:
    if not is_table(out) or out.name.lower().endswith(".gz"):
        raise UsageError(f"OUT must end in .csv or .parquet, not {out.name}")
    check_folder(out, "OUT")
    if out.exists() and not replace:
        raise UsageError(f"{out} is there already", "give another OUT, or --replace")


def _judged(
    data: Path,
    frame: pl.DataFrame,
    settings: SplitSettings,
    notes: list[str],
    progress: Progress,
) -> tuple[Sequence[DataTrack], Sequence[Labelled]]:
    """The tracks, and what is known of each; adds to the notes."""
    import polars as pl

    rows = frame
    if settings.how in ("grouped", "random"):  # what was dealt before has no say
        rows = frame.with_columns(pl.lit("").alias(name) for name in ("split", SPLIT_BY))
    rows = rows.with_columns(pl.lit("").alias(FOLD)).filter(pl.col("status") != "failed")
    tags = Tags(_folder(data), len(frame), progress) if settings.tags or data.is_dir() else None
    found: list[str] = []
    entries, _ = belonging([entry for entry, _ in catalogued(rows, found, tags)], notes)
    if torn := [note for note in found if note.startswith("paths under two genres")]:
        raise UsageError(f"{data} contradicts itself: {torn[0]}", "give each path one genre")
    notes += found
    tracks = labelled(entries)
    if folders := artist_folders(entries, tracks):
        notes.append("artists are taken from the folders below the genres")
        tracks = tuple(changed(one, group=f) for one, f in zip(tracks, folders, strict=True))
    genres = one_spelling([track.genre for track in tracks], notes)
    return entries, [changed(one, genre=g) for one, g in zip(tracks, genres, strict=True)]


def _kept(table: Path, entries: Sequence[DataTrack]) -> list[str]:
    """The part of each track in an earlier table, '' for a new one."""
    frame = read_tracks(table)
    parts = dict(zip(frame["path"], map(published_part, frame["split"]), strict=True))
    if not any(parts.values()):
        raise UsageError(f"{table} has no split to keep", "--keep takes a table of an earlier call")
    return [parts.get(entry.name, "") for entry in entries]


def _part(fold: str, settings: SplitSettings) -> str:
    """The part that a fold is: the asked one test, the next valid, the others train."""
    if not fold:
        return ""
    after = (int(fold) - settings.test_fold) % settings.folds
    return _PART_OF_FOLD[after] if after < len(_PART_OF_FOLD) else "train"


def _write(
    out: Path,
    frame: pl.DataFrame,
    entries: Sequence[DataTrack],
    tracks: Sequence[Labelled],
    made: Split,
    parts: Sequence[str],
) -> None:
    """The rows of DATA in their order, with what was decided for the path of each."""
    import polars as pl

    by = made.name if made.name in ("published", "grouped", "random") else ""
    decided = pl.DataFrame(
        {
            "path": [entry.name for entry in entries],
            "_genre": [track.genre for track in tracks],
            "_group": [track.group for track in tracks],
            "_split": parts,
            "_by": [by if part else "" for part in parts],
            "_fold": made.parts if made.parts != parts else [""] * len(parts),
        },
        schema_overrides={"_split": pl.String, "_fold": pl.String},
    ).unique("path", keep="first", maintain_order=True)
    # Rows that failed are in no part.
    joined = frame.join(decided, on="path", how="left", maintain_order="left").with_columns(
        genre=pl.when(pl.col("genre") == "").then(pl.col("_genre")).otherwise(pl.col("genre")),
        group=pl.when(pl.col("group") == "").then(pl.col("_group")).otherwise(pl.col("group")),
        split=pl.col("_split"),
        split_by=pl.col("_by"),
        fold=pl.col("_fold"),
    )
    joined = joined.drop("_genre", "_group", "_split", "_by", "_fold")
    joined = joined.with_columns(pl.col(COLUMNS).fill_null(""))
    write_tracks(out, joined.drop(name for name in COLUMNS if not (joined[name] != "").any()))
