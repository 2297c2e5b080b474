"""The checks of a spec, of construction, of ``fit`` and of ``predict_proba``.

A check returns when the promise is kept, and raises when it is not.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import tempfile
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Examples, Run
from mgrkit.errors import UsageError
from mgrkit.registry.checks import fault
from mgrkit.registry.specs import with_parameters
from mgrkit.testing.case import SEED, Broken, Case, NotApplicable, hold
from mgrkit.testing.toys import LABELS, copied, without

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEARNT = 0.9
"""The least accuracy on the toy set; a nearest centroid gets all right."""
SUMS = 1e-5
"""How far a row may be from one, and an example alone from the same among others."""
PATIENCE = 2.0
"""Seconds from a request to stop to the end of fit; generous, for machines under load."""
LIGHT = 1 << 20
"""Bytes that construction may take."""


def specification(case: Case) -> None:
    """What the spec says of the classifier can be used."""
    wrong = fault(case.spec)
    hold(not wrong, wrong)


def parameters_have_ranges(case: Case) -> None:
    """A number beyond its range is refused, so every number has one."""
    for one in dataclasses.fields(case.spec.parameters):
        if type(one.default) not in (int, float):
            continue
        for end, step in (("low", -1), ("high", 1)):
            bound = one.metadata.get(end, math.inf)
            hold(math.isfinite(bound), f"parameter {one.name} has no end {end}")
            _refuses_parameter(case, one.name, bound + step)


def _refuses_parameter(case: Case, name: str, value: float) -> None:
    try:
        with_parameters(case.spec, {name: value})
    except UsageError:
        return
    raise Broken(f"parameter {name} took {value!r}")


def hooks_are_light(case: Case) -> None:
    """The module that is imported for listing imports no library of numbers."""
    loaded, _ = case.loaded
    hold(not loaded, f"{', '.join(case.hooks)} imports {', '.join(loaded)}")


def construction_is_cheap(case: Case) -> None:
    """Construction takes no memory to speak of, and imports nothing heavy beyond NumPy."""
    case.new()
    tracemalloc.start()
    try:
        case.new()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    hold(peak < LIGHT, f"construction took {peak / 1e6:.1f} MB")
    _, loaded = case.loaded
    hold(not loaded, f"construction imports {', '.join(loaded)}")


def refuses_before_fit(case: Case) -> None:
    """``predict_proba`` before ``fit`` or ``restore`` raises UsageError."""
    try:
        case.new().predict_proba(case.asked())
    except UsageError:
        return
    raise Broken("predict_proba answered before fit")


def refuses_other_shapes(case: Case) -> None:
    """``predict_proba`` raises UsageError for examples of another shape than the task's."""
    model, x = case.fits[0].model, case.asked()
    for name, other in (("longer", np.concatenate([x, x], -1)), ("a single one", x[0])):
        try:
            model.predict_proba(other)
        except UsageError:
            continue
        raise Broken(f"predict_proba took examples of another shape ({name}: {other.shape})")


def learns(case: Case) -> None:
    """At least nine in ten held-out examples of the toy set are predicted right."""
    best = case.fits[0].probabilities[: len(case.toy.held_out)].argmax(1)
    right = float((best == case.toy.held_out.y).mean())
    hold(right >= LEARNT, f"{right:.0%} of the held-out toys are predicted right")


def gives_probabilities(case: Case) -> None:
    """Float32 ``(n, labels)``, finite, within 0 and 1, rows sum to one; for outliers as well."""
    _check_probabilities(case.fits[0].probabilities, len(case.toy.asked))
    if case.spec.eats.startswith("features:"):
        far = case.asked() * np.float32(1e4)
        _check_probabilities(case.fits[0].model.predict_proba(far), len(far))


def _check_probabilities(found: NDArray[Any], rows: int) -> None:
    hold(isinstance(found, np.ndarray), f"probabilities are a {type(found).__name__}, not an array")
    hold(found.shape == (rows, len(LABELS)), f"probabilities have shape {found.shape}")
    hold(found.dtype == np.float32, f"probabilities are {found.dtype}, not float32")
    hold(bool(np.isfinite(found).all()), "probabilities are not finite")
    hold(bool(((found >= 0) & (found <= 1 + SUMS)).all()), "probabilities are not from 0 to 1")
    off = float(abs(found.sum(1, dtype=np.float64) - 1).max())
    hold(off <= SUMS, f"a row of probabilities misses one by {off:.2g}")


