"""A trained model from its bundle, ready to answer: ``mgrkit.load`` gives one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mgrkit.audio.piece_lengths import PIECE_SECONDS
from mgrkit.batch import Work
from mgrkit.classifiers import Bundle, load_bundle
from mgrkit.errors import BundleError, ItemError, UsageError
from mgrkit.inputs.kinds import Pictures, is_picture
from mgrkit.learning.calibration import Calibration
from mgrkit.models.ballot import Ballot
from mgrkit.models.bandwidth import Bandwidth, reached
from mgrkit.models.choosing import choose, weights_of
from mgrkit.models.listening import Heard, Listener, listen
from mgrkit.models.member import Answer, Member
from mgrkit.models.prediction_fields import answer
from mgrkit.models.tagging import Tagger, tagger_of
from mgrkit.tracks.identity import ARTIST, FILE, NAME
from mgrkit.weights.store import at_hand

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
    RunError : it needs a module that is not installed; or it computes by torch, and this process
        was forked from one where torch had begun, see `mgrkit.load`.
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
        self._device = device
        try:
            self._ballot = Ballot(self.bundle) if self.bundle.members else None
            self.members = _members(self.name, self.bundle, device)
            self.calibration = Calibration.from_dict(self.bundle.calibration)
        except BundleError as error:
            raise BundleError(f"{self.path}: {error.message}", error.hint) from error

    @property
    def only(self) -> Member:
        """The member of a model that is no vote."""
        [member] = self.members.values()
        return member

    @property
    def takes_pictures(self) -> bool:
        """Whether `predict` can be given a picture."""
        return any(isinstance(one.input, Pictures) for one in self.members.values())

    def ready(self, *, tags: bool = False) -> None:
        """Load what is needed for sound, once; `predict` does it too.

        Members of a vote whose weights have not been fetched are passed over: ``absent`` names
        them.

        Raises
        ------
        UsageError : with ``tags``, no feature set that is installed gives some.
        WeightsError : the weights of the feature set have not been fetched; of a vote, of all; with
            ``tags``, those of the network that gives them.
        RunError : the feature set's code cannot be loaded, or a module that it needs is not
            installed.
        """
        here = [
            name
            for name, member in self.members.items()
            if all(map(at_hand, weights_of(member.bundle)))
        ] or list(self.members)
        for name in here:
            self.members[name].input.check()
        self.absent = tuple(name for name in self.members if name not in here)
        if tags:
            self._tagger().check()
        self._is_ready = True

    def tag_names(self) -> tuple[str, ...]:
        """The tags that `answer` may give; UsageError where no feature set gives some."""
        return self._tagger().tags

    def _tagger(self) -> Tagger:
        return tagger_of([one.input for one in self.members.values()], self._device)

    @property
    def answering(self) -> list[str]:
        """Of a vote the members that can answer; of no other model any."""
        return [name for name in self.bundle.members if name not in self.absent]

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
        tags: int = 0,
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
        tags : how many tags to name, the strongest first, by a network that was trained on such.
        allow_truncated : of a file that is cut or damaged on the way, judge what can be decoded.

        Returns
        -------
        ``path``, ``genre``, ``probability``, ``unsure`` (the verdict is below the threshold, or the
        sound unlike what was learnt), ``genres`` (list of ``genre``, ``probability``), ``seconds``
        (of the whole song), ``model``, ``warning`` (why the sound is not whole or unlike what was
        learnt, or a member of a vote has no answer, else ''), with ``timeline`` what was listened
        to, a list of ``start``, ``seconds``, ``genre``, ``probability``, ``genres``; with ``tags``
        a list of ``tag``, ``value`` (0 to 1).

        Raises
        ------
        UsageError : a number is out of range, or sound cannot become what the model takes.
        AudioError, ItemError : the file cannot be used; ``reason`` says why in a word.
        WeightsError : the weights of the feature set have not been fetched.
        RunError : the model computes by torch, and this process was forked, see `mgrkit.load`.

        >>> mgrkit.load("NAME.safetensors").predict("song.mp3")["genre"]  # doctest: +SKIP
        'jazz'
        """
        check_limits(top, max_seconds, threshold)
        judged = self.judged(
            path, tags=tags > 0, max_seconds=max_seconds, allow_truncated=allow_truncated, work=work
        )
        return self.answer(judged, top=top, threshold=threshold, timeline=timeline, tags=tags)

    def judged(
        self,
        path: str | Path,
        *,
        tags: bool = False,
        max_seconds: float | None = None,
        allow_truncated: bool = True,
        work: Work | None = None,
        pictures: bool = True,
    ) -> dict[str, Any]:
        """What `predict` makes its answer of, as JSON values: to be kept for other questions.

        Parameters
        ----------
        pictures : whether a file that is called as pictures are is one; else it is sound.

        Returns
        -------
        ``path``, ``seconds``, ``warning``, ``probabilities`` of the ``labels`` (floats),
        ``unsure_below`` (of the members that answer), ``strange`` (why it is unlike what was
        learnt, else ''), ``pieces``, a list of ``start``,
        ``seconds``, ``probabilities``, and with ``tags`` the value of each tag by name.

        Raises
        ------
        What `predict` raises.
        """
        tagger = self._tagger() if tags else None
        if pictures and self.takes_pictures and is_picture(path):
            heard = self._of_picture(path)
        else:
            heard = self._of_song(path, tagger, max_seconds, allow_truncated, work)
        if not heard.pieces:
            raise next(iter(heard.refused.values()))
        judged = {name: self.members[name].judged(rows) for name, rows in heard.rows.items()}
        of_song = {name: one.song[None] for name, one in judged.items()}
        warnings = [heard.warning] if heard.warning else []
        warnings += [f"{name} has no answer: {why}" for name, why in heard.refused.items()]
        strange = self._strange(heard, judged)
        named = _named(tagger, heard, warnings) if tagger else {}
        return {
            "path": str(path),
            "seconds": round(heard.seconds, 3),
            "warning": "; ".join(warnings),
            "probabilities": self.combined(of_song)[0].tolist(),
            "unsure_below": self.unsure_below(list(judged)),
            "strange": "; ".join(strange),
            **({"tags": named} if tagger else {}),
            "pieces": [self._piece(*piece, judged) for piece in heard.pieces],
        }

    def _strange(self, heard: Heard, judged: Mapping[str, Answer]) -> list[str]:
        """Why the song is unlike what members learnt, so that no verdict can be sure."""
        why = []
        if Bandwidth.name in heard.others:
            hertz = reached(heard.others[Bandwidth.name])
            learnt = max(self.members[name].bundle.bandwidth for name in judged)
            if hertz < learnt:
                why.append(f"nothing is above {hertz:g} Hz, what was learnt reaches {learnt:g} Hz")
        if names := [name for name, one in judged.items() if one.is_strange]:
            by = f" by {' and '.join(names)}" if self.bundle.members else ""
            why.append(f"unlike all that was learnt{by}")
        return why

    def _piece(
        self, span: tuple[float, float], at: Mapping[str, int], judged: Mapping[str, Answer]
    ) -> dict[str, Any]:
        """A piece of a song, by the members that have it: ``at`` says where among theirs."""
        rows = {name: judged[name].pieces[i : i + 1] for name, i in at.items()}
        probabilities = [round(p, 6) for p in self.combined(rows)[0].tolist()]
        start, seconds = (round(one, 3) for one in span)
        return {"start": start, "seconds": seconds, "probabilities": probabilities}

    def answer(
        self,
        judged: Mapping[str, Any],
        *,
        top: int = 3,
        threshold: float | None = None,
        timeline: bool = False,
        tags: int = 0,
    ) -> dict[str, Any]:
        """What `predict` returns, of what `judged` did."""
        least = threshold
        if least is None:  # journals of models that are no votes may lack it
            least = judged.get("unsure_below", self.calibration.unsure_below)
        return answer(
            judged, self.labels, self.name, top=top, least=least, timeline=timeline, tags=tags
        )

    def _of_picture(self, path: str | Path) -> Heard:
        """By the members that pictures are for; it is said that the others have no answer."""
        heard, others = Heard(), []
        for name, member in self.members.items():
            if not isinstance(member.input, Pictures):
                others.append(name)
                continue
            try:
                examples, heard.seconds = member.examples_of_picture(path)
                heard.add(name, [((0.0, heard.seconds), examples)])
            except ItemError as error:
                heard.refused[name] = error
        for name in others:
            heard.refused[name] = ItemError("picture", f"it takes {self.members[name].input.name}")
        return heard

    def _of_song(
        self,
        path: str | Path,
        tagger: Tagger | None,
        max_seconds: float | None,
        allow_truncated: bool,
        work: Work | None,
    ) -> Heard:
        """By all members whose weights are there, of one decoding."""
        if not self._is_ready:
            self.ready()
        members = [one for name, one in self.members.items() if name not in self.absent]
        others: list[Listener] = [tagger] if tagger else []
        if any(one.bundle.bandwidth for one in members):
            others.append(Bandwidth())
        return listen(
            path, members, others,
            max_seconds=max_seconds, allow_truncated=allow_truncated, work=work,
        )  # fmt: skip


def _named(tagger: Tagger, heard: Heard, warnings: list[str]) -> dict[str, float]:
    """The value of each tag of a song; adds to the warnings why there is none."""
    pieces = heard.others.get(tagger.name, ())
    named: dict[str, float] = tagger.judged(pieces)["tags"]
    if not named:
        warnings.append(f"it has no tags: {tagger.why_none(pieces)}")
    return named


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
