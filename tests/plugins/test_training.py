"""Training: what is kept, told, refused and survived."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_neural import augmentation, course, learner, predicting
from mgrkit_neural.distributed import Peers
from mgrkit_neural.epochs import batch_ends
from mgrkit_neural.learner import Learner, cycle
from mgrkit_neural.material import Valid, material
from mgrkit_neural.recipe import Recipe
from mgrkit_neural.training import train
from torch import Tensor, nn

from mgrkit.classifiers import Examples, Run, Task
from mgrkit.errors import BundleError, RunError, UsageError
from mgrkit.testing.toys import without
from tests.plugins.small_network import SEED, TOY, Quick, fit, small, some, stopped


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_any_network_is_trained_by_a_plain_call() -> None:
    def make() -> nn.Module:
        layers = nn.Conv2d(1, 8, (16, 1), 8), nn.ReLU(), nn.AdaptiveAvgPool2d((7, 1)), nn.Flatten()
        return nn.Sequential(*layers, nn.Linear(56, 3))

    trained = train(make, TOY.task, Quick(epochs=8), TOY.train, None, Run(SEED))
    told = trained.probabilities(TOY.held_out.x)
    assert (told.argmax(1) == TOY.held_out.y).mean() > 0.9


# What is kept.


def test_the_best_epoch_is_kept_and_ties_go_to_the_lower_loss(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Of epochs 2, 3 and 4, which are equally accurate, the third has the lowest loss.
    told = iter([(0.5, 0.1), (0.7, 0.9), (0.7, 0.8), (0.7, 0.85), (0.6, 0.2)])
    monkeypatch.setattr(Valid, "scores", lambda *_: next(told))
    after: list[dict[str, Tensor]] = []
    advance = course.Course._advance

    def noting(self: course.Course, of: Learner, row: dict[str, float]) -> None:
        advance(self, of, row)
        after.append({n: t.clone() for n, t in of.network.state_dict().items()})

    monkeypatch.setattr(course.Course, "_advance", noting)
    model = small(epochs=5)
    fit(model)
    for name, array in model.state().items():
        if name.startswith("0."):
            np.testing.assert_array_equal(array, after[2][name.removeprefix("0.")])


def test_without_valid_the_last_epoch_is_kept(tmp_path: Path, undrawn: None) -> None:
    model, last = small(), []
    fit(model, None, folder=tmp_path, progress=lambda *told: last.append(told))
    assert [set(metrics) for _, _, metrics in last] == [{"loss", "accuracy"}] * 4
    assert {row["valid_accuracy"] for row in rows(tmp_path)} == {""}
    # With one epoch more in the plan, but the same state after the fourth.
    assert [row["epoch"] for row in rows(tmp_path)] == ["1", "2", "3", "4"]


def test_it_stops_early_by_patience(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = iter([(0.5, 1.0), (0.6, 1.0), (0.6, 1.0), (0.6, 1.1), (1.0, 0.0)])
    monkeypatch.setattr(Valid, "scores", lambda *_: next(told))
    fit(small(epochs=50, patience=2), folder=tmp_path)
    assert [row["valid_accuracy"] for row in rows(tmp_path)] == ["0.5", "0.6", "0.6", "0.6"]


def test_valid_is_looked_at_every_few_epochs_and_at_the_end(tmp_path: Path, undrawn: None) -> None:
    last: list[bool] = []
    fit(small(epochs=7, judge_every=3), folder=tmp_path,
        progress=lambda step, total, metrics: last.append("valid_loss" in metrics))  # fmt: skip
    looked = [bool(row["valid_accuracy"]) for row in rows(tmp_path)]
    assert looked == [False, False, True, False, False, True, True]
    assert last == [False, False, True, True, True, True, True], "the last that is known is told"


def test_valid_is_judged_by_tracks() -> None:
    # Three tracks of two, one and three pieces; the second's label was not in train.
    valid = Valid(torch.zeros(6, 1, 1), np.array([2, 1, 0]), np.array([0, 0, 1, 2, 2, 2]))
    told = np.array([[0.9, 0.1], [0.0, 1.0], [0.5, 0.5], [0.4, 0.6], [0.4, 0.6], [0.9, 0.1]])
    accuracy, loss = valid.scores(told, np.array([0, 2]))
    assert accuracy == pytest.approx(2 / 3)
    assert loss == pytest.approx(-np.log([0.55, 1e-7, 1.7 / 3]).mean())


def test_the_average_follows_weights_and_statistics() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.LazyLinear(3))
    network(torch.randn(2, 1, 8, 8))
    run = Run(0)
    one = Learner(network, Quick(average=0.6), torch.arange(3), Peers(run))
    mean = {n: t.clone() for n, t in network.state_dict().items()}
    for step in range(1, 6):
        x, targets = torch.randn(4, 1, 8, 8), torch.eye(3)[[0, 1, 2, 0]]
        one.step(x, targets, torch.full((4,), 0.25), step / 6)
        decay = min(0.6, (1 + step) / (10 + step))
        for name, now in network.state_dict().items():
            if now.is_floating_point():
                mean[name] = decay * mean[name] + (1 - decay) * now
            else:
                mean[name] = now
        for name, tensor in one.judged.state_dict().items():
            torch.testing.assert_close(tensor, mean[name])


def test_the_average_is_what_is_kept() -> None:
    plain, averaged = small(epochs=2), small(epochs=2, average=0.9)
    assert not np.array_equal(fit(plain, None), fit(averaged, None))


def test_members_differ_and_are_averaged() -> None:
    both, alone = small(members=2), small()
    told = fit(both)
    state = both.state()
    assert {name.partition(".")[0] for name in state} == {"labels", "0", "1", "far"}
    # The first member is what one alone would be; the second is another.
    of_each = []
    for member in "01":
        own = {f"0.{n[2:]}": a for n, a in state.items() if n.startswith(member)}
        alone.restore({**own, "labels": state["labels"]})
        of_each.append(alone.predict_proba(TOY.asked))
    np.testing.assert_array_equal(of_each[0], fit(small()))
    assert not np.allclose(of_each[0], of_each[1], atol=1e-3)
    np.testing.assert_allclose(told, (of_each[0] + of_each[1]) / 2, atol=1e-6)


def test_members_begin_differently_and_see_other_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, seen = [], []
    drawn = augmentation.drawn

    class Noting(Learner):
        def __init__(self, network: nn.Module, *others: Any) -> None:
            begun.append(next(network.parameters()).detach().clone())
            super().__init__(network, *others)

    def noting(*asked: Any) -> augmentation.Draws:
        seen.append(drawn(*asked))
        return seen[-1]

    monkeypatch.setattr(course, "Learner", Noting)
    monkeypatch.setattr(augmentation, "drawn", noting)
    fit(small(members=2, epochs=2))
    assert not torch.equal(*begun)
    assert len({tuple(one.rows.tolist()) for one in seen}) == 4
    assert len({tuple(one.starts.tolist()) for one in seen}) == 4


# The steps.


def test_rates_are_those_of_torch_s_one_cycle() -> None:
    optimiser = torch.optim.AdamW([nn.Parameter(torch.zeros(1))])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.5, total_steps=101, pct_start=0.2)
    for step in range(101):
        # torch's cycle has its top one step before the share.
        place = step / 100
        at = place / 0.19 * 0.2 if step <= 19 else 0.2 + 0.8 * (step - 19.2) / 80.8
        rate, beta = cycle(min(1, at), 0.2)
        group = optimiser.param_groups[0]
        assert rate * 0.5 == pytest.approx(group["lr"], rel=0.02, abs=1e-4)
        assert beta == pytest.approx(group["betas"][0], abs=2e-3)
        optimiser.step()
        if step < 100:
            schedule.step()


@pytest.mark.parametrize("warmup", [0.0, 0.2, 0.9])
def test_the_cycle_ends_at_nearly_nothing(warmup: float) -> None:
    assert cycle(warmup, warmup) == pytest.approx((1, 0.85))
    assert cycle(1, warmup) == pytest.approx((4e-6, 0.95))


@pytest.mark.parametrize(
    ("count", "batch", "processes"),
    [(72, 16, 1), (3, 2, 1), (2, 16, 1), (33, 32, 1), (5, 4, 4), (442, 32, 2), (65, 2, 2)],
)
def test_no_batch_is_of_one_and_no_process_empty(count: int, batch: int, processes: int) -> None:
    ends = batch_ends(count, batch, processes)
    assert [first for first, _ in ends] == [0, *(end for _, end in ends)][:-1]
    assert ends[-1][1] == count
    sizes = [end - first for first, end in ends]
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= max(2, processes)
    assert max(sizes) <= max(batch, 2 * max(2, processes) - 1)


@pytest.mark.parametrize("rows", [[0, 2], [0, 2, 4], list(range(0, 34, 2))])
def test_few_pieces_are_enough(rows: list[int]) -> None:
    model = small(batch=2 if len(rows) == 3 else 16)
    model.fit(some(TOY.train, rows), None, Run(SEED))
    assert np.isfinite(model.predict_proba(TOY.asked)).all()


def blind() -> nn.Module:
    """Hears nothing but how loud it is on average."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))


