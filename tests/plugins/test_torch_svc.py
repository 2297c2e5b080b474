"""Support vector machines fit in torch, against libsvm's and against their own optimality."""

from __future__ import annotations

import itertools
import warnings
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_classical import kernels
from mgrkit_classical.arrays import Place
from mgrkit_classical.hooks import SVMParameters
from mgrkit_classical.solvers.torch import memory, svc, working_sets
from mgrkit_classical.solvers.torch.kernel_rows import KernelRows
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

from mgrkit.classifiers import Run
from mgrkit.errors import RunError, Stopped, UsageError

HERE = Place.of("cpu")
PLACE = Place(torch, "cpu")
NEAR = 1e-3
"""What the decision values may differ by, of two solvers that both stop close to the optimum."""


def clouds(labels: int, each: int, columns: int = 6, seed: int = 0) -> tuple[Any, Any]:
    """Standardised overlapping clouds, their labels rising and of different sizes."""
    rng = np.random.default_rng(seed)
    y = np.sort(np.concatenate([np.arange(labels), rng.integers(0, labels, labels * (each - 1))]))
    x = rng.normal(size=(labels, columns))[y] + rng.normal(size=(len(y), columns))
    return (x - x.mean(0)) / x.std(0), y


def weights_of(y: Any, seed: int = 3) -> Any:
    """Those of classes that count the same, and of examples that do not."""
    weight = np.random.default_rng(seed).uniform(0.2, 3, len(y)) / np.bincount(y)[y]
    return weight / weight.mean()


def fit(z: Any, y: Any, weight: Any = None, run: Run | None = None, **parameters: Any) -> Any:
    """Weights, bias, and the decision values ``(n, k, k)`` of the examples themselves."""
    asked = SVMParameters(**parameters)
    gamma = asked.gamma / z.shape[1]
    weight = np.ones(len(y)) if weight is None else weight
    weights, bias = svc.machines(
        torch.tensor(z), y.astype(np.int64), weight, asked, gamma, PLACE, run or Run(0)
    )
    likeness = kernels.kernel(HERE, z, z, asked, gamma)
    return weights, bias, kernels.decisions(HERE, likeness, weights, bias, np.bincount(y).tolist())


