"""Which Pythons and releases are promised, and that they are those that are tested."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PYTHONS = ["3.11", "3.12", "3.13"]


def needs(*without: str) -> list[str]:
    words = [sys.executable, str(ROOT / "tests" / "needs.py"), *without]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()


def test_the_promised_pythons_are_those_of_nox() -> None:
    told = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    assert told == PYTHONS
    promised = SpecifierSet(PROJECT["requires-python"])
    among = [python for python in ("3.10", *PYTHONS, "3.14") if f"{python}.0" in promised]
    assert among == PYTHONS
    listed = re.search(r"PYTHONS = \[(.*)\]", (ROOT / "noxfile.py").read_text())
    assert listed
    assert re.findall(r"[\d.]+", listed[1]) == PYTHONS


@pytest.mark.parametrize("python", PYTHONS)
def test_each_dependency_is_pinned_once_for_each_python(python: str) -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    here = {"python_version": python}
    pinned = [pin.name for pin in pins if not pin.marker or pin.marker.evaluate(here)]
    assert len(pinned) == len(set(pinned))
    assert {Requirement(need).name for need in needs()} <= set(pinned)


def test_what_is_needed_without_torch_is_all_but_that() -> None:
    extra = PROJECT["optional-dependencies"]["test"]
    assert needs() == [*PROJECT["dependencies"], *extra]
    assert set(needs()) - set(needs("torch", "torchvision")) == {"torch>=2.13", "torchvision>=0.28"}


def test_what_ci_goes_without_is_something_that_is_needed() -> None:
    listed = re.search(r"^unneeded=\((.*?)\)", (ROOT / ".ci" / "run").read_text(), re.M | re.S)
    assert listed
    assert set(listed[1].split()) <= {Requirement(need).name for need in needs()}