def test_rare_genres_count_as_much_if_asked() -> None:
    # Pictures that tell nothing: what is left is how often a genre is seen.
    y, n = np.arange(60) % 6 // 5, np.arange(60)
    blank = Examples(np.full((60, 64, 64), 40, np.uint8), y, n, n)
    for weight, expected in (("none", 1 / 6), ("balanced", 1 / 2)):
        recipe = Quick(class_weight=weight, label_smoothing=0.0, epochs=30, learning_rate=0.1)
        trained = train(blind, Task(("a", "b"), (64, 64)), recipe, blank, None, Run(SEED))
        assert trained.probabilities(blank.x[:1])[0, 1] == pytest.approx(expected, abs=0.03)


def test_labels_are_smoothed() -> None:
    y, n = np.arange(60) % 2, np.arange(60)
    plain = Examples(np.repeat(y, 64 * 64).reshape(60, 64, 64).astype(np.uint8) * 200, y, n, n)
    recipe = Quick(label_smoothing=0.3, epochs=60, learning_rate=0.3, weight_decay=0.0)
    trained = train(blind, Task(("a", "b"), (64, 64)), recipe, plain, None, Run(SEED))
    told = trained.probabilities(plain.x)
    assert told[y == 0, 0] == pytest.approx(0.85, abs=0.02)
    assert told[y == 1, 1] == pytest.approx(0.85, abs=0.02)


