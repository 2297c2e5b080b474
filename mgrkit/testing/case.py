"""A classifier under test, with what several checks need made once."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.classifiers import Bundle, Classifier, Examples, Run, save_bundle
from mgrkit.errors import BundleError, Stopped
from mgrkit.registry import ClassifierSpec, resolve, with_parameters
from mgrkit.testing.toys import Toy, copied, toy
from mgrkit.testing.watching import Traces, unpickling, watched

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAVY = (
    "numpy", "scipy", "sklearn", "torch", "torchvision", "tensorflow", "jax", "librosa", "pandas",
    "polars", "matplotlib",
)  # fmt: skip
"""What a hooks module may not import; NumPy excepted, neither may construction."""

SEED = 7


class Broken(AssertionError):  # noqa: N818
    """A promise is not kept."""


class NotApplicable(Exception):  # noqa: N818
    """A check says nothing here: no such device, nothing claimed, or another check's matter."""


def hold(kept: bool, broken: str) -> None:
    """Raise `Broken` unless this is so; no assert, for python -O would take the contract away."""
    if not kept:
        raise Broken(broken)


class Bell:
    """A ``stop_requested`` that turns true after so many questions, and remembers them."""

    def __init__(self, after: int | None = None) -> None:
        self.after = after
        self.asked: list[float] = []

    def __call__(self) -> bool:
        self.asked.append(time.monotonic())
        return self.rung

    @property
    def rung(self) -> bool:
        """Whether it turned true."""
        return self.after is not None and len(self.asked) > self.after


@dataclass
class Fit:
    """One fit on the toy set and what was seen of it; see `Traces`.

    Parameters
    ----------
    probabilities : of `Case.asked`.
    changed : the arrays given to ``fit`` or ``predict_proba`` that were not left alone.
    times : of the beginning, of each call of ``stop_requested``, and of the end, in seconds.
    """

    model: Classifier
    probabilities: NDArray[Any]
    traces: Traces
    changed: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


