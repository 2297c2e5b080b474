"""Opening the tags of a file, whatever its format, to change a genre in them."""

from __future__ import annotations

import errno
import os
import re
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

_TAGS_IN_FRONT = ("mp3.MP3", "trueaudio.TrueAudio", "flac.FLAC", "musepack.Musepack")
_IN_OGG = (
    (b"\x01vorbis", "oggvorbis.OggVorbis"), (b"OpusHead", "oggopus.OggOpus"),
    (b"\x7fFLAC", "oggflac.OggFLAC"), (b"Speex   ", "oggspeex.OggSpeex"),
)  # fmt: skip
_BEGINS = (
    (rb"fLaC", "flac.FLAC"), (rb"RIFF....WAVE", "wave.WAVE"), (rb"FORM....AIF[FC]", "aiff.AIFF"),
    (rb"....ftyp", "mp4.MP4"), (re.escape(bytes.fromhex("3026b2758e66cf11a6d9")), "asf.ASF"),
    (rb"wvpk", "wavpack.WavPack"), (rb"MAC ", "monkeysaudio.MonkeysAudio"),
    (rb"MP\+|MPCK", "musepack.Musepack"), (rb"TTA[12]", "trueaudio.TrueAudio"),
    # A frame of layer 1 to 3, its bit rate and rate too; not the mark of UTF-16.
    (rb"\xff[\xe2-\xe7\xf2-\xf7\xfa-\xfd][\x00-\xef]", "mp3.MP3"),
)  # fmt: skip
"""How files begin whose kind shows it, behind the tags in front."""
_RAW_AAC = re.compile(rb"\xff[\xf0\xf1\xf8\xf9]")
_LARGE_WAV = {b"RF64": "RF64", b"BW64": "BW64"}
"""What FFmpeg calls WAV, which can have tags."""
_HEAD = 512
_ELSE = "to have a genre in it, make it a .flac or .m4a"
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
    """mutagen's class for a file, by its content alone, and the kind of its tags."""
    with open(path, "rb") as file:
        start = tags_end(file, 0)
        size = file.seek(0, os.SEEK_END)
        file.seek(min(start, size))
        head = file.read(_HEAD)
    if not head:
        message = "its tags say that they are as long as the file, or longer"
        raise ItemError("damaged-tags", message, "get it again")
    name = _by_first_bytes(head) or _by_ffmpeg(path, head)
    if start and name not in _TAGS_IN_FRONT:
        message = "a tag stands in front of it, where files of its kind have none"
        raise ItemError("damaged-tags", message, "take it away with a tag editor")
    return _form(name), KINDS[name]


def _by_first_bytes(head: bytes) -> str:
    """Of `KINDS`, by what stands behind the tags in front; '' where only FFmpeg can say."""
    if _RAW_AAC.match(head):
        message = "raw AAC has no place for a genre"
        raise ItemError("no-tags", message, "put the sound into an .m4a")
    if head[:4] == b"OggS":
        found = [(at, name) for mark, name in _IN_OGG if (at := head.find(mark)) >= 0]
        return min(found, default=(0, ""))[1]
    return next((name for mark, name in _BEGINS if re.match(mark, head, re.DOTALL)), "")


def _by_ffmpeg(path: str, head: bytes) -> str:
    """The class for MP3, whose first frame may lie behind anything; for others ItemError."""
    import av

    from mgrkit.audio.pyav import open_container
    from mgrkit.audio.reading import open_sound

    with open_sound(path):  # what is no sound has no kind
        pass
    called = ""
    try:
        with open_container(path) as container:
            if container.format.name == "mp3":
                return "mp3.MP3"
            called = f" ({_LARGE_WAV.get(head[:4], container.format.long_name)})"
    except av.error.FFmpegError:  # libsndfile knows more
        pass
    raise ItemError("no-tags", f"mgrkit writes no tags into files of its kind{called}", _ELSE)


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
