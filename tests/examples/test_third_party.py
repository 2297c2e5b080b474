"""The example of a plugin, installed as a stranger would install it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_commands import tone
from tests.datasets.made_tables import GENRES, rows, write
from tests.examples import installing
from tests.examples.installing import ROOT, keeps_the_contract, mgrkit

PLUGIN = ROOT / "examples" / "third_party_plugin"
MODEL = "neighbours.safetensors"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which the plugin is installed."""
    return installing.installed("third_party_plugin", tmp_path_factory.mktemp("third_party"))


def test_it_is_listed(installed: dict[str, str], tmp_path: Path) -> None:
    listed = json.loads(mgrkit(["plugins", "--json"], installed, tmp_path))
    (mine,) = [one for one in listed if one["distribution"] == "mgrkit-knn"]
    assert (mine["status"], mine["error"]) == ("ok", "")
    assert mine["classifiers"] == ["neighbours"]
    listed = json.loads(mgrkit(["classifiers", "--json"], installed, tmp_path))
    (mine,) = [one for one in listed if one["name"] == "neighbours"]
    assert mine["distribution"] == "mgrkit-knn"
    assert mine["version"] == "0.1.0"


def test_it_keeps_the_contract(installed: dict[str, str], tmp_path: Path) -> None:
    keeps_the_contract(PLUGIN, installed, tmp_path)


def test_it_trains_measures_and_predicts(installed: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "features.csv", rows())
    words = ["train", "neighbours", "features.csv", "--out", MODEL, "--param", "k=3", "--json"]
    told = json.loads(mgrkit(words, installed, tmp_path))
    assert told["parameters"] == {"k": 3}
    assert told["metrics"]["accuracy"] > 0.9
    words = ["evaluate", MODEL, "features.csv", "--json"]
    told = json.loads(mgrkit(words, installed, tmp_path))
    assert told["accuracy"] > 0.9
    tone(tmp_path / "tone.wav", seconds=1)
    words = ["predict", "tone.wav", "--model", MODEL, "--json"]
    (told,) = json.loads(mgrkit(words, installed, tmp_path))
    assert told["genre"] in GENRES
    # Without the plugin the bundle says who made it.
    done = subprocess.run(
        [sys.executable, "-m", "mgrkit", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 3
    assert "mgrkit-knn 0.1.0" in done.stderr


def test_it_is_at_most_60_lines() -> None:
    code = [path.read_text().splitlines() for path in PLUGIN.glob("mgrkit_knn/*.py")]
    assert sum(map(len, code)) <= 60