def keeps_columns(case: Case) -> None:
    """A label that is missing from train keeps its column, and gets (nearly) nothing in it."""
    absent = 1
    model = case.fitted(without(case.toy.train, absent))
    found = model.predict_proba(case.asked())
    hold(found.shape[1:] == (len(LABELS),), f"with a label missing, the shape is {found.shape}")
    column = found[:, absent]
    hold(
        float(column.mean()) < 0.1 and not (found.argmax(1) == absent).any(),
        f"a label that was not in train gets {column.mean():.2f} on average",
    )


def rows_are_alone(case: Case) -> None:
    """One example at a time gets the same probabilities as all at once."""
    model, x = case.fits[0].model, case.asked()
    alone = np.concatenate([model.predict_proba(x[i : i + 1].copy()) for i in range(len(x))])
    off = float(abs(alone - case.fits[0].probabilities).max())
    hold(off <= SUMS, f"examples one at a time differ from all at once by {off:.2g}")


def leaves_its_input(case: Case) -> None:
    """The arrays given to ``fit`` and ``predict_proba`` are not changed."""
    changed = sorted({name for fit in case.fits for name in fit.changed})
    hold(not changed, f"changed its input: {', '.join(changed)}")


def takes_memory_maps(case: Case) -> None:
    """Read-only memory maps are taken for all arrays."""
    with tempfile.TemporaryDirectory() as folder:
        train, valid = (_mapped(Path(folder), e) for e in (case.toy.train, case.toy.valid))
        model = case.new()
        model.fit(train, valid, Run(SEED))
        model.predict_proba(valid.x)


def _mapped(folder: Path, examples: Examples) -> Examples:
    arrays = []
    for name in ("x", "y", "tracks", "groups"):
        path = folder / f"{len(examples)}.{name}.npy"
        np.save(path, getattr(examples, name))
        arrays.append(np.load(path, mmap_mode="r"))
    return Examples(*arrays)


def fits_without_valid(case: Case) -> None:
    """``fit`` does without a valid part."""
    model = case.new()
    model.fit(copied(case.toy.train), None, Run(SEED))
    model.predict_proba(case.asked())


def same_seed_same_answer(case: Case) -> None:
    """Two fits with one seed agree to the last bit; with another seed there is an answer too."""
    hold(case.repeatable, "two fits with the same seed give different probabilities")
    other = case.new()
    other.fit(copied(case.toy.train), copied(case.toy.valid), Run(SEED + 1))
    other.predict_proba(case.asked())


def forgets(case: Case) -> None:
    """A second fit of one object gives what a first one gives."""
    if not case.repeatable:
        raise NotApplicable("its fits cannot be repeated")
    train = copied(case.toy.train)
    other = dataclasses.replace(train, y=(train.y + 1) % len(LABELS))
    model = case.fitted(other)
    model.fit(train, copied(case.toy.valid), Run(SEED))
    hold(
        np.array_equal(model.predict_proba(case.asked()), case.fits[0].probabilities),
        "a second fit gives other probabilities than a first one",
    )


def stops(case: Case) -> None:
    """``fit`` raises Stopped soon after ``stop_requested`` turned true."""
    times = case.fits[1].times
    hold(len(times) > 2, "fit never asks whether it should stop (Run.check)")
    gap = max(b - a for a, b in itertools.pairwise(times))
    hold(gap < PATIENCE, f"fit did not ask for {gap:.0f} s whether it should stop")
    for after in {0, (len(times) - 2) // 2}:
        case.stopped(after)


def resumes(case: Case) -> None:
    """Where the spec says so: stopped and fit again in one folder equals never stopped."""
    if not case.spec.resumable:
        raise NotApplicable("the spec does not say that it is resumable")
    if not case.repeatable:
        raise NotApplicable("its fits cannot be repeated")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not case.stopped((len(case.fits[1].times) - 2) // 2, folder).rung:
            raise NotApplicable("it does not stop")
        hold(any(folder.iterdir()), "a stopped fit left nothing in Run.folder")
        again = case.fitted(folder=folder)
    hold(
        np.array_equal(again.predict_proba(case.asked()), case.fits[0].probabilities),
        "a resumed fit gives other probabilities than one that was never stopped",
    )


CHECKS = (
    specification,
    parameters_have_ranges,
    hooks_are_light,
    construction_is_cheap,
    refuses_before_fit,
    refuses_other_shapes,
    learns,
    gives_probabilities,
    keeps_columns,
    rows_are_alone,
    leaves_its_input,
    takes_memory_maps,
    fits_without_valid,
    same_seed_same_answer,
    forgets,
    stops,
    resumes,
)
