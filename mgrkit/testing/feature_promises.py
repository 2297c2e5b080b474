"""The checks of a feature set.

A check returns when the promise is kept, and raises when it is not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import ItemError
from mgrkit.registry.checks import fault
from mgrkit.testing.case import Broken, NotApplicable, hold
from mgrkit.testing.feature_case import FeatureCase
from mgrkit.testing.keeping_promises import has_cuda

if TYPE_CHECKING:
    from numpy.typing import NDArray

AMONG_DEVICES = 1e-3
"""How far rows may be apart on a CPU and on a GPU, in units of the largest number."""
_LONGEST = 45.0
"""Seconds of the longest track that is one piece."""


def specification(case: FeatureCase) -> None:
    """The spec is sound: name, columns, window and hop, factory, devices, weights."""
    wrong = fault(case.spec)
    hold(not wrong, wrong)


def can_be_loaded(case: FeatureCase) -> None:
    """The factory is a function; or, with a ``batch_size``, makes what has prepare and embed."""
    case.new()


def hooks_are_light(case: FeatureCase) -> None:
    """Listing imports no NumPy, torch, ..., and not the module of the set's code."""
    hold(not case.loaded, f"listing plugins imports {', '.join(case.loaded)}")


def rows_are_numbers(case: FeatureCase) -> None:
    """Floating-point ``(rows, columns)``, finite, one result for each piece."""
    made = case.made
    for rows in case.rows(case.songs, made):
        wrong = case.fault(rows)
        hold(not wrong, wrong)


def rows_follow_windows(case: FeatureCase) -> None:
    """(length - window) / hop + 1 rows, one more or less; without windows one row a piece."""
    for piece, rows in zip(case.songs, case.described, strict=True):
        wanted, spare = 1, 0
        if case.spec.window:
            wanted, spare = (len(piece) - case.least) // case.step + 1, 1
        seconds = len(piece) / case.rate
        message = f"{len(rows)} rows of a piece of {seconds:.3g} s, not {wanted}"
        hold(abs(len(rows) - wanted) <= spare, message)


def takes_any_length(case: FeatureCase) -> None:
    """From one window up, however windows fit in; and 45 s, the longest track in one piece."""
    assert case.described
    least, step = case.least, case.step
    sizes = (least, least + 1, least + step - 1, least + step, 2 * least + 7, case.frames(_LONGEST))
    music = case.music(max(sizes))
    for size in sizes:
        if size >= least:
            _gives_rows(case, music[:size], f"{size} samples, a window has {least}")


def takes_any_level(case: FeatureCase) -> None:
    """Finite numbers for quiet, loud and clipped music, and for some beyond full scale."""
    assert case.described
    piece = case.songs[0]
    for name, sound in {
        "60 dB quieter": piece * np.float32(1e-3),
        "that reaches full scale": piece / np.abs(piece).max(),
        "twice full scale": piece / np.abs(piece).max() * np.float32(2),
        "that is clipped": np.clip(piece * np.float32(50), -1, 1),
    }.items():
        _gives_rows(case, sound, f"music {name}")


def refuses_silence(case: FeatureCase) -> None:
    """ItemError for zeros; for a constant that, or rows."""
    assert case.described
    silence = np.zeros_like(case.songs[0])
    hold(_refused(case, silence, "silence"), "silence was described")
    _refused(case, silence + np.float32(0.25), "a constant")


