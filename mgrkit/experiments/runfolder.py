"""The folder of a training run that can be stopped: what it was begun with, and its log."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mgrkit.errors import RunError, UsageError
from mgrkit.files.difference import difference
from mgrkit.files.lock import lock
from mgrkit.files.replacing import replacing

if TYPE_CHECKING:
    from mgrkit.classifiers import Examples

SETTINGS, LOG, LOCK = "settings.json", "log.txt", ".lock"


@dataclass
class RunFolder:
    """``NAME.run`` beside the bundle ``NAME.safetensors``.

    It holds the settings, a log, and in a folder for each fit what the classifier keeps there:
    checkpoints, and what people look at. Checkpoints are deleted once the bundle is written.
    """

    path: Path
    _lock: BinaryIO | None = field(default=None, repr=False)

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *error: object) -> None:
        if self._lock:
            self._lock.close()

    def begin(self, settings: dict[str, Any], *, replace: bool) -> None:
        """Make the folder, or go on in it.

        A finished run gives way to the new one, and so does one of other settings where
        ``replace`` says so.

        Raises
        ------
        UsageError : the folder is another's, or a run of other settings, which are named.
        RunError : it cannot be written, or another process is at work in it.
        """
        kept = self._kept()
        self._alone()
        if kept is not None:
            told = difference(kept, settings)
            if told and not (replace or kept.get("finished")):
                raise UsageError(
                    f"{self.path} is an unfinished run with other settings: {told}",
                    "finish that one, give another --out, or --replace it",
                )
            if told:
                self._empty()
        try:
            self._write(settings)
        except OSError as error:
            raise RunError(f"cannot write to {self.path}: {error.strerror}") from None

    def forget(self) -> None:
        """Delete the folder of a fit that was refused, unless an earlier one has left something."""
        if not any(path.is_file() and path.name not in (SETTINGS, LOG, LOCK)
                   for path in self.path.rglob("*")):  # fmt: skip
            shutil.rmtree(self.path)

    def log(self, text: str) -> None:
        """Add a line to the log."""
        with (self.path / LOG).open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def finish(self) -> None:
        """Say that the bundle is written, and delete the checkpoints."""
        self._write({**(self._kept() or {}), "finished": True})
        for checkpoint in self.path.glob("*/**/*.safetensors"):
            checkpoint.unlink()

    def _alone(self) -> None:
        """Take the lock, for as long as the context lasts and this process lives."""
        try:
            self.path.mkdir(exist_ok=True)
            self._lock = (self.path / LOCK).open("ab")
        except OSError as error:
            raise RunError(f"cannot write to {self.path}: {error.strerror}") from None
        if not lock(self._lock.fileno()):
            raise RunError(f"another process is training in {self.path}", "wait for its end")

    def _empty(self) -> None:
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()

    def _kept(self) -> dict[str, Any] | None:
        """The settings of the run that is there; None where there is no folder, or an empty one."""
        if not self.path.exists():
            return None
        if self.path.is_dir() and not {path.name for path in self.path.iterdir()} - {LOCK}:
            return None
        try:
            kept: dict[str, Any] = json.loads((self.path / SETTINGS).read_bytes())
            if isinstance(kept, dict):
                return kept
        except (OSError, ValueError):
            pass
        raise UsageError(
            f"{self.path} is there and is no run of mgrkit's", "give another --out, or move it"
        )

    def _write(self, settings: dict[str, Any]) -> None:
        with replacing(self.path / SETTINGS) as temp:
            temp.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def digest(*parts: Examples | None) -> str:
    """16 hexadecimal digits of examples, by which a run knows that DATA is still the same."""
    import numpy as np

    found = hashlib.sha256()
    for part in parts:
        for array in (part.x, part.y, part.tracks, part.groups) if part else ():
            found.update(repr((array.shape, array.dtype.str)).encode())
            found.update(np.ascontiguousarray(array).data.cast("B"))
    return found.hexdigest()[:16]
