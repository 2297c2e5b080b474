"""FMA's ``tracks.csv`` as a collection's track table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.errors import RunError, UsageError, nearest
from mgrkit.tracks.fma.headed import AS_PUBLISHED, INDEX, read_header
from mgrkit.tracks.fma.tree import RULES, read_tree
from mgrkit.tracks.schema import CATALOGUE
from mgrkit.tracks.splits import group_key

if TYPE_CHECKING:
    import polars as pl

SUBSETS = ("small", "medium", "large", "full")
"""Each holds the one before. In the table a track has the smallest that it is in; large and full
have the same tracks, as clips and whole."""

CLIP_SECONDS = 30
"""Of every track that is longer, but in full."""

_PARTS = {"training": "train", "validation": "valid", "test": "test"}
_COLUMNS = {
    ("album", "id"): "album_id",
    ("album", "title"): "album",
    ("artist", "id"): "artist_id",
    ("artist", "name"): "artist",
    ("set", "split"): "split",
    ("set", "subset"): "subset",
    ("track", "bit_rate"): "bit_rate",
    ("track", "duration"): "seconds",
    ("track", "genre_top"): "top",
    ("track", "genres"): "genres",
    ("track", "license"): "licence",
    ("track", "tags"): "tags",
    ("track", "title"): "title",
}
"""What the columns are called here."""

_LISTS = ("genres", "tags")
"""Columns that are empty in no row: lists as Python writes them. ``tags`` is the last but one."""

EXTRAS = ("artist_id", "album_id", "subset", "genre_ids", "bit_rate")
"""Columns besides those of `CATALOGUE`; ``genre_ids`` are numbers with spaces between."""


def read_fma(metadata: Path, subset: str, notes: list[str], genres: str = "top") -> pl.DataFrame:
    """The tracks of a subset that have a genre, by rising number; every column text.

    Paths are ``000/000002.mp3``, relative to the folder of the sound. The group is the artist by
    FMA's number, which its published split keeps whole: written as the name, and with the number
    where several have that name (``Nobody #12``).

    Parameters
    ----------
    metadata : the folder with ``tracks.csv`` and ``genres.csv``.
    subset : of `SUBSETS`.
    notes : what a person should know is added, one line each.
    genres : of `RULES`.

    Returns
    -------
    The columns of `CATALOGUE` and then `EXTRAS`. ``seconds`` are as stated, whole seconds and
    ``CLIP_SECONDS`` at most but in full; '' where FMA says 0. For 21 tracks they are known to be
    wrong (`mgrkit.tracks.collections.fma`).

    Raises
    ------
    UsageError : no such subset or rule; ``tracks.csv`` has another header, or misses a column.
    RunError : a file is not there, cannot be read, has no rows, is cut off or damaged, or
        contradicts itself.
    """
    import polars as pl

    for value, known, name in ((subset, SUBSETS, "subset"), (genres, RULES, "rule for genres")):
        if value not in known:
            raise UsageError(f"FMA has no {name} {value!r}", nearest(value, known, "there are"))
    frame = _read(metadata / "tracks.csv", subset)
    frame = _with_genre(frame, metadata, genres).sort(INDEX)
    _count_lost(frame, notes)
    frame = frame.filter(pl.col("genre") != "")
    if not len(frame):
        raise RunError(f"no track of fma-{subset} in {metadata / 'tracks.csv'} has a genre")
    number = pl.col(INDEX).cast(pl.String).str.zfill(6)
    seconds = pl.col("seconds").cast(pl.Int64, strict=False).replace(0, None)
    if subset != "full":
        seconds = seconds.clip(upper_bound=CLIP_SECONDS)
    made = frame.with_columns(
        path=number.str.slice(0, 3) + "/" + number + ".mp3",
        source_id="fma:" + number,
        split_by=pl.lit("published"),
        group=_group(frame, notes),
        seconds=seconds.cast(pl.String).fill_null(""),
        genre_ids=pl.col("ids").cast(pl.List(pl.String)).list.join(" "),
    )
    missing = [pl.lit("").alias(name) for name in CATALOGUE if name not in made.columns]
    texts = pl.col(*CATALOGUE, *EXTRAS).fill_null("")
    return made.with_columns(missing).select(texts)


def _read(path: Path, subset: str) -> pl.DataFrame:
    """The rows of a subset, texts as they are."""
    import polars as pl

    frame = read_header(path, levels=2).rows(dict.fromkeys(_COLUMNS, pl.String))
    frame.columns = [INDEX, *_COLUMNS.values()]
    for name in _LISTS:  # a row that ends early has none, in a row with a field too many it moves
        odd = frame.filter(~pl.col(name).fill_null("").str.contains(r"^(?s)\[.*\]$"))
        if len(odd):
            raise RunError(
                f"{path} is cut off or damaged: track {odd[INDEX][0]} has no list of {name}",
                AS_PUBLISHED,
            )
    for name, known in (("subset", SUBSETS[:3]), ("split", tuple(_PARTS))):
        odd = frame.filter(~pl.col(name).fill_null("").is_in(known))
        if len(odd):
            raise RunError(
                f"{path}: track {odd[INDEX][0]} has the {name} {odd[name][0] or ''!r}",
                f"known are {', '.join(known)}",
            )
    held = SUBSETS[: SUBSETS.index(subset) + 1]
    frame = frame.filter(pl.col("subset").is_in(held))
    if not len(frame):
        raise RunError(f"{path} has no track of fma-{subset}")
    return frame.with_columns(pl.col("split").replace(_PARTS))


def _with_genre(frame: pl.DataFrame, metadata: Path, rule: str) -> pl.DataFrame:
    """The rows with the numbers of their genres as lists, and the genre that a rule gives."""
    import polars as pl

    roots = read_tree(metadata / "genres.csv").roots()
    numbers = pl.col("genres").str.extract_all(r"\d+").cast(pl.List(pl.Int64))
    frame = frame.with_columns(ids=numbers)
    one = frame.select(INDEX, genre_id="ids").explode("genre_id").drop_nulls()
    one = one.with_columns(root=pl.col("genre_id").replace_strict(roots, default=None))
    if (unknown := one["root"].is_null()).any():
        odd = one.filter(unknown).row(0, named=True)
        raise RunError(
            f"track {odd[INDEX]} in {metadata / 'tracks.csv'} has the genre {odd['genre_id']}, "
            f"which is not in {metadata / 'genres.csv'}",
            "both must be of one fma_metadata.zip",
        )
    if rule == "top":
        return frame.with_columns(genre=pl.col("top").fill_null(""))
    if rule == "first":
        chosen = one.group_by(INDEX, maintain_order=True).agg(genre=pl.col("root").first())
    else:
        counts = one.group_by(INDEX, "root").len()
        most = counts.filter(pl.col("len") == pl.col("len").max().over(INDEX))
        chosen = most.group_by(INDEX).agg(
            genre=pl.when(pl.len() == 1).then(pl.col("root").first()).otherwise(pl.lit(""))
        )
    return frame.join(chosen, on=INDEX, how="left").with_columns(pl.col("genre").fill_null(""))


def _count_lost(frame: pl.DataFrame, notes: list[str]) -> None:
    """Say how many tracks get no genre, and why."""
    import polars as pl

    lost = frame.filter(pl.col("genre") == "")
    unnamed = int((lost["ids"].list.len() == 0).sum())
    if several := len(lost) - unnamed:
        notes.append(f"left out, of several root genres: {several:,} tracks")
    if unnamed:
        notes.append(f"left out, without a genre: {unnamed:,} tracks")


def _group(frame: pl.DataFrame, notes: list[str]) -> pl.Series:
    """The artist of each row: the name, and the number where several have the name."""
    names: dict[str, str] = {}
    for number, name in frame.select("artist_id", "artist").unique(maintain_order=True).iter_rows():
        if number:
            names.setdefault(number, name or "")
    shared = _sharing(names)
    if shared:
        notes.append(f"artists who share a name, told apart by their number: {len(shared):,}")
    written = {number: _numbered(number, name, shared) for number, name in names.items()}
    return frame["artist_id"].replace_strict(written, default="")


def _sharing(names: dict[str, str]) -> set[str]:
    """The numbers of artists whose name another artist has, or is written as (``Sun 5``)."""
    shared: set[str] = set()
    while True:
        owners: dict[str, list[str]] = {}
        for number, name in names.items():
            owners.setdefault(group_key(_numbered(number, name, shared)), []).append(number)
        more = {number for numbers in owners.values() if len(numbers) > 1 for number in numbers}
        if more <= shared:
            return shared
        shared |= more


def _numbered(number: str, name: str, shared: set[str]) -> str:
    return f"{name} #{number}".strip() if number in shared or not name else name
