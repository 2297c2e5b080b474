"""A trained model from its bundle, ready to answer: ``mgrkit.load`` gives one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio import open_sound
from mgrkit.audio.lengths import PIECE_SECONDS
from mgrkit.batch import Work
from mgrkit.classifiers import Bundle, load_bundle
from mgrkit.errors import BundleError, ItemError, UsageError
from mgrkit.inputs.kinds import Pictures, is_picture
from mgrkit.learning.calibration import Calibration
from mgrkit.models.ballot import Ballot
from mgrkit.models.choosing import choose, weights_of
from mgrkit.models.excerpts import excerpts
from mgrkit.models.member import Member
from mgrkit.models.prediction_fields import answer
from mgrkit.tracks.identity import ARTIST, FILE, NAME
from mgrkit.weights.store import at_hand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mgrkit.models.excerpts import Describe


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
    members : by name: the model itself, or those of a vote.
    absent : members of a vote that cannot answer, for their weights were not fetched.

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
        self.absent: tuple[str, ...] = ()
        self._is_ready = False
        try:
            self._ballot = Ballot(self.bundle) if self.bundle.members else None
            self.members = _members(self.name, self.bundle, device)
            self.calibration = Calibration.from_dict(self.bundle.calibration)
        except BundleError as error:
            raise BundleError(f"{self.path}: {error.message}", error.hint) from error

    @property
    def takes_pictures(self) -> bool:
        """Whether `predict` can be given a picture."""
        return any(isinstance(one.input, Pictures) for one in self.members.values())

    def ready(self) -> None:
        """Load what is needed for sound, once; `predict` does it too.

        Members of a vote whose weights have not been fetched are passed over: ``absent`` names
        them.

        Raises
        ------
        WeightsError : the weights of the feature set have not been fetched; of a vote, of all.
        RunError : the feature set's code cannot be loaded, or a module that it needs is not
            installed.
        """
        here = {
            name: member
            for name, member in self.members.items()
            if all(map(at_hand, weights_of(member.bundle)))
        }
        for member in (here or self.members).values():
            member.input.check()
        self.absent = tuple(name for name in self.members if name not in here)
        self._is_ready = True

    def combined(self, answers: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The answers of members, ``(n, labels)`` of each, as the model's."""
        if self._ballot is None:
            only: NDArray[np.float32] = answers[self.name]
            return only
        return self._ballot.probabilities(answers)

    def unsure_below(self, names: Sequence[str]) -> float:
        """The probability below which a verdict of these members is unsure."""
        chosen = self._ballot.calibration(names) if self._ballot else self.calibration
        return chosen.unsure_below

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
        if self.takes_pictures and is_picture(path):
            heard = self._of_picture(path)
        else:
            heard = self._of_song(path, max_seconds, allow_truncated, work)
        if not heard.pieces:
            raise next(iter(heard.refused.values()))
        judged = {name: self.members[name].judged(rows) for name, rows in heard.rows.items()}
        of_song = {name: song[None] for name, (_, song) in judged.items()}
        warnings = [heard.warning] if heard.warning else []
        warnings += [f"{name} has no answer: {why}" for name, why in heard.refused.items()]
        return {
            "path": str(path),
            "seconds": round(heard.seconds, 3),
            "warning": "; ".join(warnings),
            "probabilities": self.combined(of_song)[0].tolist(),
            "unsure_below": self.unsure_below(list(judged)),
            "pieces": [
                {
                    "start": round(start, 3),
                    "seconds": round(seconds, 3),
                    "probabilities": [round(p, 6) for p in self._of_piece(judged, at).tolist()],
                }
                for (start, seconds), at in heard.pieces
            ],
        }

    def _of_piece(
        self, judged: Mapping[str, tuple[NDArray[Any], NDArray[Any]]], at: Mapping[str, int]
    ) -> NDArray[np.float32]:
        """The probabilities of a piece, by those that have it and where they do."""
        rows = {name: judged[name][0][i : i + 1] for name, i in at.items()}
        of_piece: NDArray[np.float32] = self.combined(rows)[0]
        return of_piece

    def answer(
        self,
        judged: Mapping[str, Any],
        *,
        top: int = 3,
        threshold: float | None = None,
        timeline: bool = False,
    ) -> dict[str, Any]:
        """What `predict` returns, of what `judged` did."""
        least = judged["unsure_below"] if threshold is None else threshold
        return answer(judged, self.labels, self.name, top=top, least=least, timeline=timeline)

    def _of_picture(self, path: str | Path) -> _Heard:
        """By the members that pictures are for."""
        heard = _Heard()
        for name, member in self.members.items():
            if isinstance(member.input, Pictures):
                try:
                    examples, heard.seconds = member.examples_of_picture(path)
                    heard.add(name, [((0.0, heard.seconds), examples)])
                except ItemError as error:
                    heard.refused[name] = error
        return heard

    def _of_song(
        self,
        path: str | Path,
        max_seconds: float | None,
        allow_truncated: bool,
        work: Work | None,
    ) -> _Heard:
        """By all members, of one decoding; the sound is resampled once for each rate."""
        if not self._is_ready:
            self.ready()
        at_rate: dict[int, list[Member]] = {}
        for name, member in self.members.items():
            if name not in self.absent:
                at_rate.setdefault(member.rate, []).append(member)
        heard = _Heard()

        def decoded(seconds: float) -> None:
            heard.seconds = seconds
            if work:
                work.allow(seconds)

        def by(members: Sequence[Member]) -> Describe:
            return lambda samples: [member.described(samples) for member in members]

        describe = {rate: by(members) for rate, members in at_rate.items()}
        with open_sound(path, decoded, allow_truncated=allow_truncated) as sound:
            found = excerpts(sound, describe, max_seconds)
            heard.warning = sound.warning
        for rate, members in at_rate.items():
            for number, member in enumerate(members):
                given = [((one.start, one.seconds), one.values[number]) for one in found[rate]]
                heard.add(member.name, given)
        return heard


