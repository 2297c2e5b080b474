"""Opening the tags of a file, whatever its format, to change a genre in them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, TypeVar

from mgrkit.audio.tagbytes import tags_end
from mgrkit.audio.tags.behind import Ape, Flac, Id3, Id3AndApe
from mgrkit.audio.tags.kinds import Asf, Comments, Fields, Kind, Mp4, library
from mgrkit.errors import ItemError, RunError

KINDS: dict[str, type[Kind]] = {
    "mp3.MP3": Id3AndApe,
    "trueaudio.TrueAudio": Id3AndApe,
    "wave.WAVE": Id3,
    "aiff.AIFF": Id3,
    "flac.FLAC": Flac,
    "oggvorbis.OggVorbis": Comments,
    "oggopus.OggOpus": Comments,
    "oggflac.OggFLAC": Comments,
    "oggspeex.OggSpeex": Comments,
    "mp4.MP4": Mp4,
    "asf.ASF": Asf,
    "wavpack.WavPack": Ape,
    "monkeysaudio.MonkeysAudio": Ape,
    "musepack.Musepack": Ape,
}
"""By mutagen's class for a format: the tags that it gets."""

_HEAD = 128
Value = TypeVar("Value")


def check_library() -> None:
    """Raise RunError where mutagen is not installed."""
    library("mutagen")


def open_tags(path: str | os.PathLike[str], as_in: Kind | None = None) -> Kind:
    """The tags of a file.

    Parameters
    ----------
    as_in : those of the file that this is a copy of, under a name that says less.

    Raises
    ------
    ItemError : ``no-tags``, files of this format carry none; ``damaged-tags``, they cannot be
        read, or not all of them; ``two-tags``.
    RunError : mutagen is not installed.
    """
    name = os.fspath(path)
    if as_in is None:
        form, kind = _format(name)
    else:
        form, kind = type(as_in.file), type(as_in)
    tags = guarded(lambda: kind(_loaded(form, kind, name), name))
    guarded(tags.check)
    return tags


def rewritten(tags: Kind, copy: str | os.PathLike[str], fields: Fields) -> None:
    """Change these fields in a copy of a file, and nothing else.

    Parameters
    ----------
    tags : of the file itself.

    Raises
    ------
    ItemError : ``damaged-tags``, something else would have changed too, or the fields did not
        come out as they should.
    OSError : the disk is full.
    """
    changed = open_tags(copy, tags)
    guarded(lambda: changed.change(fields))
    guarded(changed.save)
    read = open_tags(copy, tags)
    if any(read.values(field) != list(values) for field, values in fields.items()):
        raise ItemError("damaged-tags", "what was written there is not what is read")
    if read.others(fields) != tags.others(fields):
        hint = "mend its tags with a tag editor"
        raise ItemError("damaged-tags", "other tags of it would not stay as they are", hint)


def _format(path: str) -> tuple[Any, type[Kind]]:
    """mutagen's class for a file, by its first bytes and its name, and the kind of its tags."""
    with open(path, "rb") as file:
        head = file.read(_HEAD)
        scores = [
            (form.score(path, file, head), name, form)
            for name, form in ((name, _form(name)) for name in KINDS)
        ]
        file.seek(tags_end(file, 0))
        sync = file.read(2)
    if len(sync) == 2 and sync[0] == 0xFF and sync[1] & 0xF6 == 0xF0:
        message = "raw AAC has no place for a genre"
        raise ItemError("no-tags", message, "put the sound into an .m4a")
    score, name, form = max(scores, key=lambda one: one[:2])
    if score <= 0 or head[:4] == b"RF64":
        raise ItemError("no-tags", "mgrkit writes no tags into files of this format")
    return form, KINDS[name]


def _form(name: str) -> Any:
    module, _, form = name.partition(".")
    return getattr(library(f"mutagen.{module}"), form)


def _loaded(form: Any, kind: type[Kind], path: str) -> Any:
    """Frames of ID3 stay of their version; those of ID3v1 count where there is no ID3v2."""
    if not issubclass(kind, Id3):
        return form(path)
    with open(path, "rb") as file:
        has_front = file.read(3) == b"ID3"
    old = issubclass(kind, Id3AndApe) and not has_front
    return form(path, translate=False, load_v1=old)


def guarded(action: Callable[[], Value]) -> Value:
    """What an action of mutagen gives; whatever it raises as an ItemError, but for a full disk."""
    try:
        return action()
    except (ItemError, RunError):
        raise
    except Exception as error:
        cause = error.args[0] if error.args else error
        for one in (error, cause):
            if isinstance(one, OSError) and one.errno in (errno.ENOSPC, errno.EDQUOT):
                raise one from None
        what = " ".join(str(error).split()) or type(error).__name__
        raise ItemError(
            "damaged-tags", f"its tags cannot be read: {what:.80}", "mend them with a tag editor"
        ) from None
