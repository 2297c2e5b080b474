"""Which device a model runs on."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from mgrkit.errors import UsageError

KINDS = ("cpu", "cuda", "mps")
_DRIVER = "libcuda.so.1"
"""What CUDA loads first on Linux and on WSL 2, wherever the system has it."""


def resolve_device(asked: str, usable: Sequence[str]) -> str:
    """The device for 'auto', or the asked one once it is known to be there.

    Parameters
    ----------
    asked : 'auto', 'cpu', 'cuda', 'cuda:1' or 'mps'; auto is the first of ``usable`` that is here.
    usable : the kinds that the classifier can use, the best one first.

    Raises
    ------
    UsageError : an unknown device, one that the classifier cannot use, or that is not here.
    """
    if asked == "auto":
        return next((kind for kind in usable if not lacking(kind)), "cpu")
    kind = asked.partition(":")[0]
    if not re.fullmatch(r"cpu|mps|cuda(:[0-9]+)?", asked):
        raise UsageError(f"there is no device {asked!r}", f"auto, {', '.join(KINDS)}")
    if kind not in usable:
        raise UsageError(f"{kind} cannot be used for this", f"give --device {' or '.join(usable)}")
    if why := lacking(asked):
        raise UsageError(f"there is no device {asked} here ({why})", "give --device cpu")
    return asked


def lacking(device: str) -> str:
    """Why a device such as 'cuda' or 'cuda:1' is not here; empty where it is."""
    kind, _, number = device.partition(":")
    if kind == "cpu":
        return ""
    if kind == "mps" and sys.platform != "darwin":
        return "only macOS has it"
    found = importlib.util.find_spec("torch")
    if found is None:
        return "torch is not installed"
    # torch takes seconds to import: it is asked only where it could see a device at all.
    if kind == "cuda" and (why := _no_cuda(Path(found.origin or ""))):
        return why
    import torch

    if kind == "mps":
        return "" if torch.backends.mps.is_available() else "torch sees none"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) < count:
        return ""
    return f"torch sees {count or 'none'}"


def _no_cuda(torch: Path) -> str:
    """Why this torch, by its ``__init__.py``, can see no CUDA (or ROCm) device; empty if it can."""
    try:
        built = runpy.run_path(str(torch.with_name("version.py")))
    except OSError:
        return "torch cannot be loaded"
    if built.get("hip"):
        return ""  # it brings AMD's libraries with it
    if not built.get("cuda"):
        return "this torch is for CPUs only"
    try:
        if os.name != "nt":
            ctypes.CDLL(_DRIVER)
    except OSError:
        return "no driver"
    return ""
