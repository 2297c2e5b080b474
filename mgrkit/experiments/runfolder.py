"""The folder of a training run that can be stopped: what it was begun with, and its log."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.records import LOCK, SETTINGS, folder_record, write_record
from mgrkit.files.difference import difference
from mgrkit.files.lock import lock

LOG = "log.txt"


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
        folder_record(self.path)  # nothing is made in the folder of another
        self._alone()
        kept = folder_record(self.path)
        if kept is not None:
            other = difference(kept, settings)
            if other and not (replace or kept.get("finished")):
                raise UsageError(
                    f"{self.path} is an unfinished run with other settings: {other}",
                    "finish that one, give another --out, or --replace it",
                )
            if other:
                self._empty()
        try:
            write_record(self.path / SETTINGS, settings)
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
        write_record(self.path / SETTINGS, {**(folder_record(self.path) or {}), "finished": True})
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
        for half_written in self.path.glob("**/.*.tmp"):  # of a run that was killed
            half_written.unlink()

    def _empty(self) -> None:
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()
