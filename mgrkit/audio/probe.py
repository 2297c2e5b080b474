"""What a file says about itself before any decoder sees it.

Decoders answer a missing file, a pointer of Git LFS and a picture with the same riddle, and
they believe a header that promises more sound than the file holds. This module knows them
by reading a few bytes; it needs nothing but the standard library.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mgrkit.audio import avi, mpeg, musepack, ogg
from mgrkit.audio.members import Member, members
from mgrkit.audio.riff import Padded, padded_pcm, sizes
from mgrkit.audio.spans import Source, Span
from mgrkit.audio.tagbytes import tags_end, unexplained
from mgrkit.errors import AudioError

SNDFILE_SUFFIXES = frozenset(
    {
        ".8svx", ".afc", ".aif", ".aifc", ".aiff", ".au", ".avr", ".bwf", ".caf", ".flac",
        ".ircam", ".m2a", ".mp1", ".mp2", ".mp3", ".mpa", ".mpga", ".nist", ".oga", ".ogg",
        ".opus", ".paf", ".pvf", ".rf64", ".sf", ".snd", ".sph", ".svx", ".voc", ".w64", ".wav",
        ".wave",
    }
)  # fmt: skip
FFMPEG_SUFFIXES = frozenset(
    {
        ".3g2", ".3ga", ".3gp", ".3gpp", ".aac", ".ac3", ".adts", ".alac", ".amr", ".ape", ".asf",
        ".avi", ".awb", ".dff", ".dsf", ".dts", ".eac3", ".ec3", ".f4a", ".f4b", ".f4v", ".flv",
        ".gsm", ".isma", ".latm", ".loas", ".m2t", ".m2ts", ".m4a", ".m4b", ".m4p", ".m4r", ".m4v",
        ".mka", ".mkv", ".mlp", ".mov", ".mp+", ".mp4", ".mpc", ".mpeg", ".mpg", ".mpp", ".mts",
        ".ogv", ".ogx", ".qt", ".ra", ".rm", ".rmvb", ".spx", ".tak", ".thd", ".tta", ".vob",
        ".weba", ".webm", ".wma", ".wmv", ".wv",
    }
)  # fmt: skip
"""Of files that go to FFmpeg without asking libsndfile first; not .ts, which TypeScript has too."""
SUFFIXES = SNDFILE_SUFFIXES | FFMPEG_SUFFIXES
"""Suffixes, in lower case, of the files that are taken for sound in a folder."""

_LFS = b"version https://git-lfs"


class Head(NamedTuple):
    """What the header of a sound says.

    Attributes
    ----------
    promised : bytes of sound the header promises over bytes that are there; 1 or more, and
        1 where the format states no such size.
    seconds : of sound that the header promises; 0 where it does not.
    rest : bytes behind the sound that nothing explains, over those of the sound.
    behind : the same of a kind whose structure says where the sound ends.
    cut : True when the last Ogg page is not whole.
    ended : False when the last Ogg page does not say that it is the last.
    span : where in the file the sound is; None where it is all of it.
    padded : of a WAV of 24 bits in 4 bytes, how to read it.
    is_bare : True for an Ogg whose pages hold nothing but headers.
    """

    promised: float = 1.0
    seconds: float = 0.0
    rest: float = 0.0
    behind: float = 0.0
    cut: bool = False
    ended: bool = True
    span: Span | None = None
    padded: Padded | None = None
    is_bare: bool = False


def inspect(path: str | Path) -> tuple[Head, ...]:
    """Look at the first bytes of a file, and at the last ones where they matter.

    Returns
    -------
    One for each of the sounds that are joined in the file; header pages of Ogg without any
    sound, which may stand there twice, are left out where there is another.

    Raises
    ------
    AudioError : ``missing``, ``unreadable``, ``not-audio`` (not a regular file), ``empty``
        or ``lfs-pointer``.
    """
    try:
        # A named pipe would block in open().
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise AudioError("not-audio", "this is not a regular file")
        with open(path, "rb") as file:
            source = Source(path, file, _checked(file))
            heads = tuple(_inspect(source, member) for member in members(source))
        return tuple(head for head in heads if not head.is_bare) or heads
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError("missing", "there is no such file", "check the name") from error
    except PermissionError as error:
        raise AudioError("unreadable", "no permission to read", "change its mode") from error
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise AudioError("unreadable", f"the file cannot be read: {reason}") from error


def _checked(file: BinaryIO) -> int:
    """The size of a file that may be sound."""
    magic = file.read(len(_LFS))
    if not magic:
        raise AudioError("empty", "the file has 0 bytes", "get it again")
    if magic == _LFS:
        message = "this is a text that stands for a file in Git LFS, not sound"
        raise AudioError("lfs-pointer", message, "run: git lfs pull")
    return file.seek(0, os.SEEK_END)


def _inspect(source: Source, member: Member) -> Head:
    begin, end = member.span
    size, stated = end - begin, member.stated
    span = None if size == source.size else member.span
    with source.opened(member.span) as file:
        front = tags_end(file, 0)
        file.seek(front)
        magic = file.read(4)
        if magic == b"OggS" and (last := ogg.last(file, size)):
            behind = 0.0
            if last.end < size:
                span, behind = Span(begin, begin + last.end), unexplained(file, last.end, size)
            bare = not last.samples
            return Head(cut=last.is_cut, ended=last.is_last, behind=behind, span=span, is_bare=bare)
        if magic[:1] == b"\xff" or (front and stated is None):
            return Head(mpeg.promised(file, size), span=span)
        padded, found = padded_pcm(file, size), sizes(file, size)
        if span and padded:
            padded = padded._replace(span=Span(*(begin + place for place in padded.span)))
        if found:
            promised, rest = found.promised / found.present, found.rest / found.present
            return Head(promised, rest=rest, span=span, padded=padded)
        seconds = _seconds(file)
        if stated is None or stated == size:
            return Head(seconds=seconds, span=span, padded=padded)
        if stated > size:
            return Head(stated / size, seconds, span=span)
        behind = unexplained(file, stated, size)
        return Head(seconds=seconds, behind=behind, span=Span(begin, begin + stated))


def _seconds(file: BinaryIO) -> float:
    """What headers promise where FFmpeg says something else."""
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] == b"AVI ":
        return avi.seconds(file)
    return musepack.seconds_8(file)
