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
from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.errors import BundleError, RunError, UsageError, nearest
from mgrkit.files.cache import cache_folder
from mgrkit.registry.catalogue import OWN
from mgrkit.registry.loader import how_to_install, missing, registry
from mgrkit.registry.specs import FeatureSetSpec, Weights
from mgrkit.weights.store import at_hand, command

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
    UsageError : an unknown name (the nearest is named) or path, or no default model.
    RunError : the package that should hold it is not installed.
    """
    return choose(model)[0]


def choose(model: str | None, *, fetching: bool = False) -> tuple[Path, str]:
    """The file of a model as `find_model` gives it, and in one line why it is the default.

    The default is, of the models that come with mgrkit itself, the one that was measured as the
    most accurate, among those whose weights are in the cache or that need none, and whose modules
    are installed.

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

    One whose classifier is not installed is broken too, and one that needs a module that is not.
    """
    listed = models()
    default, _ = _default(listed, fetching=False)
    return [_row(model, default=model == default) for model in listed]


def _named(model: str) -> Path:
    path = Path(model)
    if path.is_file():
        return path
    if model.endswith(SUFFIX):
        raise UsageError(f"there is no model {model}", "mgrkit models lists what there is")
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


@dataclass(frozen=True)
class _Judged:
    """How accurate a model is, -1 if it is broken, and the weights and modules it needs.

    ``lacking`` are modules that are not installed.
    """

    model: Model
    accuracy: float = -1.0
    weights: Weights | None = None
    lacking: tuple[str, ...] = ()

    def ready(self, fetching: bool) -> bool:
        """Whether it can be the default."""
        here = fetching or self.weights is None or at_hand(self.weights)
        return self.accuracy >= 0 and not self.lacking and here


def _default(listed: list[Model], fetching: bool) -> tuple[Model | None, str]:
    """The default, and why it is.

    A model that is broken, or lacks its weights or a module, is the default only where no other
    can be: then its error is told.
    """
    judged = [_judged(model) for model in listed if model.distribution == OWN]
    ranked = sorted(judged, key=lambda one: -one.accuracy)
    if not ranked:
        return None, ""
    best = ranked[0]
    chosen = next((one for one in ranked if one.ready(fetching)), None)
    if chosen is None:
        return best.model, ""
    if chosen.weights:
        why = "its weights are in the cache"
    elif chosen is not best and best.lacking:
        why = f"{best.model.name}, which is right more often, {_needs(best.lacking)}"
    elif chosen is not best and best.weights:
        why = (
            f"the weights of {best.model.name}, which is right more often, are not here; "
            f"{command(best.weights)} gets them"
        )
    else:
        why = "of the models that come with mgrkit, the one that is right most often"
    return chosen.model, f"{chosen.model.name}: {why}"


def _judged(model: Model) -> _Judged:
    try:
        bundle = load_bundle(_path(model))
    except RunError:
        return _Judged(model)
    accuracy = float(bundle.metrics.get("accuracy") or 0.0)
    return _Judged(model, accuracy, _weights(bundle), _lacking(bundle))


def _lacking(bundle: Bundle) -> tuple[str, ...]:
    """The modules that predicting with it needs and that are not installed."""
    feature_set = _feature_set(bundle)
    needed = feature_set.requires if feature_set else ()
    with contextlib.suppress(BundleError):  # not installed: told by whoever loads the model
        needed += provider(bundle).spec.predicting
    return tuple(missing(dict.fromkeys(needed)))


def _needs(lacking: tuple[str, ...]) -> str:
    return f"needs {' and '.join(lacking)} ({how_to_install(lacking)})"


def _weights(bundle: Bundle) -> Weights | None:
    feature_set = _feature_set(bundle)
    return feature_set.weights if feature_set else None


def _feature_set(bundle: Bundle) -> FeatureSetSpec | None:
    kind, _, name = bundle.eats.partition(":")
    if kind != "features":
        return None
    try:
        return registry().feature_set(name)
    except UsageError:  # it is not installed: told by whoever loads the model
        return None


def _row(model: Model, *, default: bool) -> dict[str, Any]:
    known: dict[str, Any] = {}
    error = ""
    try:
        bundle = load_bundle(_path(model))
        known = dict(_told(bundle))
        provider(bundle)
        if lacking := _lacking(bundle):
            error = _needs(lacking)
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
