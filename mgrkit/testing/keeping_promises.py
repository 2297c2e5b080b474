"""The checks of ``state`` and ``restore``, and of what a call leaves behind.

A check returns when the promise is kept, and raises when it is not.
"""

from __future__ import annotations

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import load_bundle, restored_by
from mgrkit.classifiers.bundlefields import TYPES
from mgrkit.errors import BundleError
from mgrkit.testing.case import Broken, Case, NotApplicable, hold
from mgrkit.testing.toys import without

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAME = 1e-6
"""How far the probabilities of one model may be apart before and after saving."""
AMONG_DEVICES = 1e-4
"""How far they may be apart on a CPU and on a GPU."""


def state_is_arrays(case: Case) -> None:
    """``state`` gives NumPy arrays of numbers by name, no objects."""
    state = case.fits[0].model.state()
    hold(len(state) > 0, "state is empty")
    for name, array in state.items():
        hold(isinstance(name, str) and name != "", f"state has the name {name!r}")
        hold(isinstance(array, np.ndarray), f"state[{name!r}] is a {type(array).__name__}")
        hold(array.dtype.name in TYPES, f"state[{name!r}] is of type {array.dtype}")


def loads_safely(case: Case) -> None:
    """Nothing is unpickled: not to fit, and by no name whatever to save and restore."""
    unsafe = sorted({name for fit in case.fits for name in fit.traces.unsafe})
    hold(not unsafe, f"loads in a way that can run code: {', '.join(unsafe)}")


def survives_saving(case: Case) -> None:
    """Saved, loaded and restored, it gives the same probabilities."""
    expected, content = case.fits[0].probabilities, case.saved
    # Fitting another between saving and loading finds what is kept outside of the state.
    case.fitted(without(case.toy.train, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "toy.safetensors")
        path.write_bytes(content)
        model = restored_by(case.spec, load_bundle(path))
    off = float(abs(model.predict_proba(case.asked()) - expected).max())
    hold(off <= SAME, f"saved and loaded, probabilities differ by {off:.2g}")


def refuses_damage(case: Case) -> None:
    """A flipped bit of the file and a missing array are a BundleError."""
    content = bytearray(case.saved)
    content[len(content) // 2] ^= 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "toy.safetensors")
        path.write_bytes(content)
        try:
            load_bundle(path)
        except BundleError:
            pass
        else:
            raise Broken("a bundle with a flipped bit was loaded")
    state = dict(case.bundle.state)
    for name in state:
        rest = {other: array for other, array in state.items() if other != name}
        _refuses_state(case, rest, f"without {name!r}")


def refuses_other_arrays(case: Case) -> None:
    """An array of another shape or kind of type than can be is a BundleError."""
    state = dict(case.bundle.state)
    for name, array in state.items():
        other = {**state, name: np.asarray(array)[None]}
        _refuses_state(case, other, f"with another shape of {name!r}")
        kind = np.float64 if np.asarray(array).dtype == bool else bool
        other = {**state, name: np.asarray(array).astype(kind)}
        _refuses_state(case, other, f"with another type of {name!r}")


def _refuses_state(case: Case, state: dict[str, NDArray[Any]], how: str) -> None:
    try:
        case.new().restore(state)
    except BundleError:
        return
    except Exception as error:
        raise Broken(f"restore {how} raised {type(error).__name__}, not BundleError") from error
    raise Broken(f"restore took a state {how}")


def prints_nothing(case: Case) -> None:
    """Nothing goes to standard output, from Python or from below it."""
    printed = "".join(fit.traces.output for fit in case.fits)
    hold(not printed, f"printed {printed[:60]!r}")


def leaves_global_seeds(case: Case) -> None:
    """The global generators of random, NumPy and torch are neither seeded nor drawn from."""
    # The first fit also sees what libraries draw while they are imported, as rich does once.
    touched = sorted(set(case.fits[1].traces.seeds))
    hold(not touched, f"touched the global generator of {', '.join(touched)}")


def leaves_nothing_running(case: Case) -> None:
    """No thread and no process outlives a call."""
    running = case.fits[1].traces.running
    hold(not running, f"left running: {', '.join(running)}")


def devices_agree(case: Case) -> None:
    """Where there is a CUDA device and the spec names it: the same probabilities on both."""
    if "cuda" not in case.spec.devices:
        raise NotApplicable("the spec does not name cuda")
    if not has_cuda():
        raise NotApplicable("no CUDA device is here")
    found = []
    for device in ("cpu", "cuda"):
        model = case.new()
        model.restore(case.bundle.state, device)
        found.append(model.predict_proba(case.asked()))
    off = float(abs(found[0] - found[1]).max())
    hold(off <= AMONG_DEVICES, f"CPU and CUDA differ by {off:.2g}")


def has_cuda() -> bool:
    """Whether torch is installed and sees a CUDA device."""
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


CHECKS = (
    state_is_arrays,
    loads_safely,
    survives_saving,
    refuses_damage,
    refuses_other_arrays,
    prints_nothing,
    leaves_global_seeds,
    leaves_nothing_running,
    devices_agree,
)
