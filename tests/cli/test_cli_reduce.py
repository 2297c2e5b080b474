"""``--reduce`` as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.datasets.made_tables import rows, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "features.csv", rows(artists=5, songs=3, spread=4.0))


def run(*words: str) -> int:
    return guarded(app, list(words))


@pytest.mark.parametrize("how", ["pca:5", "pca:0.85", "lda:2", "select:10"])
def test_a_model_keeps_how_it_reduces(how: str, capsys: Captured) -> None:
    out = ["--out", "m.safetensors"]
    assert run("train", "knn", "features.csv", "--reduce", how, *out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["parameters"]["reduce"] == how
    width = load_bundle(Path("m.safetensors")).state["whitening"].shape[1]
    assert width == (int(how.split(":")[1]) if "." not in how else width) < 57
    assert run("evaluate", "m.safetensors", "features.csv", "--json") == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] > 0.4  # of four genres


def test_all_that_are_compared_reduce_but_those_that_say_otherwise(capsys: Captured) -> None:
    words = ["--classifiers", "svm,ridge,lda", "--seeds", "1", "--reduce", "pca:3", "--json"]
    assert run("compare", "features.csv", *words, "--param", "lda.reduce=none") == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 3
    made = {path.stem: load_bundle(path) for path in Path("compare").rglob("*.safetensors")}
    found = {name.partition("-")[0]: one.parameters["reduce"] for name, one in made.items()}
    assert found == {"svm": "pca:3", "ridge": "pca:3", "lda": "none"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train svm --reduce umap:3", "reduce must be pca:COUNT, pca:SHARE"),
        ("train svm --reduce pca:58", "reduce=pca:58 asks for more than 57: there are 57 columns"),
        ("train svm --reduce lda:4", "reduce=lda:4 asks for more than 3: there are 4 genres"),
        ("train svm --reduce pca:3 --param reduce=pca:4", "--reduce and --param reduce differ"),
        ("train cnn --reduce pca:3", "cnn has no parameter 'reduce'"),
        ("compare --classifiers svm,cnn --reduce pca:3", "cnn takes no --reduce"),
        ("compare --classifiers svm --reduce pca", "reduce must be pca:COUNT, pca:SHARE"),
    ],
)
def test_a_call_that_is_wrong_makes_nothing(words: str, message: str, capsys: Captured) -> None:
    command, *rest = words.split()
    first = [rest.pop(0)] if command == "train" else []
    assert run(command, *first, "features.csv", *rest, "--out", "o.safetensors") == 2
    assert message in capsys.readouterr().err
    assert not Path("o.safetensors").exists()
