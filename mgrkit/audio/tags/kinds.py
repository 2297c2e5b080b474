"""Tags of every kind that can hold a genre, read and changed by mutagen, an extra.

What each kind calls a field, and what of a file's tags is not ours: that is compared before a
change and after it, for mutagen drops what it cannot read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from mgrkit.audio.tags.genre import ID3V1, genres_in
from mgrkit.audio.tags.mp4 import mp4_genres
from mgrkit.errors import ItemError, RunError

GENRE = "genre"
_TEXT = "\xa9gen"
Fields = Mapping[str, Sequence[str]]
"""Values by field: `GENRE` or the name of a custom one."""


def library(module: str) -> Any:
    """A module of mutagen; RunError where it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != "mutagen":
            raise
        how = "pip install 'mgrkit[tags]'"
        raise RunError("to write tags needs mutagen, which is not installed", how) from None


class Kind:
    """The tags of one file.

    Parameters
    ----------
    file : what mutagen makes of it, a ``FileType``.
    path : where it lies.
    """

    def __init__(self, file: Any, path: str) -> None:
        self.file, self.path = file, path
        if file.tags is None:
            file.add_tags()

    @property
    def tags(self) -> Any:
        """What mutagen has of the tags."""
        return self.file.tags

    def key(self, field: str) -> str:
        """What these tags call a field."""
        raise NotImplementedError

    def names(self, field: str) -> list[str]:
        """What fields are called there that are this one: letter case does not count."""
        key, names = self.key(field).casefold(), self.tags.keys()
        return sorted(name for name in names if name.casefold() == key)

    def values(self, field: str) -> list[str]:
        """The texts of a field; empty ones do not count."""
        found = [value for name in self.names(field) for value in self.tags[name]]
        return [text for value in found if (text := str(value).strip())]

    def change(self, fields: Fields) -> None:
        """Set the fields, each to at least one text."""
        for field, values in fields.items():
            for name in self.names(field):
                del self.tags[name]
            self.tags[self.key(field)] = self.made(field, values)

    def made(self, field: str, values: Sequence[str]) -> Any:
        """The texts of a field in the form that mutagen has for them."""
        del field
        return list(values)

    def ours(self, fields: Fields) -> set[str]:
        """`names` of all these fields."""
        return {name for field in fields for name in self.names(field)}

    def save(self) -> None:
        """Write the tags into the file."""
        self.file.save(self.path)

    def others(self, fields: Fields) -> Any:
        """All but these fields, in a form that can be compared."""
        raise NotImplementedError

    def check(self) -> None:
        """Raise ItemError for what would be lost if the tags were written."""


class Comments(Kind):
    """Vorbis comments: FLAC, and Vorbis, Opus, FLAC or Speex in Ogg."""

    def key(self, field: str) -> str:
        """In large letters, as most write them."""
        return field.upper()

    def others(self, fields: Fields) -> Any:
        """The comments in their order; the other blocks of a FLAC but its padding."""
        ours = {self.key(field) for field in fields}
        blocks = [
            (block.code, block.write())
            for block in getattr(self.file, "metadata_blocks", ())
            if block.code not in (1, 4)
        ]
        pairs = [(name, value) for name, value in self.tags if name.upper() not in ours]
        return pairs, self.tags.vendor, blocks

    def check(self) -> None:
        """What is no UTF-8, or no comment, mutagen has replaced already."""
        for name, value in self.tags:
            if "\ufffd" in value or "?" in name or name.startswith("unknown"):
                raise lost(f"the comment {name}")


class Mp4(Kind):
    """iTunes' atoms in MP4."""

    def __init__(self, file: Any, path: str) -> None:
        super().__init__(file, path)
        with open(path, "rb") as content:
            told = [text for _, text in mp4_genres(content)]
        # mutagen makes a text of the number: of 0, which is none, the last genre.
        if not any(map(genres_in, told)) and {*self.tags.get(_TEXT, ())} & {*ID3V1} - {*told}:
            del self.tags[_TEXT]

    def key(self, field: str) -> str:
        """Custom fields are those of iTunes."""
        return _TEXT if field == GENRE else f"----:com.apple.iTunes:{field}"

    def values(self, field: str) -> list[str]:
        """See `Kind.values`."""
        found = [value for name in self.names(field) for value in self.tags[name]]
        texts = (v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in found)
        return [text for one in texts if (text := one.strip())]

    def made(self, field: str, values: Sequence[str]) -> Any:
        """See `Kind.made`."""
        if field == GENRE:
            return list(values)
        form = library("mutagen.mp4")
        return [form.MP4FreeForm(value.encode(), form.AtomDataType.UTF8) for value in values]

    def others(self, fields: Fields) -> Any:
        """All atoms, those too that mutagen does not know."""
        ours = self.ours(fields)
        known = {name: list(v) if isinstance(v, list) else v for name, v in self.tags.items()}
        return {name: v for name, v in known.items() if name not in ours}, self.tags._failed_atoms


class Asf(Kind):
    """The attributes of WMA."""

    def key(self, field: str) -> str:
        """Custom fields have no prefix."""
        return "WM/Genre" if field == GENRE else field

    def others(self, fields: Fields) -> Any:
        """Each attribute with its language and stream."""
        ours = self.ours(fields)
        return sorted((name, repr(value)) for name, value in self.tags if name not in ours)


def lost(what: str) -> ItemError:
    """The error of a file whose tags would not all stay."""
    message = f"{what} in its tags cannot be read, and would be lost"
    return ItemError("damaged-tags", message, "mend its tags with a tag editor")
