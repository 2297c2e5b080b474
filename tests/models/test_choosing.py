"""Which model answers: the one that is named, or the best that can be used here."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

import mgrkit
from mgrkit.classifiers import Task, load_bundle, save_bundle
from mgrkit.classifiers import bundle as bundle_module
from mgrkit.errors import BundleError, UsageError
from mgrkit.models import choosing
from mgrkit.models.choosing import choose
from mgrkit.models.listing import list_models
from mgrkit.registry import Weights, installed
from tests.models.shop import HEAVY, Shop, bundle, classifier_needs, put, with_weights


def test_the_default_is_the_most_accurate_of_mgrkits_own(shop: Shop, cache: Path) -> None:
    shop.ship("mgrkit", "poor", "best", "hurt")
    shop.ship("other", "theirs")
    for name, accuracy in (("poor", 0.4), ("best", 0.6), ("theirs", 0.9)):
        bundle(shop.path(name), accuracy)
    shop.path("hurt").write_bytes(b"x")
    bundle(cache / "cached.safetensors", 0.9)
    assert choose(None)[0] == shop.path("best")
    assert [one["name"] for one in list_models() if one["default"]] == ["best"]


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
    classifier_needs(monkeypatch, "crnn", "torch")
    hum = with_weights(shop, "hum", 0.7, requires=("torch",))
    put(HEAVY)
    shop.ship("mgrkit", "poor", "net")
    poor = bundle(shop.path("poor"), 0.4)
    bundle(shop.path("net"), 0.6, classifier="crnn", eats="image", task=Task(("a", "b"), (8, 9)))
    why = "poor: hum, which is right more often, needs torch (pip install torch)"
    assert choose(None) == choose(None, print) == (poor, why)
    hum.write_bytes(b"x")
    why = "poor: net, which is right more often, needs torch (pip install torch)"
    assert choose(None) == (poor, why)


def test_to_choose_reads_no_model_whole_and_to_load_reads_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.ship("mgrkit", "poor", "best", "changed")
    svm = load_bundle(choosing._shipped(installed().classifier("svm").spec.bundles[0], "").path)
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


def a_vote(shop: Shop, accuracy: float) -> Path:
    """Ships a vote of a model that needs weights and one that needs none."""
    members = {
        "ears": load_bundle(with_weights(shop, "ears", 0.7)),
        "eyes": load_bundle(
            bundle(shop.path("eyes"), eats="image", task=Task(("blues", "rock"), (8, 9)))
        ),
    }
    shop.ship("mgrkit", "vote")
    return bundle(
        shop.path("vote"), accuracy, classifier="vote", eats="vote", state={},
        parameters={"rule": "mean"}, task=Task(("blues", "rock"), ()), members=members,
    )  # fmt: skip


def test_a_vote_is_the_default_by_those_that_need_no_weights(shop: Shop) -> None:
    vote = a_vote(shop, 0.8)
    without = "vote: without ears, whose weights are not here; mgrkit models fetch hum gets them"
    assert choose(None) == (vote, without)
    assert choose("vote") == (vote, without)
    got: list[Weights] = []
    choose("vote", got.append)
    assert got == [HEAVY]
    put(HEAVY)
    assert choose(None) == (vote, "vote: its weights are in the cache")
    assert choose("vote") == (vote, "")
    [row] = [one for one in list_models() if one["name"] == "vote"]
    assert (row["members"], row["rule"]) == (["ears", "eyes"], "mean")
    assert (row["default"], row["weights"], row["weights_here"]) == (True, "hum", True)


def test_a_vote_whose_members_all_lack_weights_is_no_default(shop: Shop) -> None:
    member = load_bundle(with_weights(shop, "ears", 0.7))
    shop.ship("mgrkit", "vote", "plain")
    bundle(
        shop.path("vote"), 0.8, classifier="vote", eats="vote", state={},
        parameters={"rule": "mean"}, task=Task(("blues", "rock"), ()),
        members={"a": member, "b": member},
    )  # fmt: skip
    plain = bundle(shop.path("plain"), 0.6)
    assert choose(None)[0] == plain
