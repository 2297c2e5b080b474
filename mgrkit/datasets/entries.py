"""What DATA says of its tracks: which are recordings, which slices or noisy copies of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mgrkit.audio.tags.nobody import somebody
from mgrkit.tracks.collections.base import Known
from mgrkit.tracks.collections.lookup import has_published_split, known
from mgrkit.tracks.identity import NAME, name_id, track_id
from mgrkit.tracks.layout import Layout
from mgrkit.tracks.slices import copy_of, series, without_suffix
from mgrkit.tracks.splits import DEALT, Labelled, published_part, stated_kind

_EXAMPLES = 2


@dataclass(frozen=True)
class DataTrack:
    """One track, or one noisy copy of a track, as DATA states it.

    Parameters
    ----------
    name : the path as DATA writes it, for people.
    parent : path of the root recording; a copy's differs from its name, unless it is noisy.
    digest : of the decoded sound; empty where only numbers are known.
    group, part : artist and part as DATA says them, or empty.
    noisy : whether a table says that this is a noisy copy, and of what; it may be called as that
        is, in another folder.
    length : of the sound, in a unit that is the same in all of DATA; 0 where it is not known.
    recording : what else belongs to the same recording, see `Labelled`.
    noise, snr : of a noisy copy, as a table says them, or empty.
    split_by : how parts were dealt, as a table says it: one of `mgrkit.tracks.splits.KINDS`.
    source_id : what its collection calls it, as a table says it, or empty.
    duplicate_of : the name of another file of the very same sound, or empty.
    sliced : the recording that it is a slice of, or that is there in slices, too; else empty.
    recording_of : what all files have in common that were heard to be of one recording, or empty.
    """

    name: str
    parent: str
    genre: str
    group: str = ""
    part: str = ""
    digest: str = ""
    noisy: bool = False
    length: float = 0.0
    recording: str = ""
    noise: str = ""
    snr: str = ""
    split_by: str = ""
    source_id: str = ""
    duplicate_of: str = ""
    sliced: str = ""
    recording_of: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether this is a noisy copy and not itself a recording."""
        return self.noisy or self.parent != self.name

    def labelled(self) -> Labelled:
        """With what is known of it by its name: id, artist and published part."""
        fact = known(self.parent) or known(self.recording)
        part, by = self._part(fact)
        return Labelled(
            id=fact.id if fact else track_id(self.parent, "" if self.is_copy else self.digest),
            genre=self.genre,
            group=somebody(self.group) or (fact.artist if fact else ""),
            part=part,
            recording=self.recording,
            by=by,
            same=(f"sound:{self.digest}",) if self.digest and not self.is_copy else (),
            source=self.source_id,
            heard=self.recording_of,
            copied=self.parent if self.is_copy else "",
            sliced=fact.id if fact and self.piece else self.sliced,
            derived=bool(
                self.is_copy or self.piece or {self.sliced, self.duplicate_of} - {"", self.name}
            ),
        )

    def _part(self, fact: Known | None) -> tuple[str, str]:
        """The part, and how it was dealt: published where it is that of the collection itself."""
        part, by = published_part(self.part), stated_kind(self.split_by)
        if fact is None or by in DEALT:  # what a deal left out is in no part
            return part, by
        if not part or part == fact.part:
            return fact.part, "published" if fact.part else by
        return part, "" if fact.part or has_published_split(fact.id) else by

    @property
    def piece(self) -> str:
        """What distinguishes a slice of a track of a known collection; '' for no slice."""
        fact = known(self.parent)
        return fact.piece if fact else self.name if known(self.recording) else ""


def judged(
    entries: Sequence[DataTrack], notes: list[str]
) -> tuple[tuple[DataTrack, ...], tuple[Labelled, ...]]:
    """What each track is and belongs to, and what is known of it; adds to the notes."""
    settled, doubts = belonging(entries, notes)
    labels = labelled(settled)
    if folders := artist_folders(settled, labels):
        notes.append("artists are taken from the folders below the genres")
        labels = tuple(replace(one, group=f) for one, f in zip(labels, folders, strict=True))
    notes += filter(None, [doubted(settled, labels, doubts)])
    return settled, labels


