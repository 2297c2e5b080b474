"""Classifiers to be searched on a cluster; files in TOY_FOLDER say who dies, and who waits."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from mgrkit.classifiers import Examples, Run
from tests.experiments.toy_classes import Quick

CODE = """\
from dataclasses import replace
from mgrkit.registry import hookimpl
from tests.experiments.toy_tuned import spec

@hookimpl
def mgrkit_classifiers():
    found = [spec(name, "x") for name in ("steady", "mortal", "waiting")]
    factory = "tests.experiments.toy_tuned_mortal:"
    return [replace(one, factory=factory + one.name.title()) for one in found]
"""


def folder() -> Path:
    return Path(os.environ["TOY_FOLDER"])


def log(text: str) -> None:
    with (folder() / "log").open("a") as file:
        file.write(text + "\n")


class Steady(Quick):
    """Writes down each fit of a trial."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        log(f"{os.getpid()} {self.parameters.columns}")
        super().fit(train, valid, run)


class Mortal(Steady):
    """Dies where it learns from more columns than usual: always, or as often as ``dies`` says."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        super().fit(train, valid, run)
        path = folder() / "dies"
        left = int(path.read_text()) if path.exists() else 0
        if self.parameters.columns > 8 and left:
            path.write_text(str(left - 1))
            log(f"dies {self.parameters.sharpness}")
            time.sleep(0.5)  # Dask does not restart one that dies before its nanny has seen it
            os.kill(os.getpid(), signal.SIGKILL)


class Waiting(Steady):
    """Waits with other than the usual columns while ``wait`` is there, and can be stopped."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        super().fit(train, valid, run)
        end = time.monotonic() + 60
        while self.parameters.columns != 8 and (folder() / "wait").exists():
            run.check()
            time.sleep(0.01)
            assert time.monotonic() < end, "nobody stopped it"
