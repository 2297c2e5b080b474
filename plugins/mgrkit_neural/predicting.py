"""Trained networks and what they predict, of whole pictures or of several crops of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from mgrkit_neural import arrays, augmentation, pictures, threads

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from mgrkit.classifiers.base import Floats, Task
    from mgrkit_neural.recipe import Recipe

_PIXELS = {"cpu": 1 << 20, "mps": 1 << 22, "cuda": 1 << 24}
"""That go through a network at once: on a CPU more is slower, for it does not fit its cache."""


@dataclass(frozen=True)
class Trained:
    """Networks that are averaged, and what must be known to predict with them.

    Parameters
    ----------
    members : the networks, on ``device``, in `eval` mode.
    seen : int64 ``(k,)``: the genres in train, in order; the others get probability 0.
    """

    task: Task
    recipe: Recipe
    members: Sequence[nn.Module]
    seen: NDArray[np.int64]
    device: str

    def probabilities(self, x: NDArray[Any]) -> Floats:
        """Of examples ``(n, *task.shape)``: float32 ``(n, labels)``.

        Raises
        ------
        UsageError : pictures of another shape or type.
        RunError : torch cannot compute in this process, see `threads.check`.
        """
        return self.of_tensor(as_pictures(x, self.task))

    def of_tensor(self, x: Tensor) -> Floats:
        """As `probabilities`, of a tensor on any device."""
        threads.check()
        found = np.zeros((len(x), len(self.task.labels)), np.float32)
        seen = torch.from_numpy(self.seen).to(self.device)
        width = self.recipe.columns(self.task)
        with in_float32(self.device):
            for member in self.members:
                of_member = predicted(member, x, seen, width, self.recipe.views, self.device)
                found[:, self.seen] += of_member.cpu().numpy()
        return found / np.float32(len(self.members))

    def state(self) -> dict[str, NDArray[Any]]:
        """What a bundle keeps, see `stored`."""
        return stored(self.members, self.seen)


def as_pictures(x: NDArray[Any], task: Task) -> Tensor:
    """The pictures as a tensor of the same memory, which may be read-only.

    Raises
    ------
    UsageError : pictures of another shape or type.
    """
    return _shared(pictures.checked(x, task))


def _shared(x: NDArray[Any]) -> Tensor:
    import warnings

    with warnings.catch_warnings():
        # Of a read-only array torch warns; nothing here writes to pictures.
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(x)


def predicted(
    network: nn.Module,
    x: Tensor,
    seen: Tensor,
    width: int,
    views: int,
    device: str,
    check: Callable[[], None] = lambda: None,
) -> Tensor:
    """Probabilities of the genres in train, float32 ``(n, k)`` on ``device``.

    Parameters
    ----------
    x : pictures uint8 ``(n, bands, frames)`` or samples float32 ``(n, frames)``, on any device.
    seen : int64 ``(k,)`` on ``device``: the columns of the logits that are of genres in train.
    width, views : columns and number of the crops that are averaged; 0 for all columns at once.
    check : called before each few pictures.
    """
    count, *_, frames = x.shape
    width = width if views else frames
    starts = pictures.starts(frames, width, views)
    numbers = x[:1, ..., :width].numel() * len(starts)
    rows = max(1, _PIXELS[torch.device(device).type] // max(1, numbers))
    probabilities = torch.zeros((count, len(seen)), device=device)
    network.eval()
    with torch.inference_mode():
        for first in range(0, count, rows):
            check()
            part = x[first : first + rows]
            # All crops at once: many small passes would wait for the interpreter in turns.
            cut = torch.cat([part[..., start : start + width] for start in starts])
            logits = network(augmentation.scaled(cut.to(device)))[:, seen]
            by_crop = logits.float().softmax(1).view(len(starts), len(part), -1)
            probabilities[first : first + rows] = by_crop.mean(0)
    return probabilities


@contextlib.contextmanager
def in_float32(device: str) -> Iterator[None]:
    """Convolutions without TF32, which cuDNN would use: a model tells the same on all devices."""
    if torch.device(device).type != "cuda":
        yield
        return
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


def stored(networks: Sequence[nn.Module], seen: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """What a bundle keeps: ``labels`` int64 ``(k,)``, and ``i.<name>`` of the tensors of each."""
    kept = {"labels": seen}
    for number, network in enumerate(networks):
        for name, tensor in network.state_dict().items():
            # Channels last is a layout of memory only; files hold plain C order.
            kept[f"{number}.{name}"] = tensor.cpu().contiguous().numpy()
    return kept


def restored(
    make: Callable[[], nn.Module],
    task: Task,
    recipe: Recipe,
    state: Mapping[str, NDArray[Any]],
    device: str,
) -> Trained:
    """The networks whose tensors `stored` gave.

    Raises
    ------
    BundleError : an array is missing, or there is one too many, or one of another shape or
        type, or its values are not finite, or the labels cannot be.
    RunError : torch cannot compute in this process, see `threads.check`.
    """
    threads.check()
    with torch.random.fork_rng([]):
        members = [make() for _ in range(recipe.members)]
    wanted = stored(members, np.zeros(0, np.int64))
    arrays.check_names(set(wanted), state)
    for name, like in wanted.items():
        if name != "labels":
            arrays.checked(name, state[name], like.dtype, like.shape)
    seen = arrays.checked_labels(state["labels"], task)
    for number, member in enumerate(members):
        tensors = {name: torch.from_numpy(np.array(state[f"{number}.{name}"]))
               for name in member.state_dict()}  # fmt: skip
        member.load_state_dict(tensors)
    ready = [placed(member, device).eval().requires_grad_(False) for member in members]
    return Trained(task, recipe, ready, seen, device)


def placed(network: nn.Module, device: str) -> nn.Module:
    """The network on a device, its pictures channels last, which is how convolutions are fast."""
    moved: nn.Module = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved
