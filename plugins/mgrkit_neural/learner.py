"""One network in training: its optimiser, its moving average, and a step of learning."""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from mgrkit_neural.distributed import Peers
    from mgrkit_neural.recipe import Recipe

_BEGIN, _END = 1 / 25, 4e-6
_HEAVY, _LIGHT = 0.95, 0.85


class Learner:
    """A network that learns by AdamW of Loshchilov, Hutter 2019.

    Parameters
    ----------
    network : on the run's device; changed in place.
    columns : int64 ``(k,)``: of the logits, those that are of genres in train.
    ranks : of the run, whose precision may be 'mixed'.

    Attributes
    ----------
    network : what learns.
    judged : what is judged and kept: the moving average of its weights and of its batch norms'
        statistics (Polyak, Juditsky 1992), or the network itself where the recipe has none.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, columns: Tensor, ranks: Peers) -> None:
        self.network = network
        self.recipe = recipe
        self.columns = columns
        self.judged = copy.deepcopy(network).requires_grad_(False) if recipe.average else network
        self._means, self._followed = _floats(self.judged), _floats(network)
        self._forward = ranks.spread(network)
        self._ranks = ranks
        self._kind = torch.device(ranks.run.device).type
        self._type = _half(self._kind) if ranks.run.precision == "mixed" else None
        self._scaler = self._new_scaler()
        self._named = dict(network.named_parameters())
        weights = [p for p in self._named.values() if p.ndim > 1]
        biases = [p for p in self._named.values() if p.ndim <= 1]
        self._optimiser = torch.optim.AdamW(
            [
                {"params": weights, "weight_decay": recipe.weight_decay},
                {"params": biases, "weight_decay": 0.0},
            ]
        )
        self._clock = Stopwatch(self._kind)
        self.steps = 0

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        """In which networks are called in training."""
        with torch.autocast(self._kind, dtype=self._type, enabled=self._type is not None):
            yield

    def step(
        self, x: Tensor, targets: Tensor, weights: Tensor, place: float
    ) -> tuple[Tensor, Tensor]:
        """Learn from this process's slice of a batch; gives its loss and its logits.

        Parameters
        ----------
        x : float32 ``(n, 1, bands, width)``.
        targets : float32 ``(n, k)``: probabilities that are wanted, of the genres in train.
        weights : float32 ``(n,)``: of the pieces in the loss, which is the sum over all processes.
        place : in the whole of the training, 0 at the first step and 1 at the last.
        """
        self._optimiser.zero_grad(set_to_none=True)
        for group in self._optimiser.param_groups:
            rate, beta = cycle(place, self.recipe.warmup)
            group["lr"], group["betas"] = rate * self.recipe.learning_rate, (beta, 0.999)
        self._clock.start()
        with self.precision():
            logits = self._forward(x)
        logits = logits[:, self.columns].float()
        loss = -((targets * functional.log_softmax(logits, 1)).sum(1) * weights).sum()
        # DistributedDataParallel takes the mean over the processes; wanted is the sum.
        scaled: Any = self._scaler.scale(loss * self._ranks.size)
        scaled.backward()
        self._clock.stop()
        if self.recipe.clip:
            self._scaler.unscale_(self._optimiser)
            nn.utils.clip_grad_norm_(self._named.values(), self.recipe.clip)
        self._scaler.step(self._optimiser)
        self._scaler.update()
        self.steps += 1
        self._follow()
        return loss.detach(), logits.detach()

    def seconds_of_passes(self) -> float:
        """What forward and backward passes took since this was last asked."""
        return self._clock.taken()

    def state(self) -> dict[str, Tensor]:
        """All that it needs to go on, in tensors of their own."""
        state = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        if self.judged is not self.network:
            state |= {f"average.{name}": t for name, t in self.judged.state_dict().items()}
        for name, parameter in self._named.items():
            for key, value in self._optimiser.state.get(parameter, {}).items():
                state[f"{key}.{name}"] = value
        state["steps"] = torch.tensor(self.steps)
        if self._scaler.is_enabled():
            kept = self._scaler.state_dict()
            state["scale"] = torch.tensor([kept["scale"], kept["_growth_tracker"]])
        return {name: tensor.detach().clone() for name, tensor in state.items()}

    def take(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a `state`, of this or of another device."""
        _load(self.network, state, "network.")
        if self.judged is not self.network:
            _load(self.judged, state, "average.")
        self._optimiser.state.clear()
        for name, parameter in self._named.items():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                value = state.get(f"{key}.{name}")
                if value is not None:
                    # Laid out as the parameter, else the last digits of a resumed run differ.
                    like = torch.empty_like(parameter) if key != "step" else torch.empty(())
                    self._optimiser.state[parameter][key] = like.detach().copy_(value)
        self.steps = int(state["steps"])
        # A new one: the step in which memory ran out may have left the old one half-way.
        self._scaler = self._new_scaler()
        if "scale" in state:
            scale, growth = state["scale"].tolist()
            kept = self._scaler.state_dict()
            self._scaler.load_state_dict({**kept, "scale": scale, "_growth_tracker": int(growth)})

    def _new_scaler(self) -> torch.amp.GradScaler:
        return torch.amp.GradScaler(self._kind, enabled=self._type is torch.float16)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average on; in the beginning faster, so that it forgets the random weights."""
        if self.judged is self.network:
            return
        decay = min(self.recipe.average, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self._means, self._followed, 1 - decay)
        for mean, now in zip(self.judged.buffers(), self.network.buffers(), strict=True):
            if not now.is_floating_point():  # a count of batches
                mean.copy_(now)


def cycle(place: float, warmup: float) -> tuple[float, float]:
    """Learning rate, as a share of the highest, and AdamW's first beta.

    One cycle of Smith, Topin 2019: the rate rises along a cosine for the share ``warmup`` of the
    training and then falls to nearly nothing, while beta falls and rises.
    """
    if place < warmup:
        low, height = _BEGIN, (1 - math.cos(math.pi * place / warmup)) / 2
    else:
        low, height = _END, (1 + math.cos(math.pi * (place - warmup) / (1 - warmup))) / 2
    return low + (1 - low) * height, _HEAVY - (_HEAVY - _LIGHT) * height


class Stopwatch:
    """Seconds between starts and stops; on CUDA by the device's clock, without waiting for it."""

    def __init__(self, kind: str) -> None:
        self._cuda = kind == "cuda"
        self._spans: list[tuple[Any, Any]] = []

    def start(self) -> None:
        """Begin a span."""
        self._begun = self._now()

    def stop(self) -> None:
        """End it."""
        self._spans.append((self._begun, self._now()))

    def taken(self) -> float:
        """The sum of all spans since this was last asked."""
        spans, self._spans = self._spans, []
        if not self._cuda:
            return float(sum(end - begin for begin, end in spans))
        torch.cuda.synchronize()
        return float(sum(begin.elapsed_time(end) for begin, end in spans)) / 1000

    def _now(self) -> Any:
        if not self._cuda:
            return time.perf_counter()
        event: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event


def _floats(network: nn.Module) -> list[Tensor]:
    """Weights and statistics: what an average can be made of."""
    every = itertools.chain(network.parameters(), network.buffers())
    return [tensor for tensor in every if tensor.is_floating_point()]


def _half(kind: str) -> torch.dtype | None:
    """The short type of mixed precision on this kind of device, None for none."""
    if kind == "cuda":
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if bf16 else torch.float16
    return torch.bfloat16 if kind == "cpu" else None


def _load(network: nn.Module, state: Mapping[str, Tensor], prefix: str) -> None:
    cut = len(prefix)
    network.load_state_dict({n[cut:]: t for n, t in state.items() if n.startswith(prefix)})
