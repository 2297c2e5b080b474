"""How a network is trained, as parameters; importing it loads neither NumPy nor torch.

A classifier's parameter dataclass derives from `Recipe` and adds the fields of its architecture::

    @dataclass(frozen=True)
    class Parameters(Recipe):
        width: int = parameter(32, "channels of the first layer", low=1, high=1024)
        epochs: int = parameter(30, "passes over train", low=1, high=10_000)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mgrkit.registry.space import Range
from mgrkit.registry.specs import parameter

if TYPE_CHECKING:
    from mgrkit.classifiers.base import Task

UNKNOWN_SECONDS = 30.0


@dataclass(frozen=True)
class Recipe:
    """What `mgrkit_neural.training.train` goes by; 0 turns a method off."""

    epochs: int = parameter(60, "passes over train", low=1, high=10_000)
    batch: int = parameter(32, "pieces in one step, of all processes together", low=2, high=65_536)
    learning_rate: float = parameter(
        3e-3, "the highest rate of the cycle", low=1e-7, high=10, search=Range(1e-4, 0.03, log=True)
    )
    weight_decay: float = parameter(
        0.05,
        "AdamW's, of weights but not of biases",
        low=0,
        high=10,
        search=Range(1e-3, 0.5, log=True),
    )
    warmup: float = parameter(0.2, "share of the steps in which the rate rises", low=0, high=0.9)
    label_smoothing: float = parameter(
        0.1, "probability spread over the other genres", low=0, high=0.9, search=Range(0, 0.3)
    )
    clip: float = parameter(2.0, "greatest norm of a gradient; 0 for any", low=0, high=1e6)
    class_weight: str = parameter(
        "none", "balanced: rare genres count as much", choices=("balanced", "none")
    )
    crop_seconds: float = parameter(
        5.75, "length of the random crop that is learnt from; 0 for all", low=0, high=1000
    )
    mixup: float = parameter(
        0.0, "alpha of mixup's Beta distribution", low=0, high=100, search=Range(0, 0.6)
    )
    time_mask: float = parameter(
        0.0, "widest mask over columns, as a share", low=0, high=1, search=Range(0, 0.4)
    )
    band_mask: float = parameter(
        0.0, "widest mask over bands, as a share", low=0, high=1, search=Range(0, 0.4)
    )
    gain: float = parameter(
        0.0, "largest shift of all pixels, as a share of their range", low=0, high=1
    )
    contrast: float = parameter(
        0.0, "largest change of the spread of pixels, as a share", low=0, high=1
    )
    average: float = parameter(
        0.98, "decay of the moving average of the weights", low=0, high=0.999_999
    )
    judge_every: int = parameter(
        3, "epochs from one look at valid to the next; the last is always one", low=1, high=10_000
    )
    patience: int = parameter(
        0, "epochs without a better valid before it stops; 0 for never", low=0, high=10_000
    )
    members: int = parameter(
        1, "networks of different random beginnings, averaged", low=1, high=100
    )
    views: int = parameter(
        7, "crops averaged for a prediction; 0 for all columns at once", low=0, high=1000
    )

    def columns(self, task: Task) -> int:
        """Of a crop: as many as ``crop_seconds`` take, and at most the task's.

        Pictures that nobody knows the drawing of, or that were resampled to a size, are taken to
        show `UNKNOWN_SECONDS`. Of samples they are the frames.
        """
        frames, each = task.shape[-1], UNKNOWN_SECONDS / task.shape[-1]
        if task.frontend:
            of_sound = len(task.shape) == 1
            own = task.frontend.column_seconds or each
            each = 1 / task.frontend.rate if of_sound else own
        return min(frames, max(1, round(self.crop_seconds / each))) if self.crop_seconds else frames
