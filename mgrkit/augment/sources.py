"""From what a person types to a noise source."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mgrkit.audio import SUFFIXES
from mgrkit.augment.colours import COLOURS, Colour
from mgrkit.augment.recordings import Recordings
from mgrkit.errors import UsageError, nearest

if TYPE_CHECKING:
    from mgrkit.augment.blocks import Draw, Take


class Noise(Protocol):
    """Anything that `mix` can mix in: a `Colour`, or recordings that are `Spooled`."""

    @property
    def name(self) -> str:
        """What stands in file names, and in the seed."""
        ...

    def take(self, draw: Draw, rate: int, channels: int) -> Take:
        """The noise for one sound, from its start; the same in each call."""
        ...


def parse_noise(
    text: str, suffixes: Collection[str] = SUFFIXES, begin: float | None = None
) -> Colour | Recordings:
    """A colour's name, else the path of a recording or of a folder of them.

    In a folder, the files of these suffixes, in lower case, are taken. With ``begin`` the noise
    begins so many seconds into a recording, which is then taken as it stands.

    Recordings must be `Recordings.spooled` before they can be mixed in. A file that is called
    like a colour is reached as ``./white``.

    Raises
    ------
    UsageError : no such colour, file or folder; a folder without recordings; or a colour with
        ``begin``.
    """
    if text in COLOURS:
        if begin is not None:
            hint = "--noise FILE"
            raise UsageError(f"--noise-start is a place in a recording, {text} is none", hint)
        return Colour(text)
    if text and Path(text).exists():
        return replace(Recordings.find(Path(text), suffixes), begin=begin)
    raise UsageError(
        f"no noise {text!r}: neither a colour nor a file or folder of recordings",
        nearest(text, COLOURS, "the colours are"),
    )
