"""Several processes that train one network: each takes its slice of every batch.

The command has initialised `torch.distributed`; here it is only used. Nothing is pickled: what
the processes send one another are tensors.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn

from mgrkit.errors import RunError, Stopped

if TYPE_CHECKING:
    from torch import Tensor

    from mgrkit.classifiers.base import Run


class Lost(RunError):  # noqa: N818
    """Another process of this fit has ended."""


class Peers:
    """This process among those that fit together; alone, every method is as good as nothing."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.rank, self.size = run.rank, run.world_size
        self.first = run.rank == 0

    def part(self, count: int) -> slice:
        """This process's share of ``count`` pieces: all shares have the same size but for one."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def total(self, values: Tensor) -> Tensor:
        """The sum over all processes; changes ``values``, and gives it back."""
        if self.size > 1:
            distributed.all_reduce(values)
        return values

    def check(self) -> None:
        """`Run.check`, by which all processes end in the same step if one is asked to."""
        if self.size == 1:
            self.run.check()
        elif self.total(self._number(int(self.run.stop_requested()))):
            raise Stopped("stopped")

    def from_first(self, content: bytes | None) -> bytes | None:
        """The bytes that the first process has, or None; the others give None."""
        if self.size == 1:
            return content
        length = self._number(-1 if content is None else len(content))
        distributed.broadcast(length, 0)
        if length < 0:
            return None
        shared = torch.zeros(int(length), dtype=torch.uint8)
        if content is not None:
            shared = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        shared = shared.to(self.run.device)
        distributed.broadcast(shared, 0)
        return shared.cpu().numpy().tobytes()

    def spread(self, network: nn.Module) -> nn.Module:
        """The network whose gradients are the means over all processes."""
        if self.size == 1:
            return network
        place = torch.device(self.run.device)
        ids = None if place.type == "cpu" else [place]
        return nn.parallel.DistributedDataParallel(network, ids)

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Tell that another process has ended; raises `Lost` then."""
        try:
            yield
        except RuntimeError as error:
            if self.size == 1 or not _is_of_connection(error):
                raise
            raise Lost(
                f"process {self.rank} of {self.size} has lost another one",
                "the same command goes on from the last checkpoint",
            ) from error

    def _number(self, value: int) -> Tensor:
        return torch.tensor(value, dtype=torch.int64, device=self.run.device)


def _is_of_connection(error: RuntimeError) -> bool:
    message = str(error).lower()
    return isinstance(error, distributed.DistError) or "gloo" in message or "connection" in message


def with_global_statistics(network: nn.Module) -> nn.Module:
    """The network with batch norms whose statistics are of the batch of all processes."""
    for name, child in network.named_children():
        setattr(network, name, with_global_statistics(child))
    if not isinstance(network, nn.modules.batchnorm._BatchNorm):
        return network
    other = GlobalBatchNorm(
        network.num_features,
        network.eps,
        network.momentum,
        network.affine,
        network.track_running_stats,
    )
    # The parameters themselves, not copies: whoever holds them still holds those that learn.
    other._parameters, other._buffers = network._parameters, network._buffers
    return other.train(network.training)


class GlobalBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over all processes, on any device; torch's own is for CUDA alone."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002
        del input

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        """As `torch.nn.BatchNorm2d`, of ``(n, channels, ...)``; in `train` mode collective."""
        if not self.training:
            return super().forward(input)
        x = input.float()
        others = [i for i in range(x.ndim) if i != 1]
        count = x.numel() // x.shape[1]
        sums = _total(torch.cat([x.sum(others), x.new_full((1,), count)]))
        count_all = sums[-1].detach()
        mean = sums[:-1] / count_all
        shape = [1, -1, *([1] * (x.ndim - 2))]
        centred = x - mean.view(shape)
        variance = _total(centred.square().sum(others)) / count_all
        self._note(mean.detach(), variance.detach(), count_all)
        y = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(input.dtype)

    def _note(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Move the running statistics on."""
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = self.momentum
        if share is None:
            share = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * count / (count - 1).clamp(min=1), share)


class _Total(torch.autograd.Function):
    """The sum over all processes; each one's loss has a gradient through it."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        del ctx
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        del ctx
        total = gradient.contiguous().clone()
        distributed.all_reduce(total)
        return total


def _total(values: Tensor) -> Tensor:
    total: Tensor = _Total.apply(values)  # type: ignore[no-untyped-call]
    return total
