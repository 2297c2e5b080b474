"""Recipes: chains of transforms, noise and codecs, as data, seeded for each sound.

Importing this package imports no library; the first use of a name does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mgrkit.augment.recipes.applying import LastNoise, ReadyRecipe
    from mgrkit.augment.recipes.recipe import Recipe, shipped
    from mgrkit.augment.recipes.transforms import TransformInfo, catalogue

__all__ = ["LastNoise", "ReadyRecipe", "Recipe", "TransformInfo", "catalogue", "shipped"]

_HOMES = {
    "LastNoise": "applying",
    "ReadyRecipe": "applying",
    "Recipe": "recipe",
    "shipped": "recipe",
    "TransformInfo": "transforms",
    "catalogue": "transforms",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
