"""Which trained model answers: the one that is named, or the best that can be used here.

Models come with plugins or lie in the cache. To choose among them only what each says of itself
is read; the one that is chosen is read whole, and checked, when it is loaded.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mgrkit.classifiers import Bundle, provider
from mgrkit.classifiers.bundle import SUFFIX, read_head
from mgrkit.errors import BundleError, RunError, UsageError, nearest
from mgrkit.files.cache import cache_folder
from mgrkit.registry.catalogue import OWN
from mgrkit.registry.loader import how_to_install, installed, missing
from mgrkit.registry.specs import FeatureSetSpec, Weights
from mgrkit.weights.store import at_hand, command

_TRAIN = "mgrkit train CLASSIFIER DATA --out NAME.safetensors makes one, --model names it"


@dataclass(frozen=True)
class ModelFile:
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


def models() -> list[ModelFile]:
    """The models that come with plugins, then those of the cache; their files may be broken.

    A file that several specs name is there once, as mgrkit's if one of them is.
    """
    cached = (cache_folder() / "models").glob(f"*{SUFFIX}")
    shipped = [(one.distribution, one.spec.bundles) for one in installed().classifiers()]
    for plugin in installed().plugins:
        shipped += [(plugin.distribution, spec.bundles) for spec in plugin.feature_sets]
    found: dict[Path, ModelFile] = {}
    for distribution, bundles in sorted(shipped, key=lambda pair: pair[0] != OWN):
        for bundle in bundles:
            model = _shipped(bundle, distribution)
            found.setdefault(model.path, model)
    return [*found.values(), *(ModelFile(path) for path in sorted(cached))]


def choose(model: str | None, fetch: Callable[[Weights], object] | None = None) -> tuple[Path, str]:
    """The file of a model, and in one line why it is the default or by whom it answers, else ''.

    The default is, of the models that come with mgrkit itself, the one that was measured as the
    most accurate, among those whose weights are in the cache or that need none, and whose modules
    are installed.

    Parameters
    ----------
    model : a path, the name of a shipped or cached model, or None for the default.
    fetch : gets the weights that the model needs, if it needs any; with it those that are not in
        the cache are no hindrance. A vote answers by the members whose weights are there.

    Raises
    ------
    UsageError : an unknown name (the nearest is named) or path, or no default model.
    RunError : the package that should hold it is not installed.
    BundleError : weights are to be got for what is no bundle.
    """
    if model is None:
        best, why = default(models(), fetching=fetch is not None)
        if best is None:
            raise UsageError("there is no model to predict with", _TRAIN)
        path = path_of(best)
    else:
        path = _named(model)
        why = "" if fetch else _without(ModelFile(path))
    if fetch:
        for weights in weights_of(read_head(path)):
            fetch(weights)
    return path, why


def default(listed: Sequence[ModelFile], *, fetching: bool) -> tuple[ModelFile | None, str]:
    """The default, and why it is.

    A model that is broken, or lacks its weights or a module, is the default only where no other
    can be: then loading it says why.
    """
    judged = [_judged(model) for model in listed if model.distribution == OWN]
    ranked = sorted(judged, key=lambda one: -one.accuracy)
    if not ranked:
        return None, ""
    best = ranked[0]
    chosen = next((one for one in ranked if one.ready(fetching)), None)
    if chosen is None:
        return best.model, ""
    if not fetching and (why := _without(chosen.model)):
        return chosen.model, why
    if chosen.weights:
        why = "its weights are in the cache"
    elif chosen is not best and best.lacking:
        why = f"{best.model.name}, which is right more often, {needs(best.lacking)}"
    elif chosen is not best and best.weights:
        why = (
            f"the weights of {best.model.name}, which is right more often, are not here; "
            f"{' and '.join(map(command, best.weights))} gets them"
        )
    else:
        why = "of the models that come with mgrkit, the one that is right most often"
    return chosen.model, f"{chosen.model.name}: {why}"


def path_of(model: ModelFile) -> Path:
    """Where it lies; RunError if it cannot be anywhere."""
    if model.error:
        raise RunError(f"there is no model {model.name}: {model.error}")
    return model.path


def lacking(bundle: Bundle) -> tuple[str, ...]:
    """The modules that predicting with it needs and that are not installed."""
    needed: list[str] = []
    for member in _members(bundle):
        feature_set = _feature_set(member)
        needed += feature_set.requires if feature_set else ()
        with contextlib.suppress(BundleError):  # not installed: whoever loads the model says so
            needed += provider(member).spec.predicting
    return tuple(missing(dict.fromkeys(needed)))


def needs(modules: tuple[str, ...]) -> str:
    """Which modules a model needs that are not installed, in words."""
    return f"needs {' and '.join(modules)} ({how_to_install(modules)})"


def weights_of(bundle: Bundle) -> tuple[Weights, ...]:
    """The weights that the feature sets of a model and its members need."""
    sets = filter(None, map(_feature_set, _members(bundle)))
    return tuple(dict.fromkeys(one.weights for one in sets if one.weights))


def _members(bundle: Bundle) -> list[Bundle]:
    return list(bundle.members.values()) or [bundle]


def _without(model: ModelFile) -> str:
    """By whom a vote answers while weights of others are not in the cache; else ''."""
    try:
        members = read_head(path_of(model)).members
    except RunError:  # whoever loads the model says so
        return ""
    absent = [name for name, one in members.items() if not all(map(at_hand, weights_of(one)))]
    if not absent or len(absent) == len(members):
        return ""
    weights = dict.fromkeys(one for name in absent for one in weights_of(members[name]))
    return (
        f"{model.name}: without {' and '.join(absent)}, whose weights are not here; "
        f"{' and '.join(map(command, weights))} gets them"
    )


def _feature_set(bundle: Bundle) -> FeatureSetSpec | None:
    kind, _, name = bundle.eats.partition(":")
    if kind != "features":
        return None
    try:
        return installed().feature_set(name)
    except UsageError:  # it is not installed: whoever loads the model says so
        return None


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
    return path_of(found[0])


def _shipped(bundle: str, distribution: str) -> ModelFile:
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
        return ModelFile(Path(top, *below, *inside.split("/")), distribution, error)
    found = (place for place in places if place.is_file())
    return ModelFile(next(found, places[0]), distribution)


@dataclass(frozen=True)
class _Judged:
    """How accurate a model is, -1 if it is broken, and the weights and modules it needs.

    ``lacking`` are modules that are not installed; ``free`` is a vote with a member that needs no
    weights.
    """

    model: ModelFile
    accuracy: float = -1.0
    weights: tuple[Weights, ...] = ()
    lacking: tuple[str, ...] = ()
    free: bool = False

    def ready(self, fetching: bool) -> bool:
        """Whether it can be the default."""
        here = fetching or self.free or all(map(at_hand, self.weights))
        return self.accuracy >= 0 and not self.lacking and here


def _judged(model: ModelFile) -> _Judged:
    try:
        bundle = read_head(path_of(model))
    except RunError:
        return _Judged(model)
    accuracy = float(bundle.metrics.get("accuracy") or 0.0)
    free = any(not weights_of(member) for member in bundle.members.values())
    return _Judged(model, accuracy, weights_of(bundle), lacking(bundle), free)
