"""The transform and its bands in torch: most of a picture's time, on a device with many cores."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.errors import RunError
from mgrkit.spectrograms.kinds import code_of
from mgrkit.spectrograms.transform import rounded_window

if TYPE_CHECKING:
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms.transform import Floats

_FRAMES = 1 << 13
"""Frames at a time: 170 MB with the windows, their transform and its power at 2048 samples."""


def log_power(
    samples: Floats, frontend: FrontEnd, device: str, least: float
) -> tuple[Floats, float]:
    """What `mgrkit.spectrograms.image` computes on the CPU, to the last digits of float32.

    Parameters
    ----------
    samples : mono, float32 ``(frames,)``, at least one window long.
    frontend : of a kind whose bands are sums over the transform.
    device : torch's name of it.
    least : of the peak.

    Returns
    -------
    the natural logarithm of the bands' power, float32 ``(frames, bands)``, and its peak.

    Raises
    ------
    RunError : the device is gone, or has no memory left.
    """
    import torch

    try:
        logs = _log_power(torch.from_numpy(samples).to(device), frontend, device)
        found: Floats = logs.cpu().numpy()
    except RuntimeError as error:  # torch's own are of this kind
        why = str(error).strip().partition("\n")[0]
        raise RunError(f"the device {device} failed: {why}", "give --device cpu") from error
    return found, max(least, float(found.max()))


def _log_power(sound: Any, frontend: FrontEnd, device: str) -> Any:
    import torch

    transform = frontend.transform
    half, mode = transform.n_fft // 2, transform.padding
    whole = torch.nn.functional.pad(sound[None], (half, half), mode=mode)[0]
    frames = whole.unfold(0, transform.n_fft, transform.hop_length)
    window, bank = _constants(frontend, device)
    logs = torch.empty((len(frames), frontend.bands), device=device)
    for first in range(0, len(frames), _FRAMES):
        spectra = torch.fft.rfft(frames[first : first + _FRAMES] * window)
        power = spectra.real.square() + spectra.imag.square()
        if transform.power == 1:
            power.sqrt_()
        torch.log(power if bank is None else power @ bank, out=logs[first : first + _FRAMES])
    return logs.mul_(2) if transform.power == 1 else logs


@functools.lru_cache(maxsize=8)
def _constants(frontend: FrontEnd, device: str) -> tuple[Any, Any]:
    """The window, and the weights of the bins in the bands ``(bins, bands)``; None for the bins."""
    import torch

    transform = frontend.transform
    window = torch.tensor(rounded_window(transform.n_fft, transform.window), device=device)
    project = code_of(frontend.kind).project
    assert project
    bins = np.eye(transform.n_fft // 2 + 1, dtype=np.float32)
    weights = project(bins, frontend)
    return window, None if weights is bins else torch.tensor(weights, device=device)
