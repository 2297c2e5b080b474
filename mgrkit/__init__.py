"""mgrkit: noisy copies, spectrograms and genre models for music, many files at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mgrkit.models.model import Model

__version__ = "0.1.0"


def load(model: str | Path | None = None, device: str = "auto") -> Model:
    """A trained model: ``mgrkit.load("NAME.safetensors").predict("song.mp3")``.

    Parameters
    ----------
    model : path of a bundle or name of one that ``mgrkit models`` lists; None is the default:
        ``vote``, by all of its members whose weights are in the cache. Nothing is fetched here,
        ``mgrkit models fetch musicnn`` does that; without it ``absent`` names musicnn once sound
        was heard, and a model that cannot do without weights raises WeightsError.
    device : 'auto', 'cpu', 'cuda', 'mps'.

    Raises
    ------
    UsageError : there is no such model or device.
    BundleError : the file is damaged, or needs a classifier that is not installed.
    RunError : the model needs a module that is not installed, such as torch.

    Notes
    -----
    A network of a plugin that computes by torch, on a CPU, uses threads, which a fork does not
    copy: a process that is forked once one has been loaded would wait for them for ever. There
    ``load`` and ``predict`` of such a network raise RunError instead. So start processes by
    ``multiprocessing.get_context("spawn")`` and load in each, or call
    ``torch.set_num_threads(1)`` in each. mgrkit's own networks need no torch on a CPU.
    """
    from mgrkit.models.model import load_model

    return load_model(str(model) if model is not None else None, device)
