"""How far a fit has come, as its folder keeps it: checkpoints, metrics and curves."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from mgrkit_neural import checkpoints, curves

if TYPE_CHECKING:
    from torch import Tensor

    from mgrkit_neural.distributed import Peers

EVERY = 10.0
"""Seconds from checkpoint to checkpoint at least; an end or a stop writes one in any case."""


@dataclasses.dataclass
class Place:
    """How far a fit has come.

    Parameters
    ----------
    batch : as asked, or halved.
    member, epoch : how many networks are finished, and how many epochs of the next one.
    best : accuracy, negative log-loss and number of the best epoch; empty where there is none.
    history : of each epoch, what `curves.COLUMNS` names.
    notes : messages for people so far.
    """

    batch: int
    member: int = 0
    epoch: int = 0
    best: Sequence[float] = ()
    history: Sequence[dict[str, float]] = ()
    notes: Sequence[str] = ()


class State:
    """All that a fit needs to go on.

    Parameters
    ----------
    ranks : the first of these processes reads and writes, in its run's folder.
    settings : what decides the numbers, see `mgrkit_neural.problem.Problem.settings`.
    batch : pieces in one step, of all processes together.

    Attributes
    ----------
    place : how far it has come.
    kept : weights, ``0.<name>`` of the first finished member, ..., ``best.<name>`` of the next.
    pending : the learner's at the end of the last epoch, empty between members; None before.
    """

    def __init__(self, ranks: Peers, settings: Mapping[str, Any], batch: int) -> None:
        self.place = Place(batch)
        self.kept: dict[str, Tensor] = {}
        self.pending: dict[str, Tensor] | None = None
        self._ranks, self._settings = ranks, settings
        self._written = time.monotonic()

    def note(self, text: str) -> None:
        """Tell people, now and where the fit goes on."""
        self.place.notes = [*self.place.notes, text]
        self._tell([text])

    def resume(self) -> dict[str, Tensor]:
        """Take over the place and the weights of the checkpoint, if there is one.

        Gives the state of the learner in it, empty where there is none.

        Raises
        ------
        UsageError : it is of a fit of other settings.
        RunError : it may not be read.
        """
        run, ranks = self._ranks.run, self._ranks
        content = checkpoints.newest(run.folder) if run.folder and ranks.first else None
        content = ranks.from_first(content)
        found = checkpoints.parsed(content) if content is not None else None
        if found is None:
            return {}
        checkpoints.agree(found, self._settings, run.folder)
        self.place = Place(**found.place)
        tensors = {name: torch.from_numpy(array) for name, array in found.arrays.items()}
        self.kept = {n: t.to(run.device) for n, t in below(tensors, "kept.").items()}
        self._tell(self.place.notes)
        return below(tensors, "learner.")

    def write(self, now: bool = False) -> None:
        """Write the metrics, and, if it is time, a checkpoint; with ``now`` the curves too.

        Raises
        ------
        RunError : a file cannot be written.
        """
        folder, pending = self._ranks.run.folder, self.pending
        if folder is None or pending is None or not self._ranks.first:
            return
        curves.write_metrics(folder, self.place.history)
        if not now and time.monotonic() - self._written < EVERY:
            return
        tensors = {f"kept.{name}": tensor for name, tensor in self.kept.items()}
        tensors |= {f"learner.{name}": tensor for name, tensor in pending.items()}
        arrays = {name: tensor.cpu().numpy() for name, tensor in tensors.items()}
        place = dataclasses.asdict(self.place)
        checkpoints.save(folder, checkpoints.Checkpoint(self._settings, place, arrays))
        self._written = time.monotonic()
        if now:
            curves.write_curves(folder, self.place.history)

    def _tell(self, notes: Sequence[str]) -> None:
        for text in notes if self._ranks.first else ():
            self._ranks.run.note(text)


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose names begin so, by the rest of their names."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
