"""The networks in NumPy tell what they tell in torch, and need nothing of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_neural import frozen, predicting
from mgrkit_neural.classifier import NeuralClassifier
from mgrkit_neural.cnn import CNN
from mgrkit_neural.frozen import Frozen
from mgrkit_neural.novelty import PREFIX
from mgrkit_neural.numpy_transformer import erf
from mgrkit_neural.predicting import Trained
from torch import nn

from mgrkit.classifiers import load_bundle, restored
from mgrkit.classifiers.base import Task
from mgrkit.errors import BundleError, UsageError
from mgrkit.models.choosing import choose
from mgrkit.registry import installed, resolve, with_parameters

SAME = 2e-6
"""How far probabilities may be apart: rounding of float32."""
LABELS = tuple("abcde")
SEEN = np.array([0, 1, 3])
CHOICES: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("cnn", {}, (128, 334)),
    ("cnn", {"width": 3, "members": 3}, (65, 77)),
    ("cnn", {"width": 1, "views": 0}, (9, 1)),
    ("cnn", {"views": 5, "crop_seconds": 0.05}, (64, 333)),
    ("cnn", {"width": 24, "views": 0}, (96, 1293)),
    ("crnn", {}, (128, 334)),
    ("crnn", {"width": 3, "hidden": 7, "members": 2}, (33, 61)),
    ("crnn", {"width": 2, "hidden": 1, "views": 3}, (1, 5)),
    ("vit", {}, (128, 334)),
    ("vit", {"heads": 1, "depth": 1, "patch_bands": 8, "patch_frames": 4}, (61, 43)),
    ("vit", {"heads": 3, "depth": 2, "patch_frames": 16, "views": 0}, (100, 333)),
    ("vit", {"heads": 2, "depth": 1, "patch_bands": 64, "patch_frames": 64, "members": 2}, (40, 7)),
    ("cnn", {"width": 2, "views": 3, "crop_seconds": 5.0}, (3, 65, 77)),
    ("crnn", {"width": 2, "hidden": 5, "views": 0}, (3, 33, 61)),
    ("vit", {"heads": 1, "depth": 1}, (3, 61, 43)),
]


def classifier(name: str, given: dict[str, Any], shape: tuple[int, ...]) -> NeuralClassifier:
    spec = installed().classifier(name).spec
    made = resolve(spec.factory)(Task(LABELS, shape), with_parameters(spec, given))
    assert isinstance(made, NeuralClassifier)
    return made


def state(of: NeuralClassifier) -> dict[str, Any]:
    """Random weights as after some training: norms that do something, logits that differ."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        members = [of.network() for _ in range(of.parameters.members)]
        for part in (part for member in members for part in member.modules()):
            if isinstance(part, nn.BatchNorm2d | nn.LayerNorm):
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, 0, 0.2)
            if isinstance(part, nn.BatchNorm2d):
                nn.init.normal_(part.running_mean, 0, 0.3)
                nn.init.uniform_(part.running_var, 0.5, 2)
    return predicting.stored(members, SEEN)


def pictures(n: int, shape: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, *shape), np.uint8)


def in_torch(of: NeuralClassifier, arrays: dict[str, Any]) -> Trained:
    return predicting.restored(of.network, of.task, of.parameters, arrays, "cpu")


@pytest.mark.parametrize(("name", "given", "shape"), CHOICES)
def test_numpy_tells_what_torch_tells(
    name: str, given: dict[str, Any], shape: tuple[int, int]
) -> None:
    of = classifier(name, given, shape)
    arrays, x = state(of), pictures(5, shape)
    of.restore(arrays)
    assert isinstance(of._trained, Frozen)
    told, wanted = of.predict_proba(x), in_torch(of, arrays).probabilities(x)
    assert told.dtype == np.float32
    assert np.ptp(wanted[:, SEEN]) > 1e-3, "the weights tell nothing"
    assert np.abs(told - wanted).max() < SAME
    kept = of.state()
    assert all(np.array_equal(kept[key], arrays[key]) for key in kept.keys() | arrays.keys())


def test_the_shipped_model_tells_what_it_tells_in_torch() -> None:
    bundle = load_bundle(choose("cnn")[0])
    of = restored(bundle)
    assert isinstance(of, NeuralClassifier)
    x = pictures(3, of.task.shape)  # type: ignore[arg-type]
    weights = {name: a for name, a in bundle.state.items() if not name.startswith(PREFIX)}
    wanted = in_torch(of, weights).probabilities(x)
    assert np.abs(of.predict_proba(x) - wanted).max() < SAME


@pytest.mark.parametrize("name", ["cnn", "crnn", "vit"])
def test_threads_tell_the_same_bytes(name: str) -> None:
    of = classifier(name, {"width": 4} if name != "vit" else {"depth": 1}, (64, 100))
    of.restore(state(of))
    some = [pictures(n, (64, 100)) for n in (1, 4, 2, 9)] * 4
    alone = [of.predict_proba(x).tobytes() for x in some]
    with ThreadPoolExecutor(4) as pool:
        assert [told.tobytes() for told in pool.map(of.predict_proba, some)] == alone