def test_gradients_are_clipped(monkeypatch: pytest.MonkeyPatch) -> None:
    norms = []
    clip = nn.utils.clip_grad_norm_

    def noting(parameters: object, norm: float) -> Tensor:
        norms.append(norm)
        return clip(list(parameters), norm)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(learner.nn.utils, "clip_grad_norm_", noting)
    fit(small(clip=0.0, epochs=1))
    assert norms == []
    fit(small(clip=0.25, epochs=1))
    assert set(norms) == {0.25}


def test_mixed_precision_learns_and_keeps_float32() -> None:
    seen = []
    weight = nn.Linear(1, 1).weight
    model = small(lambda x: seen.append((x.dtype, (x.flatten(1)[:, :1] @ weight.T).dtype)))
    told = fit(model, precision="mixed")
    assert set(seen) == {(torch.float32, torch.bfloat16)}
    assert (told[: len(TOY.held_out)].argmax(1) == TOY.held_out.y).mean() > 0.9
    weights = [a for name, a in model.state().items() if name.startswith("0.")]
    assert {a.dtype for a in weights if a.dtype.kind == "f"} == {np.dtype(np.float32)}


def test_what_networks_draw_is_new_in_every_step() -> None:
    told: list[float] = []
    fit(small(lambda x: told.append(float(torch.rand(()))), members=2, epochs=2))
    assert len(set(told)) == len(told) == 2 * 2 * 5


def test_float16_scales_its_loss_and_goes_on_with_the_scale(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, undrawn: None
) -> None:
    # What CUDA devices without bfloat16 use; the first scale, 65536, is too much here.
    monkeypatch.setattr(learner, "_half", lambda _: torch.float16)
    states: list[dict[str, Tensor]] = []
    state = Learner.state

    def noting(self: Learner) -> dict[str, Tensor]:
        states.append(state(self))
        return states[-1]

    monkeypatch.setattr(Learner, "state", noting)
    expected = fit(small(), precision="mixed")
    assert (expected[: len(TOY.held_out)].argmax(1) == TOY.held_out.y).mean() > 0.9
    scales = [one["scale"].tolist() for one in states]
    assert scales[-1] != scales[0]
    stopped(small(), 14, tmp_path, precision="mixed")
    np.testing.assert_array_equal(fit(small(), folder=tmp_path, precision="mixed"), expected)
    assert states[-1]["scale"].tolist() == scales[-1]


# What is told.


def test_progress_counts_the_epochs_of_all_members() -> None:
    told = []
    fit(small(members=2, epochs=3), progress=lambda *one: told.append(one))
    assert [(step, total) for step, total, _ in told] == [(i, 6) for i in range(1, 7)]
    names = {"loss", "accuracy", "valid_loss", "valid_accuracy"}
    assert all(set(metrics) == names for _, _, metrics in told)


