"""A trained model from its bundle, ready to answer: ``mgrkit.load`` gives one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio import open_sound
from mgrkit.audio.lengths import PIECE_SECONDS
from mgrkit.batch import Work
from mgrkit.classifiers import load_bundle, provider, restored
from mgrkit.compute.device import resolve_device
from mgrkit.errors import BundleError, ItemError, UsageError
from mgrkit.inputs.kinds import Pictures, input_of_task, is_picture
from mgrkit.inputs.wording import distinct_name, how_to_get
from mgrkit.learning.averaging import to_tracks
from mgrkit.learning.calibration import Calibration
from mgrkit.learning.fitting import predict_pieces
from mgrkit.models.choosing import choose
from mgrkit.models.excerpts import excerpts
from mgrkit.models.prediction_fields import answer
from mgrkit.tracks.identity import ARTIST, FILE, NAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    # Examples of each piece, its start and seconds, the seconds of the whole, and a warning.
    _Examples = tuple[list[NDArray[Any]], list[tuple[float, float]], float, str]


def check_limits(top: int, max_seconds: float | None, threshold: float | None = None) -> None:
    """Raise UsageError for limits that `Model.predict` cannot keep."""
    if top < 1:
        raise UsageError(f"top must be at least 1, not {top}")
    if threshold is not None and not 0 <= threshold <= 1:
        raise UsageError(f"threshold must be from 0 to 1, not {threshold:g}")
    if max_seconds is not None and not PIECE_SECONDS <= max_seconds < math.inf:
        raise UsageError(
            f"max_seconds must be a number from {PIECE_SECONDS:g}, not {max_seconds:g}"
        )


def load_model(model: str | None, device: str = "auto") -> Model:
    """A model by its path or name, or the default; raises what `choose` and `Model` do."""
    return Model(choose(model)[0], device)


class Model:
    """What predicts a genre.

    Parameters
    ----------
    path : of a bundle.
    device : 'auto', 'cpu', 'cuda', 'mps'.

    Attributes
    ----------
    name : the bundle's file name without its suffix.
    labels : the genres it knows.
    known_tracks, known_artists : ids of those that it was fit or chosen on.
    known_names : ids by their files' names of ``known_tracks`` that have an id by their sound.
    bundle : everything that is known of it, such as ``metrics`` and ``card``.

    Raises
    ------
    BundleError : the file is damaged, or its classifier or feature set is not installed or
        has changed.
    RunError : it needs a module that is not installed; or it is a network, and this process was
        forked from one where torch had begun, see `mgrkit.load`.
    """

    def __init__(self, path: str | Path, device: str = "auto") -> None:
        self.path = Path(path)
        self.name = self.path.stem
        self.bundle = load_bundle(self.path)
        self.labels: tuple[str, ...] = self.bundle.task.labels
        self.known_artists = frozenset(
            known for known in self.bundle.seen if known.startswith(ARTIST)
        )
        files = frozenset(known for known in self.bundle.seen if known.startswith(FILE))
        self.known_names = frozenset(known.replace(FILE, NAME, 1) for known in files)
        self.known_tracks = frozenset(self.bundle.seen) - self.known_artists - files
        try:
            self.spec = provider(self.bundle).spec
            self.input = input_of_task(self.bundle.eats, self.bundle.task, device)
        except (BundleError, UsageError) as error:
            raise BundleError(f"{self.path}: {error.message}", error.hint) from None
        task = self.bundle.task
        known = self.bundle.input_digest
        if (
            task.columns != self.input.columns
            or task.frontend != self.input.frontend
            or (known and known != self.input.digest)
        ):
            raise BundleError(
                f"{self.path} was trained on other features than {self.input.name} of this mgrkit",
                "train it again, or install the version that it names",
            )
        place = resolve_device(device, self.spec.devices)
        try:
            self.classifier = restored(self.bundle, place)
            self.calibration = Calibration.from_dict(self.bundle.calibration)
        except BundleError as error:
            raise BundleError(f"{self.path}: {error.message}", error.hint) from error

    def ready(self) -> None:
        """Load what is needed for sound, once; `predict` does it too.

        Raises
        ------
        WeightsError : the weights of the feature set have not been fetched.
        RunError : the feature set's code cannot be loaded, or a module that it needs is not
            installed.
        """
        self.input.check()

    def predict(
        self,
        path: str | Path,
        *,
        top: int = 3,
        threshold: float | None = None,
        max_seconds: float | None = None,
        timeline: bool = False,
        allow_truncated: bool = True,
        work: Work | None = None,
    ) -> dict[str, Any]:
        """The genre of a sound file, or of a picture if the model was trained on such pictures.

        Parameters
        ----------
        top : how many genres to name, at least 1.
        threshold : a verdict of a lower probability is unsure, 0 to 1; None is the one that was
            chosen when the model was calibrated.
        max_seconds : listen to pieces spread over the song, so much in all, at least 30; None
            is the whole song, and 60 s of one beyond ten minutes.
        timeline : give each piece's genre too.
        allow_truncated : of a file that is cut or damaged on the way, judge what can be decoded.

        Returns
        -------
        ``path``, ``genre``, ``probability``, ``unsure`` (the verdict is below the threshold),
        ``genres`` (list of ``genre``, ``probability``), ``seconds`` (of the whole song),
        ``model``, ``warning`` (why the sound is not whole, else ''), and with ``timeline`` what
        was listened to, a list of ``start``, ``seconds``, ``genre``, ``probability``,
        ``genres``.

        Raises
        ------
        UsageError : ``top``, ``threshold`` or ``max_seconds`` is out of range, or the model
            knows pictures only that sound cannot be made into.
        AudioError, ItemError : the file cannot be used; ``reason`` says why in a word.
        WeightsError : the weights of the feature set have not been fetched.
        RunError : the model is a network, and this process was forked from one where torch had
            begun: it would wait for ever, see `mgrkit.load`.

        >>> mgrkit.load("NAME.safetensors").predict("song.mp3")["genre"]  # doctest: +SKIP
        'jazz'
        """
        check_limits(top, max_seconds, threshold)
        judged = self.judged(
            path, max_seconds=max_seconds, allow_truncated=allow_truncated, work=work
        )
        return self.answer(judged, top=top, threshold=threshold, timeline=timeline)

    def judged(
        self,
        path: str | Path,
        *,
        max_seconds: float | None = None,
        allow_truncated: bool = True,
        work: Work | None = None,
    ) -> dict[str, Any]:
        """What `predict` makes its answer of, as JSON values: to be kept for other questions.

        Returns
        -------
        ``path``, ``seconds``, ``warning``, ``probabilities`` of the ``labels`` (floats), and
        ``pieces``, a list of ``start``, ``seconds``, ``probabilities``.

        Raises
        ------
        What `predict` raises.
        """
        if isinstance(self.input, Pictures) and is_picture(path):
            rows, spans, length, warning = self._examples_of_picture(path, self.input)
        else:
            rows, spans, length, warning = self._examples_of_song(
                path, max_seconds, allow_truncated, work
            )
        of_piece = np.repeat(np.arange(len(rows)), [len(part) for part in rows])
        raw = predict_pieces(self.classifier, self.spec, np.concatenate(rows))
        by_piece = to_tracks(raw, of_piece)
        of_song = self.calibration.apply(to_tracks(raw, np.zeros(len(raw), np.int64)))[0]
        spent = zip(spans, self.calibration.apply(by_piece), strict=True)
        return {
            "path": str(path),
            "seconds": round(length, 3),
            "warning": warning,
            "probabilities": of_song.tolist(),
            "pieces": [
                {
                    "start": round(start, 3),
                    "seconds": round(seconds, 3),
                    "probabilities": [round(p, 6) for p in row.tolist()],
                }
                for (start, seconds), row in spent
            ],
        }

    def answer(
        self,
        judged: Mapping[str, Any],
        *,
        top: int = 3,
        threshold: float | None = None,
        timeline: bool = False,
    ) -> dict[str, Any]:
        """What `predict` returns, of what `judged` did."""
        least = self.calibration.unsure_below if threshold is None else threshold
        return answer(judged, self.labels, self.name, top=top, least=least, timeline=timeline)

    def _examples_of_picture(self, path: str | Path, wanted: Pictures) -> _Examples:
        """A picture's examples; it shows no time where nobody knows how it was drawn."""
        from mgrkit.spectrograms import read_picture

        picture = read_picture(path)
        shown = Pictures(picture.frontend, wanted.frames, len(picture.values))
        if shown.digest != wanted.digest:
            raise ItemError(
                "other-front-end",
                f"these are {distinct_name(shown, wanted)}, {self.name} was trained on "
                f"{wanted.name}",
                how_to_get(wanted),
            )
        front = picture.frontend
        seconds = picture.values.shape[1] * front.column_seconds if front else 0.0
        return [wanted.examples(picture.values.T)], [(0.0, seconds)], seconds, ""

    def _examples_of_song(
        self,
        path: str | Path,
        max_seconds: float | None,
        allow_truncated: bool,
        work: Work | None,
    ) -> _Examples:
        """A song's pieces as examples, where they lie, and how long it is."""
        if self.input.frontend is None:
            raise UsageError(
                f"{self.name} was trained on {self.input.name}; sound cannot be drawn like that",
                "give such pictures, or another --model",
            )
        self.ready()
        rate = self.input.frontend.sample_rate
        rows, spans = [], []
        first: ItemError | None = None
        length = 0.0

        def decoded(seconds: float) -> None:
            nonlocal length
            length = seconds
            if work:
                work.allow(seconds)

        with open_sound(path, decoded, allow_truncated=allow_truncated) as sound:
            for piece in excerpts(sound, rate, self.input.piece, max_seconds):
                if isinstance(piece.values, ItemError):
                    first = first or piece.values
                    continue
                rows.append(self.input.examples(piece.values))
                spans.append((piece.start, piece.seconds))
        if not rows:
            raise first or ItemError("too-short", "the track holds no piece")
        return rows, spans, length, sound.warning
