"""The log odds of logistic regression, in torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import UsageError
from mgrkit_classical.solvers.torch import threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.classifiers.base import Run
    from mgrkit_classical.arrays import Numbers, Place

_STRETCH, _STRETCHES = 100, 100
"""Steps between two looks at the gradient, and how often it goes on from there."""

_EXACT, _ENOUGH = 1e-7, 1e-6
"""The largest slope of a settled fit, of the mean over the examples: what is sought, for that is
what coefficients hang on, and what will do where rounding lets it go no lower."""


def odds(
    z: Any, y: NDArray[np.int64], weight: Numbers, price: float, place: Place, run: Run
) -> tuple[Numbers, Numbers]:
    """As `mgrkit_classical.solvers.sklearn.logistic.odds`, with z on the device.

    L-BFGS (Liu, Nocedal 1989, "On the limited memory BFGS method for large scale optimization")
    with a line search for Wolfe's conditions. Two genres share one vector of weights, as in
    scikit-learn: its penalty is that of one, too.
    """
    import torch

    labels, index = np.unique(y, return_inverse=True)
    k = len(labels)
    target, share = place.put(index), place.put(weight / weight.sum())
    penalty = 1 / (2 * price * weight.sum())
    units = 1 if k == 2 else k
    weights = torch.zeros((z.shape[1], units), dtype=torch.float64, device=place.device)
    bias = torch.zeros(units, dtype=torch.float64, device=place.device)
    variables: list[Any] = [weights.requires_grad_(), bias.requires_grad_()]
    solver: Any = torch.optim.LBFGS(
        variables, max_iter=_STRETCH, tolerance_grad=_EXACT, tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def loss() -> Any:
        run.check()
        solver.zero_grad()
        values = z @ weights + bias
        if units == 1:  # of the second genre
            values = torch.cat([torch.zeros_like(values), values], 1)
        each = torch.nn.functional.cross_entropy(values, target, reduction="none")
        total = (share * each).sum() + penalty * weights.square().sum()
        total.backward()
        return total

    with threads.one(place):
        last = math.inf
        for _ in range(_STRETCHES):
            solver.step(loss)
            loss()
            slope = max(float(variable.grad.abs().max()) for variable in variables)
            if slope <= _EXACT or last <= slope <= _ENOUGH:
                break
            last = slope
        else:
            raise UsageError("the logistic regression did not settle", "give a smaller C")
    found, offset = weights.detach().cpu().numpy(), bias.detach().cpu().numpy()
    if units == 1:
        found, offset = found * [[-0.5, 0.5]], offset * [-0.5, 0.5]
    return np.ascontiguousarray(found), offset
