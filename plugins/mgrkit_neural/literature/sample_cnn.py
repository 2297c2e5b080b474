"""The family ``sample_cnn``: filters of a few samples on raw sound.

``3^9`` and its like: Lee, Park, Kim, Nam 2017, Sample-level deep convolutional neural networks for
music auto-tagging using raw waveforms (SMC), by the layers of jongpillee/sampleCNN: after a first
strided convolution each layer has filters of 3 samples and divides time by 3, until one frame is
left. No number of parameters is stated there; with 59,049 samples and 50 tags they make 1,869,874.
``shallow`` is the Conv1D of celestinhermez/music-genre-classification on 1,000 samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit.errors import UsageError
from mgrkit_neural.literature.family import Family

if TYPE_CHECKING:
    from torch import nn

    from mgrkit_neural.literature.specs import SampleCNNParameters
    from mgrkit_neural.literature.stack import Stack


class SampleCNN(Family):
    """A strided convolution, then ``m`` layers of 3 samples; or two convolutions and a dense layer.

    Sound is brought to the rate of the front end before, and windows are cut of it: see
    `mgrkit.inputs.kinds.Samples`.
    """

    parameters: SampleCNNParameters
    name = "sample_cnn"
    cure = "take longer crops: --param crop_seconds="

    def network(self) -> nn.Module:
        """See `NeuralClassifier.network`: of float32 ``(n, 1, frames)``, crops of one length.

        Raises
        ------
        UsageError : augmentation of pictures is asked for; crops that are too short.
        """
        for name in ("band_mask", "gain", "contrast"):
            if getattr(self.parameters, name):
                raise UsageError(f"{name} is for pictures, and {self.name} takes samples",
                                 f"leave out --param {name}=")  # fmt: skip
        shallow = self.parameters.architecture == "shallow"
        stack = self._shallow() if shallow else self._deep()
        return stack.dense(len(self.task.labels)).network

    def _deep(self) -> Stack:
        from torch import nn

        width, stride = self.parameters.width, self.parameters.stride
        layers = int(self.parameters.architecture.removeprefix("3^"))
        stack = self.stack().convolve(width, stride, stride=stride, normed=1e-5).add(nn.ReLU())
        for times in (1, 1, *[2] * (layers - 3), 4):
            stack.convolve(times * width, 3, same=True, normed=1e-5).add(nn.ReLU()).pool(3)
        stack.convolve(4 * width, 1, normed=1e-5).add(nn.ReLU())
        return stack.flatten().add(nn.Dropout(0.5))

    def _shallow(self) -> Stack:
        from torch import nn

        stack = self.stack()
        for filters in (self.parameters.width, self.parameters.width // 2):
            stack.convolve(filters, 3).add(nn.ReLU()).pool(2)
        return stack.add(nn.Dropout(0.5)).flatten().dense(512).add(nn.ReLU())
