"""The noises and impulse responses of a recipe: found, hashed, decoded once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np

from mgrkit.audio import open_sound
from mgrkit.augment.recordings import FRAME_SECONDS, QUIET_DB, Recordings, levels
from mgrkit.errors import ItemError, RunError, UsageError

MOSTLY = 0.5


@dataclass(frozen=True)
class ReadySounds:
    """Sounds that a transform may draw from.

    Parameters
    ----------
    files : pairs of a path in the run's folder and of the name that stands in tables.
    warnings : one line for each that cannot be used, or is mostly silent.
    """

    files: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


class Found(NamedTuple):
    """Recordings, and how the recipe names the file or the folder."""

    name: str
    recordings: Recordings
    folder: bool

    def named(self, file: str) -> str:
        """The name of a file in tables: no absolute path, so it is the same wherever it lies."""
        top = PurePath(self.name)
        if top.is_absolute():
            top = PurePath(top.name)
        return top.joinpath(file).as_posix() if self.folder else top.as_posix()


@dataclass(frozen=True)
class Sounds:
    """Sound files and folders as a recipe names them."""

    found: tuple[Found, ...]

    @classmethod
    def find(cls, names: str | Sequence[str], folder: Path) -> Sounds:
        """Those of these names, relative to a folder.

        Raises
        ------
        UsageError : nothing is there, or a folder without a sound file.
        """
        names = [names] if isinstance(names, str) else names
        found = [(name, find_recordings(name, folder)) for name in names]
        return cls(tuple(Found(name, one, (folder / name).is_dir()) for name, one in found))

    @property
    def digest(self) -> str:
        """SHA-256 over names and bytes; RunError where a file cannot be read."""
        text = "\n".join(f"{one.named('')} {one.recordings.digest}" for one in self.found)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def files(self) -> list[tuple[Path, str]]:
        """The path of each file, and its name; in an order that no file system decides."""
        return [
            (one.recordings.folder / file, one.named(file))
            for one in self.found
            for file in one.recordings.files
        ]

    def ready(self, folder: Path, noises: str = "") -> ReadySounds:
        """Decode all into a folder.

        Parameters
        ----------
        noises : the transform that takes them for noise, where it does: it is told which of
            them are mostly silent.

        Raises
        ------
        RunError : none of them can be used.
        """
        files, warnings, failures = [], [], []
        for number, (path, name) in enumerate(self.files()):
            # As audiomentations writes it into what was drawn, where a name takes its place.
            target = Path(os.path.abspath(folder / f"sound-{self.digest[:16]}-{number}.wav"))
            try:
                quiet = _decode(path, target)
            except ItemError as error:
                failures.append(f"{name}: {error}")
                continue
            files.append((str(target), name))
            if noises and quiet > MOSTLY:
                warnings.append(
                    f"{name}: {quiet:.0%} of it is silent, so {noises} may leave sounds as they "
                    f'are; noise = "{name}" with an snr passes over silence and holds the SNR'
                )
        if not files:
            raise RunError(f"no sound can be used: {failures[0]}", "give other files")
        return ReadySounds(tuple(files), tuple(failures + warnings))


def find_recordings(name: str, folder: Path) -> Recordings:
    """The recording or folder of recordings at a path relative to a folder; UsageError if none."""
    path = folder / name
    if not name or not path.exists():
        raise UsageError(f"no file or folder {path}", "paths are relative to the recipe's file")
    return Recordings.find(path)


def _decode(path: Path, target: Path) -> float:
    """Write a sound as float WAV; returns the share of it that is silent beside the loudest."""
    import soundfile

    peak = 0.0
    with open_sound(path) as sound:
        with soundfile.SoundFile(target, "w", sound.rate, sound.channels, "FLOAT") as file:
            for block in sound.blocks():
                peak = max(peak, float(np.abs(block).max(initial=0)))
                file.write(block.T)
        if not peak:
            raise ItemError("silent", "the recording is silent")
        powers = levels(sound, round(FRAME_SECONDS * sound.rate))[1]
    if not len(powers):
        return 0.0
    return float(np.mean(powers < powers.max() * 10 ** (QUIET_DB / 10)))
