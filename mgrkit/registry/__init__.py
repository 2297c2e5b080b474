"""Plugins: what they say of themselves, the hooks they say it by, and the guarded loader."""

from mgrkit.registry.catalogue import Entry, Plugin, Registry
from mgrkit.registry.hooks import hookimpl
from mgrkit.registry.loader import missing, registry, resolve
from mgrkit.registry.specs import ClassifierSpec, FeatureSetSpec, parameter, with_parameters

__all__ = [
    "ClassifierSpec",
    "Entry",
    "FeatureSetSpec",
    "Plugin",
    "Registry",
    "hookimpl",
    "missing",
    "parameter",
    "registry",
    "resolve",
    "with_parameters",
]
