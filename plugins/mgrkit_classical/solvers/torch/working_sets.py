"""The small quadratic programs of many working sets, solved at once.

Each variable is a signed weight ``b`` of an example in a machine, between bounds; the weights sum
to zero. ``gradient`` is ``target - kernel @ b``, up to a number that is the same for all of a set,
and ``rooms`` ``(p, 2, q)`` are what each variable may rise and fall by, above 0 where it may.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_FLAT = 1e-12
"""Least half of a squared distance, as in libsvm: two equal examples have none."""

_RIDGE = 1e-10
"""Of the kernel's largest number, added to its diagonal where a linear system is to be solved."""

_BURST = 16
"""Steps between two questions whether more are needed, each of which waits for the device."""

_FEW = 4
"""Steps between two of all free variables."""


def gap(torch: Any, gradient: Any, rooms: Any) -> Any:
    """By how much each set misses the optimum, ``(p,)``: Keerthi and others 2001."""
    rise, fall = rooms[:, 0] > 0, rooms[:, 1] > 0
    highest = torch.where(rise, gradient, -torch.inf).amax(1)
    return highest - torch.where(fall, gradient, torch.inf).amin(1)


def solve(
    torch: Any,
    kernel: Any,
    gradient: Any,
    rooms: Any,
    enough: Any,
    most: int,
    newton: bool,
    check: Callable[[], None],
) -> None:
    """Take steps until every set's gap is ``enough`` ``(p,)``, ``most`` at the most.

    Two variables move in a step, chosen by second-order information (Fan, Chen, Lin 2005); after
    every few steps, if asked, all free ones move (`_newton`).

    Parameters
    ----------
    kernel : ``(p, q, q)``.
    gradient, rooms : changed in place.
    """
    diagonal = kernel.diagonal(dim1=1, dim2=2) / 2
    # A sum of weights that is zero sees half squared distances as it sees the negative kernel.
    half = (diagonal[:, :, None] + diagonal[:, None, :]).sub_(kernel).clamp_(min=_FLAT)
    few = _FEW if newton else _BURST
    for _ in range(0, most, _BURST):
        for _ in range(_BURST // few):
            _pairwise(torch, half, gradient, rooms, few)
            if newton:
                _newton(torch, kernel, half, gradient, rooms)
        check()
        if not (gap(torch, gradient, rooms) > enough).any():
            return


def _pairwise(torch: Any, half: Any, gradient: Any, rooms: Any, number: int) -> None:
    """Some steps of sequential minimal optimisation, few calls of torch in each."""
    p, q = gradient.shape
    where = {"device": gradient.device}
    rise, fall, flat = rooms[:, 0], rooms[:, 1], rooms.view(p, 2 * q)
    rows = half.view(p * q, q)
    base = torch.arange(p, **where)[:, None] * q
    # Of (i, j): the room of i to rise and of j to fall, which shrink; and the others, which grow.
    shifts = torch.tensor([[0, q], [q, 0]], **where)
    signs = torch.tensor([[-1.0, -1.0], [1.0, 1.0]], dtype=gradient.dtype, **where)
    never = torch.full((), -torch.inf, dtype=gradient.dtype, **where)
    for _ in range(number):
        i = torch.where(rise > 0, gradient, never).argmax(1, keepdim=True)
        of_i = rows.index_select(0, (base + i)[:, 0])
        scale = of_i.rsqrt()
        gains = (gradient.gather(1, i) - gradient).mul_(scale)
        j = torch.where(fall > 0, gains, never).argmax(1, keepdim=True)
        of_j = rows.index_select(0, (base + j)[:, 0])
        places = (torch.cat([i, j], 1)[:, None] + shifts).view(p, 4)
        found = flat.gather(1, places)
        best = (gains.gather(1, j) * scale.gather(1, j)).mul_(0.5)
        step = torch.minimum(best, found[:, :2].amin(1, keepdim=True)).clamp_(min=0)
        flat.scatter_(1, places, found.view(p, 2, 2).addcmul_(step[:, None], signs).view(p, 4))
        gradient.addcmul_(of_i.sub_(of_j), step)


def _newton(torch: Any, kernel: Any, half: Any, gradient: Any, rooms: Any) -> None:
    """One step of all variables that are at no bound, to their optimum or to the first bound.

    What pairs of variables reach in very many small steps where the kernel is ill-conditioned, as
    a linear one with a large C is. As in active-set methods, e.g. Scheinberg 2006.
    """
    rise, fall = rooms[:, 0], rooms[:, 1]
    free = (rise > 0) & (fall > 0)
    ones = free.to(gradient.dtype)
    system = kernel * ones[:, :, None] * ones[:, None, :]
    diagonal = system.diagonal(dim1=1, dim2=2)
    largest = diagonal.amax(1, keepdim=True).clamp(min=_FLAT)
    diagonal += torch.where(free, _RIDGE * largest, largest)
    factor, wrong = torch.linalg.cholesky_ex(system)
    right = torch.stack([gradient * ones, ones], 2)
    towards, sums = torch.cholesky_solve(right, factor).unbind(2)
    count = ones.sum(1, keepdim=True).clamp(min=1)
    move = towards - sums * (towards.sum(1, keepdim=True) / sums.sum(1, keepdim=True))
    usable = free & (wrong == 0)[:, None] & torch.isfinite(move).all(1, keepdim=True)
    move = torch.where(usable, move, 0.0)
    move = torch.where(usable, move - move.sum(1, keepdim=True) / count, 0.0)
    change = (half @ move[:, :, None])[:, :, 0]
    climb = (gradient * move).sum(1, keepdim=True).clamp(min=0)
    bend = -(change * move).sum(1, keepdim=True)
    length = climb / bend.clamp(min=torch.finfo(gradient.dtype).tiny)
    room = torch.where(move > 0, rise, fall) / move.abs()
    length = torch.minimum(length, torch.where(move == 0, torch.inf, room).amin(1, keepdim=True))
    length = torch.where(torch.isfinite(length), length, 0.0)
    hit = (move != 0) & (room <= length)
    both, step = rise + fall, length * move
    # At a bound exactly, or it would stay free by a rounding error.
    risen = torch.where(hit, torch.where(move > 0, 0.0, both), rise - step)
    fallen = torch.where(hit, torch.where(move > 0, both, 0.0), fall + step)
    rise.copy_(risen)
    fall.copy_(fallen)
    gradient.addcmul_(change, length)
