"""Plugins: what they say of themselves, the hooks they say it by, and the guarded loader.

A plugin is a distribution with an entry point of the group ``mgrkit`` that names a module of
hooks, which imports nothing heavy::

    @dataclass(frozen=True)
    class Settings:
        k: int = parameter(9, "how many neighbours vote", low=1, high=1000)

    @hookimpl
    def mgrkit_classifiers():
        return [ClassifierSpec("knn", "k nearest neighbours", "my_package.knn:KNN", Settings)]

    @hookimpl
    def mgrkit_feature_sets():
        return [FeatureSetSpec("loudness", "mean and spread of loudness", "my_package.loud:loud",
                               front_end(sample_rate=22050), ("loud_mean", "loud_spread"))]

``my_package.knn:KNN`` is a subclass of `mgrkit.classifiers.Classifier`; a feature set names a
function of one piece, or a network as an `Embedder`, see `FeatureSetSpec`. Any classifier that eats
features learns from it where ``--set loudness`` says so, or by itself with
``eats="features:loudness"``. ``mgrkit plugins`` shows what was found, and what is wrong with it.
"""

from mgrkit.registry.catalogue import Plugin, Provider, Registry
from mgrkit.registry.hooks import hookimpl
from mgrkit.registry.loader import installed, missing, require, resolve, unable
from mgrkit.registry.space import Choice, Range
from mgrkit.registry.specs import (
    ClassifierSpec,
    Embedder,
    FeatureSetSpec,
    SummarySpec,
    Weights,
    parameter,
    with_parameters,
)

__all__ = [
    "Choice",
    "ClassifierSpec",
    "Embedder",
    "FeatureSetSpec",
    "Plugin",
    "Provider",
    "Range",
    "Registry",
    "SummarySpec",
    "Weights",
    "hookimpl",
    "installed",
    "missing",
    "parameter",
    "require",
    "resolve",
    "unable",
    "with_parameters",
]
