"""Classifiers that wait, fail, or take their process with them, as files in TOY_FOLDER say."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from mgrkit.classifiers import Examples, Run
from tests.testing.toy_classifiers import Centroid

CODE = """\
from dataclasses import replace
from mgrkit.registry import hookimpl
from tests.testing.toy_specs import GOOD

@hookimpl
def mgrkit_classifiers():
    return [
        replace(
            GOOD, name=name, factory=f"tests.experiments.toy_mortal:{name.title()}",
            eats="features:gtzan57", resumable=False, calibrate="valid",
        )
        for name in ("quick", "mortal", "waiting", "failing")
    ]
"""


def folder() -> Path:
    return Path(os.environ["TOY_FOLDER"])


class Quick(Centroid):
    """Writes down each of its fits."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        with (folder() / "log").open("a") as file:
            file.write(f"{type(self).__name__.lower()} {run.seed}\n")
        super().fit(train, valid, run)


class Mortal(Quick):
    """With the seed that the file ``dies`` names it dies: always, or once, if that says so."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        super().fit(train, valid, run)
        path = folder() / "dies"
        words = path.read_text().split() if path.exists() else []
        if words and int(words[0]) == run.seed:
            if words[1:] == ["once"]:
                path.unlink()
            time.sleep(0.5)  # Dask does not restart one that dies before its nanny has seen it
            os.kill(os.getpid(), signal.SIGKILL)


class Waiting(Quick):
    """Waits for as long as the file ``wait`` is there, and can be stopped."""

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        super().fit(train, valid, run)
        end = time.monotonic() + 60
        while run.seed and (folder() / "wait").exists():
            run.check()
            run.progress(1, 2, {"loss": 0.5})
            time.sleep(0.01)
            assert time.monotonic() < end, "nobody stopped it"


class Failing(Quick):
    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        super().fit(train, valid, run)
        raise ValueError(f"oh {run.seed}")
