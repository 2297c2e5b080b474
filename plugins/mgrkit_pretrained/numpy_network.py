"""musicnn in NumPy, for CPUs: the log-mel of a piece in, three layers for each window out.

It gives what `network` gives, up to rounding (tags within 1e-5 of it), in a fifth of the time and
without the second and more that an import of torch takes. Sources: as there. What need not be
computed is left out as `folding` says; what the windows of a piece share is computed once, see
`numpy_front`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mgrkit_pretrained.folding import Front, alive, constant, dense, layer, norm
from mgrkit_pretrained.layout import HEARD, HOP, MIDDLE, POOLED, TIMBRAL, WINDOW, Layers
from mgrkit_pretrained.numpy_front import AROUND, BANDS, TAPS, Temporal, Timbral, single
from mgrkit_pretrained.stretches import neighbours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Arrays = Mapping[str, Floats]
    Doubles = NDArray[np.float64]

_TOGETHER = 4
"""Windows that the middle takes at once: fewer are slow for BLAS, more leave the cache."""


class Network:
    """The trained network; it may be called on several threads at the same time.

    Parameters
    ----------
    arrays : of `layout.TENSORS`.
    """

    def __init__(self, arrays: Arrays) -> None:
        self._input = [np.float32(values[0]) for values in norm(arrays, 0)]
        front = Front(arrays)
        self._timbral = Timbral(front.kernels[: len(TIMBRAL)])
        self._temporal = [Temporal(kernel) for kernel in front.kernels[len(TIMBRAL) :]]
        self._after = [
            single(values[:, None, None])
            for values in (front.sign, front.bias, front.scale, front.shift)
        ]
        self._heard = np.flatnonzero(front.live)
        self._middle, still = _middle(arrays, front)
        self._still = single(still)
        hidden, last = dense(arrays)
        self._hidden, self._last = [*map(single, hidden)], [*map(single, last)]

    def __call__(self, pieces: Sequence[Floats]) -> list[Layers]:
        """The layers of each piece, which goes alone: no digit depends on the others.

        Parameters
        ----------
        pieces : log-mel float32 ``(frames, 96)`` of each, 187 frames at least; what lies behind
            the last whole window is not heard.

        Raises
        ------
        ValueError : a piece of another shape.
        """
        return [self._layers(levels) for levels in pieces]

    def _layers(self, levels: Floats) -> Layers:
        if levels.ndim != 2 or len(levels) < WINDOW or levels.shape[1] != BANDS:
            raise ValueError(f"log-mel {levels.shape}, not ({WINDOW} or more, {BANDS})")
        count = 1 + (len(levels) - WINDOW) // HOP
        pool = np.empty((count, 2, POOLED), np.float32)
        pool[:] = self._still
        heard = self._front(levels, count)
        pool[:, 0, self._heard], pool[:, 1, self._heard] = heard.max(2).T, heard.mean(2).T
        for first in range(0, count, _TOGETHER):
            some = slice(first, first + _TOGETHER)
            self._pool_middle(heard[:, some], pool[some])
        flat = pool.reshape(count, -1)
        kernel, bias, scale, shift = self._hidden
        penultimate = np.maximum(flat @ kernel.T + bias, 0) * scale + shift
        kernel, bias = self._last
        return Layers(_sigmoid(penultimate @ kernel.T + bias), penultimate, flat)

    def _front(self, levels: Floats, count: int) -> Floats:
        """The filters that live, ``(live, count, 187)``."""
        frames = (count - 1) * HOP + WINDOW
        x = np.zeros((BANDS, frames + 2 * AROUND), np.float32)
        inside = x[:, AROUND:-AROUND]
        factor, summand = self._input
        np.multiply(levels[:frames].T, factor, out=inside)
        inside += summand
        heard = np.empty((len(self._heard), count, WINDOW), np.float32)
        self._timbral(x, count, heard[: self._timbral.filters])
        first = self._timbral.filters
        for filters in self._temporal:
            filters(inside, count, heard[first : first + filters.filters])
            first += filters.filters
        sign, bias, scale, shift = self._after
        # A bias is the same for all bands, so that it could wait until one of them was left.
        heard *= sign
        heard += bias
        np.maximum(heard, 0, out=heard)
        heard *= scale
        heard += shift
        return heard

    def _pool_middle(self, heard: Floats, pool: Floats) -> None:
        """The maxima and means of the three layers in the middle for ``(live, n, 187)``."""
        maps = heard
        for one in self._middle:
            x = _with_edges(maps)
            maps = one.convolved(x)
            if one.joined is not None:
                before, now, base = one.joined
                joined = np.empty((len(base), *maps.shape[1:]), np.float32)
                joined[:] = base
                joined[before] += x[:-1, :, AROUND:-AROUND]
                joined[now] += maps
                maps = joined
            pool[:, 0, one.places], pool[:, 1, one.places] = maps.max(2).T, maps.mean(2).T


class _Middle(NamedTuple):
    """One of three layers in the middle, without its dead filters.

    Attributes
    ----------
    kernel : ``(filters, 7 * (maps + 1))``. What is dead in the layer before gives the same at
        all times within a window and zeros around it: together that is one map more. With it
        the bias comes in, too.
    scale, shift : ``(filters, 1)``.
    joined : where the maps of the layer before and of this one go in the sum of both, and what
        is in it of those that are dead in one of the two, ``(maps, 1, 1)``; None for the first.
    places : of the maps of the sum among those that are pooled.
    """

    kernel: Floats
    scale: Floats
    shift: Floats
    joined: tuple[NDArray[np.intp], NDArray[np.intp], Floats] | None
    places: NDArray[np.intp]

    def convolved(self, x: Floats) -> Floats:
        """``(filters, n, 187)`` of ``(maps + 1, n, 193)``."""
        maps, count, _ = x.shape
        columns = np.ascontiguousarray(neighbours(x, TAPS, WINDOW, axis=0))
        y = self.kernel @ columns.reshape(TAPS * maps, count * WINDOW)
        np.maximum(y, 0, out=y)
        y *= self.scale
        y += self.shift
        return y.reshape(-1, count, WINDOW)


def _with_edges(maps: Floats) -> Floats:
    """``(maps + 1, n, 193)``: zeros around each window, and a last map that is 1 within it."""
    filters, count, _ = maps.shape
    x = np.zeros((filters + 1, count, WINDOW + 2 * AROUND), np.float32)
    x[:-1, :, AROUND:-AROUND] = maps
    x[-1, :, AROUND:-AROUND] = 1
    return x


def _middle(arrays: Arrays, front: Front) -> tuple[list[_Middle], Doubles]:
    """The three layers, and what is pooled of all maps that are dead, ``(753,)``."""
    layers: list[_Middle] = []
    live, still = front.live, front.still
    pooled = [still]
    for number in range(3):
        kernel, bias = layer(arrays, "conv2d", 5 + number)
        kernel = kernel[:, :, 0]
        scale, shift = norm(arrays, 6 + number)
        mine = alive(kernel, scale)
        others = np.einsum("tio,i->to", kernel, still)
        others[AROUND] += bias
        used = np.concatenate([kernel[:, live], others[:, None]], 1)[..., mine]
        after = single(scale[mine][:, None]), single(shift[mine][:, None])
        still = np.where(mine, 0.0, constant(bias, scale, shift)) + (still if layers else 0)
        joined, every = None, mine
        if layers:  # from the second on, a layer's maps are added to those before
            every = live | mine
            rank = np.cumsum(every) - 1
            joined = rank[live], rank[mine], single(still[every][:, None, None])
        live, still = every, np.where(every, 0.0, still)
        pooled.append(still)
        places = HEARD + number * MIDDLE + np.flatnonzero(live)
        matrix = single(used.reshape(-1, used.shape[2]).T)
        layers.append(_Middle(matrix, *after, joined, places))
    return layers, np.concatenate(pooled)


def _sigmoid(x: Floats) -> Floats:
    """Without the overflow that 1 / (1 + exp(-x)) has far below 0."""
    probabilities: Floats = np.exp(-np.logaddexp(np.float32(0), -x))
    return probabilities