def libsvm(z: Any, y: Any, i: int, j: int, weight: Any = None, **parameters: Any) -> Any:
    """Its decision values ``(n,)`` of one pair, above 0 for i, when it stops near the optimum."""
    asked = SVMParameters(**parameters)
    both = np.flatnonzero((y == i) | (y == j))
    machine = SVC(
        C=asked.C,
        kernel=asked.kernel,
        gamma=asked.gamma / z.shape[1],
        degree=asked.degree,
        coef0=asked.coef0,
        tol=1e-6,
        max_iter=3_000_000,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        machine.fit(z[both], y[both] == i, None if weight is None else weight[both])
    return machine.decision_function(z)


def apart(z: Any, y: Any, weight: Any = None, **parameters: Any) -> float:
    """The largest difference of decision values, of all pairs."""
    decided = fit(z, y, weight, **parameters)[2]
    pairs = itertools.combinations(range(int(y[-1]) + 1), 2)
    return max(
        float(abs(decided[:, i, j] - libsvm(z, y, i, j, weight, **parameters)).max())
        for i, j in pairs
    )


KERNELS = [
    {"kernel": "rbf"},
    {"kernel": "rbf", "gamma": 2.0, "C": 30.0},
    {"kernel": "linear", "C": 0.3},
    {"kernel": "poly", "degree": 2, "coef0": 0.0},
    {"kernel": "poly", "degree": 4, "coef0": 2.0, "C": 0.5},
]


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("parameters", KERNELS, ids=lambda o: "-".join(map(str, o.values())))
def test_decisions_are_those_of_libsvm(
    labels: int, weighted: bool, parameters: dict[str, Any]
) -> None:
    z, y = clouds(labels, 30)
    assert apart(z, y, weights_of(y) if weighted else None, **parameters) < NEAR


def test_pairs_larger_than_a_working_set_agree_too() -> None:
    z, y = clouds(3, 300, 12)
    assert np.bincount(y).min() > 2 * svc._SET
    assert apart(z, y, weights_of(y)) < NEAR


@pytest.mark.parametrize("price", [1e-3, 1.0, 1e3, 1e6])
@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_any_price_of_a_wrong_example_settles(kernel: str, price: float) -> None:
    z, y = clouds(3, 40, 4)
    optimal(z, y, C=price, kernel=kernel)
    # With larger ones libsvm does not settle in millions of steps, or its float32 kernel shows.
    if price <= 1:
        assert apart(z, y, C=price, kernel=kernel) < NEAR


def optimal(z: Any, y: Any, **parameters: Any) -> None:
    """Nothing else than a machine's optimum, to the tolerance, fulfils all this."""
    asked = SVMParameters(**parameters)
    weight = weights_of(y)
    weights, _, decided = fit(z, y, weight, **parameters)
    most = asked.C * weight
    slack = 1e-9 * asked.C
    for i, j in itertools.combinations(range(int(y[-1]) + 1), 2):
        first, second = y == i, y == j
        both = first | second
        alpha = np.where(first, weights[:, j], weights[:, i])[both]
        sign, bound = np.where(first, 1, -1)[both], most[both]
        assert alpha.min() >= 0
        assert (alpha <= bound + slack).all()
        assert abs(sign @ alpha) < 1e-9 * asked.C * len(alpha)
        miss = 1 - sign * decided[both, i, j]
        # Right examples have no weight, wrong ones the bound, others lie on the margin.
        assert miss[alpha < bound - slack].max(initial=0) < 2e-4
        assert miss[alpha > slack].min(initial=0) > -2e-4


@pytest.mark.parametrize("parameters", [{"kernel": "linear", "C": 1e3}, {"C": 1e3}])
def test_constant_duplicate_and_correlated_columns(parameters: dict[str, Any]) -> None:
    z, y = clouds(3, 40, 3)
    noise = np.random.default_rng(1).normal(size=len(z))
    odd = [
        z,
        np.zeros((len(z), 2)),
        z[:, :1],
        z[:, :2] @ [[1.0], [1.0]],
        z[:, :1] + 1e-7 * noise[:, None],
    ]
    optimal(np.concatenate(odd, 1), y, **parameters)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_equal_rows_in_one_class_and_in_two(kernel: str) -> None:
    z, y = clouds(3, 20, 4)
    z[y == 1] = z[0]
    z[-8:] = z[0]
    assert apart(z, y, kernel=kernel) < NEAR
    optimal(np.zeros_like(z), y, kernel=kernel)


def test_classes_of_one_row() -> None:
    z, y = clouds(4, 12)
    keep = (y != 1) & (y != 3) | (np.diff(y, prepend=-1) > 0)
    z, y = z[keep], y[keep]
    assert np.bincount(y).tolist()[1::2] == [1, 1]
    assert apart(z, y, weights_of(y)) < NEAR
    assert apart(*clouds(2, 1)) < NEAR


def test_161_classes() -> None:
    z, y = clouds(161, 4, 12)
    weights, bias, decided = fit(z, y)
    assert weights.shape == (len(y), 161)
    assert not weights[np.arange(len(y)), y].any()
    assert np.array_equal(bias, -bias.T)
    for i, j in ((0, 1), (3, 160), (80, 81), (159, 160)):
        assert abs(decided[:, i, j] - libsvm(z, y, i, j)).max() < NEAR


def test_little_memory_gives_the_same_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    z, y = clouds(6, 60, 8)
    monkeypatch.setattr(svc, "_SET", 32)
    monkeypatch.setattr(KernelRows, "TILE", 4)
    capacities, computed = [], [0]
    make, kernel = KernelRows.__init__, kernels.kernel

    def watched(self: Any, *args: Any) -> None:
        capacities.append(args[4])
        make(self, *args)

    def counted(place: Place, x: Any, others: Any, *args: Any) -> Any:
        if place.xp is torch:
            computed[-1] += len(x) * len(others)
        return kernel(place, x, others, *args)

    monkeypatch.setattr(KernelRows, "__init__", watched)
    monkeypatch.setattr(kernels, "kernel", counted)
    whole = fit(z, y, C=30.0)[2]
    computed.append(0)
    monkeypatch.setattr(memory, "granted", lambda place: 380_000)
    tiled = fit(z, y, C=30.0)[2]
    assert capacities[0] == len(z)
    assert 32 <= capacities[1] < len(z) / 5
    assert computed[0] <= len(z) ** 2
    assert computed[1] > 1.2 * computed[0]
    assert abs(tiled - whole).max() < NEAR / 2


def test_bytes_are_the_same_each_time() -> None:
    z, y = clouds(5, 60, 12)
    first, second = fit(z, y), fit(z, y)
    assert [a.tobytes() for a in first] == [a.tobytes() for a in second]


def test_one_thread_computes_and_the_others_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    z, y = clouds(3, 100, 12)
    seen: set[int] = set()
    kernel = kernels.kernel
    monkeypatch.setattr(
        kernels, "kernel", lambda *a: (seen.add(torch.get_num_threads()), kernel(*a))[1]
    )
    asked = SVMParameters()
    arguments = (torch.tensor(z), y.astype(np.int64), np.ones(len(y)), asked, 0.02, PLACE)
    torch.set_num_threads(2)  # the fixture of all tests here sets it back
    svc.machines(*arguments, Run(0))
    assert torch.get_num_threads() == 2
    with pytest.raises(Stopped):
        svc.machines(*arguments, Run(0, stop_requested=lambda: True))
    assert torch.get_num_threads() == 2
    assert seen == {1}


def test_a_stop_request_ends_it_wherever_it_is() -> None:
    z, y = clouds(4, 150, 12)
    asked: list[None] = []
    fit(z, y, run=Run(0, stop_requested=lambda: bool(asked.append(None))))
    assert len(asked) > 50
    for some in (0, 1, len(asked) // 2, len(asked) - 1):
        calls = iter([False] * some)
        with pytest.raises(Stopped):
            fit(z, y, run=Run(0, stop_requested=lambda calls=calls: next(calls, True)))


def test_no_more_than_a_few_steps_are_taken_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    z, y = clouds(3, 100, 12)
    since, most = [0], []
    steps = working_sets._pairwise

    def counted(*args: Any) -> None:
        since[0] += args[4]
        steps(*args)

    def stop() -> bool:
        most.append(since[0])
        since[0] = 0
        return False

    monkeypatch.setattr(working_sets, "_pairwise", counted)
    fit(z, y, C=1e4, run=Run(0, stop_requested=stop))
    assert sum(most) > 500
    assert max(most) <= 16


def test_progress_rises_to_the_number_of_pairs() -> None:
    steps: list[tuple[int, int]] = []
    fit(*clouds(5, 20), run=Run(0, progress=lambda done, total, _: steps.append((done, total))))
    assert [done for done, _ in steps] == sorted({done for done, _ in steps})
    assert {total for _, total in steps} == {10}
    assert steps[-1] == (10, 10)


def test_what_does_not_settle_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svc, "_ROUNDS", 2)
    with pytest.raises(UsageError, match="linear kernel did not settle") as caught:
        fit(*clouds(3, 60), kernel="linear", C=1e4)
    assert caught.value.hint == "give a smaller C or gamma"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
    ids=["device", "machine"],
)
def test_out_of_memory_is_tried_with_less_then_named(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    z, y = clouds(3, 40)
    whole = fit(z, y)[2]
    tried: list[int] = []
    kept: weakref.WeakSet[KernelRows] = weakref.WeakSet()
    plan, make = svc._Fit._plan, KernelRows.__init__
    kernel = kernels.kernel

    def alone(self: Any, *args: Any) -> None:
        assert not kept  # what the first try took was freed
        kept.add(self)
        make(self, *args)

    def full(times: int) -> Any:
        def computed(*args: Any) -> Any:
            if len(tried) <= times:
                raise type(error)(*error.args)
            return kernel(*args)

        return computed

    monkeypatch.setattr(
        svc._Fit, "_plan", lambda self, some: (tried.append(some), plan(self, some))[1]
    )
    monkeypatch.setattr(KernelRows, "__init__", alone)
    monkeypatch.setattr(kernels, "kernel", full(1))
    asked, weight = SVMParameters(), np.ones(len(y))
    arguments = (torch.tensor(z), y.astype(np.int64), weight, asked, 0.25 / 6, PLACE, Run(0))
    weights, bias = svc.machines(*arguments)
    kept.clear()
    assert len(tried) == 2
    assert tried[1] < tried[0] / 3
    likeness = kernel(HERE, z, z, asked, 0.25 / 6)
    decided = kernels.decisions(HERE, likeness, weights, bias, np.bincount(y).tolist())
    assert abs(decided - whole).max() < NEAR
    tried.clear()
    monkeypatch.setattr(kernels, "kernel", full(9))
    with pytest.raises(
        RunError, match=r"the svm does not fit in the memory of cpu: it ran out with .* at least"
    ):
        svc.machines(*arguments)
    assert len(tried) == 2


def test_too_little_memory_is_said_before_anything_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "granted", lambda place: 1000)
    monkeypatch.setattr(svc._Fit, "machines", lambda *_: pytest.fail("was tried"))
    with pytest.raises(RunError, match=r"takes \d+ MB at least, 1 MB may be taken") as caught:
        fit(*clouds(3, 40))
    assert "another device" in caught.value.hint


