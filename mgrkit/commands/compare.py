"""``mgrkit compare``: several classifiers on one split, and which of them differ at all."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mgrkit.classifiers.base import silent, unheard
from mgrkit.compute.device import KINDS, resolve_device
from mgrkit.compute.ranks import Ranks
from mgrkit.datasets.genres import AS_SPELT, GenreMap
from mgrkit.errors import MgrkitError, RunError, Stopped, UsageError, nearest
from mgrkit.experiments.common import Common, read_common
from mgrkit.experiments.records import SETTINGS, digest, folder_record, refuse_other, write_record
from mgrkit.experiments.standings import Comparison, compared
from mgrkit.experiments.trials import RUNS, Judged, Outcome, Trial
from mgrkit.files.outputs import check_folder
from mgrkit.inputs.columns import ALL, TableChoice
from mgrkit.registry import Provider, installed, with_parameters
from mgrkit.tracks.splits import PARTS, check_split

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report

_MAKER = "mgrkit compare"


@dataclass(frozen=True)
class Asked:
    """What is to be compared, and how.

    Parameters
    ----------
    classifiers : names; none means all that are installed but for those that a plugin keeps out.
    seeds : fits of each, with the seeds 0, 1, ...
    split : as for `mgrkit.commands.train.TrainSettings`.
    part : 'valid' or 'test': the tracks to judge by.
    parameters : by classifier.
    device : for the classifiers and feature sets that can use it; the others take the CPU.
    feature_set : for the classifiers that eat features, instead of their usual one.
    genres : what genres of DATA count as.
    votes : of which of them to judge the vote, too, as in ``svm+cnn``.
    table : a track table whose rows name the files of the only folder in DATA that are taken.
    choice : which columns those that eat features learn from.
    reduce : what all of them reduce their columns to, unless ``parameters`` says otherwise of
        one; '' for nothing.
    """

    classifiers: Sequence[str] = ()
    seeds: int = 3
    split: str | None = None
    part: str = "valid"
    parameters: Mapping[str, Mapping[str, object]] = dataclasses.field(default_factory=dict)
    device: str = "auto"
    feature_set: str | None = None
    genres: GenreMap = AS_SPELT
    votes: Sequence[str] = ()
    table: Path | None = None
    choice: TableChoice = ALL
    reduce: str = ""

    def given(self, name: str) -> dict[str, object]:
        """The parameters of a classifier."""
        reducing: dict[str, object] = {"reduce": self.reduce} if self.reduce else {}
        return {**reducing, **self.parameters.get(name, {})}

    @property
    def members(self) -> list[list[str]]:
        """Those of each vote; votes of the same members are one."""
        votes = [[name.strip() for name in vote.split("+")] for vote in self.votes]
        return list({frozenset(members): members for members in reversed(votes)}.values())[::-1]


def compare(
    data: Sequence[Path],
    out: Path,
    asked: Asked | None = None,
    *,
    options: Options | None = None,
    report: Report | None = None,
    say: Callable[[str], None] = unheard,
    progress: Callable[[int, int, Mapping[str, float]], None] = silent,
) -> Comparison:
    """Train classifiers on one train part and judge them by the same tracks.

    Each takes the first DATA that holds what it eats or can be made into it; only tracks that
    are in all DATA used count. What is finished is kept in ``out``: the same call, or one with
    more classifiers or seeds, does the rest only.

    Parameters
    ----------
    data : as for `mgrkit.commands.train.train`; several are of one collection.
    out : a new folder, or one of the same comparison.
    say : gets each line of how far it is.

    Raises
    ------
    UsageError : the call is wrong, DATA cannot be split so, or ``out`` holds something else.
    RunError : DATA cannot be read, or ``out`` not written.
    Stopped : a person ended it; the message says how far it got.
    """
    asked = asked or Asked()
    entries = _entries(asked)
    _check_folder(out)
    wanted = {entry.spec.eats: entry.spec.name for entry in reversed(entries)}
    common = read_common(
        data, wanted, asked.split, asked.device, options, report, asked.genres,
        asked.feature_set, asked.table, asked.choice,
    )  # fmt: skip
    judged = _judged(common, asked.part)
    _begin(out, common, asked)
    runs = _runs(out, entries, asked, common)
    # What was made otherwise is refused before anything is trained.
    done = {run.name: kept for run in runs if (kept := run.kept(judged))}
    reasons = {e.spec.name: r for e in entries if (r := common.lacking.get(e.spec.eats))}
    for name, reason in reasons.items():
        say(f"{name} is left out: {reason}")
    runs = [run for run in runs if run.entry.spec.name not in reasons]
    finished = _finished(runs, done, common, judged, reasons, say, progress)
    return compared(
        entries, asked.part, asked.seeds, common, judged, finished, reasons, asked.members
    )


def _finished(
    runs: Sequence[Trial],
    done: Mapping[str, Outcome],
    common: Common,
    judged: Judged,
    reasons: dict[str, str],
    say: Callable[[str], None],
    progress: Callable[[int, int, Mapping[str, float]], None],
) -> dict[str, list[Outcome]]:
    """What each run gave, by classifier; adds to the reasons why a classifier failed.

    What is done already is taken as it is, and after a failure the classifier's other seeds are
    passed over.
    """
    finished: dict[str, list[Outcome]] = {}
    for number, run in enumerate(runs, 1):
        name = run.entry.spec.name
        if name in reasons:
            continue
        what = f"{number} of {len(runs)}: {name}, seed {run.seed}"
        try:
            result = done.get(run.name)
            if result is None:
                say(what)
                result = run.make(common.eaten[run.entry.spec.eats], judged, progress)
        except (Stopped, KeyboardInterrupt) as stop:
            raise _stopped(stop, number - 1, len(runs)) from None
        except MgrkitError as error:
            reasons[name] = str(error)
            say(f"{what}: failed: {error}")
            continue
        finished.setdefault(name, []).append(result)
        accuracy = float((result.probabilities.argmax(1) == judged.y).mean())
        how = "kept" if run.name in done else f"trained in {result.training_seconds:.1f} s"
        say(f"{what}: accuracy {accuracy:.3f}, {how}")
    return finished


def _entries(asked: Asked) -> list[Provider]:
    """The classifiers by name, each once; what is wrong with the call is said here."""
    if Ranks.here().world_size > 1:
        raise UsageError("a comparison is one process", "start it without torchrun")
    if asked.part not in PARTS[1:]:
        raise UsageError(f"--part must be valid or test, not {asked.part!r}")
    if asked.seeds < 1:
        raise UsageError(f"--seeds must be at least 1, not {asked.seeds}")
    check_split(asked.split)
    entries = [entry for entry in installed().classifiers() if not entry.error]
    every = [entry.spec.name for entry in entries if entry.spec.compared]
    names = list(dict.fromkeys(asked.classifiers or every))
    entries = [_eating(installed().classifier(name), asked.feature_set) for name in names]
    for entry in entries:
        fields = {field.name for field in dataclasses.fields(entry.spec.parameters)}
        if asked.reduce and "reduce" not in fields:
            hint = "compare only those that do, by --classifiers"
            raise UsageError(f"{entry.spec.name} takes no --reduce", hint)
        with_parameters(entry.spec, asked.given(entry.spec.name))
    for name in asked.parameters:
        if name not in names:
            raise UsageError(f"--param names {name}, which is not compared", ", ".join(names))
    _check_votes(asked.members, names)
    if asked.device != "auto":
        resolve_device(asked.device, KINDS)
    return entries


def _check_votes(votes: Sequence[Sequence[str]], compared: Sequence[str]) -> None:
    for members in votes:
        for name in members:
            if name not in compared:
                hint = nearest(name, compared, "there are")
                raise UsageError(f"--votes names {name!r}, which is not compared", hint)
        if len(members) < 2 or len(set(members)) < len(members):
            vote = "+".join(members)
            raise UsageError(f"--votes must be of two or more, each once, not {vote}", "svm+cnn")


def _eating(entry: Provider, feature_set: str | None) -> Provider:
    """The classifier on this feature set, if it eats features."""
    if feature_set is None or not entry.spec.eats.startswith("features:"):
        return entry
    eats = f"features:{installed().feature_set(feature_set).name}"
    return dataclasses.replace(entry, spec=dataclasses.replace(entry.spec, eats=eats))


def _check_folder(out: Path) -> None:
    """Before hours of work, not after."""
    check_folder(out, "--out")
    kept = folder_record(out)
    if kept is not None and kept.get("made by") != _MAKER:
        raise UsageError(f"{out} holds something else", "give another --out")


def _begin(out: Path, common: Common, asked: Asked) -> None:
    """Make the folder, or see that it is one of the same tracks."""
    both = zip(common.tracks, common.split.parts, strict=True)
    rows = [[track.id, track.genre, track.group, part] for track, part in both]
    settings = {
        "made by": _MAKER,
        "part": asked.part,
        "split": common.split.words,
        "tracks": len(rows),
        "tracks' digest": hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16],
    }
    if asked.genres.pairs:
        settings["map"] = [f"{theirs}={ours}" for theirs, ours in asked.genres.pairs]
    kept = folder_record(out)
    if kept is not None:
        same = kept.get("tracks' digest") == settings["tracks' digest"]
        # Another map that gives the same tracks is no other comparison.
        refuse_other(out, kept, {**settings, "map": kept.get("map")} if same else settings)
    try:
        (out / RUNS).mkdir(parents=True, exist_ok=True)
        write_record(out / SETTINGS, settings)
    except OSError as error:
        raise RunError(f"cannot write to {out}: {error.strerror}", "give another --out") from None


def _judged(common: Common, part: str) -> Judged:
    which = common.judged(part)
    both = zip(common.tracks, common.split.parts, strict=True)
    return Judged(
        which,
        [common.tracks[i].id for i in which],
        [common.tracks[i].genre for i in which],
        common.groups(which),
        tuple(sorted({track.genre for track, part in both if part == "train"})),
    )


def _runs(out: Path, entries: Sequence[Provider], asked: Asked, common: Common) -> list[Trial]:
    """Every classifier with every seed; those that have nothing to eat are there once."""
    genres = sorted({track.genre for track in common.tracks})
    digests = {eats: digest(one.dataset.examples(genres)) for eats, one in common.eaten.items()}
    runs = []
    for entry in entries:
        spec = entry.spec
        given = asked.given(spec.name)
        usable = asked.device == "auto" or asked.device.partition(":")[0] in spec.devices
        settings = {
            "version": f"{entry.distribution} {entry.version}",
            "parameters": dataclasses.asdict(with_parameters(spec, given)),
            "examples": digests.get(spec.eats, ""),
        }
        for seed in range(asked.seeds):
            device = asked.device if usable else "cpu"
            runs.append(Trial(out, entry, seed, device, given, {**settings, "seed": seed}))
    return runs


def _stopped(stop: Stopped | KeyboardInterrupt, done: int, runs: int) -> Stopped:
    code = stop.exit_code if isinstance(stop, Stopped) else 130
    message = f"stopped after {done} of {runs} runs; the same command goes on from there"
    return Stopped(message, code=code)
