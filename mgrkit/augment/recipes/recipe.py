"""Recipe files: TOML to checked steps."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from mgrkit.augment.recipes import transforms
from mgrkit.augment.recipes.applying import ReadyRecipe
from mgrkit.augment.recipes.steps import Step, canonical, labelled, parse
from mgrkit.augment.recipes.traits import Requirement
from mgrkit.errors import MgrkitError, RunError, UsageError, nearest

_SUFFIX = ".toml"
_KEYS = ("name", "copies", "step")
_NAME = re.compile(r"\w[\w.+-]*")
_DEEPEST = 40
_TOO_DEEP = "its tables are too deep in each other"
MOST_COPIES = 100_000


def shipped() -> tuple[str, ...]:
    """The names of the recipes that come with mgrkit."""
    found = (one.name for one in _folder().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


def _folder() -> Any:
    return resources.files("mgrkit.augment.recipes") / "shipped"


@dataclass(frozen=True)
class Recipe:
    """An ordered list of steps, checked against the installed audiomentations.

    Parameters
    ----------
    name : what stands in file names and in the seed.
    copies : how many copies of each sound it makes where nobody says otherwise.
    """

    name: str
    copies: int
    steps: tuple[Step, ...]
    processes = True
    """Its transforms draw from global generators: one sound at a time in a process."""

    @classmethod
    def load(cls, text: str) -> Recipe:
        """The recipe of a shipped name, or of the path of a TOML file.

        A file that is called like a shipped recipe is reached as ``./phone``.

        Raises
        ------
        UsageError : there is none; it is no TOML; a transform, a parameter or a value that this
            version of audiomentations does not take, with the step; sounds that are not there.
        RunError : audiomentations is not installed, or the file cannot be read.
        """
        if text in shipped():
            content = (_folder() / f"{text}{_SUFFIX}").read_text("utf-8")
            return _parsed(content, text, text, Path())
        path = Path(text)
        if not text or not path.exists():
            raise UsageError(
                f"no recipe {text!r}: neither a shipped one nor a file",
                nearest(text, shipped(), "those that ship are"),
            )
        try:
            content = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is no TOML: it is not UTF-8") from error
        except OSError as error:
            raise RunError(f"{path}: {error.strerror}") from error
        return _parsed(content, str(path), path.stem, path.parent)

    @property
    def requires(self) -> tuple[Requirement, ...]:
        """Packages and programs that its steps need beside audiomentations."""
        return tuple(dict.fromkeys(one for step in self.steps for one in step.requires))

    @property
    def missing(self) -> tuple[Requirement, ...]:
        """Those that are not installed here."""
        return tuple(one for one in self.requires if one.missing)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all that decides samples, hexadecimal.

        These are the name, the steps, the bytes of their sounds, and the versions of
        audiomentations and of what it calls.

        Raises
        ------
        RunError : a noise or an impulse response cannot be read.
        """
        packages = {"audiomentations": transforms.version()}
        for one in self.requires:
            packages[one.name] = "" if one.program else _version(one.name)
        text = f"{self.name}\n{canonical(self.steps)}\n{sorted(packages.items())}"
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def ready(self, folder: Path) -> ReadyRecipe:
        """With noises and impulse responses decoded into a folder.

        Raises
        ------
        RunError : a package or program is missing, or none of a step's sounds can be used.
        """
        if self.missing:
            names = ", ".join(one.name for one in self.missing)
            how = "; ".join(one.how for one in self.missing)
            raise RunError(f"the recipe {self.name} needs {names}", how)
        steps, warnings = [], []
        for number, step in enumerate(self.steps, 1):
            label = f"recipe {self.name}, step {number} ({step.label})"
            try:
                made, told = step.ready(folder)
            except MgrkitError as error:
                raise labelled(error, label) from error
            steps.append(made)
            warnings += [f"{label}: {text}" for text in told]
        return ReadyRecipe(self.name, tuple(steps), tuple(warnings))


def _version(module: str) -> str:
    names = metadata.packages_distributions().get(module, [])
    return ",".join(f"{name} {metadata.version(name)}" for name in sorted(set(names)))


def _parsed(content: str, where: str, stem: str, folder: Path) -> Recipe:
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is no TOML: {error}") from error
    except RecursionError:
        raise UsageError(f"{where}: {_TOO_DEEP}") from None
    _check_sizes(table, where)
    for key in table:
        if key not in _KEYS:
            raise UsageError(f"{where}: unknown {key!r}", nearest(key, _KEYS, "it takes"))
    name, copies = table.get("name", stem), table.get("copies", 1)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{where}: name = {name!r} cannot stand in a file's name", "letters, digits, . + - _"
        )
    if isinstance(copies, bool) or not isinstance(copies, int) or not 1 <= copies <= MOST_COPIES:
        raise UsageError(
            f"{where}: copies = {copies!r} must be a whole number from 1 to {MOST_COPIES}"
        )
    tables = table.get("step")
    if not isinstance(tables, list) or not tables:
        raise UsageError(f"{where} has no steps", 'each is [[step]] transform = "..."')
    steps = []
    for number, one in enumerate(tables, 1):
        try:
            steps.append(parse(one, folder))
        except MgrkitError as error:
            raise labelled(error, f"{where}: step {number}") from error
    return Recipe(name, copies, tuple(steps))


def _check_sizes(value: Any, where: str, depth: int = 0) -> None:
    """Refuse numbers that no TOML holds, which no float does, and tables in tables without end."""
    if depth > _DEEPEST:
        raise UsageError(f"{where}: {_TOO_DEEP}")
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            _check_sizes(one, where, depth + 1)
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UsageError(f"{where}: {str(value)[:8]}...: a whole number of TOML has 64 bits")
