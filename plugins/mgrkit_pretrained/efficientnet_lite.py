"""EfficientNet-Lite0 in torch, its layers named as its published weights name them.

Tan, Le 2019, EfficientNet: rethinking model scaling for convolutional neural networks (ICML): the
blocks and how many there are. Liu 2020, Higher accuracy on vision models with EfficientNet-Lite
(TensorFlow's blog), and models/official/efficientnet/lite of github.com/tensorflow/tpu: no squeeze
and excitation, ReLU6 in place of swish. The names, and the weights that were converted from those
of TensorFlow, are of github.com/ml-illustrated/EfficientNet-Lite-PyTorch.

The stochastic depth of the original's training is left out, and so is its last layer, of ImageNet's
1,000 classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks; side of the kernel, stride of the first block, expansion and channels of each."""

_STEM, _HEAD = 32, 1280
_EPSILON, _MOMENTUM = 1e-3, 0.01
"""Of the batch norms; TensorFlow calls this momentum .99."""


class EfficientNetLite0(nn.Module):
    """3.4 million parameters, 1,280 maps of a 32nd of the picture's sides."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SameConv(3, _STEM, 3, stride=2)
        self._bn0 = _norm(_STEM)
        blocks, before = [], _STEM
        for count, side, stride, expansion, channels in _STAGES:
            for number in range(count):
                blocks.append(Block(before, channels, side, 1 if number else stride, expansion))
                before = channels
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = SameConv(before, _HEAD, 1)
        self._bn1 = _norm(_HEAD)

    def forward(self, x: Tensor) -> Tensor:
        """Maps ``(n, 1280, height / 32, width / 32)`` of ``(n, 3, height, width)``."""
        x = functional.relu6(self._bn0(self._conv_stem(x)))
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x)))

    def layers(self) -> list[list[nn.Module]]:
        """The modules of its 18 layers: what comes first, 16 blocks, and what comes last."""
        blocks = [[block] for block in self._blocks]
        return [[self._conv_stem, self._bn0], *blocks, [self._conv_head, self._bn1]]


class Block(nn.Module):
    """The inverted residual of Sandler et al. 2018, MobileNetV2 (CVPR)."""

    def __init__(self, before: int, channels: int, side: int, stride: int, expansion: int) -> None:
        super().__init__()
        inside = before * expansion
        self._expand_conv, self._bn0 = None, None
        if expansion > 1:
            self._expand_conv, self._bn0 = SameConv(before, inside, 1), _norm(inside)
        self._depthwise_conv = SameConv(inside, inside, side, stride=stride, groups=inside)
        self._bn1 = _norm(inside)
        self._project_conv = SameConv(inside, channels, 1)
        self._bn2 = _norm(channels)
        self._joined = stride == 1 and before == channels

    def forward(self, x: Tensor) -> Tensor:
        """``(n, channels, ...)`` of ``(n, before, ...)``."""
        y = x
        if self._expand_conv is not None and self._bn0 is not None:
            y = functional.relu6(self._bn0(self._expand_conv(y)))
        y = functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        joined: Tensor = x + y if self._joined else y
        return joined


class SameConv(nn.Conv2d):
    """A convolution padded as TensorFlow's SAME: an odd pixel more goes behind and below."""

    def __init__(
        self, before: int, channels: int, side: int, stride: int = 1, groups: int = 1
    ) -> None:
        around = side // 2 if stride == 1 else 0
        super().__init__(before, channels, side, stride, around, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, channels, ceil(height / stride), ceil(width / stride))``."""
        if self.stride[0] > 1:
            heights, widths = (self._around(size) for size in x.shape[-2:])
            x = functional.pad(x, (*widths, *heights))
        padded: Tensor = super().forward(x)
        return padded

    def _around(self, size: int) -> tuple[int, int]:
        """Pixels before and behind a side of so many."""
        stride, side = self.stride[0], self.kernel_size[0]
        every = max((-(-size // stride) - 1) * stride + side - size, 0)
        return every // 2, every - every // 2


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=_EPSILON, momentum=_MOMENTUM)
