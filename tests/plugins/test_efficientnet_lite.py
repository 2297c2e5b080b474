"""EfficientNet-Lite0 is the network that others have under this name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_pretrained import reading
from mgrkit_pretrained.efficientnet_lite import EfficientNetLite0, SameConv
from mgrkit_pretrained.imagenet import BACKBONES
from torch.nn import functional

pytestmark = pytest.mark.torch

# What efficientnet-lite-pytorch 0.1.0 (ML Illustrated) gives of `waves` with the published weights:
# its maps averaged, every 160th; the sum of all and of their squares; every 125th of its logits,
# and the five largest. Its maps were equal to ours to the last bit, those of geffnet 1.0.2
# (tf_efficientnet_lite0, Ross Wightman) too.
MEANS = (0.0, 0.0190935, 0.0, 0.0, 0.0, 0.0, 0.0, 0.00607352)
SUM, SQUARES = 172.71599672254524, 282.98994154965834
LOGITS = (
    -0.49843219, 0.03024898, -0.99889642, -0.60393399, -1.64871657, -1.35762632, 1.49699426,
    -0.06444103,
)  # fmt: skip
LARGEST = [906, 650, 490, 811, 539]


def waves() -> torch.Tensor:
    """A picture in three colours that no generator has a part in, ``(1, 3, 224, 224)``."""
    rows, columns = np.mgrid[:224, :224]
    colours = np.arange(1, 4)[:, None, None]
    x = np.sin(colours * rows / 9) * np.cos((4 - colours) * columns / 17)
    return torch.from_numpy(x.astype(np.float32))[None]


def test_it_gives_what_two_other_codes_give(lite0_weights: Path) -> None:
    network = EfficientNetLite0().eval()
    reading.load(network, BACKBONES["efficientnet_lite0"], lite0_weights)
    tensors = reading.read(lite0_weights)
    with torch.inference_mode():
        maps = network(waves())
        means = maps.mean((2, 3))
        logits = functional.linear(means, tensors["_fc.weight"], tensors["_fc.bias"])[0]
    assert maps.shape == (1, 1280, 7, 7)
    np.testing.assert_allclose(means[0, ::160], MEANS, atol=1e-5)
    np.testing.assert_allclose(means.double().sum(), SUM, rtol=1e-5)
    np.testing.assert_allclose(means.double().square().sum(), SQUARES, rtol=1e-5)
    np.testing.assert_allclose(logits[::125], LOGITS, atol=1e-4)
    assert logits.topk(5).indices.tolist() == LARGEST


def test_the_published_number_of_parameters() -> None:
    """4.7 million with the last layer of 1,280,000 + 1,000."""
    count = sum(parameter.numel() for parameter in EfficientNetLite0().parameters())
    assert count + 1_281_000 == 4_652_008


@pytest.mark.parametrize("size", [7, 8, 224, 225])
@pytest.mark.parametrize("side", [3, 5])
def test_padding_is_that_of_tensorflow(size: int, side: int) -> None:
    """SAME: of each output the tap in the middle is where TensorFlow's guide puts it."""
    convolution = SameConv(1, 1, side, stride=2)
    x = torch.arange(1.0, size + 1).repeat(size, 1)[None, None]
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[0, 0, side // 2, side // 2] = 1
        seen = convolution(x)[0, 0]
    count = -(-size // 2)
    before = max((count - 1) * 2 + side - size, 0) // 2
    middles = torch.arange(count) * 2 - before + side // 2
    assert seen.shape == (count, count)
    inside = middles < size
    assert torch.equal(seen[0, inside], (middles[inside] + 1).float())
