"""A classifier of published networks: what `NeuralClassifier` is, for inputs of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mgrkit.errors import UsageError
from mgrkit_neural.classifier import NeuralClassifier

if TYPE_CHECKING:
    from mgrkit_neural.literature.stack import Stack


class Family(NeuralClassifier):
    """Networks of one paper, one of which ``--param architecture=`` names.

    They predict by torch on every device, and cut crops of one length where their dense layers
    ask for it.
    """

    name: str
    cure = "take larger pictures, or longer crops: --param crop_seconds="

    @property
    def channels(self) -> int:
        """Of the pictures: those of a task of three sizes, else one."""
        shape = self.task.shape
        return shape[0] if len(shape) == 3 else 1

    def stack(self) -> Stack:
        """The beginning of a network that takes inputs of one length: see `size`."""
        from mgrkit_neural.literature.stack import Stack

        return Stack(self.name, self.size(), self.cure)

    def size(self) -> tuple[int, ...]:
        """Channels, bands and frames of what the network sees, or 1 and frames of samples.

        Raises
        ------
        UsageError : it would learn from crops and predict from all columns, of which the
            network cannot do both.
        """
        *bands, frames = self.task.shape[-2:]
        width = self.parameters.columns(self.task)
        if width < frames and not self.parameters.views:
            raise UsageError(
                f"{self.name} learns from {width} frames and cannot predict from {frames} at once",
                "--param views=7, or --param crop_seconds= as long as the whole",
            )
        return (self.channels, *bands, width)