def test_metrics_and_curves_are_written(tmp_path: Path) -> None:
    fit(small(members=2, epochs=2), folder=tmp_path)
    told = rows(tmp_path)
    assert [(row["member"], row["epoch"]) for row in told] == [
        ("1", "1"), ("1", "2"), ("2", "1"), ("2", "2"),
    ]  # fmt: skip
    for row in told:
        assert 0 < float(row["loss"]) < 10
        assert 0 <= float(row["valid_accuracy"]) <= 1
        assert 0 <= float(row["outside"]) < 1
        assert float(row["seconds"]) > 0
    assert float(told[1]["rate"]) < 1e-6
    picture = (tmp_path / "curves.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"metrics.csv", "curves.png", "checkpoint.safetensors"}


def test_one_genre_only_is_noted(tmp_path: Path, undrawn: None) -> None:
    notes: list[str] = []
    constant = Task(("a", "b"), (64, 64))

    def make() -> nn.Module:
        network = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 2))
        nn.init.constant_(network[2].bias, 5.0)
        with torch.no_grad():
            network[2].bias[0] = -5.0
        return network

    examples = dataclasses.replace(TOY.train, y=TOY.train.y % 2)
    for valid, part in (
        (None, "train"),
        (dataclasses.replace(TOY.valid, y=TOY.valid.y % 2), "valid"),
    ):
        recipe = Recipe(epochs=1, learning_rate=1e-6)
        (tmp_path / part).mkdir()
        # Finished and called again it says so again, once.
        for _ in range(2):
            notes.clear()
            run = Run(0, folder=tmp_path / part, note=notes.append)
            train(make, constant, recipe, examples, valid, run)
            assert notes == [f"it predicts one genre only: everything in {part} is b"]


def test_a_good_network_has_nothing_to_note() -> None:
    notes: list[str] = []
    fit(small(), note=notes.append)
    assert notes == []


# What goes wrong.


def test_a_loss_that_is_not_finite_ends_it_with_epoch_and_step() -> None:
    calls = []

    def call(x: Tensor) -> object:
        calls.append(len(x))
        return float("nan") if len(calls) == 8 else None

    with pytest.raises(RunError, match=r"not finite in epoch 2, step 3 .*learning_rate"):
        fit(small(call))


