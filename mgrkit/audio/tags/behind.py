"""Tags in front of the sound and behind it: ID3v2, APEv2, ID3v1, in every mixture.

mutagen writes ID3v1 anew from ID3v2, and cuts off what stands behind APEv2; here all of that stays,
but for the one byte of an ID3v1 that is its genre.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from mgrkit.audio.tagbytes import ape_end
from mgrkit.audio.tags.chunks import info_genres, mend_padding, seek_id3
from mgrkit.audio.tags.genre import genres_in
from mgrkit.audio.tags.id3 import frame_names
from mgrkit.audio.tags.kinds import GENRE, Comments, Fields, Kind, library, lost
from mgrkit.errors import ItemError

_ID3V1 = 128
_NO_GENRE = 255


class Behind:
    """What stands behind the APEv2 tag of a file, or behind its sound: ID3v1, Lyrics3."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open(path, "rb") as file:
            file.seek(ape_end(file))
            self.rest = bytearray(file.read())

    @property
    def has_id3v1(self) -> bool:
        """Whether it ends in an ID3v1."""
        return len(self.rest) >= _ID3V1 and self.rest[-_ID3V1:][:3] == b"TAG"

    def values(self, field: str) -> list[str]:
        """The genre that an ID3v1 has; of 192 numbers, else none."""
        known = _numbers()
        if field != GENRE or not self.has_id3v1 or self.rest[-1] >= len(known):
            return []
        return [known[self.rest[-1]]]

    def change(self, fields: Fields) -> None:
        """Set the genre of an ID3v1 to the number of the first value, if it has one."""
        if GENRE in fields and self.has_id3v1:
            folded = [name.casefold() for name in _numbers()]
            wanted = fields[GENRE][0].casefold()
            self.rest[-1] = folded.index(wanted) if wanted in folded else _NO_GENRE

    def others(self) -> bytes:
        """All but that number."""
        return bytes(self.rest[:-1] if self.has_id3v1 else self.rest)

    def cut(self) -> None:
        """Cut it off, so that mutagen meets none of it."""
        with open(self.path, "r+b") as file:
            file.truncate(ape_end(file))

    def join(self) -> None:
        """Put it back."""
        with open(self.path, "ab") as file:
            file.write(self.rest)


class Ape(Kind):
    """APEv2 behind the sound: WavPack, Monkey's Audio, Musepack and others."""

    def __init__(self, file: Any, path: str) -> None:
        super().__init__(file, path)
        self.behind = Behind(path)

    def key(self, field: str) -> str:
        """Letter case does not count."""
        return "Genre" if field == GENRE else field

    def values(self, field: str) -> list[str]:
        """See `Kind.values`; else of an ID3v1."""
        return _texts(self.tags, self.key(field)) or self.behind.values(field)

    def change(self, fields: Fields) -> None:
        """See `Kind.change`."""
        super().change(fields)
        self.behind.change(fields)

    def save(self) -> None:
        """See `Kind.save`."""
        self.behind.cut()
        self.tags.save(self.path)
        self.behind.join()

    def others(self, fields: Fields) -> Any:
        """By name in small letters: kind and value."""
        return _other_items(self.tags, {self.key(field) for field in fields}), self.behind.others()


