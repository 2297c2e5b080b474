"""The guarded loader: every plugin that is installed, whatever is wrong with some of them.

A broken plugin is known with its distribution, version and error, and ends nothing but the
command that asks for it. What plugins print by Python while they are loaded is dropped, so that
``--json`` stays JSON; what C code writes to the descriptor is not. MGRKIT_PLUGINS, names of
distributions with commas between, narrows what is loaded beside mgrkit's own; set and empty, it
is nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import re
from collections.abc import Iterable
from importlib import metadata
from typing import Any, TypeVar

import pluggy

from mgrkit.errors import RunError, most_like, nearest
from mgrkit.registry import hooks
from mgrkit.registry.catalogue import OWN, Plugin, Registry
from mgrkit.registry.checks import fault
from mgrkit.registry.guard import PluginError, attempt, one_line, quietly
from mgrkit.registry.specs import ClassifierSpec, FeatureSetSpec

_HOOKS = ("mgrkit_classifiers", "mgrkit_feature_sets")
_PIP_NAMES = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn"}
_Spec = TypeVar("_Spec", ClassifierSpec, FeatureSetSpec)


@functools.cache
def installed() -> Registry:
    """All plugins, loaded once in a process; ``installed.cache_clear()`` forgets them."""
    found = _distributions()
    named = os.environ.get("MGRKIT_PLUGINS")
    wanted = set(found)
    if named is not None:
        wanted = {OWN, *(_normal(name) for name in named.split(",") if name.strip())}
    plugins = [
        _load(found[name])
        if name in found
        else Plugin(name, "").with_fault("MGRKIT_PLUGINS names it, but it is not installed")
        for name in sorted(wanted, key=lambda name: (name != OWN, name))
        if name in found or name != OWN
    ]
    return Registry(plugins)


def resolve(factory: str) -> Any:
    """The object that a spec names as ``"package.module:name"``, imported.

    Raises
    ------
    RunError : it cannot be imported; a module that is missing is named, and how to get it.
    """
    module, _, name = factory.partition(":")
    try:
        with quietly():
            return getattr(importlib.import_module(module), name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise RunError(f"cannot load {factory}: {one_line(error)}", cure(error, module)) from error


def cure(error: BaseException, by: str) -> str:
    """How to get the module that an import in the module ``by`` lacked; empty for other errors."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    lacking = error.name.partition(".")[0]
    # A module that the plugin itself lacks is a mistake in it: nothing to install.
    return "" if lacking == by.partition(".")[0] else how_to_install([lacking])


def unable(what: str, error: BaseException, by: str) -> RunError:
    """The error of code in the module ``by`` that cannot import what it needs, with the cure.

    A torch whose libraries are broken raises OSError.
    """
    hint = cure(error, by) or "mgrkit doctor says what is broken"
    return RunError(f"{what} cannot run: {one_line(error)}", hint)


def missing(requires: Iterable[str]) -> list[str]:
    """The top-level modules of these that are not installed; imports none of them."""

    def is_there(name: str) -> bool:
        try:
            return importlib.util.find_spec(name) is not None
        except ValueError:  # it is loaded, but not in the usual way
            return True

    return [name for name in requires if not is_there(name)]


def require(what: str, modules: Iterable[str]) -> None:
    """Go on only where these top-level modules are installed; imports none of them.

    Raises
    ------
    RunError : some are not; they are named, and how to get them.
    """
    if lacking := missing(modules):
        message = f"{what} needs {' and '.join(lacking)}, not installed here"
        raise RunError(message, how_to_install(lacking))


def how_to_install(modules: Iterable[str]) -> str:
    """The command that installs these modules, as a hint."""
    return f"pip install {' '.join(_PIP_NAMES.get(name, name) for name in modules)}"


