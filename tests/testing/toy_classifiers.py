"""A nearest centroid that keeps the contract, and one class for each way to break it."""

from __future__ import annotations

import os
import pickle
import random
import subprocess
import sys
import threading
import time
from pickle import loads as imported_by_name
from typing import Any

import numpy as np

from mgrkit.classifiers import Classifier, Examples, Run
from mgrkit.errors import BundleError, UsageError


class Centroid(Classifier):
    """Probabilities fall with the squared distance to the mean of each label."""

    device = "cpu"

    def __init__(self, task, parameters) -> None:
        super().__init__(task, parameters)
        self.sums: np.ndarray | None = None

    def fit(self, train: Examples, valid: Examples | None, run: Run) -> None:
        size, labels = self.size(), len(self.task.labels)
        sums = np.zeros((labels, size + 1))
        order = run.generator("order").permutation(len(train))
        parts = np.array_split(order, self.parameters.steps)
        kept = run.folder / "sums.npz" if run.folder else None
        done = 0
        if kept and kept.exists():
            with np.load(kept) as checkpoint:
                done, sums = int(checkpoint["done"]), checkpoint["sums"]
        for step in range(self.first(done), len(parts)):
            self.ask(run)
            part = parts[step]
            flat = self.flat(train.x[part])
            np.add.at(sums, train.y[part], np.column_stack([flat, np.ones(len(part))]))
            if kept:
                self.keep(kept, step + 1, sums)
            run.progress(step + 1, len(parts), {})
        self.sums = sums

    def flat(self, x) -> np.ndarray:
        """One row of numbers for each example; of sound its spectrum, for phases differ."""
        if x.ndim == 2 and not self.task.columns:
            x = np.abs(np.fft.rfft(x))
        return x.reshape(len(x), -1)

    def size(self) -> int:
        return self.flat(np.zeros((1, *self.task.shape))).shape[1]

    def ask(self, run: Run) -> None:
        run.check()

    def first(self, done: int) -> int:
        return done

    def keep(self, path, done: int, sums) -> None:
        temporary = path.with_suffix(".tmp.npz")
        np.savez(temporary, done=done, sums=sums)
        os.replace(temporary, path)

    def predict_proba(self, x):
        if self.sums is None:
            raise UsageError("centroid: fit comes before predict_proba")
        if x.shape[1:] != self.task.shape:
            raise UsageError(f"centroid: x has shape {x.shape}")
        return self.likely(x).astype(np.float32)

    def likely(self, x) -> np.ndarray:
        count = self.sums[:, -1:]
        centroids = self.sums[:, :-1] / np.maximum(count, 1)
        flat = self.flat(x)[:, None].astype(np.float64)
        far = ((flat - centroids) ** 2).mean(2)
        far = np.where(count[:, 0] > 0, far, np.inf)
        far -= far.min(1, keepdims=True)
        likely = np.exp(-self.parameters.sharpness * far)
        return likely / likely.sum(1, keepdims=True)

    def state(self) -> dict[str, Any]:
        return {"sums": self.sums[:, :-1].copy(), "counts": self.sums[:, -1].copy()}

    def restore(self, state, device: str = "cpu") -> None:
        size, labels = self.size(), len(self.task.labels)
        for name, shape in (("sums", (labels, size)), ("counts", (labels,))):
            if name not in state or state[name].shape != shape:
                raise BundleError(f"centroid: {name} is missing, or not of shape {shape}")
            if state[name].dtype.kind != "f":
                raise BundleError(f"centroid: {name} is {state[name].dtype}")
        self.sums = np.column_stack([state["sums"], state["counts"]])
        self.device = device


class ImportsScipy(Centroid):
    def __init__(self, task, parameters) -> None:
        import scipy  # noqa: F401

        super().__init__(task, parameters)


class TakesMemory(Centroid):
    def __init__(self, task, parameters) -> None:
        super().__init__(task, parameters)
        self.table = np.empty(1 << 20)


