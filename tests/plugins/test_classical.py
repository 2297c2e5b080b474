"""All classifiers of tables: hard data, devices, stopping, life without scikit-learn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mgrkit_classical import scaling
from mgrkit_classical.arrays import Place
from sklearn.preprocessing import PowerTransformer

from mgrkit.classifiers import Bundle, Examples, Run, save_bundle
from mgrkit.errors import BundleError, Stopped, UsageError
from tests.plugins.classical import QUICK, SOLVED, examples, fitted, learnable, make

ALL = pytest.mark.parametrize("name", QUICK)


def sound(probabilities: Any, rows: int, labels: int = 4) -> None:
    assert probabilities.shape == (rows, labels)
    assert probabilities.dtype == np.float32
    assert np.isfinite(probabilities).all()
    assert (probabilities >= 0).all()
    assert abs(probabilities.sum(1, dtype=np.float64) - 1).max(initial=0) < 1e-6


@ALL
def test_a_label_without_examples_gets_exactly_nothing(name: str) -> None:
    train = examples()
    kept = train.y != 1
    probabilities = fitted(name, learnable(train.x[kept], train.y[kept])).predict_proba(train.x)
    sound(probabilities, len(train))
    assert (probabilities[:, 1] == 0).all()
    assert (probabilities[kept].argmax(1) == train.y[kept]).mean() > 0.8


@ALL
@pytest.mark.parametrize("labels", [3, 9])
def test_a_few_tracks_of_each_genre(name: str, labels: int) -> None:
    """Which scikit-learn warns of."""
    train = examples(labels, each=2)
    kept = (train.y > 0) | (np.arange(len(train)) == np.flatnonzero(train.y == 0)[0])
    model = fitted(name, learnable(train.x[kept], train.y[kept]), labels)
    sound(model.predict_proba(train.x), len(train), labels)


@ALL
def test_one_row_or_none_or_all_at_once(name: str) -> None:
    train = examples()
    model = fitted(name, train)
    probabilities = model.predict_proba(train.x)
    alone = np.concatenate([model.predict_proba(row[None]) for row in train.x])
    assert abs(alone - probabilities).max() < 1e-6
    sound(model.predict_proba(train.x[:0]), 0)


@ALL
@pytest.mark.parametrize("labels", [2, 7])
def test_what_is_cut_into_chunks_is_the_same(
    name: str, labels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    train = examples(labels)
    model = fitted(name, train, labels)
    whole = model.predict_proba(train.x)
    for module in ("svm", "trees", "columns"):
        monkeypatch.setattr(f"mgrkit_classical.{module}._CELLS", 3000)
    assert abs(model.predict_proba(train.x) - whole).max() < 1e-6


@ALL
def test_columns_that_say_nothing_or_too_much(name: str) -> None:
    train = examples()
    plain = fitted(name, train).predict_proba(train.x).argmax(1)
    n = len(train)
    odd = np.zeros((n, 5), np.float32)
    odd[:, 1] = 0.1
    odd[:, 2] = -3e38
    odd[:, 3] = np.where(np.arange(n) == 0, 3e38, 0)
    odd[:, 4] = np.where(np.arange(n) == 1, 1e-44, 0)
    wide = np.concatenate([train.x, odd], axis=1)
    model = fitted(name, learnable(wide, train.y))
    probabilities = model.predict_proba(wide)
    sound(probabilities, n)
    assert (probabilities.argmax(1) == plain).mean() > 0.9
    for far in (3.4e38, -3.4e38, 0):
        sound(model.predict_proba(np.full_like(wide, far)), n)


@ALL
def test_a_column_that_was_constant_stays_without_a_say(name: str) -> None:
    train = examples()
    wide = np.concatenate([train.x, np.full((len(train), 1), 0.1, np.float32)], axis=1)
    model = fitted(name, learnable(wide, train.y))
    moved = wide.copy()
    moved[:, -1] = 1e6
    assert np.array_equal(model.predict_proba(wide), model.predict_proba(moved))


@ALL
def test_few_examples(name: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 30)).astype(np.float32)
    sound(fitted(name, learnable(x, np.array([0, 3]))).predict_proba(x), 2)
    same = np.ones((9, 30), np.float32)
    sound(fitted(name, learnable(same, np.arange(9) % 4)).predict_proba(same), 9)


@pytest.mark.parametrize("name", [name for name in QUICK if name != "svm"])
def test_161_genres(name: str) -> None:
    """As many as FMA has; svm has 12,880 pairs of them, which are minutes."""
    train = examples(161, each=2)
    some = {"max_iter": 2} if name in ("gradient_boosting", "mlp") else {}
    model = fitted(name, train, 161, **some)
    probabilities = model.predict_proba(train.x)
    sound(probabilities, len(train), 161)
    assert (probabilities.max(0) > 0).all()


@ALL
def test_a_genre_with_one_track_and_duplicates(name: str) -> None:
    train = examples(3)
    lone = np.append(train.y, 3)
    x = np.concatenate([train.x, train.x[:1]])
    probabilities = fitted(name, learnable(x, lone)).predict_proba(x)
    sound(probabilities, len(x))
    assert np.array_equal(probabilities[0], probabilities[-1])
    assert probabilities[-1, 3] > 0


@ALL
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(name: str, value: float) -> None:
    train = examples()
    model = fitted(name, train)
    broken = train.x.copy()
    broken[5, 2] = value
    with pytest.raises(UsageError, match="column c2 has values that are not finite"):
        model.predict_proba(broken)
    with pytest.raises(UsageError, match="not finite"):
        fitted(name, learnable(broken, train.y))


@ALL
def test_values_too_large_for_float32(name: str) -> None:
    train = examples()
    with pytest.raises(UsageError, match="not finite"):
        fitted(name, train).predict_proba(np.full(train.x.shape, 1e39))


@ALL
@pytest.mark.parametrize(
    ("y", "said"),
    [
        ([0] * 8, "all genre0"),
        ([0, 1, 2, 4] * 2, "from 0 to 3"),
        ([0, 1, 2, -1] * 2, "from 0 to 3"),
        ([0, 1, 2], "for 8 rows"),
        ([], "for 8 rows"),
    ],
)
def test_labels_that_cannot_be(name: str, y: list[int], said: str) -> None:
    x = np.random.default_rng(0).normal(size=(8, 6)).astype(np.float32)
    n = np.arange(8)
    with pytest.raises(UsageError, match=said):
        make(name).fit(Examples(x, np.array(y, np.int64), n, n), None, Run(0))


@ALL
def test_examples_of_another_shape_or_kind(name: str) -> None:
    model = fitted(name, examples())
    for other in (np.zeros((3, 5)), np.zeros(6), np.zeros((2, 3, 6)), np.full((2, 6), "a")):
        with pytest.raises(UsageError, match="not numbers of shape"):
            model.predict_proba(other)


@ALL
def test_before_fit_there_is_nothing(name: str) -> None:
    with pytest.raises(UsageError, match="neither fit nor restored"):
        make(name).state()
    with pytest.raises(UsageError, match="neither fit nor restored"):
        make(name).predict_proba(examples().x)


@ALL
def test_torch_gives_the_same(name: str) -> None:
    pytest.importorskip("torch")
    for labels, options in ((2, {}), (5, {"class_weight": "balanced"})):
        train = examples(labels)
        model = fitted(name, train, labels, **options)
        other = make(name, labels, **options)
        # Only plain 'cpu' is NumPy's: by this name, torch computes there.
        other.restore(model.state(), "cpu:0")
        assert abs(other.predict_proba(train.x) - model.predict_proba(train.x)).max() < 1e-6


@ALL
def test_a_fit_for_a_device_predicts_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    of = Place.of
    monkeypatch.setattr(Place, "of", lambda device: asked.append(device) or of("cpu"))
    here = {"solver": "sklearn"} if name in SOLVED else {}
    make(name, **here).fit(examples(), None, Run(0, device="cuda:1"))
    assert asked[-1] == "cuda:1"


STEPS = {
    "svm": 6, "random_forest": 12, "logistic_regression": 1, "extra_trees": 12, "bagging": 12,
    "adaboost": 12, "gradient_boosting": 12, "decision_tree": 1, "knn": 1, "nearest_centroid": 1,
    "naive_bayes": 1, "lda": 1, "qda": 1, "mlp": 30, "ridge": 4, "perceptron": 4, "sgd": 4,
    "linear_svm": 4,
}  # fmt: skip
"""Of the progress of a fit: pairs of four genres, trees, rounds, epochs, genres, or all at once."""

CHANCE = {
    "random_forest", "extra_trees", "bagging", "gradient_boosting", "decision_tree", "mlp",
    "perceptron", "sgd",
}  # fmt: skip
"""Those whose fits hang on a seed."""


@ALL
def test_a_seed_decides(name: str) -> None:
    train = examples()
    one, two, other = make(name), make(name), make(name)
    for model, seed in ((one, 1), (two, 1), (other, 2)):
        model.fit(train, None, Run(seed))
    for key, array in one.state().items():
        assert np.array_equal(array, two.state()[key])
    same = np.array_equal(one.predict_proba(train.x), other.predict_proba(train.x))
    assert same == (name not in CHANCE)


@ALL
def test_every_moment_of_a_fit_can_be_the_last(name: str) -> None:
    train, asked = examples(), []
    model = make(name)
    model.fit(train, None, Run(0, stop_requested=lambda: bool(asked.append(0))))
    # At the beginning and the end, and columns, pairs, folds, trees or epochs between.
    least = {"svm": 12, "logistic_regression": 11, "gradient_boosting": 5}
    assert len(asked) >= least.get(name, STEPS[name] + 2)
    for last in range(len(asked)):
        calls = iter([False] * last)
        with pytest.raises(Stopped):
            model.fit(train, None, Run(0, stop_requested=lambda left=calls: next(left, True)))


@ALL
def test_progress_is_told_to_the_end(name: str) -> None:
    steps: list[tuple[int, int]] = []
    run = Run(0, progress=lambda step, total, _: steps.append((step, total)))
    make(name).fit(examples(), None, run)
    every = 5 if name == "gradient_boosting" else 1
    total = STEPS[name]
    assert steps == [(i, total) for i in [*range(every, total, every), total]]


@ALL
def test_arrays_too_many_or_too_few(name: str) -> None:
    state = dict(fitted(name, examples()).state())
    with pytest.raises(BundleError, match="surplus"):
        make(name).restore({**state, "surplus": np.zeros(1)})
    for key in state:
        with pytest.raises(BundleError, match=key):
            make(name).restore({k: v for k, v in state.items() if k != key})


@ALL
def test_arrays_of_another_type_or_size(name: str) -> None:
    state = dict(fitted(name, examples()).state())
    for key, array in state.items():
        for other in (array.astype(np.complex128), array[None], array[..., :-1], array[:0]):
            with pytest.raises(BundleError):
                make(name).restore({**state, key: other})
        if array.dtype.kind == "f":
            for value in (np.nan, np.inf, -np.inf):
                broken = array.copy()
                broken.flat[-1] = value
                with pytest.raises(BundleError, match=f"{key} has values out of range"):
                    make(name).restore({**state, key: broken})


@ALL
def test_any_change_is_refused_or_gives_probabilities(name: str) -> None:
    train = examples()
    state = dict(fitted(name, train).state())
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        key = list(state)[rng.integers(len(state))]
        raw = bytearray(state[key].tobytes())
        raw[rng.integers(len(raw))] ^= 1 << rng.integers(8)
        changed = np.frombuffer(bytes(raw), state[key].dtype).reshape(state[key].shape)
        model = make(name)
        try:
            model.restore({**state, key: changed})
        except BundleError:
            refused += 1
            continue
        sound(model.predict_proba(train.x), len(train))
    assert 0 < refused < 300


@ALL
def test_a_failed_restore_leaves_the_model_as_it_was(name: str) -> None:
    train = examples()
    model = fitted(name, train)
    probabilities = model.predict_proba(train.x)
    last = list(model.state())[-1]
    with pytest.raises(BundleError):
        model.restore({**model.state(), last: np.zeros(1)})
    assert np.array_equal(model.predict_proba(train.x), probabilities)


@ALL
def test_a_bundle_predicts_without_scikit_learn_or_scipy(name: str, tmp_path: Path) -> None:
    train = examples()
    model = fitted(name, train)
    bundle = Bundle(
        name, "mgrkit", "0", QUICK[name], "features:gtzan57", model.task, dict(model.state())
    )
    save_bundle(tmp_path / "model.safetensors", bundle)
    np.save(tmp_path / "x.npy", train.x)
    code = (
        "import sys; sys.modules.update(sklearn=None, scipy=None, torch=None)\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "from mgrkit.classifiers import load_bundle, restored\n"
        "model = restored(load_bundle(Path('model.safetensors')))\n"
        "np.save('probabilities.npy', model.predict_proba(np.load('x.npy')))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)
    assert np.array_equal(np.load(tmp_path / "probabilities.npy"), model.predict_proba(train.x))


def test_the_exponents_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(3)
    x = np.column_stack(
        [
            random.normal(0, 1, 400), random.gamma(2, 3, 400), -random.gamma(1, 2, 400),
            random.uniform(1e3, 1e3 + 5, 400), np.exp(random.normal(0, 1, 400)),
        ]
    ).astype(np.float32)  # fmt: skip
    ours = scaling.fit(x, True, Run(0))["lambda"]
    z = (x - x.mean(0, np.float64)) / x.std(0, dtype=np.float64)
    theirs = PowerTransformer(standardize=False).fit(z).lambdas_
    assert np.abs(theirs).max() < 5
    assert np.allclose(ours, theirs, atol=1e-3)


def test_columns_are_scaled_alike_however_many_are_fit_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = examples(columns=7).x
    whole, z = scaling.fitted(x, True, Place.of("cpu"), Run(0))
    asked = []
    apply = scaling.apply
    monkeypatch.setattr(scaling, "apply", lambda *of: asked.append(len(of[2])) or apply(*of))
    monkeypatch.setattr(scaling, "_CELLS", 3 * len(x))
    found, by_parts = scaling.fitted(x, True, Place.of("cpu"), Run(0))
    for name, values in found.items():
        assert np.allclose(values, whole[name], rtol=1e-5, atol=1e-7), name
    assert abs(by_parts - z).max() < 1e-5
    assert len(asked) > 1
    assert sum(asked) == len(x)


@pytest.mark.torch
def test_columns_are_scaled_alike_in_torch() -> None:
    x = np.concatenate([examples().x, np.ones((48, 1), np.float32)], axis=1)
    here, z = scaling.fitted(x, True, Place.of("cpu"), Run(0))
    there, on_device = scaling.fitted(x, True, Place.torch("cpu"), Run(0))
    for name, values in here.items():
        assert np.allclose(there[name], values, rtol=1e-5, atol=1e-7), name
    assert abs(on_device.numpy() - z).max() < 1e-5
    assert (on_device.numpy()[:, -1] == 0).all()
