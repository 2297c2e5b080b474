"""The networks of ImageNet keep every promise of both contracts, here with made weights."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from mgrkit_pretrained import imagenet_features
from mgrkit_pretrained.imagenet import BACKBONES

from mgrkit.testing import contract, feature_contract
from tests.plugins.made_backbones import SIDE, made_weights

pytestmark = pytest.mark.torch

QUICK = {
    "side": SIDE, "epochs": 6, "crop_seconds": 0, "views": 0, "batch": 8, "average": 0,
    "judge_every": 3,
}  # fmt: skip
# Maps of noise do not tell toys apart: layers that learn do.
LEARNING = {"unfreeze": 18, "learning_rate": 3e-3}


def test_the_classifier(tmp_path: Path) -> None:
    """The smallest of them, for all: a batch of the others takes seconds on a busy core."""
    weights = str(made_weights("mobilenet_v2", tmp_path))
    parameters = {**QUICK, **LEARNING, "weights": weights}
    assert not contract.failures("mobilenet_v2", parameters=parameters)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_feature_set(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet_features, "SIDE", SIDE)
    weights = made_weights(name, tmp_path)
    assert not feature_contract.failures(BACKBONES[name].feature_set, weights=weights)
