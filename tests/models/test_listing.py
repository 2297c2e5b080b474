"""Models by name: those that come with plugins, those in the cache, and the default."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mgrkit.classifiers import Task, load_bundle, save_bundle
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.train import train
from mgrkit.errors import BundleError, RunError
from mgrkit.frontend import front_end
from mgrkit.models import model as modelling
from mgrkit.models.choosing import choose
from mgrkit.models.listing import list_models
from mgrkit.registry import ClassifierSpec, Plugin
from tests.models.shop import HEAVY, Shop, bundle, classifier_needs, put, with_weights


def test_shipped_and_cached_models_are_listed(shop: Shop, cache: Path) -> None:
    shop.ship("mgrkit", "first")
    bundle(shop.path("first"), 0.48)
    bundle(cache / "mine.safetensors", None, classifier="hubness", eats="samples",
           task=Task(("a", "b", "c"), (9,)))  # fmt: skip
    first, mine = list_models()
    assert first == {
        "name": "first", "status": "ok", "error": "", "distribution": "mgrkit", "default": True,
        "path": str(shop.path("first")), "bytes": shop.path("first").stat().st_size,
        "classifier": "svm", "eats": "features:two", "feature_set": "two", "labels": 2,
        "members": None, "rule": None, "weights": None, "weights_here": None,
        "accuracy": 0.48, "accuracy_low": 0.38, "accuracy_high": 0.58,
        "part": "valid", "split": "published split", "augmentation": None,
    }  # fmt: skip
    assert (mine["name"], mine["classifier"], mine["labels"]) == ("mine", "hubness", 3)
    assert (mine["feature_set"], mine["accuracy"], mine["default"]) == (None, None, False)
    assert mine["distribution"] == ""


def test_copies_that_a_model_learnt_from_are_named(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "3 altered copies of each sound of train by phone (1f)"
    bundle(cache / "mine.safetensors", card={"augmentation": words})
    [mine] = [one for one in list_models() if one["name"] == "mine"]
    assert mine["augmentation"] == words
    assert guarded(app, ["models"]) == 0
    assert f"learnt from {words}" in " ".join(capsys.readouterr().out.split())


def test_a_broken_model_is_listed_with_its_error(shop: Shop, cache: Path) -> None:
    shop.ship("mgrkit", "gone")
    path = bundle(cache / "hurt.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    gone, hurt = list_models()
    assert (gone["status"], gone["bytes"], gone["labels"]) == ("broken", None, None)
    assert "no such file" in gone["error"]
    assert hurt["status"] == "broken"
    assert str(path) in hurt["error"]


def test_a_model_of_a_package_that_is_not_installed(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ClassifierSpec("x", "x", "a.b:C", bundles=("nowhere_at_all:data/x.safetensors",))
    shop.plugins.append(Plugin("mgrkit", "1.0", classifiers=(spec,)))
    # A file of that path in the current folder is somebody else's.
    for path in ("nowhere_at_all/data/x.safetensors", "data/x.safetensors"):
        bundle(tmp_path / "here" / path)
    monkeypatch.chdir(tmp_path / "here")
    (one,) = list_models()
    assert (one["name"], one["status"], one["bytes"], one["labels"]) == ("x", "broken", None, None)
    assert one["error"].endswith("package nowhere_at_all is not installed")
    for name in ("x", None):
        with pytest.raises(RunError, match="there is no model x: package nowhere_at_all is not"):
            choose(name)[0]


def test_a_model_that_several_specs_name_is_there_once(shop: Shop) -> None:
    shop.ship("a_stranger", "shared")
    shop.ship("mgrkit", "shared", "own")
    shop.plugins.append(replace(shop.plugins[1], classifiers=tuple(
        replace(spec, name=name) for spec in shop.plugins[1].classifiers for name in ("p", "z")
    )))  # fmt: skip
    del shop.plugins[1]
    bundle(shop.path("shared"))
    listed = [(one["name"], one["distribution"]) for one in list_models()]
    assert listed == [("shared", "mgrkit"), ("own", "mgrkit")]
    assert choose("shared")[0] == shop.path("shared")


def test_a_model_whose_classifier_is_not_installed_is_broken(shop: Shop, cache: Path) -> None:
    bundle(cache / "mine.safetensors", classifier="quantum", distribution="mgrkit-quantum")
    (one,) = list_models()
    assert (one["status"], one["classifier"], one["labels"]) == ("broken", "quantum", 2)
    assert "no classifier 'quantum'" in one["error"]
    assert "mgrkit-quantum 1.0" in one["error"]


def test_models_of_feature_sets_are_listed(shop: Shop) -> None:
    with_weights(shop, "hum", 0.7)
    (one,) = list_models()
    assert (one["name"], one["weights"], one["weights_here"]) == ("hum", "hum", False)
    assert (one["status"], one["feature_set"]) == ("ok", "hum-tags:mean")
    put(HEAVY)
    assert list_models()[0]["weights_here"]


def test_a_model_that_needs_a_module_that_is_not_installed_is_broken(
    shop: Shop, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    classifier_needs(monkeypatch, "crnn", "torch")
    with_weights(shop, "hum", 0.7, requires=("torch",))
    for name in ("cnn", "crnn"):
        path, task = cache / f"{name}.safetensors", Task(("a", "b"), (8, 9))
        bundle(path, classifier=name, eats="image", task=task)
    bundle(cache / "plain.safetensors")
    found = {one["name"]: one["error"] for one in list_models()}
    lacking = "needs torch (pip install torch)"
    assert found == {"hum": lacking, "cnn": "", "crnn": lacking, "plain": ""}


def test_a_model_without_its_modules_names_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    classifier_needs(monkeypatch, "crnn", "torch")
    task = Task(("a", "b"), (8, 40), frontend=front_end(n_mels=8))
    path = bundle(tmp_path / "net.safetensors", classifier="crnn", eats="image", task=task)
    with pytest.raises(RunError, match=r"the classifier crnn needs torch.*\(pip install torch"):
        modelling.Model(path)


@pytest.mark.parametrize("classifier", ["cnn", "crnn", "vit"])
def test_to_train_a_network_without_torch_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: str
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    message = rf"the classifier {classifier} needs torch.*\(pip install torch"
    with pytest.raises(RunError, match=message):
        train(classifier, tmp_path, tmp_path / "new.safetensors")


def test_models_on_the_command_line(
    shop: Shop, cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.ship("mgrkit", "first")
    bundle(shop.path("first"), 0.48)
    bundle(cache / "hurt.safetensors").write_bytes(b"x")
    assert guarded(app, ["models", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["first", "hurt"]
    assert guarded(app, ["models"]) == 0
    text = capsys.readouterr().out
    for words in ("2 genres by two", "the default", "accuracy 0.48 (95 %: 0.38 to 0.58)",
                  "valid, published split", str(shop.path("first")), "broken"):  # fmt: skip
        assert words in " ".join(text.split())


def test_no_models_on_the_command_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(app, ["models"]) == 0
    assert "mgrkit train makes one" in capsys.readouterr().out
    assert guarded(app, ["models", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.parametrize("what", ["state", "calibration"])
def test_what_is_wrong_inside_a_model_names_its_file(tmp_path: Path, what: str) -> None:
    whole = load_bundle(choose("svm")[0])
    less = dict(getattr(whole, what))
    less.popitem()
    path = tmp_path / "hurt.safetensors"
    save_bundle(path, replace(whole, **{what: less}))
    with pytest.raises(BundleError) as caught:
        modelling.Model(path)
    assert str(caught.value).startswith(f"{path}: the ")
    assert str(caught.value).count(str(path)) == 1