class Id3(Kind):
    """ID3v2 in a chunk: WAV, AIFF.

    ID3v2.2, which mutagen does not write, becomes 2.3.
    """

    def key(self, field: str) -> str:
        """Custom fields are TXXX frames."""
        return "TCON" if field == GENRE else f"TXXX:{field}"

    def values(self, field: str) -> list[str]:
        """See `Kind.values`; the genres of numbers such as (17) by name."""
        frames = [self.tags[name] for name in self.names(field)]
        texts = [text for frame in frames for value in frame if (text := str(value).strip())]
        if field == GENRE:
            texts = [genre for text in texts for genre in _by_name(text)]
        return texts or self._elsewhere(field)

    def made(self, field: str, values: Sequence[str]) -> Any:
        """See `Kind.made`."""
        id3, texts = library("mutagen.id3"), list(values)
        plain = all(map(str.isascii, texts))
        encoding = 0 if plain else 1 if self.version == 3 else 3
        if field == GENRE:
            return id3.TCON(encoding=encoding, text=texts)
        return id3.TXXX(encoding=encoding, desc=field, text=texts)

    @property
    def version(self) -> int:
        """3 or 4, of ID3v2; a new tag is of the newer version."""
        return 3 if self.tags.version[1] in (2, 3) else 4

    def save(self) -> None:
        """See `Kind.save`; several texts of a frame keep zeros between, in ID3v2.3 too."""
        self._prepare()
        self.tags.save(self.path, v2_version=self.version, v23_sep=None)

    def others(self, fields: Fields) -> Any:
        """By mutagen's key: all of a frame but how its text is encoded; and those it only keeps."""
        ours = self.ours(fields)
        frames = {name: frame for name, frame in self.tags.items() if name not in ours}
        unknown = Counter(self.tags.unknown_frames)
        return {name: _content(frame) for name, frame in frames.items()}, unknown, self.version

    def check(self) -> None:
        """A frame that mutagen could not read is not written either."""
        there = Counter(self._names())
        unknown = self.tags.unknown_frames
        frames = [frame.FrameID for frame in self.tags.values()]
        if self.tags.version[1] == 2:
            # What mutagen does not know of 2.2 has no name in 2.3, so it leaves it out.
            if unknown:
                raise lost(f"a frame {unknown[0][:3].decode('latin-1')}")
            if sum(there.values()) > len(frames):
                raise lost("a frame")
            return
        kept = Counter(frames) + Counter(raw[:4].decode("latin-1") for raw in unknown)
        for name, count in there.items():
            text = name.decode("latin-1")
            # Of two frames with one text each mutagen makes one with both.
            least = 1 if text.startswith("T") and text != "TXXX" else count
            if kept[text] < least:
                raise lost(f"a frame {text}")

    def _elsewhere(self, field: str) -> list[str]:
        """What a WAV has in its INFO, which nobody changes."""
        with open(self.path, "rb") as file:
            found = info_genres(file) if field == GENRE else []
        return [text for one in found if (text := one.strip())]

    def _prepare(self) -> None:
        with open(self.path, "r+b") as file:
            mend_padding(file)

    def _names(self) -> list[bytes]:
        with open(self.path, "rb") as file:
            return frame_names(file) if seek_id3(file) else []


class Id3AndApe(Id3):
    """ID3v2 in front of the sound, and APEv2 behind it where that is there: MP3, TTA.

    The genre that counts is that of ID3v2, then of APEv2, then of ID3v1; all of them that are
    there are changed alike, so that they agree. ID3v2 is made if it is not there.
    """

    def __init__(self, file: Any, path: str) -> None:
        super().__init__(file, path)
        self.behind = Behind(path)
        self.ape = _apev2(path)
        if _has_two(path, self.behind):
            message = "it has two ID3v2 tags, and programs differ in which they read"
            raise ItemError("two-tags", message, "join them with a tag editor")

    def _elsewhere(self, field: str) -> list[str]:
        of_ape = _texts(self.ape, _ape_key(field)) if self.ape is not None else []
        return of_ape or self.behind.values(field)

    def change(self, fields: Fields) -> None:
        """See `Kind.change`."""
        super().change(fields)
        self.behind.change(fields)
        if self.ape is not None:
            for field, values in fields.items():
                self.ape[_ape_key(field)] = list(values)

    def save(self) -> None:
        """See `Kind.save`."""
        super().save()
        if self.ape is not None:
            self.ape.save(self.path)
        self.behind.join()

    def others(self, fields: Fields) -> Any:
        """Those of all the tags."""
        items = None
        if self.ape is not None:
            items = _other_items(self.ape, {_ape_key(field) for field in fields})
        return super().others(fields), items, self.behind.others()

    def _prepare(self) -> None:
        self.behind.cut()

    def _names(self) -> list[bytes]:
        return _front_names(self.path)


