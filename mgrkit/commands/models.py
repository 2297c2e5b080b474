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
from mgrkit.commands.weights import at_hand, command
from mgrkit.errors import RunError, UsageError
from mgrkit.registry.catalogue import OWN
from mgrkit.registry.loader import registry
from mgrkit.registry.specs import Weights, nearest

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
    shipped = [(one.distribution, one.spec.bundles) for one in registry().classifiers()]
    for plugin in registry().plugins:
        shipped += [(plugin.distribution, spec.bundles) for spec in plugin.feature_sets]
    found: dict[Path, Model] = {}
    for distribution, bundles in sorted(shipped, key=lambda pair: pair[0] != OWN):
        for bundle in bundles:
            model = _shipped(bundle, distribution)
            found.setdefault(model.path, model)
    return [*found.values(), *(Model(path) for path in sorted(cached))]


def find_model(model: str | None) -> Path:
    """The file of a model.

    Parameters
    ----------
    model : a path, the name of a shipped or cached model, or None for the default, see `choose`.

    Raises
    ------
    UsageError : an unknown name (the nearest is named), or no default model.
    RunError : the path is not a file, or the package that should hold it is not installed.
    """
    return choose(model)[0]


def choose(model: str | None, *, fetching: bool = False) -> tuple[Path, str]:
    """The file of a model as `find_model` gives it, and in one line why it is the default.

    The default is, of the models that come with mgrkit itself, the one that was measured as the
    most accurate, among those whose weights are in the cache or that need none.

    Parameters
    ----------
    fetching : weights that are not in the cache will be.
    """
    if model is None:
        default, why = _default(models(), fetching)
        if default is None:
            raise UsageError("there is no model to predict with", _TRAIN)
        return _path(default), why
    return _named(model), ""


def needed_weights(path: Path) -> Weights | None:
    """The weights that a bundle's feature set needs, if any.

    Raises
    ------
    BundleError : the file is no bundle, or damaged.
    """
    return _weights(load_bundle(path))


def list_models() -> list[dict[str, Any]]:
    """One object for each model; a broken one has an ``error`` and null for what is unknown.

    One whose classifier is not installed is broken too.
    """
    listed = models()
    default, _ = _default(listed, fetching=False)
    return [_row(model, default=model == default) for model in listed]


def _named(model: str) -> Path:
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


def _default(listed: list[Model], fetching: bool) -> tuple[Model | None, str]:
    """The default, and why it is.

    A model that is broken, or lacks its weights, is the default only where no other can be:
    then its error is told.
    """
    told = [(model, *_judged(model)) for model in listed if model.distribution == OWN]
    ranked = sorted(told, key=lambda one: -one[1])
    if not ranked:
        return None, ""
    ready = [
        (model, weights)
        for model, accuracy, weights in ranked
        if accuracy >= 0 and (fetching or weights is None or at_hand(weights))
    ]
    if not ready:
        return ranked[0][0], ""
    chosen, weights = ready[0]
    best, _, lacking = ranked[0]
    if weights:
        why = "its weights are in the cache"
    elif chosen == best or lacking is None:
        why = "of the models that come with mgrkit, the one that is right most often"
    else:
        why = (
            f"the weights of {best.name}, which is right more often, are not here; "
            f"{command(lacking)} gets them"
        )
    return chosen, f"{chosen.name}: {why}"


def _judged(model: Model) -> tuple[float, Weights | None]:
    """The accuracy, -1 if it is broken, and what it needs."""
    try:
        bundle = load_bundle(_path(model))
    except RunError:
        return -1.0, None
    return float(bundle.metrics.get("accuracy") or 0.0), _weights(bundle)


def _weights(bundle: Bundle) -> Weights | None:
    kind, _, name = bundle.eats.partition(":")
    if kind != "features":
        return None
    try:
        return registry().feature_set(name).weights
    except UsageError:  # it is not installed: told by whoever loads the model
        return None


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
    "weights", "weights_here", "accuracy", "accuracy_low", "accuracy_high", "part", "split",
)  # fmt: skip


def _told(bundle: Bundle) -> Iterator[tuple[str, Any]]:
    yield "classifier", bundle.classifier
    yield "eats", bundle.eats
    kind, _, feature_set = bundle.eats.partition(":")
    yield "feature_set", feature_set if kind == "features" else None
    yield "labels", len(bundle.task.labels)
    weights = _weights(bundle)
    yield "weights", weights.name if weights else None
    yield "weights_here", at_hand(weights) if weights else None
    for key in _KNOWN[6:]:
        yield key, bundle.metrics.get(key)
