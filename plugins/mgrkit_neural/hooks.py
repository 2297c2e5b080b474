"""What this plugin provides; importing it loads no model code."""

from __future__ import annotations

from dataclasses import dataclass

from mgrkit.registry.hooks import hookimpl
from mgrkit.registry.space import Range
from mgrkit.registry.specs import ClassifierSpec, parameter
from mgrkit_neural.literature.specs import SPECS
from mgrkit_neural.recipe import Recipe


@dataclass(frozen=True)
class CNNParameters(Recipe):
    """Defaults were chosen on the valid part of GTZAN's published split."""

    width: int = parameter(
        16,
        "channels of the first stage; the others have 2, 4 and 8 times as many",
        low=1,
        high=512,
        search=Range(8, 64, log=True),
    )


@dataclass(frozen=True)
class CRNNParameters(Recipe):
    """Defaults were chosen on the valid part of GTZAN's published split."""

    width: int = parameter(
        16,
        "channels of the first stage; the others have 2, 4 and 8 times as many",
        low=1,
        high=512,
        search=Range(8, 64, log=True),
    )
    hidden: int = parameter(
        64, "units of the GRU in each direction", low=1, high=1024, search=Range(16, 256, log=True)
    )
    mixup: float = parameter(
        0.2, "alpha of mixup's Beta distribution", low=0, high=100, search=Range(0, 0.6)
    )
    views: int = parameter(
        0, "crops averaged for a prediction; 0 for all columns at once", low=0, high=1000
    )


@dataclass(frozen=True)
class ViTParameters(Recipe):
    """Defaults were chosen on the valid part of GTZAN's published split."""

    patch_bands: int = parameter(32, "bands of a patch, a multiple of 8", low=8, high=1024)
    patch_frames: int = parameter(8, "frames of a patch, a multiple of 4", low=4, high=1024)
    heads: int = parameter(
        4, "heads of attention, 32 numbers each", low=1, high=32, search=Range(2, 8)
    )
    depth: int = parameter(4, "blocks", low=1, high=48, search=Range(2, 8))
    patch_drop: float = parameter(
        0.25, "share of the patches left out in training", low=0, high=0.9, search=Range(0, 0.5)
    )
    mixup: float = parameter(
        0.2, "alpha of mixup's Beta distribution", low=0, high=100, search=Range(0, 0.6)
    )
    learning_rate: float = parameter(
        1e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-4, 0.01, log=True)
    )
    batch: int = parameter(16, "pieces in one step, of all processes together", low=2, high=65_536)


_DEVICES = ("cuda", "mps", "cpu")


def _spec(
    name: str,
    summary: str,
    factory: str,
    parameters: type,
    reference: str,
    requires: tuple[str, ...] = ("torch",),
    bundles: tuple[str, ...] = (),
) -> ClassifierSpec:
    return ClassifierSpec(
        name=name,
        summary=summary,
        factory=f"mgrkit_neural.{factory}",
        parameters=parameters,
        eats="image",
        reference=reference,
        devices=_DEVICES,
        batch_size=256,
        calibrate="valid",
        resumable=True,
        parallel=True,
        requires=requires,
        bundles=bundles,
    )


@hookimpl
def mgrkit_classifiers() -> list[ClassifierSpec]:
    """The three networks, and those of the literature."""
    return [
        _spec(
            "cnn",
            "convolutional network: small, residual",
            "cnn:CNN",
            CNNParameters,
            "He, Zhang, Ren, Sun 2016, Deep residual learning for image recognition",
            bundles=("mgrkit_neural:bundles/cnn.safetensors",),
        ),
        _spec(
            "crnn",
            "convolutions, then a bidirectional GRU over time",
            "crnn:CRNN",
            CRNNParameters,
            "Choi, Fazekas, Sandler, Cho 2017, Convolutional recurrent neural networks for "
            "music classification",
        ),
        _spec(
            "vit",
            "vision transformer on patches of the spectrogram",
            "vit:ViT",
            ViTParameters,
            "Dosovitskiy et al. 2021, An image is worth 16x16 words; Gong, Chung, Glass 2021, "
            "AST: Audio spectrogram transformer",
            requires=("torch", "torchvision"),
        ),
        *SPECS,
    ]