def test_a_limit_of_this_process_is_a_limit_of_memory() -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_AS)
    free = memory.granted(PLACE)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    try:
        resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20), before[1]))
        assert 0 < memory.granted(PLACE) < min(free, 64 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_a_device_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> Any:
        raise torch.AcceleratorError("CUDA error: device lost\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(kernels, "kernel", gone)
    with pytest.raises(
        RunError, match=r"^cpu failed while it fit the svm: CUDA error: device lost"
    ):
        fit(*clouds(3, 40))


def test_other_errors_stay_what_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: Any) -> Any:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(kernels, "kernel", wrong)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        fit(*clouds(3, 40))


def test_a_device_grants_most_of_what_is_free_and_what_torch_keeps() -> None:
    cuda = SimpleNamespace(
        mem_get_info=lambda device: (1000, 5000),
        memory_reserved=lambda device: 700,
        memory_allocated=lambda device: 200,
    )
    assert memory.granted(Place(SimpleNamespace(cuda=cuda), "cuda:1")) == 1200


def test_a_machine_grants_less_than_is_free(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    files = {"/proc/meminfo": "MemTotal: 9000 kB\nMemAvailable:    5000 kB\n"}
    group = "/sys/fs/cgroup"

    class Path:
        def __init__(self, name: str) -> None:
            self.name = name

        def __truediv__(self, name: str) -> Path:
            return Path(f"{self.name}/{name}")

        def read_text(self, encoding: str = "") -> str:
            if self.name not in files:
                raise FileNotFoundError(self.name)
            return files[self.name]

    monkeypatch.setattr(memory, "Path", Path)
    assert memory.granted(PLACE) == int(0.4 * 5000 * 1024)
    files.update({f"{group}/memory.max": "max\n", f"{group}/memory.current": "1\n"})
    assert memory.granted(PLACE) == int(0.4 * 5000 * 1024)
    files.update({f"{group}/memory.max": "1500\n", f"{group}/memory.current": "500\n"})
    assert memory.granted(PLACE) == 400
    files.clear()
    assert memory.granted(PLACE) == int(0.4 * 2**30)
