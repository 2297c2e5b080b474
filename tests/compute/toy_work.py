"""Work that a crew can do, on workers that are processes of their own."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.compute.stopping import stop_signals
from mgrkit.errors import RunError, Stopped


@dataclass(frozen=True)
class Toy:
    """Jobs are words: what to do, and a name."""

    folder: Path

    def do(self, job: str, report: Callable[..., None]) -> Any:
        what, _, name = job.partition(" ")
        with (self.folder / "log").open("a") as file:
            file.write(f"{job}\n")
        if what == "dies" or (what == "dies-once" and not (self.folder / name).exists()):
            (self.folder / name).touch()
            time.sleep(0.5)  # Dask does not restart one that dies before its nanny has seen it
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "fails":
            raise RunError(f"{name} fell over", "mend it")
        if what == "breaks":
            raise ZeroDivisionError(name)
        if what == "reports":
            report(3, 10, {"loss": 0.5})
        if what in ("waits", "deaf"):
            self._wait(deaf=what == "deaf")
        return os.getpid(), name

    def _wait(self, *, deaf: bool) -> None:
        end = time.monotonic() + (3 if deaf else 60)
        with stop_signals() as asked:
            while time.monotonic() < end:
                time.sleep(0.01)
                if asked() and not deaf:
                    (self.folder / "stopped").touch()
                    raise Stopped("stopped")
        if not deaf:
            raise AssertionError("nobody stopped it")

    @property
    def log(self) -> list[str]:
        return (self.folder / "log").read_text().splitlines()
