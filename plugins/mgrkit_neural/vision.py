"""The one import of torchvision, which works with a torch of another build too.

torchvision's wheels are built against CUDA. Beside a CPU-only torch (or another version) their
compiled operators do not load, and ``import torchvision`` raises "operator torchvision::nms does
not exist" while it describes operators that are not there. Of all that, networks for whole pictures
need nothing: they are plain Python. So the missing operators are declared, without code, and the
import is tried again; only after the plain import has failed, so that nothing stands in the way of
operators that are there.
"""

from __future__ import annotations

import functools
import importlib
import re
import sys
from types import ModuleType
from typing import Any

import torch

_MISSING = re.compile(r"operator torchvision::(\w+) does not exist")
_declared: list[Any] = []
"""Kept alive: what a library declared goes with it."""


@functools.cache
def models(name: str) -> ModuleType:
    """``torchvision.models.NAME``, such as ``vision_transformer``.

    Raises
    ------
    ImportError : torchvision is not installed.
    RuntimeError : it fails for another reason than missing operators.
    """
    missing: set[str] = set()
    while True:
        try:
            return importlib.import_module(f"torchvision.models.{name}")
        except RuntimeError as error:
            found = _MISSING.search(str(error))
            if not found or found[1] in missing:
                raise
            missing.add(found[1])
            _declare(found[1])
            _forget()


def _declare(name: str) -> None:
    """Make an operator known that nobody is going to call."""
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    library.define(f"{name}(Tensor unused) -> Tensor")
    _declared.append(library)


def _forget() -> None:
    """Take away what a failed import left, so that the next one begins anew."""
    for name in [n for n in sys.modules if n == "torchvision" or n.startswith("torchvision.")]:
        del sys.modules[name]
