"""Distributions as pip leaves them: a folder of metadata and modules beside it, on the path."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from mgrkit.registry import installed

HEAD = """\
from dataclasses import dataclass, field
from mgrkit.frontend import front_end
from mgrkit.registry import ClassifierSpec, FeatureSetSpec, hookimpl, parameter

@dataclass(frozen=True)
class Settings:
    k: int = parameter(5, "neighbours that vote", low=1, high=99)
    vote: str = parameter("even", "how they vote", choices=("even", "distance"))

def spec(name, **more):
    fields = dict(parameters=Settings, eats="samples", reference="Cover and Hart 1967") | more
    return ClassifierSpec(name, "k nearest neighbours", "nowhere.model:Model", **fields)
"""


def offering(*names: str) -> str:
    """The code of a good plugin with these classifiers."""
    specs = ", ".join(f"spec({name!r})" for name in names)
    return f"{HEAD}\n@hookimpl\ndef mgrkit_classifiers():\n    return [{specs}]\n"


class Site:
    """A folder on the path, into which distributions are installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        name: str,
        code: str = "",
        *,
        version: str = "1.0",
        points: Mapping[str, str] | None = None,
    ) -> str:
        """A distribution whose entry points name one module each, by default one with ``code``."""
        module = name.replace("-", "_").lower() + "_hooks"
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        modules = {f"{module}_{key}": text for key, text in (points or {}).items()}
        lines = [f"{key} = {module}_{key}" for key in points or {}] or [f"main = {module}"]
        (info / "entry_points.txt").write_text("\n".join(["[mgrkit]", *lines, ""]))
        for one, text in (modules or {module: code}).items():
            (self.folder / f"{one}.py").write_text(text)
        importlib.invalidate_caches()
        installed.cache_clear()
        return module


@contextmanager
def installed_site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on the path; afterwards its modules and the registry are forgotten."""
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delenv("MGRKIT_PLUGINS", raising=False)
    installed.cache_clear()
    before = set(sys.modules)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]
    installed.cache_clear()
