"""The forest in torch: its splits and shares are scikit-learn's, its limits and memory hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_classical import trees
from mgrkit_classical.arrays import Place
from mgrkit_classical.hooks import RandomForestParameters
from mgrkit_classical.solvers.torch import bins, forest, memory, planning, splits
from mgrkit_classical.solvers.torch.splits import Search
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from mgrkit.classifiers import Run
from mgrkit.errors import RunError, Stopped

CPU = Place(torch, "cpu")
MEMORY = 12 << 20


def grown(
    x: Any, y: Any, weight: Any = None, *, run: Run | None = None, **parameters: Any
) -> dict[str, Any]:
    """The state of a forest."""
    k = int(y.max()) + 1
    weight = np.ones(len(y)) if weight is None else weight
    asked = RandomForestParameters(**{"trees": 10, **parameters})
    nodes, shares = forest.grown(np.float32(x), y, k, weight, asked, CPU, run or Run(0))
    assert len(nodes) == len(shares) == asked.trees
    state = {**trees.joined(nodes), "leaves": np.concatenate(shares).astype(np.float32)}
    return dict(trees.checked(state, x.shape[1], k))


def answers(state: dict[str, Any], x: Any) -> Any:
    return trees.Trees(state, Place.of("cpu")).mean(np.float32(x))


def one_tree(
    x: Any, y: Any, weight: Any, leaf: int = 1, depth: int = 0, memory: int = MEMORY
) -> tuple[list[Any], Any]:
    """A tree that looks at all rows of a weight above 0, and at all columns."""
    table = bins.binned(x, CPU, 3, Run(0))
    search = Search(table, CPU, x.shape[1], leaf, memory)
    rows = np.flatnonzero(weight)
    seed = forest.Seed(rows, forest.exact(weight)[rows], 5)
    group = forest.Group(search, y, int(y.max()) + 1, depth or trees.DEEPEST, [seed])
    while group.growing:
        group.level(lambda: None)
    (tree,) = group.finished()
    return tree


def clouds(
    n: int = 300, columns: int = 5, k: int = 3, seed: int = 0, apart: float = 1.0
) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % k)
    x = apart * rng.normal(size=(k, columns))[y] + rng.normal(size=(n, columns))
    return x.astype(np.float32), y


def same_as_scikit_learn(
    x: Any, y: Any, weight: Any, mine: tuple[list[Any], Any], rival: Any
) -> int:
    """Walk down both trees; where they part, both splits are equally good. How often they do.

    scikit-learn calls a node of one genre impure where the sum of its weights was rounded.
    """
    (left, right, column, threshold), shares = mine
    leaf, theirs, k = np.cumsum(left == right) - 1, rival.tree_, shares.shape[1]
    parted = 0

    def purity(rows: Any, at: int, value: float) -> float:
        goes = x[rows, at] <= value
        assert min(goes.sum(), (~goes).sum()) >= rival.min_samples_leaf
        sums = [np.bincount(y[rows[s]], weight[rows[s]], k) for s in (goes, ~goes)]
        return float(sum((s**2).sum() / s.sum() for s in sums))

    waiting = [(0, 0, np.flatnonzero(weight))]
    while waiting:
        i, j, rows = waiting.pop()
        if left[i] == right[i]:
            sums = np.bincount(y[rows], weight[rows], k)
            assert np.allclose(shares[leaf[i]], sums / sums.sum(), rtol=0, atol=1e-12)
            assert theirs.children_left[j] < 0 or np.count_nonzero(sums) == 1
        elif (column[i], threshold[i]) == (theirs.feature[j], theirs.threshold[j]):
            goes = x[rows, column[i]] <= threshold[i]
            waiting.append((left[i], theirs.children_left[j], rows[goes]))
            waiting.append((right[i], theirs.children_right[j], rows[~goes]))
        else:
            parted += 1
            ours = purity(rows, column[i], threshold[i])
            other = purity(rows, theirs.feature[j], theirs.threshold[j])
            assert abs(ours - other) <= 1e-12 * other
    return parted


@pytest.mark.parametrize("seed", range(12))
def test_a_tree_is_that_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, k, columns = int(rng.integers(30, 1500)), int(rng.integers(2, 9)), int(rng.integers(2, 7))
    values = [rng.normal(size=rng.integers(20, 256)) for _ in range(columns)]
    x = np.stack([rng.choice(some, n) for some in values], 1).astype(np.float32)
    y = (x @ rng.normal(size=columns) > 0) * (k // 2) + rng.integers(0, max(1, k // 2), n)
    y[:k] = range(k)
    weight = rng.integers(0, 4, n) * (rng.uniform(0.2, 3, n) if seed % 2 else 1.0)
    leaf, depth = int(rng.integers(1, 6)), int(rng.integers(0, 7))
    mine = one_tree(x, y, weight, leaf, depth)
    rival = DecisionTreeClassifier(min_samples_leaf=leaf, max_depth=depth or None, random_state=0)
    rival.fit(x, y, sample_weight=weight)
    parted = same_as_scikit_learn(x, y, weight, mine, rival)
    assert parted <= len(mine[1]) // 5


def test_large_nodes_and_small_ones_find_the_same_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clouds(240, 4)
    weight = np.random.default_rng(0).uniform(0.1, 2, len(y))
    by_sorting = one_tree(x, y, weight)
    monkeypatch.setattr(splits, "SORTED", 2)
    by_counting = one_tree(x, y, weight)
    for mine, other in zip(by_sorting[0], by_counting[0], strict=True):
        assert np.array_equal(mine, other)


def test_a_bin_is_a_value_where_there_are_few() -> None:
    x = np.float32([[3, 1], [1, 1], [2, 1], [1, 1]])
    table = bins.binned(x, CPU, 1, Run(0))
    column, row = torch.arange(2)[:, None], torch.arange(4)
    assert table.of(column, row).tolist() == [[2, 0, 1, 0], [0, 0, 0, 0]]
    assert table.thresholds(*torch.tensor([[0, 0], [0, 0], [1, 2]])).tolist() == [1.5, 2.0]


def test_many_values_are_in_even_bins_and_a_frequent_one_leaves_room() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(size=5120), np.exp(5 * rng.normal(size=5120))], 1)
    x = np.hstack([x, np.where(rng.random((5120, 1)) < 0.9, 0, x[:, :1])]).astype(np.float32)
    numbers = bins.binned(x, CPU, 2, Run(0)).numbers.view(3, -1)
    even = [np.bincount(column, minlength=256) for column in numbers]
    assert all(19 <= some.min() <= some.max() <= 21 for some in even[:2])
    assert 100 < np.count_nonzero(even[2]) <= 256
    for column, mine in zip(x.T, numbers.numpy(), strict=True):
        order = np.argsort(column, kind="stable")
        assert (np.diff(mine[order].astype(int)) >= 0).all()
        same = np.diff(column[order]) == 0
        assert (np.diff(mine[order].astype(int))[same] == 0).all()


def test_neighbouring_floats_are_told_apart() -> None:
    x = np.repeat(np.float32(8) + np.arange(4) * np.spacing(np.float32(8)), 5)[:, None]
    x = x.astype(np.float32)
    y = np.arange(20) // 5 % 2
    state = grown(x, y, trees=20, min_samples_leaf=1)
    assert (answers(state, x).argmax(1) == y).all()


def test_a_forest_is_as_near_to_scikit_learns_as_another_of_its() -> None:
    x, y = clouds(1500, 12, 5, apart=0.7)
    train, held = slice(0, None, 2), slice(1, None, 2)
    settings = {"max_features": 0.25, "min_samples_leaf": 2}
    one, other = (
        RandomForestClassifier(60, random_state=seed, **settings).fit(x[train], y[train])
        for seed in (0, 1)
    )
    theirs, again = one.predict_proba(x[held]), other.predict_proba(x[held])
    mine = answers(grown(x[train], y[train], trees=60, **settings), x[held])
    right = [(found.argmax(1) == y[held]).mean() for found in (mine, theirs)]
    assert right[1] > 0.6
    assert right[0] > right[1] - 0.03
    assert abs(mine - theirs).mean() < 1.1 * abs(again - theirs).mean()


def test_trees_differ_and_so_do_the_columns_that_nodes_look_at() -> None:
    x, y = clouds(400, 30)
    state = grown(x, y, trees=40, max_depth=1, max_features=0.1)
    at_roots = state["features"][state["roots"]]
    assert len(set(at_roots.tolist())) > 8
    everything = grown(x, y, trees=40, max_depth=1, max_features=1.0)
    assert len(set(everything["features"][everything["roots"]].tolist())) < 8
    root = grown(x, y, trees=40, max_depth=1, max_features=0.0)
    assert len(set(root["features"][root["roots"]].tolist())) > 5


def test_siblings_look_at_columns_of_their_own() -> None:
    x, y = clouds(400, 30, apart=0.1)
    state = grown(x, y, trees=60, max_depth=2, max_features=0.04)
    pairs = state["features"][state["children"][state["roots"]]]
    assert (pairs[:, 0] == pairs[:, 1]).sum() < 15


def test_each_column_is_looked_at_as_often() -> None:
    table = bins.binned(np.zeros((1, 20), np.float32), CPU, 20, Run(0))
    search = Search(table, CPU, 5, 1, MEMORY)
    order = search._drawn(splits.mixed(torch.arange(8000)))
    assert (order.sort(1).values == torch.arange(20)).all()
    often = order[:, :5].flatten().bincount(minlength=20)
    # Two thousand each in the mean, with a standard deviation of 39.
    assert 1800 < often.min() <= often.max() < 2200
    together = (order[:, :5] == 3).any(1) & (order[:, :5] == 4).any(1)
    assert 340 < together.sum() < 500  # 421 in the mean


def test_leaves_and_depth_have_their_limits() -> None:
    x, y = clouds(500, apart=0.3)
    sizes = []
    for leaf in (1, 7):
        (left, right, column, threshold), shares = one_tree(x, y, np.ones(500), leaf)
        node, inner = np.zeros(500, np.int64), left != right
        while inner[node].any():
            goes = x[np.arange(500), column[node]] <= threshold[node]
            node = np.where(inner[node], np.where(goes, left[node], right[node]), node)
        sizes.append(np.bincount(node)[~inner].min())
        assert len(shares) == (~inner).sum()
    assert sizes == [1, 7]
    for depth in (1, 3):
        state = grown(x, y, max_depth=depth, trees=3)
        assert trees._depths(state["children"], state["roots"]).tolist() == [depth] * 3


def test_a_draw_counts_once_for_the_size_of_a_leaf() -> None:
    x = np.float32([[0], [1], [2], [3]])
    y, weight = np.array([0, 1, 1, 1]), np.array([9.0, 1, 1, 1])
    (left, _, _, threshold), _ = one_tree(x, y, weight, leaf=2)
    rival = DecisionTreeClassifier(min_samples_leaf=2).fit(x, y, sample_weight=weight)
    assert len(left) == rival.tree_.node_count == 3
    assert threshold[0] == rival.tree_.threshold[0] == 1.5


def test_a_weight_of_two_is_a_row_twice() -> None:
    x, y = clouds(200)
    twice = np.arange(200) % 3 == 0
    heavy = one_tree(x, y, 1.0 + twice)
    rows = np.r_[np.arange(200), np.flatnonzero(twice)]
    doubled = one_tree(x[rows], y[rows], np.ones(len(rows)))
    for mine, other in zip((*heavy[0], heavy[1]), (*doubled[0], doubled[1]), strict=True):
        assert np.array_equal(mine, other)


def test_heavy_rows_count_more() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 3)), np.arange(400) % 2
    state = grown(x, y, np.where(y == 1, 1.8, 0.2), max_depth=2)
    assert 0.85 < answers(state, x)[:, 1].mean() < 0.95


def test_sums_of_weights_are_exact() -> None:
    given = np.random.default_rng(0).uniform(1e-9, 3, 5000)
    weight = forest.exact(given)
    assert np.cumsum(given)[-1] != np.cumsum(given[::-1])[-1]
    assert np.cumsum(weight)[-1] == np.cumsum(weight[::-1])[-1] == weight.sum()
    assert abs(weight - given).max() < 1e-11
    assert (forest.exact(np.array([0.0, 1e-300, 1.0])) > 0).tolist() == [False, True, True]


def with_odd_columns(x: Any, y: Any) -> Any:
    """Constant, repeated and nearly repeated columns beside those of x."""
    rng = np.random.default_rng(1)
    constant = np.full((len(x), 6), 7.0)
    return np.hstack([constant, x, x, x + 1e-6 * rng.normal(size=x.shape), -x])


def test_constant_repeated_and_correlated_columns() -> None:
    x, y = clouds(300)
    odd = with_odd_columns(x, y)
    state = grown(odd, y, trees=30, min_samples_leaf=1, max_features=0.1)
    assert state["features"].min() == 0  # those of leaves
    inner = (state["children"] != 0).any(1)
    assert state["features"][inner].min() >= 6
    assert (answers(state, odd).argmax(1) == y).mean() > 0.97


def test_all_columns_constant_make_one_leaf_of_a_tree() -> None:
    y = np.arange(30) % 3
    state = grown(np.zeros((30, 4)), y, trees=50)
    assert len(state["leaves"]) == 50
    assert abs(answers(state, np.zeros((1, 4))) - 1 / 3).max() < 0.1


def test_a_node_goes_on_looking_past_constant_columns() -> None:
    y = np.arange(200) % 2
    x = np.zeros((200, 50))
    x[:, 17] = y
    state = grown(x, y, max_features=0.02, trees=30)
    assert (answers(state, x).argmax(1) == y).all()
    assert len(state["leaves"]) == 60


def test_rows_that_are_all_the_same_share_a_leaf() -> None:
    x = np.repeat(np.float32([[1, 2], [3, 4]]), 20, axis=0)
    y = np.r_[np.zeros(20, int), np.arange(20) % 2]
    state = grown(x, y, trees=100, min_samples_leaf=1)
    assert np.allclose(answers(state, x[[0, -1]]), [[1, 0], [0.5, 0.5]], atol=0.06)


@pytest.mark.parametrize("k", [2, 161])
def test_two_genres_and_161(k: int) -> None:
    x, y = clouds(8 * k, 20, k, apart=4)
    state = grown(x, y, trees=20, min_samples_leaf=1)
    assert state["leaves"].shape[1] == k
    assert (answers(state, x).argmax(1) == y).mean() > 0.97


def test_a_genre_with_one_row() -> None:
    x, y = clouds(100)
    x[0] = 50
    y[0] = 3
    asked = answers(grown(x, y, trees=200, min_samples_leaf=1), x[:1])
    assert asked.argmax() == 3
    assert 0.5 < asked[0, 3] < 0.75  # of the draws of a tree, 63 % hold a given row


def test_two_rows() -> None:
    state = grown(np.float32([[0], [1]]), np.array([0, 1]), trees=100, min_samples_leaf=1)
    assert answers(state, np.float32([[0], [1]])).argmax(1).tolist() == [0, 1]


def test_the_same_seed_gives_the_same_bytes() -> None:
    x, y = clouds(400, 10)
    first, again, other = (grown(x, y, run=Run(seed)) for seed in (1, 1, 2))
    assert all(first[name].tobytes() == again[name].tobytes() for name in first)
    assert any(first[name].tobytes() != other[name].tobytes() for name in first)


@pytest.mark.parametrize(
    "plan",
    [planning.Plan(1, 1, 1, 1), planning.Plan(3, 50_000, 3, 2), planning.Plan(9, 1 << 30, 99, 1)],
)
def test_the_forest_is_the_same_for_any_memory(
    plan: planning.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = clouds(700, 8)
    usual = grown(x, y)
    monkeypatch.setattr(planning.Size, "plan", lambda *_: plan)
    given = grown(x, y)
    assert all(usual[name].tobytes() == given[name].tobytes() for name in usual)


def threads() -> tuple[int, int, int]:
    """How many run, and on how many torch computes here and in a thread that is new."""
    with ThreadPoolExecutor(1) as pool:
        new = pool.submit(torch.get_num_threads).result()
    return threading.active_count(), torch.get_num_threads(), new


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.mark.usefixtures("two_threads")
def test_threads_grow_the_same_forest_and_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clouds()
    before, seen = threads(), set()
    seed = forest.drawn

    def noted(*asked: Any) -> Any:
        seen.add((threading.get_ident(), torch.get_num_threads()))
        return seed(*asked)

    monkeypatch.setattr(forest, "drawn", noted)
    several = grown(x, y)
    assert threads() == before
    assert {count for _, count in seen} == {1}
    torch.set_num_threads(1)
    one = grown(x, y)
    assert all(one[name].tobytes() == several[name].tobytes() for name in one)


def test_progress_goes_to_the_end() -> None:
    told = []
    x, y = clouds(600)
    grown(x, y, run=Run(0, progress=lambda step, total, metrics: told.append((step, total))))
    assert told == sorted(told)
    assert told[-1] == (10, 10)


@pytest.mark.usefixtures("two_threads")
def test_a_stop_request_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clouds(6000, 60, apart=0.1)
    asked, finished, before = 0, [], threads()

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    monkeypatch.setattr(forest.Group, "finished", lambda self: finished.append(self) or [])
    with pytest.raises(Stopped):
        grown(x, y, trees=10_000, run=Run(0, stop_requested=stop))
    assert asked == 4
    assert not finished
    assert threads() == before


def failing(times: int, error: BaseException) -> Callable[..., Any]:
    """`Search._found` that fails so often."""
    real = Search._found
    left = [times]

    def found(self: Search, *args: Any) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise error
        return real(self, *args)

    return found


OUT = RuntimeError(
    "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried 8"
)


@pytest.mark.parametrize("error", [OUT, torch.OutOfMemoryError("CUDA out of memory")])
def test_out_of_memory_once_makes_the_same_forest(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = clouds(300)
    usual = grown(x, y)
    monkeypatch.setattr(planning.Size, "plan", lambda *_: planning.Plan(5, MEMORY, 4, 1))
    monkeypatch.setattr(Search, "_found", failing(1, error))
    given = grown(x, y)
    assert all(usual[name].tobytes() == given[name].tobytes() for name in usual)


def test_out_of_memory_twice_says_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clouds(300)
    monkeypatch.setattr(planning.Size, "plan", lambda *_: planning.Plan(5, MEMORY, 99, 1))
    monkeypatch.setattr(Search, "_found", failing(2, OUT))
    with pytest.raises(RunError, match=r"the forest does not fit .* of cpu: .* it takes 1 MB"):
        grown(x, y)


def test_less_memory_than_the_least_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clouds(300)
    least = planning.Size(*x.shape, 3).least
    usual = grown(x, y)
    monkeypatch.setattr(memory, "granted", lambda place: least)
    given = grown(x, y)
    assert all(usual[name].tobytes() == given[name].tobytes() for name in usual)
    monkeypatch.setattr(memory, "granted", lambda place: least - 1)
    with pytest.raises(RunError, match="the forest does not fit in the memory of cpu"):
        grown(x, y)


def test_other_faults_are_not_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = clouds(300)
    monkeypatch.setattr(Search, "_found", failing(1, RuntimeError("device-side assert")))
    with pytest.raises(RuntimeError, match="device-side"):
        grown(x, y)


def test_what_is_done_at_once_fits_in_what_is_granted() -> None:
    size = planning.Size(8000, 518, 8)
    roomy = size.plan(300, 1 << 33, Place(torch, "cuda"))
    assert (roomy.trees, roomy.workers) == (300, 1)
    for granted in (size.least, 2 * size.least, 4 * size.least):
        plan = size.plan(300, granted, Place(torch, "cuda"))
        assert 1 <= plan.trees < 10
        assert splits.needed(8000, 8) <= plan.search < roomy.search
        assert 1 <= plan.columns < roomy.columns
        assert plan.search + plan.trees * 200 * 8000 <= granted
        assert plan.columns * 60 * 8000 <= granted


@pytest.mark.parametrize(("size", "k"), [(3000, 8), (3000, 2), (250, 30), (250, 2), (10, 2)])
def test_a_search_takes_what_is_planned(size: int, k: int, tmp_path: Path) -> None:
    n, columns = 3000, 40
    x, _ = clouds(n, columns)
    table = bins.binned(x, CPU, columns, Run(0))
    rows, count = torch.arange(n), n // size
    planned = count * columns * splits.needed(size, k)
    search = Search(table, CPU, columns, 1, planned)
    nodes = splits.Nodes(
        rows, rows % k, torch.ones(n, dtype=torch.float64),
        torch.arange(0, n, size), torch.full((count,), size), torch.arange(count),
    )  # fmt: skip
    order = search._drawn(nodes.key)
    cpu = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=cpu, profile_memory=True) as seen:
        search._best(nodes, order, size, k)
    seen.export_chrome_trace(str(tmp_path / "trace.json"))
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    held = [event["args"]["Total Allocated"] for event in events if event["name"] == "[memory]"]
    changed = [event["args"]["Bytes"] for event in events if event["name"] == "[memory]"]
    most = max(held) - (held[0] - changed[0])
    assert planned / 3 < most <= planned