def _normal(name: str) -> str:
    """The name of a distribution as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _distributions() -> dict[str, metadata.Distribution]:
    """The installed distributions with entry points for us, by normal name."""
    found = {}
    for distribution in metadata.distributions():
        # Whatever else is damaged in this environment is not ours to report.
        with contextlib.suppress(Exception):
            if _is_plugin(distribution):
                name = distribution.metadata["Name"]
                # As for imports, the first on the path counts, whether it has any or not.
                active = metadata.distribution(name)
                if _is_plugin(active):
                    found[_normal(name)] = active
    return found


def _is_plugin(distribution: metadata.Distribution) -> bool:
    """Reading the text is several times faster than having it parsed."""
    return f"[{hooks.GROUP}]" in (distribution.read_text("entry_points.txt") or "")


def _load(distribution: metadata.Distribution) -> Plugin:
    """Whatever can be had from a distribution; never raises for what is wrong with it."""
    plugin = Plugin(distribution.metadata["Name"], distribution.version or "")
    points, wrong = attempt(lambda: list(distribution.entry_points.select(group=hooks.GROUP)))
    if wrong:
        return plugin.with_fault(f"its entry_points.txt cannot be read: {wrong}")
    for point in points or ():
        faults: list[str] = []
        classifiers, feature_sets = _specs(point, faults)
        for error in faults:
            plugin = plugin.with_fault(f"entry point {point.name} ({point.value}): {error}")
        plugin = plugin.with_specs("classifiers", classifiers)
        plugin = plugin.with_specs("feature_sets", feature_sets)
    return plugin


def _specs(
    point: metadata.EntryPoint, faults: list[str]
) -> tuple[list[ClassifierSpec], list[FeatureSetSpec]]:
    """The good specs of one entry point; what is wrong with it is added to ``faults``."""
    module, wrong = attempt(point.load)
    if wrong:
        faults.append(wrong)
        return [], []
    # One manager for each entry point: a hook that raises ends the call of its manager's others.
    manager = pluggy.PluginManager(hooks.GROUP)
    manager.add_hookspecs(hooks)
    for step in (
        lambda: _check_names(manager, module),
        lambda: manager.register(module),
        manager.check_pending,
    ):
        _, wrong = attempt(step)
        if wrong:
            faults.append(wrong)
            return [], []
    classifiers = _called(manager.hook.mgrkit_classifiers, ClassifierSpec, faults)
    feature_sets = _called(manager.hook.mgrkit_feature_sets, FeatureSetSpec, faults)
    return classifiers, feature_sets


def _check_names(manager: pluggy.PluginManager, module: object) -> None:
    """Find what was meant as a hook: pluggy passes over unmarked functions in silence."""
    functions = {name: getattr(module, name, None) for name in dir(module)}
    marked = {}
    for name in functions:
        options = manager.parse_hookimpl_opts(module, name)
        if options is not None:
            marked[name] = options.get("specname") or name
    for name, hook in marked.items():
        if hook not in _HOOKS:
            raise PluginError(f"{name} is not a hook: {nearest(hook, _HOOKS, 'there are')}")
    others = [
        name
        for name, value in functions.items()
        if callable(value) and not isinstance(value, type) and name not in marked
    ]
    for name in others:
        if name.startswith(f"{hooks.GROUP}_"):
            raise PluginError(f"{name} is not marked by @hookimpl{_meant(name)}")
    if not marked:
        like = [name for name in others if most_like(name, _HOOKS)]
        meant = f": {like[0]}{_meant(like[0])}" if like else ""
        raise PluginError(f"no function of it is a hook marked by @hookimpl{meant}")


def _meant(name: str) -> str:
    if name in _HOOKS:
        return ""
    return f" and not a hook: {nearest(name, _HOOKS, 'there are')}"


def _called(caller: pluggy.HookCaller, kind: type[_Spec], faults: list[str]) -> list[_Spec]:
    """The good specs that a hook returns; what is wrong is added to ``faults``."""
    implementations = caller.get_hookimpls()
    results, wrong = attempt(lambda: [_listed(result, kind) for result in caller()])
    if not wrong and results is not None and len(results) < len(implementations):
        wrong = f"returned None, not a list of {kind.__name__}"  # pluggy leaves it out
    if wrong or results is None:
        faults.append(f"{caller.name}: {wrong}")
        return []
    good = []
    for spec in (spec for result in results for spec in result):
        error, wrong = attempt(functools.partial(_fault, spec, kind))
        if error or wrong:
            faults.append(f"{caller.name}: {error or wrong}")
        else:
            good.append(spec)
    return good


def _listed(result: object, kind: type[_Spec]) -> list[_Spec]:
    if isinstance(result, str | bytes) or not isinstance(result, Iterable):
        raise PluginError(f"returned {result!r:.80}, not a list of {kind.__name__}")
    return list(result)


def _fault(spec: object, kind: type[_Spec]) -> str:
    if not isinstance(spec, kind):
        return f"returned {spec!r:.80}, not a {kind.__name__}"
    return fault(spec)
