"""What this plugin provides; importing it loads no network."""

from __future__ import annotations

from dataclasses import dataclass

from mgrkit_neural.recipe import Recipe

from mgrkit.registry.hooks import hookimpl
from mgrkit.registry.specs import ClassifierSpec, FeatureSetSpec, Weights, parameter
from mgrkit_pretrained import imagenet
from mgrkit_pretrained.imagenet import BACKBONES, Backbone
from mgrkit_pretrained.layout import (
    FRAME_SECONDS,
    FRONT_END,
    HOP,
    PENULTIMATE,
    POOL,
    TAGS,
    WINDOW,
)

MUSICNN = Weights(
    name="musicnn",
    summary="musicnn, a network for tags of music, trained on the Million Song Dataset",
    package="musicnn",
    version="0.1.0",
    wheel_sha256="f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
    wheel_bytes=29_292_476,
    convert="mgrkit_pretrained.checkpoint:musicnn",
    sha256="38a42f047ae2cae3fd11ce375dd80570e767763fb0f84ef3cad869f1a5b5223e",
    licence="""\
Copyright (c) Music Technology Group, Universitat Pompeu Fabra 2019. Code developed by Jordi Pons \
(www.jordipons.me).

Permission to use, copy, modify, and/or distribute this software for any purpose with or without \
fee is hereby granted, provided that the above copyright notice and this permission notice appear \
in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS \
SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE \
AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES \
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, \
NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE \
OF THIS SOFTWARE.
""",
    authors="Jordi Pons and Xavier Serra, Music Technology Group, Universitat Pompeu Fabra",
)


BUNDLES = tuple(f"mgrkit_pretrained:bundles/{name}.safetensors" for name in ("musicnn", "vote"))
"""The vote holds musicnn's model, cnn's, and one of picture_statistics."""


@dataclass(frozen=True)
class TransferParameters(Recipe):
    """How a network that knows photographs learns genres."""

    weights: str = parameter(
        "imagenet",
        "imagenet: what mgrkit models fetch keeps; random: none; else a file of weights (.pth, "
        ".safetensors)",
    )
    unfreeze: int = parameter(
        0, "how many of its last layers learn too, beside the new last one", low=0, high=19
    )
    side: int = parameter(
        imagenet.SIDE, "pixels of the sides that pictures are brought to", low=32, high=1024
    )
    epochs: int = parameter(30, "passes over train", low=1, high=10_000)
    crop_seconds: float = parameter(
        2.97, "length of the random crop that is learnt from; 0 for all", low=0, high=1000
    )
    views: int = parameter(
        5, "crops averaged for a prediction; 0 for all columns at once", low=0, high=1000
    )
    judge_every: int = parameter(
        5, "epochs from one look at valid to the next; the last is always one", low=1, high=10_000
    )


@hookimpl
def mgrkit_feature_sets() -> list[FeatureSetSpec]:
    """Three layers of musicnn and the last maps of four networks of ImageNet, by windows."""
    return [
        _layer("tags", TAGS, "how much each of 50 tags fits, 0 to 1"),
        _layer("penultimate", PENULTIMATE, "200 units before the tags"),
        _layer("pool", POOL, "maxima and means over time of 753 feature maps"),
        *map(_last_maps, BACKBONES.values()),
    ]


@hookimpl
def mgrkit_classifiers() -> list[ClassifierSpec]:
    """The four networks of ImageNet, on pictures."""
    return [_classifier(backbone) for backbone in BACKBONES.values()]


def _layer(layer: str, columns: tuple[str, ...], summary: str) -> FeatureSetSpec:
    """It requires no module: only on a GPU is the network torch's, and who asks for that has it."""
    return FeatureSetSpec(
        name=f"musicnn-{layer}",
        summary=f"musicnn: {summary}; windows of 3 s, one a second",
        factory=f"mgrkit_pretrained.musicnn:{layer.capitalize()}",
        frontend=FRONT_END,
        columns=columns,
        window=WINDOW * FRAME_SECONDS,
        hop=HOP * FRAME_SECONDS,
        reference="Pons, Serra 2019, musicnn: pre-trained convolutional neural networks for music "
        "audio tagging; Pons et al. 2018, End-to-end learning for music audio tagging at scale",
        bundles=BUNDLES if layer == "tags" else (),
        devices=("cuda", "mps", "cpu"),
        batch_size=16,
        weights=MUSICNN,
        tags=layer == "tags",
    )


def _last_maps(backbone: Backbone) -> FeatureSetSpec:
    frames = imagenet.FRAME_SECONDS
    return FeatureSetSpec(
        name=backbone.feature_set,
        summary=f"{backbone.title} of ImageNet: {backbone.width:,} maps, averaged; windows of "
        f"{imagenet.WINDOW * frames:.0f} s",
        factory=f"mgrkit_pretrained.imagenet_features:{_class(backbone)}",
        frontend=imagenet.FRONT_END,
        columns=tuple(f"map{number:04}" for number in range(backbone.width)),
        window=imagenet.WINDOW * frames,
        hop=imagenet.HOP * frames,
        reference=backbone.reference,
        requires=backbone.requires,
        devices=("cuda", "mps", "cpu"),
        batch_size=16,
        weights=backbone.weights,
    )


def _classifier(backbone: Backbone) -> ClassifierSpec:
    return ClassifierSpec(
        name=backbone.name,
        summary=f"{backbone.title} of ImageNet with a new last layer",
        factory=f"mgrkit_pretrained.transfer:{_class(backbone)}",
        parameters=TransferParameters,
        eats="image",
        reference=backbone.reference,
        devices=("cuda", "mps", "cpu"),
        batch_size=256,
        calibrate="valid",
        resumable=True,
        parallel=True,
        requires=backbone.requires,
        predicting=backbone.requires,
        compared=False,
    )


def _class(backbone: Backbone) -> str:
    return backbone.title.replace("-", "")
