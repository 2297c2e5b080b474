"""The hooks of the entry-point group ``mgrkit``.

A plugin is a module with functions of these names, marked by `hookimpl`, that an entry point
of its distribution names:

    [project.entry-points.mgrkit]
    mine = "my_package.hooks"

Names that begin with ``mgrkit_`` are kept for hooks: another function of such a name is taken
for one that is misspelt or not marked, and the plugin is shown as broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mgrkit.registry.specs import ClassifierSpec, FeatureSetSpec

GROUP = "mgrkit"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def mgrkit_classifiers() -> Iterable[ClassifierSpec]:
    """The classifiers of a plugin."""
    raise NotImplementedError


@hookspec
def mgrkit_feature_sets() -> Iterable[FeatureSetSpec]:
    """The feature sets of a plugin."""
    raise NotImplementedError
