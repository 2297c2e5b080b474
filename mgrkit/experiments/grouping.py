"""The tracks of one album or folder as one: a verdict by all of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio.tags.every import every_tag
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.entries import DataTrack
from mgrkit.datasets.rows import PATHS
from mgrkit.datasets.wide import fma_levels
from mgrkit.errors import UsageError
from mgrkit.learning.metrics import interval
from mgrkit.tracks.fma.metadata import read_fma
from mgrkit.tracks.schema import TABLE
from mgrkit.tracks.splits import group_key
from mgrkit.tracks.table import read_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.experiments.evaluating import Evaluation

ALBUM, FOLDER = "album", "folder"
KINDS = (ALBUM, FOLDER)


def groups_of(
    by: str, dataset: Dataset, folder: Path, data: Sequence[Path], table: Path | None
) -> list[str]:
    """The album or the folder of each track, for people; '' where the album is not known.

    Albums are those of a column ``album``: of DATA, of its ``tracks.csv`` or of ``table``; else
    those of the files' tags. An album is an artist's, so that two of one title are two. Noisy
    copies of one noise and ratio are together.

    Parameters
    ----------
    by : of `KINDS`.
    folder : what the paths of the tracks are relative to.

    Raises
    ------
    UsageError : no album is known.
    """
    entries = dataset.entries
    if by == FOLDER:
        found = [PurePosixPath(one.parent).parent.as_posix() for one in entries]
    else:
        found = _albums(entries, [one.group for one in dataset.labelled], folder, data, table)
        if not any(found):
            what = "--group album: no album is known of any track"
            raise UsageError(what, "a column album in tracks.csv, tags, or --group folder")
    noises = [f" ({one.noise} {one.snr})" if one.is_copy else "" for one in entries]
    return [name + noise if name else "" for name, noise in zip(found, noises, strict=True)]


def _albums(
    entries: Sequence[DataTrack],
    artists: Sequence[str],
    folder: Path,
    data: Sequence[Path],
    table: Path | None,
) -> list[str]:
    known: dict[str, str] = {}
    for path in data:
        listed = (table or path / TABLE) if path.is_dir() else path
        if listed.is_file():
            known |= _stated(listed)
    titles = [known.get(_key(one.parent)) or _tag(folder / one.name) for one in entries]
    keys = [group_key(artist) for artist in artists]
    spelt: dict[tuple[str, str], str] = {}
    for title, key, artist in zip(titles, keys, artists, strict=True):
        spelt.setdefault((key, group_key(title)), f"{artist}: {title}" if artist else title)
    both = zip(keys, titles, strict=True)
    return [spelt[key, group_key(title)] if title else "" for key, title in both]


def _stated(table: Path) -> dict[str, str]:
    """The albums that a table states, by path."""
    if fma_levels(table):
        frame = read_fma(table.parent, "full", [])
        paths = "path"
    else:
        header = read_frame(table, rows=0).columns
        paths = next((name for name in PATHS if name in header), "")
        if not paths or ALBUM not in header:
            return {}
        frame = read_frame(table)
    rows = frame.select(paths, ALBUM).cast({paths: str, ALBUM: str}).rows()
    return {_key(path): album.strip() for path, album in rows if path and album}


def _key(path: str) -> str:
    """A path as pictures and tables of the same sound have it, too: without its suffix."""
    bare = path.replace("\\", "/").removeprefix("./")
    return bare.rpartition(".")[0] or bare


def _tag(path: Path) -> str:
    return every_tag(path).get(ALBUM, "") if path.is_file() else ""


def together(
    by: str, names: Sequence[str], looked: Evaluation, probabilities: NDArray[Any], seed: int
) -> dict[str, Any]:
    """How often the genre with the largest sum of probabilities over a group is the group's.

    A track of which no group is known is one by itself. Groups whose tracks are of several genres
    have no genre of their own, and are left out.

    Parameters
    ----------
    names : of the group of each track, as `groups_of` gives them.
    probabilities : ``(n, labels)``.

    Returns
    -------
    JSON values: ``by``; ``groups``, how many are counted; ``accuracy`` of them with its interval
    ``accuracy_low`` and ``accuracy_high`` (see `mgrkit.learning.metrics.interval`); ``tracks`` of
    those groups, and ``tracks_accuracy``, track by track; ``verdicts``, the genre of each group by
    its name; ``notes``, what a person should know.

    Raises
    ------
    UsageError : each group has tracks of several genres.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        members[name or f"\0{index}"].append(index)
    truth, summed = np.asarray(looked.y), np.asarray(probabilities, np.float64)
    verdict = {name: int(summed[of].sum(0).argmax()) for name, of in members.items()}
    pure = {name: of for name, of in members.items() if len(set(truth[of].tolist())) == 1}
    if not pure:
        raise UsageError(f"--group {by}: each {by} has tracks of several genres")
    artists = looked.dataset.groups()
    right = np.array([verdict[name] == truth[of[0]] for name, of in pure.items()])
    low, high = interval(right, [artists[of[0]] for of in pure.values()], seed)
    counted = [index for of in pure.values() for index in of]
    return {
        "by": by,
        "groups": len(pure),
        "accuracy": float(right.mean()),
        "accuracy_low": low,
        "accuracy_high": high,
        "tracks": len(counted),
        "tracks_accuracy": float((summed[counted].argmax(1) == truth[counted]).mean()),
        "verdicts": {name: looked.labels[verdict[name]] for name in dict.fromkeys(names) if name},
        "notes": _notes(by, names, members, pure, truth),
    }


def _notes(
    by: str,
    names: Sequence[str],
    members: Mapping[str, Sequence[int]],
    pure: Mapping[str, Sequence[int]],
    truth: NDArray[np.int64],
) -> list[str]:
    """What a person should know."""
    found = []
    if unknown := sum(not name for name in names):
        found.append(f"{by} unknown for {unknown} of {len(names)} tracks: each counts alone")
    if mixed := len(members) - len(pure):
        lost = len(names) - sum(map(len, pure.values()))
        found.append(f"left out by {by}: {mixed} of several genres, {lost} tracks")
    if len(pure) == len({int(truth[of[0]]) for of in pure.values()}):
        found.append(f"there is one {by} for each genre: that many verdicts say next to nothing")
    return found
