"""``mgrkit models``: the bundles that come with plugins and those in the cache, by name."""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mgrkit.classifiers import Bundle, load_bundle, provider
from mgrkit.commands.cache import cache_folder
from mgrkit.errors import RunError, UsageError
from mgrkit.registry.catalogue import OWN
from mgrkit.registry.loader import registry
from mgrkit.registry.specs import nearest

SUFFIX = ".safetensors"
_TRAIN = "mgrkit train CLASSIFIER DATA --out NAME.safetensors makes one, --model names it"


@dataclass(frozen=True)
class Model:
    """The file of a trained model.

    Parameters
    ----------
    distribution : that it comes with; empty for one in the cache.
    error : why there can be no such file.
    """

    path: Path
    distribution: str = ""
    error: str = ""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return self.path.stem


def models() -> list[Model]:
    """The models that come with plugins, then those of the cache; their files may be broken.

    A file that several specs name is there once, as mgrkit's own if one of them is.
    """
    cached = (cache_folder() / "models").glob(f"*{SUFFIX}")
    entries = sorted(registry().classifiers(), key=lambda entry: entry.distribution != OWN)
    found: dict[Path, Model] = {}
    for entry in entries:
        for bundle in entry.spec.bundles:
            model = _shipped(bundle, entry.distribution)
            found.setdefault(model.path, model)
    return [*found.values(), *(Model(path) for path in sorted(cached))]


def find_model(model: str | None) -> Path:
    """The file of a model.

    Parameters
    ----------
    model : a path, the name of a shipped or cached model, or None for the default: of those
        that come with mgrkit itself the one that was measured as the most accurate.

    Raises
    ------
    UsageError : an unknown name (the nearest is named), or no default model.
    RunError : the path is not a file, or the package that should hold it is not installed.
    """
    if model is None:
        default = _default(models())
        if default is None:
            raise UsageError("there is no model to predict with", _TRAIN)
        return _path(default)
    path = Path(model)
    if path.is_file():
        return path
    if model.endswith(SUFFIX):
        raise RunError(f"there is no model {model}", "mgrkit models lists what there is")
    listed = models()
    found = [one for one in listed if one.name == model]
    if not found:
        names = sorted({one.name for one in listed})
        raise UsageError(f"there is no model {model!r}", nearest(model, names, "there are"))
    if len(found) > 1:
        places = ", ".join(str(one.path) for one in found)
        raise UsageError(f"there are {len(found)} models {model}", f"give the path: {places}")
    return _path(found[0])


def list_models() -> list[dict[str, Any]]:
    """One object for each model; a broken one has an ``error`` and null for what is unknown.

    One whose classifier is not installed is broken too.
    """
    listed = models()
    default = _default(listed)
    return [_row(model, default=model == default) for model in listed]


def _path(model: Model) -> Path:
    if model.error:
        raise RunError(f"there is no model {model.name}: {model.error}")
    return model.path


def _shipped(bundle: str, distribution: str) -> Model:
    """The model ``"package:path/NAME.safetensors"``; its package is not imported."""
    package, _, inside = bundle.partition(":")
    top, *below = package.split(".")
    spec = None
    with contextlib.suppress(ValueError):  # it is loaded, but not in the usual way
        spec = importlib.util.find_spec(top)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    places = [Path(folder, *below, *inside.split("/")) for folder in folders]
    if not places:
        # The path is shown, and never opened: in this folder it would be anybody's.
        error = f"package {top} is not installed"
        return Model(Path(top, *below, *inside.split("/")), distribution, error)
    found = (place for place in places if place.is_file())
    return Model(next(found, places[0]), distribution)


def _default(listed: list[Model]) -> Model | None:
    """A broken model is the default only where no other can be: then its error is told."""
    own = [model for model in listed if model.distribution == OWN]
    return own[0] if len(own) == 1 else max(own, key=_accuracy, default=None)


def _accuracy(model: Model) -> float:
    try:
        return float(load_bundle(_path(model)).metrics.get("accuracy") or 0.0)
    except RunError:
        return -1.0


def _row(model: Model, *, default: bool) -> dict[str, Any]:
    known: dict[str, Any] = {}
    error = ""
    try:
        bundle = load_bundle(_path(model))
        known = dict(_told(bundle))
        provider(bundle)
    except RunError as wrong:
        error = str(wrong)
    return {
        "name": model.name,
        "status": "broken" if error else "ok",
        "error": error,
        "distribution": model.distribution,
        "default": default,
        "path": os.fspath(model.path),
        "bytes": None if model.error or not model.path.is_file() else model.path.stat().st_size,
        **{key: known.get(key) for key in _KNOWN},
    }


_KNOWN = (
    "classifier", "eats", "feature_set", "labels",
    "accuracy", "accuracy_low", "accuracy_high", "part", "split",
)  # fmt: skip


def _told(bundle: Bundle) -> Iterator[tuple[str, Any]]:
    yield "classifier", bundle.classifier
    yield "eats", bundle.eats
    kind, _, feature_set = bundle.eats.partition(":")
    yield "feature_set", feature_set if kind == "features" else None
    yield "labels", len(bundle.task.labels)
    for key in _KNOWN[4:]:
        yield key, bundle.metrics.get(key)
