"""A package that ships made models, which mgrkit finds without importing it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import Bundle, Task, provider, restoring, save_bundle
from mgrkit.frontend import front_end
from mgrkit.models import choosing, member
from mgrkit.registry import ClassifierSpec, FeatureSetSpec, Plugin, Provider, Registry, Weights
from mgrkit.weights.store import place


def bundle(path: Path, accuracy: float | None = 0.5, **more: Any) -> Path:
    """A small bundle at this path."""
    metrics = {} if accuracy is None else {
        "accuracy": accuracy, "accuracy_low": accuracy - 0.1, "accuracy_high": accuracy + 0.1,
        "part": "valid", "split": "published split",
    }  # fmt: skip
    found: dict[str, Any] = {
        "classifier": "svm", "distribution": "mgrkit", "version": "1.0", "parameters": {},
        "eats": "features:two", "task": Task(("blues", "rock"), (2,), ("a", "b")),
        "state": {"w": np.zeros(3)}, "metrics": metrics,
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    save_bundle(path, Bundle(**found | more))
    return path


class Shop:
    """Plugins that ship bundles from a package which must not be imported."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "shop_of_bundles"
        self.plugins: list[Plugin] = []
        (self.folder / "inner").mkdir(parents=True)
        (self.folder / "__init__.py").write_text("raise ImportError('heavy')")
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setattr(choosing, "installed", lambda: Registry(self.plugins))

    def ship(self, distribution: str, *names: str) -> None:
        paths = tuple(f"shop_of_bundles.inner:data/{name}.safetensors" for name in names)
        spec = ClassifierSpec(f"of_{distribution}", "ships", "a.b:C", bundles=paths)
        self.plugins.append(Plugin(distribution, "1.0", classifiers=(spec,)))

    def path(self, name: str) -> Path:
        return self.folder / "inner" / "data" / f"{name}.safetensors"


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


def classifier_needs(monkeypatch: pytest.MonkeyPatch, name: str, *modules: str) -> None:
    """As if predicting with this classifier needed these modules."""

    def found(bundle: Bundle) -> Provider:
        one = provider(bundle)
        if bundle.classifier != name:
            return one
        return replace(one, spec=replace(one.spec, requires=modules, predicting=modules))

    monkeypatch.setattr(choosing, "provider", found)
    monkeypatch.setattr(member, "provider", found)
    monkeypatch.setattr(restoring, "provider", found)


def put(weights: Weights) -> None:
    place(weights).parent.mkdir(parents=True, exist_ok=True)
    place(weights).write_bytes(LEARNT)
