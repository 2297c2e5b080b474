"""Which device a model runs on."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence

from mgrkit.errors import UsageError

KINDS = ("cpu", "cuda", "mps")


def resolve_device(asked: str, usable: Sequence[str]) -> str:
    """The device for 'auto', or the asked one once it is known to be there.

    Parameters
    ----------
    asked : 'auto', 'cpu', 'cuda', 'cuda:1', 'mps'; auto is the first of ``usable`` that is here.
    usable : the kinds that the classifier can use, the best one first.

    Raises
    ------
    UsageError : an unknown device, one that the classifier cannot use, or that is not here.
    """
    if asked == "auto":
        return next((kind for kind in usable if _is_here(kind)), "cpu")
    kind = asked.partition(":")[0]
    if kind not in KINDS:
        raise UsageError(f"there is no device {asked!r}", f"auto, {', '.join(KINDS)}")
    if kind not in usable:
        raise UsageError(f"this model cannot use {kind}", f"it can use {', '.join(usable)}")
    if not _is_here(asked):
        why = "torch sees none" if importlib.util.find_spec("torch") else "torch is not installed"
        raise UsageError(f"there is no device {asked} here ({why})", "--device cpu")
    return asked


def _is_here(device: str) -> bool:
    kind, _, number = device.partition(":")
    if kind == "cpu":
        return not number
    # torch takes seconds to import: only where there can be a device at all.
    driver = os.path.exists("/dev/nvidiactl") or os.name == "nt"
    if not (driver if kind == "cuda" else sys.platform == "darwin"):
        return False
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    if kind == "mps":
        return not number and bool(torch.backends.mps.is_available())
    return torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count()
