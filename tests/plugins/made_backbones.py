"""Networks of ImageNet that have seen nothing but noise, as files of weights."""

from __future__ import annotations

from pathlib import Path

import torch
from mgrkit_pretrained.backbones import Trunk
from mgrkit_pretrained.imagenet import BACKBONES
from safetensors.torch import save_file
from torch import Tensor, nn

from mgrkit.testing.toys import toy

SIDE = 32
"""Of the pictures that they are shown; of 224 pixels a test would take fifty times as long."""


def made_trunk(name: str, seed: int = 1) -> Trunk:
    """A trunk with random weights; its batch norms know what pictures are like.

    Fresh ones let next to nothing through fifty layers.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        trunk = Trunk(BACKBONES[name], SIDE)
    for module in trunk.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None  # the mean over all batches
    pictures = torch.from_numpy(toy("image").train.x[:48, None]).float() / 255
    trunk.train()(pictures)
    return trunk.eval()


def tensors(trunk: Trunk) -> dict[str, Tensor]:
    """What a file of weights has."""
    return {name: tensor.clone() for name, tensor in trunk.network.state_dict().items()}


def made_weights(name: str, folder: Path, seed: int = 1) -> Path:
    """The file of such a network."""
    path = folder / f"{name}.safetensors"
    save_file(tensors(made_trunk(name, seed)), path)
    return path
