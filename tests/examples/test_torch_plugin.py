"""The example of a plugin with a torch network, installed as a stranger would install it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.examples import installing
from tests.examples.installing import ROOT, keeps_the_contract, mgrkit, run

PLUGIN = ROOT / "examples" / "torch_plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which the plugin is installed."""
    return installing.installed("torch_plugin", tmp_path_factory.mktemp("torch_plugin"))


def test_it_is_listed_with_the_options_of_training(
    installed: dict[str, str], tmp_path: Path
) -> None:
    (pons,) = [one for one in json.loads(mgrkit(["classifiers", "--json"], installed, tmp_path))
               if one["name"] == "pons"]  # fmt: skip
    assert pons["distribution"] == "mgrkit-pons"
    assert "mixup" in json.dumps(pons)


@pytest.mark.torch
def test_it_keeps_the_contract(installed: dict[str, str], tmp_path: Path) -> None:
    keeps_the_contract(PLUGIN, installed, tmp_path)


@pytest.mark.torch
def test_it_is_the_published_network(installed: dict[str, str], tmp_path: Path) -> None:
    code = (
        "from mgrkit.classifiers import Task\n"
        "from mgrkit.frontend import front_end\n"
        "from mgrkit_pons.hooks import Parameters\n"
        "from mgrkit_pons.pons import Pons\n"
        "task = Task(tuple('abcdefghij'), (40, 500), (), front_end(n_mels=40))\n"
        "weights = Pons(task, Parameters()).network().parameters()\n"
        "print(sum(weight.numel() for weight in weights))\n"
    )
    assert int(run([sys.executable, "-c", code], installed, tmp_path)) == 197_218


def test_it_is_at_most_60_lines() -> None:
    code = [path.read_text().splitlines() for path in PLUGIN.glob("mgrkit_pons/*.py")]
    assert sum(map(len, code)) <= 60
