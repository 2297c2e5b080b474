"""Who fits: scikit-learn on the CPU, or torch on any device; the model is the same."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from mgrkit.errors import RunError, UsageError
from mgrkit_classical.arrays import Place


def place(solver: str, device: str) -> Place:
    """Where a fit computes.

    Parameters
    ----------
    solver : 'sklearn', 'torch', or 'auto': torch for any device but the CPU.

    Raises
    ------
    UsageError : torch is asked for and is not installed.
    RunError : it is, and cannot be loaded.
    """
    if solver == "sklearn" or (solver == "auto" and device == "cpu"):
        return Place.of("cpu")
    try:
        return Place.torch(device)
    except ModuleNotFoundError as error:
        why = "solver=torch needs torch, which is not installed"
        raise UsageError(why, "pip install torch") from error
    except (ImportError, OSError) as error:
        raise RunError(f"torch cannot be loaded: {error}", "see mgrkit doctor") from error


def module(method: str, place: Place) -> Any:
    """The module that fits 'svc', 'logistic' or, in torch, 'forest' there."""
    kind = "sklearn" if place.xp is np else "torch"
    return importlib.import_module(f"mgrkit_classical.solvers.{kind}.{method}")
