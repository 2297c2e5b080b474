"""Random crops of pictures and what else is done to them, on the device they lie on.

All choices of an epoch are drawn at once, on the CPU, from one generator: so they hang neither
on the device, nor on the batch, nor on the number of processes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from mgrkit_neural.pictures import DEVIATION, MEAN

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from mgrkit_neural.recipe import Recipe


@dataclass(frozen=True)
class Draws:
    """What is drawn for the pieces of an epoch, in the order in which they are taken.

    Parameters
    ----------
    rows, starts : int64 ``(n,)``: the picture and the first column of its crop.
    mixed_rows, mixed_starts : int64 ``(n,)``: the same of what it is mixed with.
    share : float32 ``(n,)``, in [0, 1]: how much of the mixture is the picture itself.
    gain, contrast : float32 ``(n,)``: what is added to the pixels, in shares of their range, and
        the factor of their deviations from their mean.
    columns, bands : int64 ``(n, 2)``: the first that is masked, and the first that is not any more.
    """

    rows: Tensor
    starts: Tensor
    mixed_rows: Tensor
    mixed_starts: Tensor
    share: Tensor
    gain: Tensor
    contrast: Tensor
    columns: Tensor
    bands: Tensor

    def __getitem__(self, part: slice) -> Draws:
        return Draws(*(getattr(self, field.name)[part] for field in dataclasses.fields(self)))

    def of(self, pictures: Tensor) -> Draws:
        """The same of other pictures: int64 ``(all,)``, which one is taken for each."""
        return dataclasses.replace(
            self, rows=pictures[self.rows], mixed_rows=pictures[self.mixed_rows]
        )

    def to(self, device: str) -> Draws:
        """The same on a device."""
        return Draws(*(getattr(self, field.name).to(device) for field in dataclasses.fields(self)))


def drawn(
    rng: np.random.Generator, count: int, bands: int, frames: int, width: int, recipe: Recipe
) -> Draws:
    """The choices of one epoch over ``count`` pictures ``(bands, frames)``.

    Parameters
    ----------
    bands : of the pictures; 1 for samples.
    width : columns of a crop, at most ``frames``.
    recipe : which methods, and how strongly; see `applied`.
    """
    import numpy as np

    rows, mixed = rng.permutation(count), rng.permutation(count)
    starts = rng.integers(0, frames - width + 1, (2, count))
    share = rng.beta(recipe.mixup, recipe.mixup, count) if recipe.mixup else np.ones(count)
    gain = rng.uniform(-recipe.gain, recipe.gain, count)
    contrast = 1 + rng.uniform(-recipe.contrast, recipe.contrast, count)
    numbers = [x.astype(np.float32) for x in (share, gain, contrast)]
    masks = [
        _masks(rng, count, length, widest)
        for length, widest in ((width, recipe.time_mask), (bands, recipe.band_mask))
    ]
    return Draws(*map(torch.from_numpy, (rows, starts[0], mixed, starts[1], *numbers, *masks)))


def _masks(rng: np.random.Generator, count: int, length: int, widest: float) -> Any:
    import numpy as np

    size = rng.integers(0, int(widest * length) + 1, count)
    first = rng.integers(0, length - size + 1)
    return np.stack([first, first + size], 1)


def applied(pictures: Tensor, draws: Draws, width: int, recipe: Recipe, device: str) -> Tensor:
    """Crops for the network on ``device``, as `scaled` gives them.

    Gain and contrast as for photographs; mixup of Zhang, Cisse, Dauphin, Lopez-Paz 2018; one mask
    over columns and one over bands, of the pixels' mean, as in SpecAugment of Park et al. 2019.

    Parameters
    ----------
    pictures : as `scaled` takes them, on the device or on the CPU. Of samples there is no gain,
        no contrast and no mask over bands.
    draws : of the n pieces to be cut, on the device.
    """
    x = crops(pictures, draws.rows, draws.starts, width, device)
    if recipe.mixup:
        other = crops(pictures, draws.mixed_rows, draws.mixed_starts, width, device)
        x = torch.lerp(other, x, draws.share.view(-1, *[1] * (x.ndim - 1)))
    if recipe.contrast:
        mean = x.mean((2, 3), keepdim=True)
        x = mean + (x - mean) * _each(draws.contrast)
    if recipe.gain:
        x = x + _each(draws.gain) / DEVIATION
    if recipe.gain or recipe.contrast:
        x = x.clamp(-MEAN / DEVIATION, (1 - MEAN) / DEVIATION)
    if recipe.time_mask:
        inside = _within(draws.columns, width)
        x = x.masked_fill(inside.view(len(x), *[1] * (x.ndim - 2), width), 0.0)
    if recipe.band_mask:
        x = x.masked_fill(_within(draws.bands, x.shape[2])[:, None, :, None], 0.0)
    return _laid_out(x)


def crops(pictures: Tensor, rows: Tensor, starts: Tensor, width: int, device: str) -> Tensor:
    """Parts of pictures or of samples, as `scaled` gives them.

    Parameters
    ----------
    rows, starts : int64 ``(n,)``: which picture, and the first column.
    """
    rows, starts = rows.to(pictures.device), starts.to(pictures.device)
    # A view of all crops there are: an index for each pixel would take seven times as long.
    every: list[Any] = [slice(None)] * (pictures.ndim - 2)
    cut = pictures.unfold(-1, width, 1)[(rows, *every, starts)]
    return scaled(cut.to(device))


def scaled(pixels: Tensor) -> Tensor:
    """What networks see.

    Of pictures uint8 ``(n, bands, frames)`` float32 ``(n, 1, bands, frames)``, mean about 0 and
    deviation about 1, channels last; with channels ``(n, channels, bands, frames)`` as many. Of
    samples float32 ``(n, frames)`` themselves, ``(n, 1, frames)``.
    """
    if pixels.ndim == 2:
        return pixels[:, None]
    with_channels = pixels if pixels.ndim == 4 else pixels[:, None]
    return _laid_out((with_channels.float() / 255 - MEAN) / DEVIATION)


def _laid_out(x: Tensor) -> Tensor:
    """Pictures channels last, which is how convolutions are fast."""
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x.contiguous()


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]


def _within(ends: Tensor, length: int) -> Tensor:
    place = torch.arange(length, device=ends.device)
    return (place >= ends[:, :1]) & (place < ends[:, 1:])
