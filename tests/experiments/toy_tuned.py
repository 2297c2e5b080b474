"""Classifiers that are quick to search, slow to fit, or fail for some parameters."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mgrkit.registry import Choice, Range, parameter
from tests.datasets.made_tables import rows
from tests.testing.toy_specs import GOOD


@dataclass(frozen=True)
class Searched:
    sharpness: float = parameter(
        1.0, "how fast it falls off", low=1e-3, high=1e3, search=Range(0.01, 100, log=True)
    )
    steps: int = parameter(8, "parts of the sums", low=1, high=1000, search=Range(2, 8))
    columns: int = parameter(8, "of how many it learns", low=1, high=57, search=Range(1, 57))
    kind: str = parameter("a", "no matter", choices=("a", "b", "c"), search=Choice(("a", "b")))
    flip: bool = parameter(False, "no matter")


def spec(name: str, kind: str, **more: object):
    return replace(
        GOOD, name=name, factory=f"tests.experiments.toy_classes:{kind}", parameters=Searched,
        eats="features:gtzan57", resumable=False, **more,
    )  # fmt: skip


CODE = """\
from dataclasses import replace
from mgrkit.registry import hookimpl
from tests.experiments.toy_tuned import spec
from tests.testing.toy_specs import GOOD

@hookimpl
def mgrkit_classifiers():
    return [
        spec("quick", "Quick"), spec("other", "Quick"), spec("slow", "Slow"),
        spec("picky", "Picky"), spec("never", "Never"), spec("greedy", "Greedy"),
        spec("net", "Net", calibrate="valid"),
        replace(GOOD, name="plain", eats="features:gtzan57", resumable=False),
    ]
"""


PARTS = ("train", "train", "train", "train", "valid", "test")


def made(spread: float = 6.0) -> list[dict[str, Any]]:
    """Rows of a table: four of six artists of a genre are in train."""
    found = rows(artists=6, songs=3, spread=spread)
    return [{**row, "split": PARTS[int(str(row["group"])[-1])]} for row in found]


def wait(seconds: float) -> None:
    """Work for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.001)


def log(text: str) -> None:
    """A line in the file that TOY_LOG names."""
    if path := os.environ.get("TOY_LOG"):
        with Path(path).open("a") as file:
            file.write(text + "\n")