def belonging(
    entries: Sequence[DataTrack], notes: list[str]
) -> tuple[tuple[DataTrack, ...], list[list[int]]]:
    """The tracks, each a recording unless it is a noisy copy. Adds to the notes.

    A copy's ``parent`` is its recording, as its table says; or, where it does not, as its name
    says. A parent that is no recording here and not said to be the source of a noisy copy, such
    as an album, is what the track belongs to: its ``recording``. So is what slices, known
    by their names, have in common, in whichever folders of a split they lie.

    Returns
    -------
    The tracks; and the indices of those that may be slices of one recording, set by set.
    """
    settled = _all_settled(entries)
    by_name = sum(
        new.is_copy and not old.is_copy for new, old in zip(settled, entries, strict=True)
    )
    if by_name:
        notes.append(f"{by_name} tracks are noisy copies of others, as their names tell")
    alone = [
        index
        for index, entry in enumerate(settled)
        if not (entry.is_copy or entry.recording or known(entry.name))
    ]
    names = [settled[index].name for index in alone]
    layout = Layout.of(names)
    genres = sorted({entry.genre for entry in settled})
    lengths = [settled[index].length for index in alone]
    shared, doubts = series(list(map(layout.without_part, names)), lengths, genres)
    slices = [(i, recording) for i, recording in zip(alone, shared, strict=True) if recording]
    notes += _join_slices(settled, slices, layout)
    return tuple(settled), [[alone[index] for index in doubt] for doubt in doubts]


def _join_slices(
    settled: list[DataTrack], slices: Sequence[tuple[int, str]], layout: Layout
) -> Iterator[str]:
    """Let slices belong to their recordings, unless folders tear them apart; yields notes.

    Parameters
    ----------
    slices : indices of tracks, and the recording that each is of.
    """
    of_recording: dict[str, list[int]] = {}
    for index, recording in slices:
        of_recording.setdefault(recording, []).append(index)
    torn = []
    for recording, members in list(of_recording.items()):
        by_part = {layout.split(settled[i].name): settled[i].name for i in members}
        if len(by_part) > 1:
            torn.append(sorted(by_part.values()))
            del of_recording[recording]
        kept = recording if len(by_part) == 1 else ""
        for index in members:
            settled[index] = replace(settled[index], recording=kept, sliced=recording)
    yield from _slice_notes(of_recording, torn)


def _slice_notes(kept: Mapping[str, Sequence[int]], torn: Sequence[Sequence[str]]) -> Iterator[str]:
    """What is said of recordings that are kept together, and of those in several parts."""
    if kept:
        shown = ", ".join(one.lstrip("/") for one in sorted(kept)[:_EXAMPLES])
        more = ", ..." if len(kept) > _EXAMPLES else ""
        slices = sum(map(len, kept.values()))
        yield f"{slices} slices stay with the others of their recordings ({shown}{more})"
    if torn:
        yield (
            f"the folders of the split tear {len(torn)} recordings, so that slices of what is "
            f"learnt are tested ({', '.join(torn[0])})"
        )


def doubted(
    entries: Sequence[DataTrack], labels: Sequence[Labelled], doubts: Sequence[Sequence[int]]
) -> str:
    """A note on the tracks that may be slices of one recording; '' where artists keep all."""
    if all(one.group for one in labels):
        doubts = [doubt for doubt in doubts if len({labels[i].unit for i in doubt}) > 1]
    if not doubts:
        return ""
    shown = ", ".join(entries[index].name for index in doubts[0][:_EXAMPLES])
    return (
        f"{sum(map(len, doubts))} tracks may be slices of {len(doubts)} recordings ({shown}, "
        "...): a column parent in tracks.csv keeps those of one recording together"
    )


def _ends(names: Sequence[str]) -> dict[str, str]:
    """The paths that a name, or the end of one, is of, if it is of one only; else ''."""
    ends: dict[str, str] = {}
    for name in names:
        steps = name.split("/")
        for first in range(1, len(steps)):
            end = "/".join(steps[first:])
            ends[end] = "" if end in ends else name
    return ends | {name: name for name in names}


def _all_settled(entries: Sequence[DataTrack]) -> list[DataTrack]:
    """Each entry settled; the whole of what is there in slices, too, is of its own recording."""
    names = [entry.name for entry in entries]
    copies = [copy_of(name) for name in names]
    ends = _ends(names)
    stems = _stems([name for name, of in zip(names, copies, strict=True) if not of])
    if any(copies):  # a copy may lie in another part of the split than its recording
        layout = Layout.of(names)
        stems = {layout.without_part(stem): name for stem, name in stems.items()} | stems
        copies = [[*roots, *map(layout.without_part, roots)] for roots in copies]
    settled = [_settled(*one, ends, stems) for one in zip(entries, copies, strict=True)]
    whole = {entry.sliced for entry in settled if entry.sliced}
    return [replace(e, recording=e.name, sliced=e.name) if e.name in whole else e for e in settled]


