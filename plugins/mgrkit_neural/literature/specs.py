"""What the networks of the literature can be asked for; importing it loads no model code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrkit.registry.space import Range
from mgrkit.registry.specs import ClassifierSpec, parameter
from mgrkit_neural.recipe import Recipe

if TYPE_CHECKING:
    from mgrkit.classifiers.base import Task


@dataclass(frozen=True)
class Published(Recipe):
    """A recipe whose crops are as long as those of the paper, in frames, unless it is told."""

    crop_seconds: float = parameter(
        0.0, "length of the crops that are learnt from; 0 for as many frames as published",
        low=0, high=1000,
    )  # fmt: skip

    @property
    def published_frames(self) -> int:
        """Columns of the pictures of the paper, or samples."""
        raise NotImplementedError

    def columns(self, task: Task) -> int:
        """See `Recipe.columns`."""
        if self.crop_seconds:
            return super().columns(task)
        return min(task.shape[-1], self.published_frames)


@dataclass(frozen=True)
class MusicallyMotivatedParameters(Published):
    """Learnt from 80 frames."""

    architecture: str = parameter(
        "time_frequency", "which network of the paper",
        choices=("black_box", "time", "frequency", "time_frequency"),
    )  # fmt: skip
    learning_rate: float = parameter(
        1e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-5, 0.01, log=True)
    )

    @property
    def published_frames(self) -> int:
        return 80


@dataclass(frozen=True)
class LidySchindlerParameters(Published):
    """Learnt from 80 frames."""

    dropout: float = parameter(
        0.1, "share left out before the last layer", low=0, high=0.9, search=Range(0, 0.6)
    )
    learning_rate: float = parameter(
        1e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-5, 0.01, log=True)
    )

    @property
    def published_frames(self) -> int:
        return 80


@dataclass(frozen=True)
class ChoiFCNParameters(Published):
    """Learnt from 1366 frames."""

    architecture: str = parameter(
        "fcn5", "which network: of four or of five layers", choices=("fcn4", "fcn5")
    )
    pools: str = parameter(
        "published", "fitted: those of the paper, but no larger than what a small picture leaves",
        choices=("published", "fitted"),
    )  # fmt: skip
    dropout: float = parameter(
        0.0, "share left out after each pool; the paper has 0.5, the authors' later code 0",
        low=0, high=0.9, search=Range(0, 0.6),
    )  # fmt: skip

    @property
    def published_frames(self) -> int:
        return 1366


@dataclass(frozen=True)
class ChoiCRNNParameters(Published):
    """Learnt from 1366 frames."""

    width: int = parameter(
        64, "filters of the first layer; the others have twice as many", low=1, high=512
    )

    @property
    def published_frames(self) -> int:
        return 1366


@dataclass(frozen=True)
class ShortChunkParameters(Recipe):
    """Learnt from 3.69 seconds."""

    architecture: str = parameter(
        "residual", "which network of the paper", choices=("residual", "plain")
    )
    width: int = parameter(
        128, "filters of the first layer; the last has 4 times as many", low=1, high=512
    )
    crop_seconds: float = parameter(
        3.69, "length of the random crop that is learnt from; 0 for all", low=0, high=1000
    )
    learning_rate: float = parameter(
        1e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-5, 0.01, log=True)
    )


@dataclass(frozen=True)
class ParallelCRNNParameters(Published):
    """Learnt from 640 frames."""

    learning_rate: float = parameter(
        1e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-5, 0.01, log=True)
    )

    @property
    def published_frames(self) -> int:
        return 640


@dataclass(frozen=True)
class SampleCNNParameters(Published):
    """Learnt from 59,049 samples, as many as the layers make one; ``shallow`` from 1,000."""

    architecture: str = parameter(
        "3^9", "3^m: m layers that divide time by 3; or shallow: two convolutions",
        choices=("3^9", "3^8", "3^7", "3^6", "3^5", "shallow"),
    )  # fmt: skip
    stride: int = parameter(
        3, "samples of the first filter of 3^m, and its step", low=1, high=10_000
    )
    width: int = parameter(128, "filters of the first layer", low=2, high=512)
    learning_rate: float = parameter(
        1e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-5, 0.01, log=True)
    )
    views: int = parameter(
        11, "crops averaged for a prediction; 0 for all samples at once", low=0, high=1000
    )

    @property
    def published_frames(self) -> int:
        if self.architecture == "shallow":
            return 1000
        return int(self.stride * 3 ** int(self.architecture.removeprefix("3^")))


@dataclass(frozen=True)
class VGGSmallParameters(Recipe):
    """Learnt from whole pictures."""

    architecture: str = parameter(
        "simple", "which stack",
        choices=("simple", "minimal", "fancy", "two_layers", "three_layers"),
    )  # fmt: skip
    crop_seconds: float = parameter(
        0.0, "length of the random crop that is learnt from; 0 for all", low=0, high=1000
    )
    learning_rate: float = parameter(
        1e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-5, 0.01, log=True)
    )


def _spec(
    name: str, summary: str, factory: str, parameters: type, reference: str, eats: str = "image"
) -> ClassifierSpec:
    return ClassifierSpec(
        name=name,
        summary=summary,
        factory=f"mgrkit_neural.literature.{name}:{factory}",
        parameters=parameters,
        eats=eats,
        reference=reference,
        devices=("cuda", "mps", "cpu"),
        batch_size=256,
        calibrate="valid",
        resumable=True,
        parallel=True,
        requires=("torch",),
        predicting=("torch",),
        compared=False,
    )


SPECS = (
    _spec(
        "musically_motivated",
        "filters as tall as a chord, as long as a beat, or both",
        "MusicallyMotivated",
        MusicallyMotivatedParameters,
        "Pons, Lidy, Serra 2016, Experimenting with musically motivated convolutional neural "
        "networks",
    ),
    _spec(
        "lidy_schindler",
        "a filter for pitch beside one for rhythm",
        "LidySchindler",
        LidySchindlerParameters,
        "Lidy, Schindler 2016, Parallel convolutional neural networks for music genre and mood "
        "classification",
    ),
    _spec(
        "choi_fcn",
        "convolutions and pools until one number a filter is left",
        "ChoiFCN",
        ChoiFCNParameters,
        "Choi, Fazekas, Sandler 2016, Automatic tagging using deep convolutional neural networks",
    ),
    _spec(
        "choi_crnn",
        "convolutions, then two GRUs over time",
        "ChoiCRNN",
        ChoiCRNNParameters,
        "Choi, Fazekas, Sandler, Cho 2017, Convolutional recurrent neural networks for music "
        "classification",
    ),
    _spec(
        "short_chunk",
        "seven halving layers on chunks of 3.69 s",
        "ShortChunk",
        ShortChunkParameters,
        "Won, Ferraro, Bogdanov, Serra 2020, Evaluation of CNN-based automatic music tagging "
        "models",
    ),
    _spec(
        "parallel_crnn",
        "convolutions over time beside a bidirectional GRU",
        "ParallelCRNN",
        ParallelCRNNParameters,
        "Feng, Liu, Yao 2017, Music genre classification with paralleling recurrent convolutional "
        "neural network",
    ),
    _spec(
        "sample_cnn",
        "filters of a few samples on raw sound",
        "SampleCNN",
        SampleCNNParameters,
        "Lee, Park, Kim, Nam 2017, Sample-level deep convolutional neural networks for music "
        "auto-tagging using raw waveforms",
        eats="samples",
    ),
    _spec(
        "vgg_small",
        "plain stacks of convolutions",
        "VGGSmall",
        VGGSmallParameters,
        "Simonyan, Zisserman 2015, Very deep convolutional networks for large-scale image "
        "recognition",
    ),
)
"""All families."""
