"""What the networks of the literature are built of; importing this module imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mgrkit.errors import UsageError

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}
_POOLS = {1: nn.MaxPool1d, 2: nn.MaxPool2d}
_NORMS = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d}


class Stack:
    """Layers one upon the other, and the size of what comes out of the last.

    Parameters
    ----------
    name : of the classifier, for the error of an input that is too small.
    size : of the input: channels, then bands and frames, or frames of samples alone.
    cure : what a person can do about an input that is too small.
    """

    def __init__(self, name: str, size: Sequence[int], cure: str) -> None:
        self.size = tuple(size)
        self._layers: list[nn.Module] = []
        self._name, self._input, self._cure = name, self.size[1:], cure

    def convolve(
        self,
        channels: int,
        *kernel: int,
        stride: int = 1,
        same: bool = False,
        normed: float = 0.0,
    ) -> Stack:
        """A convolution.

        Parameters
        ----------
        channels : that it makes.
        kernel : its bands and frames.
        same : zeros around it, so that it makes as much as it takes.
        normed : epsilon of a batch norm that follows, see `unbiased`; 0 for none.
        """
        if same:
            self._pad(kernel)
        made = _CONVOLUTIONS[len(kernel)](self.size[0], channels, kernel, stride)  # type: ignore[arg-type]
        self._shrink("convolution", kernel, (stride,) * len(kernel))
        self.size = (channels, *self.size[1:])
        return self.add(unbiased(made)).norm(normed) if normed else self.add(made)

    def norm(self, epsilon: float = 1e-5) -> Stack:
        """Batch normalisation of each channel."""
        return self.add(_NORMS[len(self.size) - 1](self.size[0], eps=epsilon))

    def pool(self, *window: int) -> Stack:
        """The greatest of each window; what is left over at the edge is dropped."""
        self._shrink("pool", window, window)
        return self.add(_POOLS[len(window)](window))

    def flatten(self) -> Stack:
        """All numbers as one vector."""
        self.size = (math.prod(self.size),)
        return self.add(nn.Flatten())

    def dense(self, units: int) -> Stack:
        """A linear layer on a vector."""
        (into,), self.size = self.size, (units,)
        return self.add(nn.Linear(into, units))

    def add(self, layer: nn.Module) -> Stack:
        """A layer that leaves the size as it is."""
        self._layers.append(layer)
        return self

    @property
    def network(self) -> nn.Sequential:
        """All of it."""
        return nn.Sequential(*self._layers)

    def _pad(self, kernel: tuple[int, ...]) -> None:
        """Zeros around; of an even kernel, one more behind than before, as TensorFlow does."""
        ends = [((k - 1) // 2, k // 2) for k in kernel]
        self.size = (self.size[0], *(n + k - 1 for n, k in zip(self.size[1:], kernel, strict=True)))
        self.add(nn.ZeroPad2d((*ends[1], *ends[0])) if len(ends) == 2 else nn.ZeroPad1d(ends[0]))

    def _shrink(self, layer: str, window: tuple[int, ...], steps: tuple[int, ...]) -> None:
        """The size after such a layer; UsageError where its window does not fit once."""
        before = self.size[1:]
        after = [(n - w) // s + 1 for n, w, s in zip(before, window, steps, strict=True)]
        if min(after) < 1:
            raise UsageError(
                f"{self._name}: {described(self._input)} are too few for it: its {layer} "
                f"of {described(window)} finds {described(before)} left",
                self._cure,
            )
        self.size = (self.size[0], *after)


def unbiased(layer: nn.Module) -> nn.Module:
    """A convolution before a batch norm, where its bias does nothing and moves by rounding alone.

    It is held at 0, and counts among the parameters, as it does in what others publish.
    """
    bias = layer.bias
    assert isinstance(bias, nn.Parameter)
    nn.init.zeros_(bias).requires_grad_(False)
    return layer


def described(size: Sequence[int]) -> str:
    """A size without channels in words."""
    return f"{size[0]} bands x {size[1]} frames" if len(size) == 2 else f"{size[0]} samples"


class Beside(nn.Module):
    """Networks that see the same, and their vectors one after the other."""

    def __init__(self, *networks: nn.Module) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, ...)`` to ``(n, numbers of all)``."""
        return torch.cat([network(x) for network in self.networks], 1)


class ColumnNorm(nn.Module):
    """Batch normalisation of each column (frame) of a picture by itself."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(frames)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, channels, bands, frames)``, of that many frames."""
        columns: Tensor = self.norm(x.transpose(1, 3))
        return columns.transpose(1, 3)


class Columns(nn.Module):
    """A picture as a sequence in time: all numbers of a column as one vector."""

    def forward(self, x: Tensor) -> Tensor:
        """``(n, channels, bands, frames)`` to ``(n, frames, channels * bands)``."""
        return x.flatten(1, 2).transpose(1, 2)


class Gated(nn.Module):
    """A GRU over time.

    Parameters
    ----------
    ways : directions, 1 or 2.
    last : give the state after the last frame (of both directions), not all states.
    one_bias : with one bias a gate, as the GRU of Cho et al. 2014; torch's has two.
    """

    def __init__(
        self, into: int, hidden: int, ways: int = 1, last: bool = True, one_bias: bool = False
    ) -> None:
        super().__init__()
        self.gru = nn.GRU(into, hidden, batch_first=True, bidirectional=ways == 2)
        self._last = last
        if one_bias:
            del self.gru._parameters["bias_hh_l0"]
            self.gru.register_buffer("bias_hh_l0", torch.zeros(3 * hidden), persistent=False)
            self.gru._init_flat_weights()

    def forward(self, x: Tensor) -> Tensor:
        """``(n, frames, into)`` to ``(n, frames, hidden)``, or ``(n, ways * hidden)``."""
        every, state = self.gru(x)
        told: Tensor = state.transpose(0, 1).flatten(1) if self._last else every
        return told
