"""One trained classifier with all that it needs to answer: a model by itself, or one of a vote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mgrkit.classifiers import Bundle, provider, restored
from mgrkit.classifiers.calls import strange
from mgrkit.classifiers.filling import MEDIANS
from mgrkit.compute.device import resolve_device
from mgrkit.errors import BundleError, ItemError, UsageError
from mgrkit.inputs.kinds import Pictures, input_of_task
from mgrkit.inputs.windows import over_time
from mgrkit.inputs.wording import distinct_name, how_to_get, no_sound
from mgrkit.learning.averaging import to_tracks
from mgrkit.learning.calibration import Calibration
from mgrkit.learning.fitting import predict_pieces, predict_tracks
from mgrkit.models.listening import Known, values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class Answer(NamedTuple):
    """Of one member.

    Parameters
    ----------
    pieces : calibrated probabilities, float32 ``(n, labels)``.
    song : the same of the song ``(labels,)``.
    is_strange : more than half of its examples are unlike all in train.
    """

    pieces: Floats
    song: Floats
    is_strange: bool


class Member:
    """A bundle's classifier, input and calibration.

    Parameters
    ----------
    name : for people.
    bundle : that is no vote.
    device : 'auto', 'cpu', 'cuda', 'mps'.

    Raises
    ------
    BundleError : its classifier or feature set is not installed or has changed, or its arrays are
        not what the classifier takes.
    RunError : it needs a module that is not installed, or this process was forked from one where
        torch had begun.
    """

    def __init__(self, name: str, bundle: Bundle, device: str) -> None:
        self.name, self.bundle = name, bundle
        task, known = bundle.task, bundle.input_digest
        try:
            self.spec = provider(bundle).spec
            fills = MEDIANS in bundle.state
            self.input = input_of_task(bundle.eats, task, device, fills=fills)
        except UsageError as error:
            raise BundleError(error.message, error.hint) from None
        same = task.columns == self.input.columns and task.frontend == self.input.frontend
        if not same or (known and known != self.input.digest):
            raise BundleError(
                f"it was trained on other features than {self.input.name} of this mgrkit",
                "train it again, or install the version that it names",
            )
        self.classifier = restored(bundle, resolve_device(device, self.spec.devices))
        self.calibration = Calibration.from_dict(bundle.calibration)

    @property
    def rate(self) -> int | None:
        """Of the sound that it hears, None for that of the file; UsageError if sound cannot become
        what it takes.
        """
        if self.input.frontend is None:
            raise UsageError(
                no_sound(self.name, self.input), f"{how_to_get(self.input)}, or another --model"
            )
        return self.input.frontend.sample_rate

    def described(self, samples: Floats, rate: int, known: Known) -> NDArray[Any] | ItemError:
        """The examples of a piece, or why it has none; see `Listener`."""
        found = values(self.input, samples, rate, known)
        return found if isinstance(found, ItemError) else self.input.examples(found)

    def examples_of_picture(self, path: str | Path) -> tuple[NDArray[Any], float]:
        """A picture's examples and seconds, 0 where nobody knows how it was drawn.

        Raises
        ------
        ItemError : it cannot be read, or is of another kind.
        """
        from mgrkit.spectrograms import read_picture

        picture, wanted = read_picture(path), self.input
        assert isinstance(wanted, Pictures)
        given = Pictures(picture.frontend, wanted.frames, picture.values.shape[-2])
        if given.digest != wanted.digest:
            kind = distinct_name(given, wanted)
            message = f"these are {kind}, {self.name} was trained on {wanted.name}"
            raise ItemError("other-front-end", message, how_to_get(wanted))
        front = picture.frontend
        seconds = picture.values.shape[-1] * front.column_seconds if front else 0.0
        return wanted.examples(over_time(picture.values)), seconds

    def judged(self, pieces: Sequence[NDArray[Any]]) -> Answer:
        """Of each piece and of the song.

        Parameters
        ----------
        pieces : the examples of each.
        """
        of_piece = np.repeat(np.arange(len(pieces)), [len(part) for part in pieces])
        examples = np.concatenate(pieces)
        raw = predict_pieces(self.classifier, self.spec, examples)
        of_song = self.calibration.apply(to_tracks(raw, np.zeros(len(raw), np.int64)))[0]
        far = self.strange_tracks(examples, np.zeros(len(raw), np.int64))
        by_piece = self.calibration.apply(to_tracks(raw, of_piece))
        return Answer(by_piece, of_song, bool(far[0]))

    def strange_tracks(self, x: NDArray[Any], tracks: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Of each track whether more than half of its examples are unlike all in train."""
        far = strange(self.classifier, self.spec.name, x)
        found: NDArray[np.bool_] = 2 * np.bincount(tracks, far) > np.bincount(tracks)
        return found

    def of_tracks(self, x: NDArray[Any], tracks: NDArray[np.int64]) -> Floats:
        """Calibrated probabilities ``(n, labels)``; for x and tracks see `predict_tracks`."""
        return predict_tracks(self.classifier, self.spec, self.calibration, x, tracks)