class AnswersUnfitted(Centroid):
    def predict_proba(self, x):
        if self.sums is None and x.shape[1:] == self.task.shape:
            return np.full((len(x), 3), 1 / 3, np.float32)
        return super().predict_proba(x)


class NamelessFault(Centroid):
    def predict_proba(self, x):
        if self.sums is None:
            raise AttributeError("sums")
        return super().predict_proba(x)


class CutsToShape(Centroid):
    def predict_proba(self, x):
        x = x.reshape(1, -1) if x.ndim == 1 else x
        return super().predict_proba(x[:, : self.task.shape[0]])


class LearnsNothing(Centroid):
    def likely(self, x) -> np.ndarray:
        known = self.sums[:, -1] > 0
        return np.tile(known / known.sum(), (len(x), 1))


class DoublePrecision(Centroid):
    def predict_proba(self, x):
        return super().predict_proba(x).astype(np.float64)


class Unnormalised(Centroid):
    def likely(self, x) -> np.ndarray:
        return super().likely(x) * 0.99


class BelowZero(Centroid):
    def likely(self, x) -> np.ndarray:
        found = super().likely(x) + np.array([-1e-3, 1e-3, 0])
        return found if (self.sums[:, -1] > 0).all() else super().likely(x)


class OverflowsFarAway(Centroid):
    def likely(self, x) -> np.ndarray:
        found = super().likely(x)
        found[np.abs(x).max(1) > 1e4] = np.nan
        return found


class PacksColumns(Centroid):
    def likely(self, x) -> np.ndarray:
        known = self.sums[:, -1] > 0
        found = super().likely(x)
        return np.hstack([found[:, known], np.zeros((len(x), (~known).sum()))])


class LooksAtNeighbours(Centroid):
    def likely(self, x) -> np.ndarray:
        found = super().likely(x)
        return 0.9 * found + 0.1 * found.mean(0)


class SpoilsTrain(Centroid):
    def fit(self, train, valid, run) -> None:
        super().fit(train, valid, run)
        if train.x.flags.writeable:
            train.x[0, 0] += 1


class SpoilsX(Centroid):
    def predict_proba(self, x):
        found = super().predict_proba(x)
        if x.flags.writeable:
            x[-1, 0] += 1
        return found


class WantsWriteable(Centroid):
    def fit(self, train, valid, run) -> None:
        train.x.flags.writeable = True
        super().fit(train, valid, run)


class NeedsValid(Centroid):
    def fit(self, train, valid, run) -> None:
        super().fit(train, valid, run)
        self.patience = len(valid)


class OwnRandomness(Centroid):
    def fit(self, train, valid, run) -> None:
        super().fit(train, valid, run)
        self.sums[:, :-1] += np.random.default_rng().normal(size=self.sums[:, :-1].shape)


class StartsWarm(Centroid):
    def fit(self, train, valid, run) -> None:
        before = self.sums
        super().fit(train, valid, run)
        if before is not None:
            self.sums += before


class NeverAsks(Centroid):
    def ask(self, run) -> None:
        pass


class CarriesOn(Centroid):
    def ask(self, run) -> None:
        run.stop_requested()


class CountsTwice(Centroid):
    def first(self, done: int) -> int:
        return max(done - 1, 0)


class KeepsNothing(Centroid):
    def keep(self, path, done, sums) -> None:
        pass


class ListsAsState(Centroid):
    def state(self):
        return {name: array.tolist() for name, array in super().state().items()}

    def restore(self, state, device="cpu") -> None:
        super().restore({name: np.asarray(array) for name, array in state.items()}, device)


class ObjectsAsState(Centroid):
    def state(self):
        return {name: array.astype(object) for name, array in super().state().items()}

    def restore(self, state, device="cpu") -> None:
        if any(array.dtype != object for array in state.values()):
            raise BundleError("centroid: an array is not of objects")
        super().restore({n: np.asarray(a, np.float64) for n, a in state.items()}, device)


