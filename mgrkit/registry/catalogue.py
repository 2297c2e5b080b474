"""What the plugins offer, by name, and whose a name is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from mgrkit.errors import UsageError, nearest
from mgrkit.registry.specs import SUMMARIES, ClassifierSpec, FeatureSetSpec, SummarySpec

OWN = "mgrkit"
"""The distribution whose names nobody else can take."""

KINDS = {"classifier": "classifiers", "feature set": "feature_sets"}
"""What a plugin offers, and the field of `Plugin` where it stands."""

_Spec = TypeVar("_Spec", ClassifierSpec, FeatureSetSpec)


@dataclass(frozen=True)
class Plugin:
    """A distribution with entry points of the group ``mgrkit``; a broken one may offer some."""

    distribution: str
    version: str
    status: Literal["ok", "broken"] = "ok"
    error: str = ""
    classifiers: tuple[ClassifierSpec, ...] = ()
    feature_sets: tuple[FeatureSetSpec, ...] = ()

    def with_fault(self, error: str) -> Plugin:
        """The same with one more thing wrong."""
        errors = f"{self.error}; {error}" if self.error else error
        return replace(self, status="broken", error=errors)

    def with_specs(self, kind: str, specs: Sequence[_Spec]) -> Plugin:
        """The same with these specs in the field ``kind``; of two with one name the first."""
        plugin = self
        known: dict[str, _Spec] = {spec.name: spec for spec in getattr(self, kind)}
        for spec in specs:
            if spec.name in known:
                plugin = plugin.with_fault(f"{spec.name} is there twice")
            known.setdefault(spec.name, spec)
        return plugin._with(kind, known.values())

    def without(self, kind: str, names: Iterable[str]) -> Plugin:
        """The same without the specs of these names."""
        return self._with(kind, [spec for spec in getattr(self, kind) if spec.name not in names])

    def _with(self, kind: str, specs: Iterable[_Spec]) -> Plugin:
        changed: dict[str, Any] = {kind: tuple(specs)}
        return replace(self, **changed)


@dataclass(frozen=True)
class Provider:
    """A classifier and who provides it; ``error`` says why it cannot be had by its name."""

    spec: ClassifierSpec
    distribution: str
    version: str
    error: str = ""


class Registry:
    """What the plugins offer, by name.

    A name that a third party's plugin shares with mgrkit is mgrkit's; one that two of them
    share is nobody's. Their ``error`` says so.

    Parameters
    ----------
    plugins : one for each distribution.
    """

    def __init__(self, plugins: Iterable[Plugin]) -> None:
        self.plugins = list(plugins)
        for what, kind in KINDS.items():
            self.plugins = _without_ours(self.plugins, what, kind)
            for name, makers in _makers(self.plugins, kind).items():
                if len(makers) > 1:
                    fault = _claimed(what, name, makers)
                    self.plugins = [
                        p.with_fault(fault) if p.distribution in makers else p for p in self.plugins
                    ]

    def classifiers(self) -> list[Provider]:
        """All classifiers by name; one that two distributions claim is there twice."""
        makers = _makers(self.plugins, "classifiers")
        entries = [
            Provider(
                spec,
                plugin.distribution,
                plugin.version,
                _claimed("classifier", spec.name, makers[spec.name])
                if len(makers[spec.name]) > 1
                else "",
            )
            for plugin in self.plugins
            for spec in plugin.classifiers
        ]
        return sorted(entries, key=lambda entry: (entry.spec.name, entry.distribution))

    def classifier(self, name: str) -> Provider:
        """The classifier of this name.

        Raises
        ------
        UsageError : there is none (the nearest is named), or two distributions claim it.
        """
        self._check("classifier", name)
        return next(entry for entry in self.classifiers() if entry.spec.name == name)

    def feature_set(self, name: str) -> FeatureSetSpec:
        """The feature set of this name, or the summary ``SET:mean`` or ``SET:mean-sd`` of one.

        Raises
        ------
        UsageError : as for `classifier`; another summary, or of a set that has no windows.
        """
        name, colon, form = name.partition(":")
        self._check("feature set", name)
        found = next(spec for spec in self.feature_sets() if spec.name == name)
        if not colon:
            return found
        if form not in SUMMARIES:
            raise UsageError(f"{name} has no summary {form!r}", nearest(form, SUMMARIES, "it has"))
        if found.window is None:
            raise UsageError(f"{name} has one row a piece, nothing to sum up", f"ask for {name}")
        return SummarySpec.of(found, form)

    def feature_sets(self) -> list[FeatureSetSpec]:
        """All feature sets, in the order of their plugins."""
        return [spec for plugin in self.plugins for spec in plugin.feature_sets]

    def _check(self, what: str, name: str) -> None:
        makers = _makers(self.plugins, KINDS[what])
        if name not in makers:
            hint = nearest(name, makers, "there are")
            broken = [plugin.distribution for plugin in self.plugins if plugin.error]
            if broken:
                hint += f"; broken: {', '.join(broken)}, see mgrkit plugins"
            raise UsageError(f"no {what} {name!r}", hint)
        if len(makers[name]) > 1:
            first = makers[name][0]
            raise UsageError(
                _claimed(what, name, makers[name]), f"MGRKIT_PLUGINS={first} leaves only that one"
            )


def _makers(plugins: Iterable[Plugin], kind: str) -> dict[str, list[str]]:
    """The distributions that provide each name."""
    makers: dict[str, list[str]] = {}
    for plugin in plugins:
        for spec in getattr(plugin, kind):
            makers.setdefault(spec.name, []).append(plugin.distribution)
    return makers


def _claimed(what: str, name: str, makers: Sequence[str]) -> str:
    return f"the {what} {name} is claimed by {' and by '.join(makers)}"


def _without_ours(plugins: Iterable[Plugin], what: str, kind: str) -> list[Plugin]:
    """The plugins without what third parties offer by a name of mgrkit itself: that is a fault."""
    plugins = list(plugins)
    ours = {s.name for p in plugins if p.distribution == OWN for s in getattr(p, kind)}
    kept = []
    for plugin in plugins:
        if plugin.distribution != OWN:
            for name in sorted(ours.intersection(s.name for s in getattr(plugin, kind))):
                plugin = plugin.with_fault(
                    f"its {what} {name} is left out, that name belongs to {OWN} itself"
                )
            plugin = plugin.without(kind, ours)
        kept.append(plugin)
    return kept
