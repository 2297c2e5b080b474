"""Several processes that train together: what torchrun set for this one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from mgrkit.errors import RunError, UsageError

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

_PATIENCE = timedelta(days=30)
"""Rank 0 may prepare for days; whether it lives is seen by its connection."""


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together.

    Parameters
    ----------
    rank : its number, from 0; rank 0 alone prepares, prints and writes.
    world_size : how many there are.
    local : its number on this machine, which is that of its GPU.
    """

    rank: int = 0
    world_size: int = 1
    local: int = 0

    @classmethod
    def here(cls) -> Ranks:
        """What torchrun's environment says; one process alone where it says nothing.

        Raises
        ------
        UsageError : it says what cannot be.
        """
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        if "WORLD_SIZE" not in os.environ:
            return cls()
        values = [os.environ.get(name, "0") for name in names]
        if not all(text.isdecimal() for text in values) or not int(values[0]) < int(values[1]):
            pairs = ", ".join(f"{n}={t}" for n, t in zip(names, values, strict=True))
            raise UsageError(f"the environment holds {pairs}", "start it with torchrun")
        return cls(*map(int, values))

    def device(self, resolved: str) -> str:
        """The device of this process: each has a GPU of its own."""
        together = self.world_size > 1 and resolved == "cuda"
        return f"cuda:{self.local}" if together else resolved

    @contextlib.contextmanager
    def together(self, device: str) -> Iterator[None]:
        """Joined with the others, where there are others.

        Raises
        ------
        RunError : they cannot be reached.
        """
        if self.world_size == 1:
            yield
            return
        import torch

        try:
            if device.startswith("cuda"):
                torch.cuda.set_device(device)
                torch.distributed.init_process_group("nccl")
            else:
                torch.distributed.init_process_group("gloo")
        except (RuntimeError, ValueError) as error:
            reason = str(error).partition("\n")[0]
            raise RunError(
                f"process {self.rank} cannot join the others: {reason}", "start it with torchrun"
            ) from None
        try:
            yield
        finally:
            torch.distributed.destroy_process_group()

    @contextlib.contextmanager
    def first_alone(self) -> Iterator[None]:
        """A block that rank 0 goes through before the others do.

        Raises
        ------
        RunError : rank 0 has failed in it, or another process has ended: all end at once.
        """
        if self.world_size == 1:
            yield
            return
        from torch import distributed

        # By gloo whatever trains: NCCL would not see that another one has ended, and would give
        # up after ten minutes.
        group = distributed.new_group(backend="gloo", timeout=_PATIENCE)
        if self.rank:
            if not self._shared(True, group):
                raise RunError("process 0 has failed", "it says why")
            yield
            return
        try:
            yield
        except BaseException:
            with contextlib.suppress(RunError):
                self._shared(False, group)
            raise
        self._shared(True, group)

    def _shared(self, good: bool, group: ProcessGroup) -> bool:
        """What rank 0 sends to the others, which wait for it."""
        import torch

        value = torch.tensor(int(good))
        try:
            torch.distributed.broadcast(value, 0, group)
        except RuntimeError as error:
            message = f"process {self.rank} of {self.world_size} has lost another one"
            raise RunError(message, "that one may say why") from error
        return bool(value)
