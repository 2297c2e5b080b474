"""A hooks module that imports what it names."""

from __future__ import annotations

import dataclasses

from mgrkit.registry import FeatureSetSpec, hookimpl
from tests.testing.toy_ears import Ears
from tests.testing.toy_ears_specs import GOOD


@hookimpl
def mgrkit_feature_sets() -> list[FeatureSetSpec]:
    return [dataclasses.replace(GOOD, factory=f"{Ears.__module__}:Ears")]
