"""Models by name: those that come with plugins, those in the cache, and the default."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mgrkit
from mgrkit.classifiers import Bundle, Task, load_bundle, save_bundle
from mgrkit.classifiers import bundle as bundle_module
from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from mgrkit.commands.train import train
from mgrkit.errors import BundleError, RunError, UsageError
from mgrkit.frontend import front_end
from mgrkit.models import choosing
from mgrkit.models import model as modelling
from mgrkit.models.choosing import choose
from mgrkit.models.listing import list_models
from mgrkit.registry import ClassifierSpec, FeatureSetSpec, Plugin, Registry, Weights, registry
from mgrkit.weights.store import place


def bundle(path: Path, accuracy: float | None = 0.5, **more: Any) -> Path:
    """A small bundle at this path."""
    metrics = {} if accuracy is None else {
        "accuracy": accuracy, "accuracy_low": accuracy - 0.1, "accuracy_high": accuracy + 0.1,
        "part": "valid", "split": "published split",
    }  # fmt: skip
    told: dict[str, Any] = {
        "classifier": "svm", "distribution": "mgrkit", "version": "1.0", "parameters": {},
        "eats": "features:two", "task": Task(("blues", "rock"), (2,), ("a", "b")),
        "state": {"w": np.zeros(3)}, "metrics": metrics,
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    save_bundle(path, Bundle(**told | more))
    return path


class Shop:
    """Plugins that ship bundles from a package which must not be imported."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "shop_of_bundles"
        self.plugins: list[Plugin] = []
        (self.folder / "inner").mkdir(parents=True)
        (self.folder / "__init__.py").write_text("raise ImportError('heavy')")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setattr(choosing, "registry", lambda: Registry(self.plugins))

    def ship(self, distribution: str, *names: str) -> None:
        paths = tuple(f"shop_of_bundles.inner:data/{name}.safetensors" for name in names)
        spec = ClassifierSpec(f"of_{distribution}", "ships", "a.b:C", bundles=paths)
        self.plugins.append(Plugin(distribution, "1.0", classifiers=(spec,)))

    def path(self, name: str) -> Path:
        return self.folder / "inner" / "data" / f"{name}.safetensors"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def shop(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    yield Shop(tmp_path, monkeypatch)
    assert "shop_of_bundles" not in sys.modules


def test_shipped_and_cached_models_are_listed(shop: Shop, cache: Path) -> None:
    shop.ship("mgrkit", "first")
    bundle(shop.path("first"), 0.48)
    bundle(cache / "mine.safetensors", None, classifier="knn", eats="samples",
           task=Task(("a", "b", "c"), (9,)))  # fmt: skip
    first, mine = list_models()
    assert first == {
        "name": "first", "status": "ok", "error": "", "distribution": "mgrkit", "default": True,
        "path": str(shop.path("first")), "bytes": shop.path("first").stat().st_size,
        "classifier": "svm", "eats": "features:two", "feature_set": "two", "labels": 2,
        "weights": None, "weights_here": None,
        "accuracy": 0.48, "accuracy_low": 0.38, "accuracy_high": 0.58,
        "part": "valid", "split": "published split",
    }  # fmt: skip
    assert (mine["name"], mine["classifier"], mine["labels"]) == ("mine", "knn", 3)
    assert (mine["feature_set"], mine["accuracy"], mine["default"]) == (None, None, False)
    assert mine["distribution"] == ""


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


def test_the_default_is_the_most_accurate_of_mgrkits_own(shop: Shop, cache: Path) -> None:
    shop.ship("mgrkit", "poor", "best", "hurt")
    shop.ship("other", "theirs")
    for name, accuracy in (("poor", 0.4), ("best", 0.6), ("theirs", 0.9)):
        bundle(shop.path(name), accuracy)
    shop.path("hurt").write_bytes(b"x")
    bundle(cache / "cached.safetensors", 0.9)
    assert choose(None)[0] == shop.path("best")
    assert [one["name"] for one in list_models() if one["default"]] == ["best"]


LEARNT = b"to hum"
HEAVY = Weights("hum", "has heard hum", "hum-weights", "1.2", "a" * 64, 9, "a.b:c",
                hashlib.sha256(LEARNT).hexdigest(), "free", "A. Bee")  # fmt: skip


def with_weights(
    shop: Shop, name: str, accuracy: float, distribution: str = "mgrkit", **more: Any
) -> Path:
    """Ship a model of the windows' means of a set that needs weights."""
    bundles = (f"shop_of_bundles.inner:data/{name}.safetensors",)
    spec = FeatureSetSpec(f"{name}-tags", "x", "a.b:c", front_end(), ("x",), window=1.0, hop=1.0,
                          weights=HEAVY, bundles=bundles, **more)  # fmt: skip
    shop.plugins.append(Plugin(distribution, "1.0", feature_sets=(spec,)))
    return bundle(shop.path(name), accuracy, eats=f"features:{name}-tags:mean")


def put(weights: Weights) -> None:
    place(weights).parent.mkdir(parents=True, exist_ok=True)
    place(weights).write_bytes(LEARNT)


def test_models_of_feature_sets_are_listed(shop: Shop) -> None:
    with_weights(shop, "hum", 0.7)
    (one,) = list_models()
    assert (one["name"], one["weights"], one["weights_here"]) == ("hum", "hum", False)
    assert (one["status"], one["feature_set"]) == ("ok", "hum-tags:mean")
    put(HEAVY)
    assert list_models()[0]["weights_here"]


def test_the_default_is_the_best_whose_weights_are_here(shop: Shop) -> None:
    hum = with_weights(shop, "hum", 0.7)
    with_weights(shop, "theirs", 0.9, distribution="other")
    shop.ship("mgrkit", "poor", "plain")
    bundle(shop.path("poor"), 0.4)
    plain = bundle(shop.path("plain"), 0.6)
    lacking = (
        "plain: the weights of hum, which is right more often, are not here; "
        "mgrkit models fetch hum gets them"
    )
    assert choose(None) == (plain, lacking)
    assert choose(None, print) == (hum, "hum: its weights are in the cache")
    assert choose("plain") == (plain, "")
    assert [one["name"] for one in list_models() if one["default"]] == ["plain"]
    put(HEAVY)
    assert choose(None) == (hum, "hum: its weights are in the cache")
    assert [one["name"] for one in list_models() if one["default"]] == ["hum"]
    assert choose(None)[0] == hum


def test_the_default_needs_no_module_that_is_not_installed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    hum = with_weights(shop, "hum", 0.7, requires=("torch",))
    put(HEAVY)
    shop.ship("mgrkit", "poor", "net")
    poor = bundle(shop.path("poor"), 0.4)
    bundle(shop.path("net"), 0.6, classifier="cnn", eats="image", task=Task(("a", "b"), (8, 9)))
    why = "poor: hum, which is right more often, needs torch (pip install torch)"
    assert choose(None) == choose(None, print) == (poor, why)
    hum.write_bytes(b"x")
    why = "poor: net, which is right more often, needs torch (pip install torch)"
    assert choose(None) == (poor, why)


def test_a_model_that_needs_a_module_that_is_not_installed_is_broken(
    shop: Shop, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with_weights(shop, "hum", 0.7, requires=("torch",))
    bundle(cache / "net.safetensors", classifier="cnn", eats="image", task=Task(("a", "b"), (8, 9)))
    bundle(cache / "plain.safetensors")
    told = {one["name"]: one["error"] for one in list_models()}
    lacking = "needs torch (pip install torch)"
    assert told == {"hum": lacking, "net": lacking, "plain": ""}


@pytest.mark.parametrize("classifier", ["cnn", "crnn", "vit"])
def test_a_network_without_torch_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: str
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    front = front_end(n_mels=8)
    task = Task(("a", "b"), (8, 40), frontend=front)
    path = bundle(tmp_path / "net.safetensors", classifier=classifier, eats="image", task=task)
    told = rf"the classifier {classifier} needs torch.*\(pip install torch"
    with pytest.raises(RunError, match=told):
        modelling.Model(path)
    with pytest.raises(RunError, match=told):
        train(classifier, tmp_path, tmp_path / "new.safetensors")


def test_to_choose_reads_no_model_whole_and_to_load_reads_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.ship("mgrkit", "poor", "best", "changed")
    svm = load_bundle(choosing._shipped(registry().classifier("svm").spec.bundles[0], "").path)
    for name, accuracy in (("poor", 0.1), ("best", 0.8), ("changed", 0.9)):
        shop.path(name).parent.mkdir(parents=True, exist_ok=True)
        save_bundle(shop.path(name), replace(svm, metrics={**svm.metrics, "accuracy": accuracy}))
    read: list[str] = []
    real = bundle_module._content
    monkeypatch.setattr(
        bundle_module, "_content", lambda path: read.append(path.stem) or real(path)
    )
    content = bytearray(shop.path("changed").read_bytes())
    content[-1] ^= 1
    shop.path("changed").write_bytes(content)
    assert choose(None)[0] == shop.path("changed")
    assert not read
    with pytest.raises(BundleError, match="damaged"):
        mgrkit.load()
    shop.path("changed").write_bytes(content[:-1])
    assert mgrkit.load().name == "best"
    assert read == ["changed", "best"]


def test_weights_alone_make_no_model_the_default(shop: Shop) -> None:
    with_weights(shop, "hum", 0.5)
    shop.ship("mgrkit", "plain")
    plain = bundle(shop.path("plain"), 0.6)
    put(HEAVY)
    why = "plain: of the models that come with mgrkit, the one that is right most often"
    assert choose(None) == choose(None, print) == (plain, why)


def test_where_no_model_can_be_used_the_best_says_why(shop: Shop) -> None:
    hum = with_weights(shop, "hum", 0.5)
    shop.ship("mgrkit", "hurt")
    shop.path("hurt").write_bytes(b"x")
    assert choose(None) == (hum, "")


def test_the_weights_that_a_model_needs(shop: Shop, cache: Path) -> None:
    got: list[Weights] = []
    choose(str(with_weights(shop, "hum", 0.5)), got.append)
    assert got == [HEAVY]
    bundle(cache / "unknown_set.safetensors")
    bundle(cache / "sound.safetensors", eats="samples", task=Task(("a", "b"), (9,)))
    for name in ("unknown_set", "sound"):
        choose(name, got.append)
    assert got == [HEAVY]
    choose("hum")
    assert choose(None, got.append)[0] == shop.path("hum")
    assert got == [HEAVY, HEAVY]


def test_no_default_model(shop: Shop, cache: Path) -> None:
    bundle(cache / "cached.safetensors", 0.9)
    with pytest.raises(UsageError, match=r"no model to predict with \(mgrkit train"):
        choose(None)[0]


def test_a_model_by_name(shop: Shop, cache: Path) -> None:
    shop.ship("other", "theirs")
    assert choose("theirs")[0] == shop.path("theirs")
    mine = bundle(cache / "mine.safetensors")
    assert choose("mine")[0] == mine


def test_a_model_by_path(shop: Shop, tmp_path: Path) -> None:
    path = bundle(tmp_path / "a.safetensors")
    assert choose(str(path))[0] == path
    assert choose(str(path.rename(tmp_path / "b")))[0] == tmp_path / "b"


def test_a_path_that_is_not_there(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no model .*gone\.safetensors"):
        choose(str(tmp_path / "gone.safetensors"))[0]


def test_an_unknown_name_names_the_nearest(
    shop: Shop, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle(cache / "mine.safetensors")
    (tmp_path / "mime").mkdir()
    monkeypatch.chdir(tmp_path)  # a folder of that name is no model
    with pytest.raises(UsageError, match=r"no model 'mime' \(did you mean mine\?\)"):
        choose("mime")[0]


def test_a_name_that_two_models_have(shop: Shop, cache: Path) -> None:
    shop.ship("mgrkit", "mine")
    bundle(cache / "mine.safetensors")
    with pytest.raises(UsageError, match=r"there are 2 models mine \(give the path"):
        choose("mine")[0]


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