def refuses_too_short(case: FeatureCase) -> None:
    """ItemError for no sample and for one; for less than a window that, or rows."""
    assert case.described
    n_fft = case.spec.frontend.transform.n_fft
    for size in sorted({0, 1, 2, n_fft - 1, n_fft, case.least // 2, case.least - 1}):
        refused = _refused(case, case.songs[0][:size], f"{size} samples")
        hold(refused or size > 1, f"{size} samples were described")


def leaves_its_input(case: FeatureCase) -> None:
    """The samples given are not changed."""
    assert case.described
    given = [piece.copy() for piece in case.songs[:1]]
    case.made.embed([case.made.prepare(piece) for piece in given])
    hold(_same(given, case.songs[:1]), "changes the samples that it is given")


def same_sound_same_rows(case: FeatureCase) -> None:
    """To the last bit, the second time and from the set's code made anew."""
    rows = case.described
    hold(_same(case.rows(case.songs), rows), "the same sound gives other rows the second time")
    again = case.rows(case.songs, case.new())
    hold(_same(again, rows), "made anew, it gives other rows of the same sound")


def pieces_are_alone(case: FeatureCase) -> None:
    """On a CPU, to the last bit: alone, beside others, in another order."""
    rows = case.described
    alone = [case.rows([piece])[0] for piece in case.songs]
    hold(_same(alone, rows), "a piece's rows depend on the pieces beside it")
    turned = case.rows(case.songs[::-1])[::-1]
    hold(_same(turned, rows), "a piece's rows depend on the order of pieces")


def threads_do_not_meet(case: FeatureCase) -> None:
    """Several threads prepare, embed or call the function at the same time."""
    assert case.described
    made, pieces = case.made, [*case.songs] * 3
    expected = [made.prepare(piece.copy()) for piece in pieces]
    alone = [made.embed([one])[0] for one in expected]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = pool.map(made.prepare, [piece.copy() for piece in pieces])
            rows = [one[0] for one in pool.map(made.embed, [[one] for one in expected])]
            prepared = list(found)
    finally:
        sys.setswitchinterval(interval)
    hold(_same(prepared, expected), "threads that prepare at the same time disturb one another")
    hold(_same(rows, alone), "threads that embed at the same time disturb one another")


def loads_safely(case: FeatureCase) -> None:
    """Nothing is unpickled."""
    unsafe = sorted({name for traces in case.traces for name in traces.unsafe})
    hold(not unsafe, f"loads in a way that can run code: {', '.join(unsafe)}")


def prints_nothing(case: FeatureCase) -> None:
    """Nothing goes to standard output, from Python or from below it."""
    printed = "".join(traces.output for traces in case.traces)
    hold(not printed, f"printed {printed[:60]!r}")


def leaves_global_seeds(case: FeatureCase) -> None:
    """The global generators of random, NumPy and torch are neither seeded nor drawn from."""
    touched = sorted(set(case.traces[1].seeds))
    hold(not touched, f"touched the global generator of {', '.join(touched)}")


def leaves_nothing_running(case: FeatureCase) -> None:
    """No thread and no process outlives a call."""
    running = case.traces[1].running
    hold(not running, f"left running: {', '.join(running)}")


def devices_agree(case: FeatureCase) -> None:
    """Where there is a CUDA device and the spec names it: the same rows on both."""
    if case.spec.batch_size is None or "cuda" not in case.spec.devices:
        raise NotApplicable("it does not use cuda")
    if not has_cuda():
        raise NotApplicable("no CUDA device is here")
    here, there = case.described, case.rows(case.songs, case.new("cuda"))
    off = max(
        float(np.abs(one - other).max() / max(np.abs(one).max(), 1e-30))
        for one, other in zip(here, there, strict=True)
    )
    hold(off <= AMONG_DEVICES, f"CPU and CUDA differ by {off:.2g} of the largest number")


def _gives_rows(case: FeatureCase, piece: NDArray[np.float32], what: str) -> None:
    try:
        (rows,) = case.rows([piece])
    except Exception as error:
        raise Broken(f"{what}: {type(error).__name__}: {error}") from error
    wrong = case.fault(rows)
    hold(not wrong, f"{what}: {wrong}")


def _refused(case: FeatureCase, piece: NDArray[np.float32], what: str) -> bool:
    """Whether it raises ItemError; Broken for another error, and for rows that are none."""
    try:
        (rows,) = case.rows([piece])
    except ItemError:
        return True
    except Exception as error:
        message = f"{what} raised {type(error).__name__}, not ItemError: {error}"
        raise Broken(message) from error
    wrong = case.fault(rows)
    hold(not wrong, f"{what}: {wrong}")
    return False


def _same(ours: Sequence[NDArray[Any]], others: Sequence[NDArray[Any]]) -> bool:
    """Whether arrays are equal to the last bit."""
    return all(
        one.shape == other.shape and one.dtype == other.dtype and one.tobytes() == other.tobytes()
        for one, other in zip(ours, others, strict=True)
    )


CHECKS = (
    specification,
    can_be_loaded,
    hooks_are_light,
    rows_are_numbers,
    rows_follow_windows,
    takes_any_length,
    takes_any_level,
    refuses_silence,
    refuses_too_short,
    leaves_its_input,
    same_sound_same_rows,
    pieces_are_alone,
    threads_do_not_meet,
    loads_safely,
    prints_nothing,
    leaves_global_seeds,
    leaves_nothing_running,
    devices_agree,
)
