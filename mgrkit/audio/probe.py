"""What a file says about itself before any decoder sees it.

Decoders answer a missing file, a pointer of Git LFS and a picture with the same riddle, and
they believe a header that promises more sound than the file holds. This module tells them
apart by reading a few bytes; it needs nothing but the standard library.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mgrkit.audio import mpeg, ogg
from mgrkit.audio.riff import Padded, padded_pcm, sizes
from mgrkit.audio.spans import Span
from mgrkit.errors import AudioError

SNDFILE_SUFFIXES = frozenset(
    {
        ".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp1", ".mp2", ".mp3", ".oga", ".ogg",
        ".opus", ".rf64", ".snd", ".voc", ".w64", ".wav", ".wave",
    }
)  # fmt: skip
FFMPEG_SUFFIXES = frozenset(
    {
        ".3g2", ".3gp", ".aac", ".ac3", ".amr", ".ape", ".asf", ".avi", ".dff", ".dsf", ".dts",
        ".eac3", ".m4a", ".m4b", ".m4r", ".m4v", ".mka", ".mkv", ".mov", ".mp+", ".mp4", ".mpc",
        ".mpp", ".ogx", ".spx", ".tak", ".tta", ".weba", ".webm", ".wma", ".wv",
    }
)  # fmt: skip
"""Of files that go to FFmpeg without asking libsndfile first."""
SUFFIXES = SNDFILE_SUFFIXES | FFMPEG_SUFFIXES
"""Suffixes, in lower case, of the files that are taken for sound in a folder."""

_LFS = b"version https://git-lfs"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # its file properties object
_ASF_HEAD = 2**16


class Head(NamedTuple):
    """What the header of a file says.

    Attributes
    ----------
    promised : bytes of sound the header promises over bytes that are there; 1 or more, and
        1 where the format tells no such size.
    rest : bytes behind the sound that nothing explains, over those of the sound.
    behind : the same of an Ogg file, whose pages tell where the sound ends.
    cut : True when the file ends in the middle of an Ogg page.
    links : the stretches of an Ogg file whose streams are chained; empty for one stream.
    padded : of a WAV of 24 bits in 4 bytes, how to read it.
    """

    promised: float = 1.0
    rest: float = 0.0
    behind: float = 0.0
    cut: bool = False
    links: tuple[Span, ...] = ()
    padded: Padded | None = None


def inspect(path: str | Path) -> Head:
    """Look at the first bytes of a file, and at the last ones where they tell something.

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
            return _inspect(file)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AudioError("missing", "there is no such file", "check the name") from error
    except PermissionError as error:
        raise AudioError("unreadable", "no permission to read", "change its mode") from error
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise AudioError("unreadable", f"the file cannot be read: {reason}") from error


def _inspect(file: BinaryIO) -> Head:
    magic = file.read(len(_LFS))
    if not magic:
        raise AudioError("empty", "the file has 0 bytes", "get it again")
    if magic == _LFS:
        message = "this is a text that stands for a file in Git LFS, not sound"
        raise AudioError("lfs-pointer", message, "run: git lfs pull")
    size = file.seek(0, os.SEEK_END)
    if magic[:4] == b"OggS":
        links = ogg.links(file, size)
        return Head(
            cut=ogg.is_cut(file, size),
            behind=ogg.unexplained(file, size),
            links=tuple(links) if len(links) > 1 else (),
        )
    if magic[:16] == _ASF:
        return Head(max(1.0, _asf_size(file) / size))
    if magic[:3] == b"ID3" or magic[0] == 0xFF:
        return Head(mpeg.promised(file, size))
    padded = padded_pcm(file, size)
    found = sizes(file, size)
    if not found:
        return Head(padded=padded)
    return Head(found.promised / found.present, found.rest / found.present, padded=padded)


def _asf_size(file: BinaryIO) -> int:
    """The size of the file as an ASF header tells it; 0 where it does not.

    Its play duration is no promise: it holds the preroll, and that of a picture.
    """
    file.seek(0)
    head = file.read(_ASF_HEAD)
    at = head.find(_ASF_FILE)
    return int.from_bytes(head[at + 40 : at + 48], "little") if at >= 0 else 0
