"""The course of a fit: networks, epochs, judging, checkpoints."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mgrkit.errors import RunError, Stopped
from mgrkit_neural import augmentation, checkpoints, curves, distributed, predicting
from mgrkit_neural.distributed import Ranks
from mgrkit_neural.learner import Learner, cycle
from mgrkit_neural.predicting import Trained

if TYPE_CHECKING:
    from torch import Tensor, nn

    from mgrkit.classifiers.base import Run, Task
    from mgrkit_neural.material import Material
    from mgrkit_neural.recipe import Recipe

EVERY = 10.0
"""Seconds from checkpoint to checkpoint at least; an end or a stop writes one in any case."""
_LOOK = 16
"""Steps after which losses are looked at: to look at one waits for the device."""
_SOME = 500
"""Pieces of train that are enough to see whether all are told to be of one genre."""
_TOLD: tuple[str, ...] = ("loss", "accuracy", "valid_loss", "valid_accuracy")


@dataclasses.dataclass
class Place:
    """How far a fit has come.

    Parameters
    ----------
    batch : as asked, or halved.
    member, epoch : how many networks are finished, and how many epochs of the next one.
    best : accuracy, negative log-loss and number of the best epoch; empty where there is none.
    history : of each epoch, what `curves.COLUMNS` names.
    notes : what was told to people.
    """

    batch: int
    member: int = 0
    epoch: int = 0
    best: Sequence[float] = ()
    history: Sequence[dict[str, float]] = ()
    notes: Sequence[str] = ()


class Fit:
    """One fit: its place, the weights that it keeps, and the checkpoint of the last epoch's end.

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
        self.network, self.task, self.recipe, self.data, self.run = network, task, recipe, data, run
        self.ranks = Ranks(run)
        self.seen = torch.from_numpy(data.seen).to(run.device)
        self.width = recipe.columns(task)
        self.place = Place(recipe.batch)
        # Weights: "0.<name>" of the first finished member, ..., "best.<name>" of the next one.
        self.kept: dict[str, Tensor] = {}
        self.pending: dict[str, Tensor] | None = None
        self.written = time.monotonic()
        self.settings = self._settings()

    def done(self) -> Trained:
        """Go on from the checkpoint, if there is one, to the end."""
        try:
            with self.ranks.together():
                found = self._resumed()
                while self.place.member < self.recipe.members:
                    self._train_member(found)
                    found = {}
        except (Stopped, distributed.Lost):
            self._write(now=True)
            raise
        trained = self._trained()
        if self.pending is not None:
            self._note_one_genre(trained)
            self._write(now=True)
        return trained

    def _new(self, member: int) -> nn.Module:
        """A network on the device with the member's first weights."""
        with own_randomness("cpu", self.run.generator(member, "weights")):
            new = self.network()
        if self.ranks.size > 1:
            new = distributed.with_global_statistics(new)
        return predicting.placed(new, self.run.device)

    def _train_member(self, found: dict[str, Tensor]) -> None:
        """Train the next network, from its beginning or from what was found of it."""
        place, recipe = self.place, self.recipe
        new = self._new(place.member)
        learner = Learner(new, recipe, self.seen, self.ranks)
        if found:
            learner.take(found)
        self.pending = learner.state()
        while place.epoch < recipe.epochs and not self._stale():
            begun = time.monotonic()
            try:
                row = self._epoch(learner)
                row |= self._judged(learner)
            except (RuntimeError, MemoryError) as error:
                if not _is_of_memory(error):
                    raise
            else:
                self._advance(learner, {**row, "seconds": time.monotonic() - begun})
                continue
            # Outside of the handler, whose traceback holds on to what is to be freed.
            self._halve()
            learner.take(self.pending)
        weights = _of(self.kept, "best.") or _copy(learner.judged)
        self.kept = {n: t for n, t in self.kept.items() if not n.startswith("best.")}
        self.kept |= {f"{place.member}.{name}": tensor for name, tensor in weights.items()}
        place.member, place.epoch, place.best = place.member + 1, 0, ()
        self.pending = {}

    def _epoch(self, learner: Learner) -> dict[str, float]:
        """One pass over train."""
        place, recipe, run, ranks = self.place, self.recipe, self.run, self.ranks
        begun = time.monotonic()
        (bands, frames), count = self.task.shape, len(self.data)
        rng = run.generator(place.member, place.epoch)
        draws = augmentation.drawn(rng, count, bands, frames, self.width, recipe).to(run.device)
        targets, weights = self._targets(draws)
        ends = batch_ends(count, place.batch, ranks.size)
        losses = torch.zeros(len(ends), device=run.device)
        right = torch.zeros((), device=run.device)
        learner.network.train()
        with own_randomness(run.device, run.generator(place.member, place.epoch, ranks.rank)):
            for step, (first, end) in enumerate(ends):
                ranks.check()
                own = ranks.part(end - first)
                mine = slice(first + own.start, first + own.stop)
                x = augmentation.applied(
                    self.data.pictures, draws[mine], self.width, recipe, run.device
                )
                # Not by the sum of the batch's own weights: rare genres would count for less.
                share = weights[mine] / (end - first)
                at = (place.epoch * len(ends) + step) / max(1, recipe.epochs * len(ends) - 1)
                losses[step], logits = learner.step(x, targets[mine], share, at)
                right += (logits.argmax(1) == targets[mine].argmax(1)).sum()
                if step % _LOOK == _LOOK - 1 or end == count:
                    self._look(losses, step)
        sizes = torch.tensor([end - first for first, end in ends], device=run.device)
        passes = learner.seconds_of_passes()
        return {
            "loss": float((losses * sizes).sum() / count),
            "accuracy": float(ranks.total(right) / count),
            "rate": cycle(at, recipe.warmup)[0] * recipe.learning_rate,
            "outside": max(0.0, 1 - passes / (time.monotonic() - begun)),
        }

    def _targets(self, draws: augmentation.Draws) -> tuple[Tensor, Tensor]:
        """Of an epoch: wanted probabilities ``(n, k)``, and weights ``(n,)``, 1 on average."""
        k, n = len(self.seen), len(self.data)
        known = torch.eye(k, device=self.run.device)[self.data.labels]
        mixture = torch.lerp(known[draws.mixed_rows], known[draws.rows], draws.share[:, None])
        rarity = np.ones(k) if self.recipe.class_weight == "none" else n / k / self.data.counts
        weight = mixture @ torch.from_numpy(rarity.astype(np.float32)).to(self.run.device)
        smooth = self.recipe.label_smoothing
        return mixture * (1 - smooth) + smooth / k, weight

    def _look(self, losses: Tensor, step: int) -> None:
        """Sum the last losses over the processes; RunError if one is not finite."""
        first = step // _LOOK * _LOOK
        last = self.ranks.total(losses[first : step + 1])
        wrong = torch.nonzero(~torch.isfinite(last))
        if len(wrong):
            nth = f" of network {self.place.member + 1}" if self.recipe.members > 1 else ""
            raise RunError(
                f"the loss is not finite in epoch {self.place.epoch + 1}{nth}, "
                f"step {first + int(wrong[0]) + 1}",
                "a lower --param learning_rate=, or --precision float32",
            )

    def _judged(self, learner: Learner) -> dict[str, float]:
        """Accuracy and log-loss of the tracks of valid; nothing if it is not their turn."""
        valid, done, recipe = self.data.valid, self.place.epoch + 1, self.recipe
        if valid is None or (done % recipe.judge_every and done < recipe.epochs):
            return {}
        alone = self.ranks.size == 1
        told = torch.zeros((len(valid.pictures), len(self.seen)), device=self.run.device)
        own = self.ranks.part(len(told))
        with learner.precision():
            told[own] = predicting.predicted(
                learner.judged, valid.pictures[own], self.seen, self.width, recipe.views,
                self.run.device,
                # Together they ask in the same step; here one may have fewer pictures.
                self.ranks.check if alone else lambda: None,
            )  # fmt: skip
        accuracy, loss = valid.scores(self.ranks.total(told).cpu().numpy(), self.data.seen)
        if not math.isfinite(loss):
            raise RunError(
                f"the loss on valid is not finite after epoch {done}",
                "a lower --param learning_rate=, or --precision float32",
            )
        return {"valid_accuracy": accuracy, "valid_loss": loss}

    def _advance(self, learner: Learner, row: dict[str, float]) -> None:
        """Note the end of an epoch; keep its weights if it is the best."""
        place, recipe = self.place, self.recipe
        place.epoch += 1
        row = {"member": place.member + 1, "epoch": place.epoch, **row}
        place.history = [*place.history, row]
        if "valid_loss" in row:
            key = [row["valid_accuracy"], -row["valid_loss"]]
            if not place.best or key > list(place.best[:2]):
                place.best = [*key, place.epoch]
                best = _copy(learner.judged)
                self.kept |= {f"best.{name}": tensor for name, tensor in best.items()}
        self.pending = learner.state()
        self._write()
        if self.ranks.first:
            steps = place.member * recipe.epochs + place.epoch
            # The last that is known of each: valid is not judged after every epoch.
            known = {name: value for one in place.history for name, value in one.items()}
            told = {name: known[name] for name in _TOLD if name in known}
            self.run.progress(steps, recipe.members * recipe.epochs, told)

    def _stale(self) -> bool:
        """Whether valid has not become better for too long."""
        place, patience = self.place, self.recipe.patience
        return bool(patience and place.best and place.epoch - place.best[2] >= patience)

    def _halve(self) -> None:
        """Use batches of half the size; RunError if that was done before, or would not help."""
        batch = self.place.batch
        if batch < self.recipe.batch or self.ranks.size > 1 or batch < 4:
            raise RunError(
                f"there is too little memory on {self.run.device} for batches of {batch}",
                f"--param batch={max(2, batch // 2)}",
            )
        self.place.batch = batch // 2
        self._note(f"too little memory for batches of {batch}: went on with {batch // 2}")
        if torch.device(self.run.device).type == "cuda":
            torch.cuda.empty_cache()

    def _note(self, text: str) -> None:
        self.place.notes = [*self.place.notes, text]
        if self.ranks.first:
            self.run.note(text)

    def _note_one_genre(self, trained: Trained) -> None:
        """Say if the same genre is predicted of everything."""
        valid = self.data.valid
        if valid is not None:
            part, told = "valid", valid.averaged(trained.told(valid.pictures)).argmax(1)
        else:
            few = self.data.pictures[:: max(1, len(self.data) // _SOME)]
            part, told = "train", trained.told(few).argmax(1)
        one = np.unique(told)
        if len(told) > 1 and len(one) == 1:
            label = self.task.labels[one[0]]
            self._note(f"it predicts one genre only: everything in {part} is {label}")

    def _trained(self) -> Trained:
        members = []
        for member in range(self.recipe.members):
            new = self._new(member)
            new.load_state_dict(_of(self.kept, f"{member}."))
            members.append(new.eval().requires_grad_(False))
        return Trained(self.task, self.recipe, members, self.data.seen, self.run.device)

    def _settings(self) -> dict[str, Any]:
        """What decides the numbers."""
        shapes = [[name, list(t.shape)] for name, t in self._new(0).state_dict().items()]
        valid = self.data.valid
        return {
            "parameters": dataclasses.asdict(self.recipe),
            "seed": self.run.seed,
            "precision": self.run.precision,
            "genres": self.task.labels,
            "bands and columns": self.task.shape,
            "pieces in train": len(self.data),
            "pieces in valid": 0 if valid is None else len(valid.pictures),
            "network": hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16],
            "examples": self.data.digest,
        }

    def _resumed(self) -> dict[str, Tensor]:
        """Take over the place and the weights of the checkpoint; gives the learner's state."""
        folder = self.run.folder
        content = checkpoints.newest(folder) if folder and self.ranks.first else None
        content = self.ranks.from_first(content)
        found = checkpoints.parsed(content) if content is not None else None
        if found is None:
            return {}
        checkpoints.agree(found, self.settings, folder)
        self.place = Place(**found.place)
        tensors = {name: torch.from_numpy(array) for name, array in found.arrays.items()}
        self.kept = {n: t.to(self.run.device) for n, t in _of(tensors, "kept.").items()}
        for note in self.place.notes if self.ranks.first else ():
            self.run.note(note)
        return _of(tensors, "learner.")

    def _write(self, now: bool = False) -> None:
        """Write the metrics, and, if it is time, a checkpoint; with ``now`` the curves too."""
        folder, pending = self.run.folder, self.pending
        if folder is None or pending is None or not self.ranks.first:
            return
        curves.write_metrics(folder, self.place.history)
        if not now and time.monotonic() - self.written < EVERY:
            return
        tensors = {f"kept.{name}": tensor for name, tensor in self.kept.items()}
        tensors |= {f"learner.{name}": tensor for name, tensor in pending.items()}
        arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
        plain = dataclasses.asdict(self.place)
        checkpoints.save(folder, checkpoints.Checkpoint(self.settings, plain, arrays))
        self.written = time.monotonic()
        if now:
            curves.write_curves(folder, self.place.history)


def batch_ends(count: int, batch: int, processes: int = 1) -> list[tuple[int, int]]:
    """First and end of each batch of an epoch, all of one size or one less.

    No batch is of a single piece, which has no statistics, and in none a process goes empty:
    rather than that, a batch is larger than asked.
    """
    steps = min(-(-count // batch), max(1, count // max(2, processes)))
    ends = [count * step // steps for step in range(steps + 1)]
    return list(itertools.pairwise(ends))


@contextlib.contextmanager
def own_randomness(device: str, rng: np.random.Generator) -> Iterator[None]:
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


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: t.detach().clone() for name, t in network.state_dict().items()}


def _of(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin so, by the rest of their names."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _is_of_memory(error: BaseException) -> bool:
    """Whether there was too little memory; CPUs and MPS raise a plain RuntimeError."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    told = str(error)
    return any(text in told for text in ("DefaultCPUAllocator", "out of memory"))
