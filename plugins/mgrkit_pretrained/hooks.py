"""What this plugin provides; importing it loads no network."""

from __future__ import annotations

from mgrkit.registry.hooks import hookimpl
from mgrkit.registry.specs import FeatureSetSpec, Weights
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


@hookimpl
def mgrkit_feature_sets() -> list[FeatureSetSpec]:
    """Three layers of musicnn, window by window."""
    return [
        _layer("tags", TAGS, "how much each of 50 tags fits, 0 to 1"),
        _layer("penultimate", PENULTIMATE, "200 units before the tags"),
        _layer("pool", POOL, "maxima and means over time of 753 feature maps"),
    ]


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