class HidesPickle(Centroid):
    """An array of bytes is plain enough for any file."""

    load = staticmethod(pickle.loads)

    def state(self):
        return {"all": np.frombuffer(pickle.dumps(self.pickled()), np.uint8)}

    def pickled(self) -> Any:
        return {name: array.tolist() for name, array in super().state().items()}

    def restore(self, state, device="cpu") -> None:
        if "all" not in state or (state["all"].ndim, state["all"].dtype) != (1, np.uint8):
            raise BundleError("centroid: all is missing")
        found = type(self).load(state["all"].tobytes())
        super().restore({name: np.asarray(array) for name, array in found.items()}, device)


class PicklesByModule(HidesPickle):
    @staticmethod
    def load(data):
        return pickle.loads(data)


class PicklesByName(HidesPickle):
    load = staticmethod(imported_by_name)

    def pickled(self) -> Any:
        return Centroid.state(self)


class RoundsState(Centroid):
    def state(self):
        return {name: array.astype(np.float16) for name, array in super().state().items()}


class KeepsOutside(Centroid):
    """Its arrays are all zero; what counts is in the process."""

    last = None

    def fit(self, train, valid, run) -> None:
        super().fit(train, valid, run)
        KeepsOutside.last = self.sums

    def restore(self, state, device="cpu") -> None:
        super().restore(state, device)
        self.sums = KeepsOutside.last


class ForgivesMissing(Centroid):
    def restore(self, state, device="cpu") -> None:
        super().restore({"counts": np.ones(len(self.task.labels)), **state}, device)


class ForgivesShapes(Centroid):
    def restore(self, state, device="cpu") -> None:
        if not {"sums", "counts"} <= set(state):
            raise BundleError("centroid: an array is missing")
        labels = len(self.task.labels)
        state = {"sums": state["sums"].reshape(labels, -1), "counts": state["counts"].ravel()}
        super().restore(state, device)


class ForgivesTypes(Centroid):
    def restore(self, state, device="cpu") -> None:
        plain = {name: np.asarray(array, np.float64) for name, array in state.items()}
        super().restore(plain, device)


class Prints(Centroid):
    def fit(self, train, valid, run) -> None:
        print("fitting")
        super().fit(train, valid, run)


class WritesBelowPython(Centroid):
    def predict_proba(self, x):
        found = super().predict_proba(x)
        os.write(1, b"predicting\n")
        return found


class SeedsNumpy(Centroid):
    def fit(self, train, valid, run) -> None:
        np.random.seed(run.seed)  # noqa: NPY002
        np.random.uniform()  # noqa: NPY002
        super().fit(train, valid, run)


class DrawsGlobally(Centroid):
    def fit(self, train, valid, run) -> None:
        random.random()
        super().fit(train, valid, run)


class SeedsTorch(Centroid):
    def fit(self, train, valid, run) -> None:
        if "torch" in sys.modules:
            sys.modules["torch"].rand(1)
        super().fit(train, valid, run)


class LeavesThread(Centroid):
    end = threading.Event()

    def fit(self, train, valid, run) -> None:
        super().fit(train, valid, run)
        threading.Thread(target=self.end.wait, args=(60,), daemon=True).start()


class LeavesProcess(Centroid):
    left: list[subprocess.Popen] = []  # noqa: RUF012

    def fit(self, train, valid, run) -> None:
        super().fit(train, valid, run)
        self.left.append(subprocess.Popen(["sleep", "60"]))


class OtherOnCuda(Centroid):
    def likely(self, x) -> np.ndarray:
        found = super().likely(x)
        return found if self.device == "cpu" else 0.99 * found + 0.01 / 3


class Slow(Centroid):
    """Asks only at its beginning, on a clock that a test moves."""

    def fit(self, train, valid, run) -> None:
        super().fit(train, valid, run)
        time.sleep(60)
