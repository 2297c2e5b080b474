"""``mgrkit models``: what is known of each model, read whole and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from mgrkit.classifiers import Bundle, load_bundle, provider
from mgrkit.errors import RunError
from mgrkit.models.choosing import (
    ModelFile,
    default,
    lacking,
    models,
    needs,
    path_of,
    weights_of,
)
from mgrkit.weights.store import at_hand


def list_models() -> list[dict[str, Any]]:
    """One object for each model; a broken one has an ``error`` and null for what is unknown.

    One whose classifier is not installed is broken too, and one that needs a module that is not.
    """
    listed = models()
    best, _ = default(listed, fetching=False)
    return [_row(model, is_default=model == best) for model in listed]


def _row(model: ModelFile, *, is_default: bool) -> dict[str, Any]:
    known: dict[str, Any] = {}
    error = ""
    try:
        bundle = load_bundle(path_of(model))
        known = dict(_facts(bundle))
        for one in bundle.members.values() or [bundle]:
            provider(one)
        if modules := lacking(bundle):
            error = needs(modules)
    except RunError as wrong:
        error = str(wrong)
    return {
        "name": model.name,
        "status": "broken" if error else "ok",
        "error": error,
        "distribution": model.distribution,
        "default": is_default,
        "path": os.fspath(model.path),
        "bytes": None if model.error or not model.path.is_file() else model.path.stat().st_size,
        **{key: known.get(key) for key in _KNOWN},
    }


_KNOWN = (
    "classifier", "eats", "feature_set", "labels", "members", "rule",
    "weights", "weights_here", "accuracy", "accuracy_low", "accuracy_high", "part", "split",
    "augmentation",
)  # fmt: skip


def _facts(bundle: Bundle) -> Iterator[tuple[str, Any]]:
    yield "classifier", bundle.classifier
    yield "eats", bundle.eats
    kind, _, feature_set = bundle.eats.partition(":")
    yield "feature_set", feature_set if kind == "features" else None
    yield "labels", len(bundle.task.labels)
    yield "members", list(bundle.members) or None
    yield "rule", bundle.parameters["rule"] if bundle.members else None
    weights = weights_of(bundle)
    yield "weights", " ".join(one.name for one in weights) or None
    yield "weights_here", all(map(at_hand, weights)) if weights else None
    for key in ("accuracy", "accuracy_low", "accuracy_high", "part", "split"):
        yield key, bundle.metrics.get(key)
    yield "augmentation", bundle.card.get("augmentation")