class _Heard:
    """What the members made of a file.

    Attributes
    ----------
    rows : by member, the examples of each piece that has some.
    pieces : start and seconds of each piece, and by member its place among the rows.
    refused : by member that has no row, why.
    seconds : of the whole song.
    warning : why the sound is not whole, else ''.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[NDArray[Any]]] = {}
        self.refused: dict[str, ItemError] = {}
        self.seconds, self.warning = 0.0, ""
        self._places: dict[int, tuple[tuple[float, float], dict[str, int]]] = {}

    def add(
        self, name: str, given: Sequence[tuple[tuple[float, float], NDArray[Any] | ItemError]]
    ) -> None:
        """The examples of a member's pieces, or why one has none."""
        rows: list[NDArray[Any]] = []
        for (start, seconds), values in given:
            if not isinstance(values, ItemError):
                # At another rate a piece begins up to a sample elsewhere.
                piece = self._places.setdefault(round(start), ((start, seconds), {}))
                piece[1][name] = len(rows)
                rows.append(values)
        if rows:
            self.rows[name] = rows
            return
        errors = [values for _, values in given if isinstance(values, ItemError)]
        self.refused[name] = next(iter(errors), ItemError("too-short", "it holds no piece"))

    @property
    def pieces(self) -> list[tuple[tuple[float, float], dict[str, int]]]:
        return [self._places[start] for start in sorted(self._places)]


def _members(name: str, bundle: Bundle, device: str) -> dict[str, Member]:
    if not bundle.members:
        return {name: Member(name, bundle, device)}
    members = {}
    for inside, one in bundle.members.items():
        try:
            members[inside] = Member(inside, one, device)
        except BundleError as error:
            raise BundleError(f"member {inside}: {error.message}", error.hint) from error
    return members
