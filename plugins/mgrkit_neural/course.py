"""The course of a fit: one network after the other, one epoch after the other, to the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from mgrkit.errors import RunError, Stopped
from mgrkit_neural import distributed, judging, predicting
from mgrkit_neural.epochs import one_epoch, seeded
from mgrkit_neural.learner import Learner
from mgrkit_neural.predicting import Trained
from mgrkit_neural.problem import Problem
from mgrkit_neural.resuming import State, below

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mgrkit.classifiers.base import Run, Task
    from mgrkit_neural.material import Material
    from mgrkit_neural.recipe import Recipe

_SHOWN: tuple[str, ...] = ("loss", "accuracy", "valid_loss", "valid_accuracy")


class Course:
    """One fit, from its beginning or from the checkpoint of an epoch's end.

    Parameters
    ----------
    network : makes a network; see `mgrkit_neural.training.train`.
    """

    def __init__(
        self,
        network: Callable[[], nn.Module],
        task: Task,
        recipe: Recipe,
        data: Material,
        run: Run,
    ) -> None:
        self.network = network
        self.problem = Problem(task, recipe, data, run)
        settings = self.problem.settings(self.new(0))
        self.state = State(self.problem.ranks, settings, recipe.batch)

    def done(self) -> Trained:
        """Go on from the checkpoint, if there is one, to the end."""
        problem, state = self.problem, self.state
        try:
            with problem.ranks.together():
                found = state.resume()
                while state.place.member < problem.recipe.members:
                    self._train_member(found)
                    found = {}
        except (Stopped, distributed.Lost):
            state.write(now=True)
            raise
        trained = self._trained()
        if state.pending is not None:
            if note := judging.one_genre(problem, trained):
                state.note(note)
            state.write(now=True)
        return trained

    def new(self, member: int) -> nn.Module:
        """A network on the device with the member's first weights."""
        run = self.problem.run
        with seeded("cpu", run.generator(member, "weights")):
            new = self.network()
        if self.problem.ranks.size > 1:
            new = distributed.with_global_statistics(new)
        return predicting.placed(new, run.device)

    def learner(self, member: int) -> Learner:
        """A learner of the member's new network."""
        problem = self.problem
        return Learner(self.new(member), problem.recipe, problem.seen, problem.ranks)

    def _train_member(self, found: dict[str, Tensor]) -> None:
        """Train the next network, from its beginning or from what was found of it."""
        state, place = self.state, self.state.place
        learner = self.learner(place.member)
        if found:
            learner.take(found)
        state.pending = learner.state()
        while place.epoch < self.problem.recipe.epochs and not self._stale():
            begun = time.monotonic()
            try:
                row = one_epoch(self.problem, place, learner)
                row |= judging.scores(self.problem, learner, place.epoch + 1)
            except (RuntimeError, MemoryError) as error:
                if not _is_of_memory(error):
                    raise
            else:
                self._advance(learner, {**row, "seconds": time.monotonic() - begun})
                continue
            # Outside of the handler, whose traceback holds on to what is to be freed.
            self._halve()
            learner.take(state.pending)
        weights = below(state.kept, "best.") or _copy(learner.judged)
        state.kept = {n: t for n, t in state.kept.items() if not n.startswith("best.")}
        state.kept |= {f"{place.member}.{name}": tensor for name, tensor in weights.items()}
        place.member, place.epoch, place.best = place.member + 1, 0, ()
        state.pending = {}

    def _advance(self, learner: Learner, row: dict[str, float]) -> None:
        """Note the end of an epoch; keep its weights if it is the best."""
        state, place, recipe = self.state, self.state.place, self.problem.recipe
        place.epoch += 1
        row = {"member": place.member + 1, "epoch": place.epoch, **row}
        place.history = [*place.history, row]
        if "valid_loss" in row:
            key = [row["valid_accuracy"], -row["valid_loss"]]
            if not place.best or key > list(place.best[:2]):
                place.best = [*key, place.epoch]
                best = _copy(learner.judged)
                state.kept |= {f"best.{name}": tensor for name, tensor in best.items()}
        state.pending = learner.state()
        state.write()
        if self.problem.ranks.first:
            steps = place.member * recipe.epochs + place.epoch
            # The last that is known of each: valid is not judged after every epoch.
            known = {name: value for one in place.history for name, value in one.items()}
            values = {name: known[name] for name in _SHOWN if name in known}
            self.problem.run.progress(steps, recipe.members * recipe.epochs, values)

    def _stale(self) -> bool:
        """Whether valid has not become better for too long."""
        place, patience = self.state.place, self.problem.recipe.patience
        return bool(patience and place.best and place.epoch - place.best[2] >= patience)

    def _halve(self) -> None:
        """Use batches of half the size; RunError if that was done before, or would not help."""
        batch, device = self.state.place.batch, self.problem.run.device
        if batch < self.problem.recipe.batch or self.problem.ranks.size > 1 or batch < 4:
            raise RunError(
                f"there is too little memory on {device} for batches of {batch}",
                f"--param batch={max(2, batch // 2)}",
            )
        self.state.place.batch = batch // 2
        self.state.note(f"too little memory for batches of {batch}: went on with {batch // 2}")
        if torch.device(device).type == "cuda":
            torch.cuda.empty_cache()

    def _trained(self) -> Trained:
        task, recipe, run = self.problem.task, self.problem.recipe, self.problem.run
        members = []
        for member in range(recipe.members):
            new = self.new(member)
            new.load_state_dict(below(self.state.kept, f"{member}."))
            members.append(new.eval().requires_grad_(False))
        return Trained(task, recipe, members, self.problem.data.seen, run.device)


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: t.detach().clone() for name, t in network.state_dict().items()}


def _is_of_memory(error: BaseException) -> bool:
    """Whether there was too little memory; CPUs and MPS raise a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(text in str(error) for text in ("DefaultCPUAllocator", "out of memory"))
