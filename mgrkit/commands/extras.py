"""What can be installed beside mgrkit, what it is for, and whether it is here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mgrkit.registry.guard import attempt


@dataclass(frozen=True)
class Extra:
    """An optional dependency of ``pyproject.toml``, as in ``mgrkit[tune]``.

    Parameters
    ----------
    use : the command, option or argument that needs it.
    needs : its distributions.
    command : that cannot work without.
    """

    name: str
    use: str
    needs: tuple[str, ...] = ()
    command: str = ""

    @property
    def mend(self) -> str:
        return f"pip install 'mgrkit[{self.name}]'"


DUPLICATES, RECIPES = "duplicates", "recipes"
EXTRAS = (
    Extra("cluster", "--cluster: more than one machine", ("distributed",)),
    Extra(DUPLICATES, "duplicates; so does a program fpcalc", ("imageio-ffmpeg",), "duplicates"),
    Extra("explore", "explore --plots umap", ("umap-learn",)),
    Extra(RECIPES, "some transforms of augment --recipe"),
    Extra("remote", "SRC or OUT s3://bucket/prefix", ("fsspec", "s3fs")),
    Extra("tags", "tag", ("mutagen",), "tag"),
    Extra("tune", "tune", ("optuna",), "tune"),
    Extra("watch", "predict --watch", ("watchfiles",)),
)


def examine_extras(
    version: Callable[[str], str], transforms: Sequence[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """What is here of each, and how to get what is not.

    Parameters
    ----------
    version : of a distribution; '' for one that is not here.
    transforms : those of audiomentations that lack something, and what.
    """
    found = []
    for extra in EXTRAS:
        lacks = [name for name in extra.needs if not version(name)]
        if extra.name == RECIPES:
            lacks = sorted({one["lacks"] for one in transforms})
        elif extra.name == DUPLICATES and lacks and _has_chromaprint():
            lacks = []
        mend = extra.mend if lacks else ""
        found.append({"name": extra.name, "for": extra.use, "lacks": lacks, "mend": mend})
    return found


def _has_chromaprint() -> bool:
    def tried() -> bool:
        from mgrkit.audio.chromaprint import program

        return bool(program())

    return bool(attempt(tried)[0])