def test_a_loss_on_valid_that_is_not_finite_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where weights are so large that only unseen pictures give no number."""
    monkeypatch.setattr("mgrkit_neural.material.Valid.scores", lambda *_: (0.1, float("nan")))
    with pytest.raises(RunError, match="loss on valid is not finite after epoch 1 "):
        fit(small())


def test_a_rate_far_too_high_is_a_run_error() -> None:
    with pytest.raises(RunError, match="not finite"):
        fit(small(learning_rate=1e9, clip=0.0, epochs=20, weight_decay=10.0))


def out_of_memory(x: Tensor) -> None:
    """What a CUDA device raises."""
    raise torch.OutOfMemoryError(f"CUDA out of memory for {len(x)} pictures")


def too_much(x: Tensor) -> None:
    """Ask the CPU for more than it can have."""
    torch.empty(1 << 52, dtype=torch.uint8)


@pytest.mark.parametrize("fail", [out_of_memory, too_much])
def test_out_of_memory_halves_the_batch_once(fail: object) -> None:
    notes: list[str] = []
    told = fit(small(lambda x: fail(x) if len(x) > 9 else None), note=notes.append)  # type: ignore[operator]
    assert notes == ["too little memory for batches of 16: went on with 8"]
    np.testing.assert_array_equal(told, fit(small(batch=8)))


def test_an_epoch_that_ran_out_of_memory_is_begun_again() -> None:
    calls: list[int] = []

    def later(x: Tensor) -> None:
        calls.append(len(x))
        if len(calls) == 8:
            out_of_memory(x)

    seen: list[tuple[int, int]] = []
    fit(small(later), progress=lambda step, total, _: seen.append((step, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    # Five batches of 16 or less, three of the epoch that failed, then nine of 8 an epoch.
    assert len(calls) == 5 + 3 + 3 * 9


@pytest.mark.parametrize("fail", [out_of_memory, too_much])
def test_out_of_memory_twice_names_the_option(fail: object) -> None:
    with pytest.raises(RunError, match=r"batches of 8 \(--param batch=4\)"):
        fit(small(lambda x: fail(x) if len(x) > 5 else None))  # type: ignore[operator]


def test_other_errors_are_not_taken_for_memory() -> None:
    def wrong(x: Tensor) -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="multiplied"):
        fit(small(wrong))


def test_pictures_that_do_not_fit_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    expected, to, notes = fit(small()), torch.Tensor.to, []

    def full(self: Tensor, *where: object, **options: object) -> Tensor:
        if self.dtype == torch.uint8 and len(self) == len(TOY.train):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return to(self, *where, **options)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(torch.Tensor, "to", full)
    told = fit(small(), note=notes.append)
    assert notes == ["the pictures do not fit into the memory of cpu: cut on the CPU"]
    np.testing.assert_array_equal(told, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": TOY.train.x[:, :32]}, r"not pictures: uint8 of shape \(n, 64, 64\)"),
        ({"x": TOY.train.x.astype(np.float32)}, "examples are float32"),
        ({"y": TOY.train.y * 0 + 1}, "the examples are all ambient"),
        ({"y": TOY.train.y + 1}, "labels are not all from 0 to 2"),
        ({"y": TOY.train.y[:-1]}, "labels are int64"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        small().fit(dataclasses.replace(TOY.train, **change), None, Run(SEED))


def test_valid_is_checked_too() -> None:
    valid = dataclasses.replace(TOY.valid, x=TOY.valid.x[:, :32])
    with pytest.raises(UsageError, match="not pictures"):
        small().fit(TOY.train, valid, Run(SEED))


def test_genres_that_only_valid_has_are_judged_as_wrong(tmp_path: Path, undrawn: None) -> None:
    model = small()
    model.fit(without(TOY.train, 0), TOY.valid, Run(SEED, folder=tmp_path))
    best = max(float(row["valid_accuracy"]) for row in rows(tmp_path))
    assert best == pytest.approx(2 / 3)
    assert (model.predict_proba(TOY.asked)[:, 0] == 0).all()


# Predicting.


def test_views_are_averaged_crops() -> None:
    model, whole = small(views=3), small()
    told = fit(model)
    whole.restore(model.state())
    parts = []
    for start in (0, 16, 32):
        task = dataclasses.replace(TOY.task, shape=(64, 32))
        part = type(whole)(task, whole.parameters)
        part.restore(model.state())
        parts.append(part.predict_proba(np.ascontiguousarray(TOY.asked[:, :, start : start + 32])))
    np.testing.assert_allclose(told, np.mean(parts, 0), atol=1e-6)
    assert not np.allclose(told, whole.predict_proba(TOY.asked), atol=1e-4)


def test_without_views_all_columns_count() -> None:
    model, x = small(), TOY.asked.copy()
    told = fit(model)
    for half in (slice(0, 32), slice(32, 64)):
        other = x.copy()
        other[:, :, half] = 255
        assert (abs(model.predict_proba(other) - told).max(1) > 1e-3).all()


def test_many_pictures_go_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small()
    expected = fit(model)
    monkeypatch.setitem(predicting._PIXELS, "cpu", 5 * 64 * 64)
    np.testing.assert_allclose(model.predict_proba(TOY.asked), expected, atol=1e-6)
    assert model.predict_proba(TOY.asked[:0]).shape == (0, 3)


def test_a_crop_wider_than_the_pictures_is_all_of_them() -> None:
    np.testing.assert_array_equal(fit(small(crop_seconds=1000.0)), fit(small(crop_seconds=0.0)))


def test_pictures_on_the_cpu_are_not_copied(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", TOY.train.x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    data = material(TOY.task, dataclasses.replace(TOY.train, x=mapped), None, Run(0))
    assert np.shares_memory(data.pictures.numpy(), mapped)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("0.0.weight", np.nan, "0.0.weight has values that are not finite"),
        ("0.1.running_var", np.inf, "0.1.running_var has values that are not finite"),
        ("labels", [0, 2, 1], "labels are not two or more"),
        ("labels", [0, 1, 3], "labels are not two or more"),
        ("labels", [-1, 1, 2], "labels are not two or more"),
        ("labels", [1], "labels are not two or more"),
        ("1.0.weight", 0.0, "should not have: 1.0.weight"),
    ],
)
def test_a_state_that_cannot_be_is_refused(name: str, value: object, message: str) -> None:
    model = small(epochs=1)
    fit(model)
    state = {n: np.array(a) for n, a in model.state().items()}
    if name == "labels":
        state[name] = np.array(value)
    else:
        state.setdefault(name, np.zeros(3, np.float32)).flat[0] = value
    with pytest.raises(BundleError, match=message):
        small().restore(state)


@pytest.mark.parametrize("name", ["metrics.csv", "curves.png"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(RunError, match=f"{name} cannot be written"):
        fit(small(epochs=1), folder=tmp_path)
    assert not (tmp_path / f"{name}.tmp").exists()