class Case:
    """A classifier under test.

    Parameters
    ----------
    spec : what its plugin says of it.
    parameters : for all fits, e.g. a small number of trees or epochs.
    hooks : the modules that are imported when plugins are listed.
    shape : of the toy examples; empty for the usual one.
    """

    def __init__(
        self,
        spec: ClassifierSpec,
        parameters: Mapping[str, object],
        hooks: tuple[str, ...],
        shape: tuple[int, ...] = (),
    ) -> None:
        self.spec = spec
        self.parameters = with_parameters(spec, parameters)
        self.hooks = hooks
        self._shape = shape

    @functools.cached_property
    def toy(self) -> Toy:
        """The examples; to be handed out as copies only."""
        return toy(self.spec.eats, shape=self._shape)

    def new(self) -> Classifier:
        """A classifier that nothing was fit to."""
        model: Classifier = resolve(self.spec.factory)(self.toy.task, self.parameters)
        return model

    def fitted(self, train: Examples | None = None, **run: Any) -> Classifier:
        """A new classifier fit on the toy set, or on other examples."""
        model = self.new()
        model.fit(copied(train or self.toy.train), copied(self.toy.valid), Run(SEED, **run))
        return model

    def asked(self) -> NDArray[Any]:
        """What is predicted, in a new array; see `Toy.asked`."""
        return self.toy.asked.copy()

    @functools.cached_property
    def fits(self) -> tuple[Fit, Fit]:
        """Two fits with one seed; by the second, all that is imported late has been."""
        return self._fit(), self._fit()

    @property
    def repeatable(self) -> bool:
        """Whether the two fits agree to the last bit."""
        one, two = self.fits
        return np.array_equal(one.probabilities, two.probabilities, equal_nan=True)

    def _fit(self) -> Fit:
        train, valid, x = copied(self.toy.train), copied(self.toy.valid), self.asked()
        bell = Bell()
        with watched() as traces:
            model = self.new()
            start = time.monotonic()
            model.fit(train, valid, Run(SEED, stop_requested=bell))
            times = [start, *bell.asked, time.monotonic()]
            probabilities = model.predict_proba(x)
            # What goes wrong here is for the checks of saving; here it is who unpickles.
            with contextlib.suppress(Exception), unpickling(traces.unsafe):
                self.new().restore(model.state())
        changed = [
            f"{part}.{name}"
            for part, now in (("train", train), ("valid", valid))
            for name in ("x", "y", "tracks", "groups")
            if not np.array_equal(getattr(now, name), getattr(getattr(self.toy, part), name))
        ]
        if not np.array_equal(x, self.toy.asked):
            changed.append("x of predict_proba")
        return Fit(model, probabilities, traces, changed, times)

    @functools.cached_property
    def bundle(self) -> Bundle:
        """The first fit as a bundle."""
        return Bundle(
            classifier=self.spec.name,
            distribution="under-test",
            version="0",
            parameters=dataclasses.asdict(self.parameters),
            eats=self.spec.eats,
            task=self.toy.task,
            state=dict(self.fits[0].model.state()),
            seed=SEED,
        )

    @functools.cached_property
    def saved(self) -> bytes:
        """The bundle's file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "toy.safetensors")
            try:
                save_bundle(path, self.bundle)
            except BundleError as error:
                raise NotApplicable(f"its state cannot be saved: {error}") from None
            return path.read_bytes()

    def stopped(self, after: int, folder: Path | None = None) -> Bell:
        """The bell of a fit that is asked to stop at its ``after + 1``-th question.

        Raises
        ------
        Broken : it was asked to stop and went on to its end.
        """
        bell = Bell(after)
        try:
            self.fitted(stop_requested=bell, folder=folder)
        except Stopped:
            return bell
        if bell.rung:
            raise Broken("fit was asked to stop and did not raise Stopped")
        return bell

    @functools.cached_property
    def loaded(self) -> tuple[list[str], list[str]]:
        """The heavy modules that a new process has once the hooks were asked, and a model made."""
        kind = self.spec.parameters
        if "<locals>" in kind.__qualname__ or kind.__module__ == "__main__":
            raise NotApplicable(f"{kind.__qualname__} cannot be imported by another process")
        task = self.toy.task
        order = {
            "hooks": self.hooks,
            "factory": self.spec.factory.split(":"),
            "parameters": [kind.__module__, kind.__qualname__],
            "values": dataclasses.asdict(self.parameters),
            "task": [task.labels, task.shape, task.columns],
        }
        hooks, construction = in_new_process(_CONSTRUCT, order)
        return hooks, construction


def in_new_process(code: str, order: Mapping[str, Any]) -> Any:
    """What code gives as ``answer`` in a new process, once hooks were asked there.

    Parameters
    ----------
    code : sees ``order``; ``hooks``, the heavy modules that are loaded by then; ``loaded()``,
        those that are loaded when it is called.
    order : JSON values; ``hooks`` are the modules whose hooks are asked.
    """
    arguments = json.dumps({**order, "heavy": HEAVY})
    path = os.pathsep.join(p or os.getcwd() for p in sys.path)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"{_ASK_HOOKS}{code}\nprint(json.dumps(answer))", arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Broken(f"in a new process: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


_ASK_HOOKS = """
import importlib, json, sys
before, order = set(sys.modules), json.loads(sys.argv[1])
def loaded(): return [n for n in order["heavy"] if n in sys.modules and n not in before]
for name in order["hooks"]:
    for hook in list(vars(importlib.import_module(name)).values()):
        if callable(hook) and hasattr(hook, "mgrkit_impl"): list(hook())
hooks = loaded()
"""

_CONSTRUCT = """
kind = importlib.import_module(order["parameters"][0])
for name in order["parameters"][1].split("."): kind = getattr(kind, name)
from mgrkit.classifiers.base import Task
labels, shape, columns = map(tuple, order["task"])
factory = getattr(importlib.import_module(order["factory"][0]), order["factory"][1])
factory(Task(labels, shape, columns), kind(**order["values"]))
answer = hooks, [n for n in loaded() if n != "numpy"]
"""
