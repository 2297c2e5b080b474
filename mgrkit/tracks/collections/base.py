"""What a known collection says of itself and of its tracks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from mgrkit.files.published import Published


@dataclass(frozen=True, slots=True)
class Known:
    """A track of a known collection.

    Parameters
    ----------
    id : the collection's name, a colon and the track's: ``gtzan:blues.00000``, ``fma:000002``.
    artist : '' where it is not known.
    part : in the collection's published split: 'train', 'valid', 'test', or '' for none.
    piece : what sets a slice of it, or what else is made of it, apart; '' for all of it.
    genre : '' where a track's name does not say it.
    title : '' where it is not known. Two tracks of one artist and title may be one recording.
    """

    id: str
    artist: str = ""
    part: str = ""
    piece: str = ""
    genre: str = ""
    title: str = ""


@dataclass(frozen=True)
class About:
    """What a person who uses a collection must know.

    Parameters
    ----------
    citation : in BibTeX.
    licence : of the sound and of the metadata, in a sentence or two.
    faults : what is known to be wrong with it, a sentence each.
    """

    title: str
    homepage: str
    citation: str
    licence: str
    faults: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The same for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Form:
    """A form in which a collection is published.

    Parameters
    ----------
    name : a word.
    path : of a track's file as it is unpacked, with ``{genre}``, ``{number}`` and ``{folder}`` (the
        first three digits of the number) for what changes.
    files : so many tracks there are.
    downloads : what of it can be fetched without an account, whatever describes it first; none
        where nobody publishes a sum.
    seconds : of sound in each track; 0 where they differ.
    """

    name: str
    path: str
    files: int
    downloads: tuple[Published, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True)
class Bad:
    """A track whose file is known to be bad: to be checked, not to be trusted.

    Parameters
    ----------
    track : as `Known.id`.
    reason : what `mgrkit data check` would say: a code, a colon and words.
    forms : names of those in which it is so.
    """

    track: str
    reason: str
    forms: tuple[str, ...]


@dataclass(frozen=True)
class Collection:
    """A collection that many have, known by the names of its files.

    Parameters
    ----------
    name : in small letters, what its tracks' ids begin with.
    track : from the folder, the name and the stem of a POSIX path (``'genres/blues'``,
        ``'blues.00000.au'``, ``'blues.00000'``) the track that the path names, or None. It opens
        no file of the path.
    about : title, citation, licence and faults.
    example : a path of one of its tracks, by which tests hold it to what is said here.
    forms : in which it is published, the first one first.
    bad : tracks with a known fault.
    has_published_split : whether to be in no part of a split is telling.
    """

    name: str
    track: Callable[[str, str, str], Known | None]
    about: About
    example: str
    forms: tuple[Form, ...] = ()
    bad: tuple[Bad, ...] = ()
    has_published_split: bool = False
