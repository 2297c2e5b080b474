"""The example of a plugin with embeddings, installed as a stranger would install it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mgrkit.synthetic.collection import write_collection
from mgrkit.synthetic.music import STYLES
from tests.examples import installing
from tests.examples.installing import ROOT, keeps_the_contract, mgrkit

PLUGIN = ROOT / "examples" / "embedding_plugin"
FOREST = ["train", "random_forest", "audio", "--set", "made-ears:mean", "--param", "trees=20",
          "--out", "forest.safetensors", "--json"]  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process in which the plugin is installed."""
    folder = tmp_path_factory.mktemp("embedding_plugin")
    return installing.installed("embedding_plugin", folder)


@pytest.fixture
def deaf(installed: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """As ``installed``, but the set's code fails when it is given sound."""
    site = shutil.copytree(installed["PYTHONPATH"], tmp_path / "deaf")
    code = site / "mgrkit_ears" / "ears.py"
    begin = "def prepare(self, samples):\n"
    text = code.read_text()
    assert text.count(begin) == 1
    code.write_text(text.replace(begin, f"{begin}        raise OSError('it was given sound')\n"))
    return {"PYTHONPATH": str(site)}


def test_it_is_listed(installed: dict[str, str], tmp_path: Path) -> None:
    listed = json.loads(mgrkit(["plugins", "--json"], installed, tmp_path))
    (mine,) = [one for one in listed if one["distribution"] == "mgrkit-ears"]
    assert (mine["status"], mine["error"]) == ("ok", "")
    assert mine["feature_sets"] == ["made-ears"]


@pytest.mark.torch
def test_it_keeps_the_contract(installed: dict[str, str], tmp_path: Path) -> None:
    keeps_the_contract(PLUGIN, installed, tmp_path)


@pytest.mark.torch
def test_it_makes_a_table_of_windows(installed: dict[str, str], tmp_path: Path) -> None:
    write_collection(tmp_path / "audio", songs=1, artists=1, seconds=5)
    words = ["features", "audio", "made.csv", "--set", "made-ears", "--quiet"]
    mgrkit(words, installed, tmp_path)
    with (tmp_path / "made.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(STYLES) * 4
    assert [float(row["start"]) for row in rows[:4]] == [0, 1, 2, 3]
    assert {row["kind"] for row in rows} == {"made-ears"}
    assert len({row["mean15"] for row in rows}) == len(rows)


@pytest.mark.torch
def test_ten_heads_cost_one_pass_over_the_sound(
    installed: dict[str, str], deaf: dict[str, str], tmp_path: Path
) -> None:
    write_collection(
        tmp_path / "audio", songs=6, artists=3, seconds=5, parts=("train", "train", "valid")
    )
    words = ["train", "svm", "audio", "--set", "made-ears:mean-sd", "--out", "svm.safetensors"]
    told = json.loads(mgrkit([*words, "--json"], installed, tmp_path))
    assert told["metrics"]["accuracy"] > 0.5
    # Another classifier, on another summary, of a set that cannot hear any more.
    told = json.loads(mgrkit(FOREST, deaf, tmp_path))
    assert told["metrics"]["accuracy"] > 0.5
    # What is not in the cache it would have had to hear.
    empty = {**os.environ, **deaf, "MGRKIT_CACHE": str(tmp_path / "empty")}
    done = subprocess.run(
        [sys.executable, "-m", "mgrkit", *FOREST, "--replace"],
        cwd=tmp_path, env=empty, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3
    assert "it was given sound" in done.stderr

    words = ["predict", "audio/waltz", "--model", "svm.safetensors", "--json"]
    told = json.loads(mgrkit(words, installed, tmp_path))
    assert [one["genre"] for one in told].count("waltz") > 3


def test_it_is_at_most_80_lines() -> None:
    code = [path.read_text().splitlines() for path in PLUGIN.glob("mgrkit_ears/*.py")]
    assert sum(map(len, code)) <= 80
