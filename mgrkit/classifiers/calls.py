"""Calls into the code of classifiers: what goes wrong there is one line that names them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers.base import Classifier
from mgrkit.classifiers.bundlefields import TYPES
from mgrkit.errors import BundleError, MgrkitError, RunError, UsageError
from mgrkit.registry.guard import one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Floats

AUTHOR = "please tell its author"
_DEVICE = {"AcceleratorError", "OutOfMemoryError"}
"""What torch, which need not be here, calls errors of a device."""

SUMS = 1e-3
"""How far the sum of a row of probabilities may be from one."""


@contextlib.contextmanager
def blaming(name: str) -> Iterator[None]:
    """Turn whatever a classifier raises that is not mgrkit's into one line with its name.

    Raises
    ------
    RunError : in place of any exception but MgrkitError and KeyboardInterrupt; also of
        SystemExit, which would end the command in silence.
    """
    try:
        yield
    except (MgrkitError, KeyboardInterrupt):
        raise
    except BaseException as error:
        # A full disk, too little memory, a device that is gone: not the author's to mend.
        hint = "" if isinstance(error, OSError | MemoryError) else AUTHOR
        if _DEVICE & {kind.__name__ for kind in type(error).__mro__}:
            hint = "give --device cpu"
        raise RunError(f"the classifier {name} failed: {one_line(error)}", hint) from error


def made(make: Callable[[], Classifier], name: str) -> Classifier:
    """A new classifier; RunError, beside those of `blaming`, if it is none."""
    with blaming(name):
        model: object = make()
    if not isinstance(model, Classifier):
        what = type(model).__name__
        raise RunError(f"the factory of {name} gave a {what}, not a Classifier", AUTHOR)
    return model


def probabilities(model: Classifier, name: str, labels: int, x: NDArray[Any]) -> Floats:
    """What ``predict_proba`` gives, float32 ``(len(x), labels)``.

    Raises
    ------
    RunError : as for `blaming`; or it is another shape or type, or its rows are no
        probabilities.
    """
    with blaming(name):
        given: Any = model.predict_proba(x)
    if wrong := _wrong(given, (len(x), labels)):
        raise RunError(f"the classifier {name} gave probabilities that {wrong}", AUTHOR)
    floats: Floats = given.astype(np.float32, copy=False)
    return floats


def strange(model: Classifier, name: str, x: NDArray[Any]) -> NDArray[np.bool_]:
    """What ``strange`` gives, bool ``(len(x),)``; RunError as for `blaming`, or it is no such."""
    with blaming(name):
        given: Any = model.strange(x)
    if not isinstance(given, np.ndarray) or given.dtype != bool or given.shape != (len(x),):
        raise RunError(f"the classifier {name} did not say which are strange", AUTHOR)
    found: NDArray[np.bool_] = given
    return found


def learnt(model: Classifier, make: Callable[[], Classifier], name: str) -> dict[str, Any]:
    """The state of a fitted classifier, which another one was seen to take over.

    Raises
    ------
    RunError : as for `blaming`; or it is not named arrays that a bundle keeps, or the
        classifier refuses it: what was saved could not be loaded.
    """
    with blaming(name):
        state: Any = model.state()
    if wrong := _odd(state):
        raise RunError(f"the classifier {name} gave a state that {wrong}", AUTHOR)
    arrays = dict(state)
    fresh = made(make, name)
    try:
        with blaming(name):
            fresh.restore(arrays, "cpu")
    except (BundleError, UsageError) as error:
        raise RunError(
            f"the classifier {name} does not take its own state: {error.message}", AUTHOR
        ) from error
    return arrays


def _wrong(given: Any, shape: tuple[int, int]) -> str:
    if not isinstance(given, np.ndarray) or given.dtype.kind != "f":
        what = given.dtype if isinstance(given, np.ndarray) else type(given).__name__
        return f"are {what}, not an array of float32"
    if given.shape != shape:
        return f"have the shape {given.shape}, not {shape}"
    if not np.isfinite(given).all():
        return "are not finite"
    if (given < 0).any():
        return "are below 0"
    if (abs(given.sum(1, dtype=np.float64) - 1) > SUMS).any():
        return "do not sum to 1 in each row"
    return ""


def _odd(state: Any) -> str:
    if not isinstance(state, Mapping):
        return f"is a {type(state).__name__}, not arrays by name"
    if not state:
        return "holds nothing"
    for name, array in state.items():
        if not isinstance(name, str) or not name:
            return f"has the name {name!r:.60}"
        if not isinstance(array, np.ndarray | np.generic) or array.dtype.name not in TYPES:
            what = getattr(array, "dtype", type(array).__name__)
            return f"has {name!r:.60} as {what!s:.60}, which a bundle does not keep"
    return ""
