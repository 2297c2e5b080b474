"""One pass over train: batches, wanted probabilities, steps of learning."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mgrkit.errors import RunError
from mgrkit_neural import augmentation, hearing
from mgrkit_neural.learner import cycle

if TYPE_CHECKING:
    from torch import Tensor

    from mgrkit_neural.learner import Learner
    from mgrkit_neural.problem import Problem
    from mgrkit_neural.resuming import Place

_LOOK = 16
"""Steps after which losses are looked at: to look at one waits for the device."""


def one_epoch(problem: Problem, place: Place, learner: Learner) -> dict[str, float]:
    """Learn once from each piece of train, or from a copy of it.

    Returns
    -------
    what `mgrkit_neural.curves.COLUMNS` names of the epoch.

    Raises
    ------
    RunError : the loss is not finite.
    Stopped : the run was asked to end.
    """
    recipe, run, ranks = problem.recipe, problem.run, problem.ranks
    begun = time.monotonic()
    (*_, bands, frames), count = (1, *problem.task.shape), len(problem.data)
    rng = run.generator(place.member, place.epoch)
    draws = augmentation.drawn(rng, count, bands, frames, problem.width, recipe).to(run.device)
    wanted, weights = targets(problem, draws)
    copies = hearing.heard(
        problem.data.variants, place.epoch, run.generator(place.member, "copies")
    )
    draws = draws.of(torch.from_numpy(copies).to(run.device))
    ends = batch_ends(count, place.batch, ranks.size)
    losses = torch.zeros(len(ends), device=run.device)
    right = torch.zeros((), device=run.device)
    learner.network.train()
    with seeded(run.device, run.generator(place.member, place.epoch, ranks.rank)):
        for step, (first, end) in enumerate(ends):
            ranks.check()
            part = ranks.part(end - first)
            mine = slice(first + part.start, first + part.stop)
            x = augmentation.applied(
                problem.data.pictures, draws[mine], problem.width, recipe, run.device
            )
            # Not by the sum of the batch's own weights: rare genres would count for less.
            share = weights[mine] / (end - first)
            at = (place.epoch * len(ends) + step) / max(1, recipe.epochs * len(ends) - 1)
            losses[step], logits = learner.step(x, wanted[mine], share, at)
            right += (logits.argmax(1) == wanted[mine].argmax(1)).sum()
            if step % _LOOK == _LOOK - 1 or end == count:
                _look(problem, place, losses, step)
    sizes = torch.tensor([end - first for first, end in ends], device=run.device)
    passes = learner.seconds_of_passes()
    return {
        "loss": float((losses * sizes).sum() / count),
        "accuracy": float(ranks.total(right) / count),
        "rate": cycle(at, recipe.warmup)[0] * recipe.learning_rate,
        "outside": max(0.0, 1 - passes / (time.monotonic() - begun)),
    }


def targets(problem: Problem, draws: augmentation.Draws) -> tuple[Tensor, Tensor]:
    """Of an epoch: wanted probabilities ``(n, k)``, and weights ``(n,)``, 1 on average."""
    data, recipe, device = problem.data, problem.recipe, problem.run.device
    k, n = len(problem.seen), len(data)
    known = torch.eye(k, device=device)[data.labels]
    mixture = torch.lerp(known[draws.mixed_rows], known[draws.rows], draws.share[:, None])
    rarity = np.ones(k) if recipe.class_weight == "none" else n / k / data.counts
    weight = mixture @ torch.from_numpy(rarity.astype(np.float32)).to(device)
    smooth = recipe.label_smoothing
    return mixture * (1 - smooth) + smooth / k, weight


def _look(problem: Problem, place: Place, losses: Tensor, step: int) -> None:
    """Sum the last losses over the processes; RunError if one is not finite."""
    first = step // _LOOK * _LOOK
    last = problem.ranks.total(losses[first : step + 1])
    wrong = torch.nonzero(~torch.isfinite(last))
    if len(wrong):
        nth = f" of network {place.member + 1}" if problem.recipe.members > 1 else ""
        raise RunError(
            f"the loss is not finite in epoch {place.epoch + 1}{nth}, "
            f"step {first + int(wrong[0]) + 1}",
            "a lower --param learning_rate=, or --precision float32",
        )


def batch_ends(count: int, batch: int, processes: int = 1) -> list[tuple[int, int]]:
    """First and end of each batch of an epoch, all of one size or one less.

    No batch is of a single piece, which has no statistics, and in none a process goes empty:
    rather than that, a batch is larger than asked.
    """
    steps = min(-(-count // batch), max(1, count // max(2, processes)))
    ends = [count * step // steps for step in range(steps + 1)]
    return list(itertools.pairwise(ends))


@contextlib.contextmanager
def seeded(device: str, rng: np.random.Generator) -> Iterator[None]:
    """Networks draw from this generator; torch's global ones are as they were afterwards."""
    kind, seed = torch.device(device).type, int(rng.integers(2**63))
    if kind == "cpu":
        with torch.random.fork_rng([]):
            torch.default_generator.manual_seed(seed)
            yield
        return
    module: Any = getattr(torch, kind)
    here = torch.device(device).index
    if here is None:
        here = torch.cuda.current_device() if kind == "cuda" else 0
    with torch.random.fork_rng([here], device_type=kind):
        torch.default_generator.manual_seed(seed)
        module.manual_seed(seed)
        yield