class Flac(Comments):
    """Vorbis comments of a FLAC, which some writers put ID3v2 in front of, and ID3v1 behind.

    Comments count before these. A genre that is there is changed alike, so that they agree; none
    is made.
    """

    def __init__(self, file: Any, path: str) -> None:
        super().__init__(file, path)
        self.behind = Behind(path)
        self.front = _Front.of(path)

    def change(self, fields: Fields) -> None:
        """See `Kind.change`."""
        super().change(fields)
        self.behind.change(fields)
        if self.front and self.front.names(GENRE):
            self.front.change(_genre_of(fields))

    def save(self) -> None:
        """See `Kind.save`."""
        self.behind.cut()
        super().save()
        if self.front:
            self.front.save()
        self.behind.join()

    def others(self, fields: Fields) -> Any:
        """Those of all the tags."""
        front = self.front and self.front.others(_genre_of(fields))
        return super().others(fields), front, self.behind.others()

    def check(self) -> None:
        """See `Kind.check`."""
        super().check()
        if self.front:
            self.front.check()


class _Front(Id3):
    """ID3v2 in front of what has other tags of its own."""

    @classmethod
    def of(cls, path: str) -> _Front | None:
        """That of a file; None where there is none."""
        id3 = library("mutagen.id3")
        try:
            tags = id3.ID3(path, load_v1=False, translate=False)
        except id3.ID3NoHeaderError:
            return None
        return cls(SimpleNamespace(tags=tags), path)

    def _prepare(self) -> None:
        """Nothing stands in the way."""

    def _names(self) -> list[bytes]:
        return _front_names(self.path)


def _by_name(text: str) -> list[str]:
    """What numbers such as (17) stand for, which may be nothing; another text as it is."""
    by_number = text.isdigit() or text[0] == "(" or text in ("RX", "CR")
    return genres_in(text) if by_number else [text]


def _genre_of(fields: Fields) -> Fields:
    return {GENRE: fields[GENRE]} if GENRE in fields else {}


def _front_names(path: str) -> list[bytes]:
    with open(path, "rb") as file:
        return frame_names(file)


def _numbers() -> list[str]:
    names: list[str] = library("mutagen.id3").TCON.GENRES
    return names


def _ape_key(field: str) -> str:
    return "Genre" if field == GENRE else field


def _apev2(path: str) -> Any:
    ape = library("mutagen.apev2")
    try:
        return ape.APEv2(path)
    except ape.APENoHeaderError:
        return None


def _has_two(path: str, behind: Behind) -> bool:
    """Whether a second ID3v2 follows on the first, or stands at the end."""
    if b"3DI" in behind.rest:
        return True
    id3 = library("mutagen.id3")
    with open(path, "rb") as file:
        try:
            file.seek(id3.ID3(path, load_v1=False, translate=False).size)
        except id3.ID3NoHeaderError:
            return False
        return file.read(3) == b"ID3"


def _texts(ape: Any, key: str) -> list[str]:
    value = ape.get(key)
    if value is None or value.kind != 0:  # else it is no text
        return []
    return [text for one in value if (text := one.strip())]


def _other_items(ape: Any, ours: set[str]) -> dict[str, tuple[int, Any]]:
    folded = {name.lower() for name in ours}
    items = ((name.lower(), value) for name, value in ape.items())
    return {name: (value.kind, value.value) for name, value in items if name not in folded}


def _content(frame: Any) -> dict[str, Any]:
    return {
        name: value if isinstance(value, bytes | str | int | list) else repr(value)
        for name, value in vars(frame).items()
        if name != "encoding"
    }