def test_pictures_go_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    of = classifier("cnn", {"width": 2}, (32, 50))
    of.restore(state(of))
    x = pictures(7, (32, 50))
    whole = of.predict_proba(x)
    monkeypatch.setattr(frozen, "_PIXELS", 1)
    assert np.abs(of.predict_proba(x) - whole).max() < SAME
    assert of.predict_proba(x[:0]).shape == (0, len(LABELS))


def test_who_fits_predicts_as_who_restores() -> None:
    from mgrkit.classifiers import Run
    from mgrkit.testing.toys import toy

    case = toy("image")
    spec = installed().classifier("cnn").spec
    given = {"epochs": 2, "crop_seconds": 0.75, "batch": 16, "width": 2}
    first, second = (resolve(spec.factory)(case.task, with_parameters(spec, given)) for _ in "ab")
    first.fit(case.train, None, Run(1))
    second.restore(first.state())
    assert first.predict_proba(case.asked).tobytes() == second.predict_proba(case.asked).tobytes()


class Other(CNN):
    """Another network under the same names: what CNN has in NumPy is not it."""

    def network(self) -> nn.Module:
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 5))


class Doubled(CNN):
    """One that gives both."""

    def network(self) -> nn.Module:
        return super().network()

    def numpy_network(self, arrays: Any) -> Any:
        plain = super().numpy_network(arrays)
        return lambda x: 2 * plain(x)


def test_a_subclass_with_another_network_goes_through_torch() -> None:
    parameters = with_parameters(installed().classifier("cnn").spec, {})
    of = Other(Task(LABELS, (16, 20)), parameters)
    arrays = state(of)
    of.restore(arrays)
    assert isinstance(of._trained, Trained)
    double, plain = Doubled(of.task, parameters), CNN(of.task, parameters)
    arrays = state(plain)
    for each in (double, plain):
        each.restore(arrays)
    assert isinstance(double._trained, Frozen)
    x = pictures(2, (16, 20))
    assert np.abs(double.predict_proba(x) - plain.predict_proba(x)).max() > 1e-3


DAMAGE = {
    "a missing array": (lambda a: a.pop("0.1.convolutions.1.weight"), "lack, or should not"),
    "missing labels": (lambda a: a.pop("labels"), "lack, or should not have: labels"),
    "one too many": (lambda a: a.update(more=np.zeros(1)), "lack, or should not have: more"),
    "another member": (lambda a: a.update({"1.10.bias": np.zeros(5)}), "not have: 1.10.bias"),
    "another shape": (
        lambda a: a.update({"0.10.bias": np.zeros(6, np.float32)}),
        r"0.10.bias is float32 of shape \(6,\), not float32 of shape \(5,\)",
    ),
    "another type": (
        lambda a: a.update({"0.0.1.num_batches_tracked": np.zeros(())}),
        r"float64 of shape \(\), not int64",
    ),
    "no number": (
        lambda a: a["0.10.bias"].fill(np.nan),
        "0.10.bias has values that are not finite",
    ),
    "labels in disorder": (lambda a: a.update(labels=SEEN[::-1]), "two or more of the bundle's"),
    "labels of one": (lambda a: a.update(labels=SEEN[:1]), "two or more of the bundle's"),
    "labels beyond": (lambda a: a.update(labels=SEEN + 2), "two or more of the bundle's"),
    "labels as a table": (lambda a: a.update(labels=SEEN[None]), "labels is int64 of shape"),
    "labels as numbers": (lambda a: a.update(labels=SEEN * 1.0), "labels is float64 of shape"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_arrays_that_cannot_be_are_refused_in_the_same_words(how: str) -> None:
    damage, words = DAMAGE[how]
    of = classifier("cnn", {"width": 2}, (32, 50))
    arrays = {name: np.array(array) for name, array in state(of).items()}
    damage(arrays)
    with pytest.raises(BundleError, match=words) as by_numpy:
        of.restore(arrays)
    with pytest.raises(BundleError, match=words) as by_torch:
        in_torch(of, arrays)
    assert str(by_numpy.value) == str(by_torch.value)


def test_other_pictures_are_refused_in_the_same_words() -> None:
    of = classifier("cnn", {"width": 2}, (32, 50))
    arrays = state(of)
    of.restore(arrays)
    for x in (pictures(2, (32, 51)), pictures(2, (32, 50))[0], pictures(2, (32, 50)) / 2):
        with pytest.raises(UsageError) as by_numpy:
            of.predict_proba(x)
        with pytest.raises(UsageError) as by_torch:
            in_torch(of, arrays).probabilities(x)
        assert str(by_numpy.value) == str(by_torch.value)


def test_weights_that_overflow_warn_nobody() -> None:
    of = classifier("cnn", {"width": 2, "views": 0}, (16, 20))
    arrays = {name: np.array(array) for name, array in state(of).items()}
    arrays["0.0.0.weight"][:] = 3e38
    arrays["0.0.1.running_var"][:] = -1
    of.restore(arrays)
    assert of.predict_proba(pictures(1, (16, 20))).shape == (1, len(LABELS))


def test_the_error_function_is_maths() -> None:
    from math import erf as exact

    x = np.linspace(-6, 6, 20_001, dtype=np.float32)
    told = erf(x)
    assert told.dtype == np.float32
    assert np.abs(told - [exact(one) for one in x.tolist()]).max() < 5e-7
