"""Where the genres of DATA are from: its table and folders, or the tags of its files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mgrkit.batch import Item, Options, Output, Report, Work
from mgrkit.datasets.genres import genre_key
from mgrkit.datasets.jobs import all_rows
from mgrkit.errors import RunError, UsageError

if TYPE_CHECKING:
    from mgrkit.tracks.layout import Layout

TAG, FOLDER = "tag", "folder"
BY_TAG = "--label-from tag takes the genres of the files' tags"
"""What a person may try where folders are no genres."""
_BETWEEN = re.compile(r"[/,|]")
_NAMED = 3
"""So many files that are left out are named."""


class Stated(Protocol):
    """What the table of a folder says of genres, and how its files lie."""

    @property
    def names_genres(self) -> bool: ...

    @property
    def layout(self) -> Layout: ...


@dataclass(frozen=True)
class Labels:
    """``--label-from``: where genres are from.

    Parameters
    ----------
    by : 'tag' for the tags of the files; 'folder' for the table and, where it names none, the
        folders; '' for the same, unless the folders are plainly artists that would be learnt.
    known : genres of which a file that names several counts as the first.
    learns : whether the genres will be learnt.

    Raises
    ------
    UsageError : ``by`` is neither.
    """

    by: str = ""
    known: tuple[str, ...] = ()
    learns: bool = False

    def __post_init__(self) -> None:
        if self.by not in ("", TAG, FOLDER):
            raise UsageError(f"--label-from must be {TAG} or {FOLDER}, not {self.by!r}")

    @property
    def by_tag(self) -> bool:
        return self.by == TAG

    def check(self, data: Path, root: Path, stated: Stated, *, drawn: bool) -> None:
        """See that DATA can have such labels.

        Parameters
        ----------
        root : what the paths of ``stated`` are relative to.
        drawn : DATA holds pictures.

        Raises
        ------
        UsageError : pictures, whose tags are asked for; folders of artists, to be learnt.
        """
        if drawn and self.by_tag:
            raise no_tags(data, "pictures")
        if self.by or drawn or not self.learns or stated.names_genres:
            return
        if artists := stated.layout.first_are_artists(root):
            raise UsageError(
                f"the folders of {data} are artists, as tags say ({artists}), and no genres",
                f"{BY_TAG}, a tracks.csv (path, genre) names them, --label-from folder learns "
                "the folders",
            )


AS_STATED = Labels()
"""By table and folders."""


def no_tags(data: Path, what: str) -> UsageError:
    """That what is no sound has no tags."""
    return UsageError(f"--label-from tag is for sound, and {data} holds {what}", "give the sound")


@dataclass(frozen=True)
class Tagged:
    """What the tags of files say.

    Parameters
    ----------
    genres : by path; '' where the tags name none.
    lost : the paths that are left out for that.
    notes : what a person should know.
    """

    genres: Mapping[str, str]
    lost: frozenset[str]
    notes: tuple[str, ...]


def read_tagged(
    data: Path,
    files: Iterable[tuple[str, str]],
    count: Callable[[], int],
    labels: Labels,
    is_copy: Callable[[str], bool],
    options: Options | None = None,
    report: Report | None = None,
) -> Tagged:
    """The genre of each file by its tags; nothing is decoded.

    Files that cannot be read are not left out here: whoever decodes them says why.

    Parameters
    ----------
    data : for people.
    files : the path and the file of each; ``count`` gives how many there are.
    is_copy : whether a path is of a noisy copy, which is of its recording's genre.

    Raises
    ------
    RunError : no file names a genre.
    Stopped : a person ended it.
    """
    items = (
        Item(path, file, {"path": path, "source": path})
        for path, file in files
        if os.path.exists(file)
    )
    rows, _ = all_rows(items, read_genres, count, options, report)
    found = {row["path"]: row["genres"] for row in rows if row["status"] == "ok"}
    named = {path: found[path] for path in sorted(found) if found[path] is not None}
    known = frozenset(map(genre_key, labels.known))
    genres = {path: chosen_genre(names, known) for path, names in named.items()}
    lost = [path for path, genre in genres.items() if not genre and not is_copy(path)]
    if lost and not any(genres.values()):
        raise RunError(
            f"no file in {data} has a genre in its tags",
            "folders by genre, or a tracks.csv with the columns path and genre",
        )
    several = sum(len(names) > 1 for names in named.values())
    return Tagged(genres, frozenset(lost), tuple(_notes(several, lost)))


def read_genres(item: Item, work: Work) -> list[Output]:
    """The job: the genres that a file's tags name; None where it cannot be read."""
    del work
    from mgrkit.audio.tags.genre import genre_tags

    try:
        names: list[str] | None = genre_tags(item.source)
    except OSError:
        names = None
    return [Output({"genres": names})]


def chosen_genre(names: Sequence[str], known: frozenset[str]) -> str:
    """Of a file's genres the first that is known, else the first; '' for none.

    A name that is several with strokes or commas between, which is not known as it stands, is
    known by one of them.

    Parameters
    ----------
    known : genres as `mgrkit.datasets.genres.genre_key` has them.

    >>> known = frozenset({"rock", "folk"})
    >>> chosen_genre(["Indie", "Folk", "Rock"], known), chosen_genre(["Pop/Rock"], known)
    ('Folk', 'Rock')
    >>> chosen_genre(["Chaabi", "Rai"], known), chosen_genre(["Soul / RnB"], frozenset())
    ('Chaabi', 'Soul / RnB')
    """
    each = (part for name in names for part in (name, *map(str.strip, _BETWEEN.split(name))))
    first = names[0] if names else ""
    return next((genre for genre in each if genre and genre_key(genre) in known), first)


def _notes(several: int, lost: Sequence[str]) -> Iterator[str]:
    yield "the genres are those of the files' tags"
    if several:
        yield (
            f"{several} files name several genres: the first that the model or --map knows "
            "counts, else the first"
        )
    if lost:
        few = f": {', '.join(lost)}" if len(lost) <= _NAMED else f" (the first: {lost[0]})"
        yield f"{len(lost)} files without a genre in their tags left out{few}"