def _stems(names: Sequence[str]) -> dict[str, str]:
    """The paths that a noisy copy's name may begin with, and the recordings of which they are."""
    return {without_suffix(name): name for name in names} | {name: name for name in names}


def _settled(
    entry: DataTrack, roots: Sequence[str], ends: Mapping[str, str], stems: Mapping[str, str]
) -> DataTrack:
    """An entry whose parent is its recording, or itself where it is no copy.

    Parameters
    ----------
    roots : of which it may be a copy by its name, the likeliest first.
    ends, stems : see `_ends` and `_stems`.
    """
    if entry.is_copy:
        root = ends.get(entry.parent, "")
        if root == entry.name and not entry.noisy:
            return replace(entry, parent=entry.name, sliced="")
        if entry.noisy or roots or (root and not entry.sliced):
            return replace(entry, sliced="")
        of = root or entry.parent
        return replace(entry, parent=entry.name, recording=of, sliced=of if entry.sliced else "")
    if roots:
        return replace(entry, parent=next((stems[r] for r in roots if r in stems), roots[0]))
    return entry


def labelled(entries: Sequence[DataTrack]) -> tuple[Labelled, ...]:
    """What is known of each track; a copy is labelled as its recording, where that is there.

    A copy's ``parent`` is relative to where the recording was found, which may be a folder
    further up in DATA than here: any end of a recording's path names it, if only one has it.
    """
    labels = [entry.labelled() for entry in entries]
    _tell_apart(entries, labels)
    _tie_duplicates(entries, labels)
    _tie_slices(labels)
    roots: dict[str, int | None] = {}
    for index, entry in enumerate(entries):
        if not entry.is_copy:
            steps = entry.name.split("/")
            for first in range(len(steps)):
                end = "/".join(steps[first:])
                roots[end] = None if end in roots else index
            roots[entry.name] = index
    for index, entry in enumerate(entries):
        root = roots.get(entry.parent) if entry.is_copy else None
        if root is not None:
            labels[root] = replace(labels[root], copied=entries[root].name)
            labels[index] = replace(labels[root], same=(), derived=True)
    return tuple(labels)


def _tell_apart(entries: Sequence[DataTrack], labels: list[Labelled]) -> None:
    """Give tracks that are known by their file's name alone their path, where several have it.

    In folders of albums, ``01.mp3`` is another song in each.
    """
    paths: dict[str, set[str]] = {}
    for entry, label in zip(entries, labels, strict=True):
        if label.id.startswith(NAME):
            paths.setdefault(label.id, set()).add(entry.parent)
    for index, (entry, label) in enumerate(zip(entries, labels, strict=True)):
        if len(paths.get(label.id, ())) > 1:
            labels[index] = replace(label, id=name_id(entry.parent))


def _tie_duplicates(entries: Sequence[DataTrack], labels: list[Labelled]) -> None:
    """Give duplicates and what they are duplicates of the path of the latter in common."""
    originals = {entry.duplicate_of for entry in entries} - {""}
    for index, entry in enumerate(entries):
        paths = {entry.duplicate_of, entry.name} & originals
        if paths:
            shared = (*labels[index].same, *(f"path:{path}" for path in sorted(paths)))
            labels[index] = replace(labels[index], same=shared)


def _tie_slices(labels: list[Labelled]) -> None:
    """Give the whole of a known track what its slices have in common."""
    ids = {one.id for one in labels if one.sliced == one.id}
    for index, one in enumerate(labels):
        if one.id in ids and not one.sliced:
            labels[index] = replace(one, sliced=one.id)


def artist_folders(entries: Sequence[DataTrack], labels: Sequence[Labelled]) -> list[str]:
    """Each track's artist by ``<genre>/<artist>/...``, where no artist is known otherwise.

    Empty unless every track lies so and each genre has several of these folders.
    """
    if any(one.group for one in labels):
        return []
    paths = [entry.parent for entry in entries]
    layout = Layout.of(paths)
    artists = list(map(layout.artist, paths))
    if not all(artists) or [layout.label(path) for path in paths] != [e.genre for e in entries]:
        return []
    genres = [entry.genre for entry in entries]
    several = Counter(genre for genre, _ in set(zip(genres, artists, strict=True)))
    return artists if min(several.values(), default=0) > 1 else []
