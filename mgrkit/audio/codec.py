"""The codec of a file's sound, and whether it keeps every bit."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_MOSTLY_LOSSLESS = frozenset({"wavpack"})
"""Codecs with a lossy mode that is rare; others that have both, such as DTS, are mostly lossy."""


class Codec(NamedTuple):
    """How sound is kept.

    Attributes
    ----------
    name : as FFmpeg calls it, such as flac, mp3 or pcm_s16le; '' where it does not know the file.
    is_lossless : whether decoding gives the samples that were encoded.
    bits : of a sample, as far as the header tells: 8, 16, or 32 for anything more; 0 where the
        codec is not known.
    """

    name: str = ""
    is_lossless: bool = False
    bits: int = 0


def codec(path: str | Path) -> Codec:
    """The codec of the first sound in a file, by its header alone; nothing is decoded."""
    from av.error import FFmpegError

    from mgrkit.audio.pyav import open_container

    try:
        with open_container(path) as container:
            context = container.streams.audio[0].codec_context
            kind = context.codec
            name = kind.name.removesuffix("float").removeprefix("lib")  # of several decoders
            is_lossless = kind.lossless and (not kind.lossy or name in _MOSTLY_LOSSLESS)
            return Codec(name, is_lossless, context.format.bits)
    except (FFmpegError, AttributeError, LookupError, OSError, ValueError):
        return Codec()  # AttributeError: no decoder, LookupError: no sound
