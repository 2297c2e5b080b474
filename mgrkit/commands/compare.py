"""``mgrkit compare``: several classifiers on one split or in folds, and which differ at all."""

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
from mgrkit.datasets.labels import Labels
from mgrkit.errors import RunError, UsageError, nearest
from mgrkit.experiments.common import Common, read_common
from mgrkit.experiments.configurations import Configuration, Grids, configurations
from mgrkit.experiments.crews import device_here
from mgrkit.experiments.folding import MOST, Folding, fold, one_split
from mgrkit.experiments.records import SETTINGS, digest, folder_record, refuse_other, write_record
from mgrkit.experiments.running import Runs
from mgrkit.experiments.standings import Comparison, compared
from mgrkit.experiments.trials import RUNS, Trial
from mgrkit.files.outputs import check_folder
from mgrkit.inputs.columns import ALL, TableChoice
from mgrkit.registry import ClassifierSpec, Provider, installed, with_parameters
from mgrkit.tracks.splits import PARTS, check_split

if TYPE_CHECKING:
    from mgrkit.batch import Options, Report
    from mgrkit.compute.cluster import Cluster

_MAKER = "mgrkit compare"


@dataclass(frozen=True)
class Asked:
    """What is to be compared, and how.

    Parameters
    ----------
    classifiers : names; none means all that are installed but for those that a plugin keeps out
        and those that eat nothing of DATA.
    seeds : fits of each, with the seeds 0, 1, ...; None for three, of folds for one.
    split : as for `mgrkit.commands.train.TrainSettings`; folds are never 'random'.
    part : 'valid' or 'test': the tracks to judge by; '' for valid, and with folds.
    parameters : by classifier.
    device : for the classifiers and feature sets that can use it; the others take the CPU.
    feature_set : for the classifiers that eat features, instead of their usual one.
    genres : what genres of DATA count as.
    votes : of which of them to judge the vote, too, as in ``svm+cnn``.
    table : a track table whose rows name the files of the only folder in DATA that are taken.
    choice : which columns those that eat features learn from.
    reduce : what all of them reduce their columns to, unless ``parameters`` says otherwise of
        one; '' for nothing.
    folds : judge every track once, by fits on the others of so many folds by artist; None for one
        split.
    grids : by classifier and parameter several values: all combinations are compared.
    label_from : as the ``by`` of `mgrkit.datasets.labels.Labels`.
    """

    classifiers: Sequence[str] = ()
    seeds: int | None = None
    split: str | None = None
    part: str = ""
    parameters: Mapping[str, Mapping[str, object]] = dataclasses.field(default_factory=dict)
    device: str = "auto"
    feature_set: str | None = None
    genres: GenreMap = AS_SPELT
    votes: Sequence[str] = ()
    table: Path | None = None
    choice: TableChoice = ALL
    reduce: str = ""
    folds: int | None = None
    grids: Grids = dataclasses.field(default_factory=dict)
    label_from: str = ""

    @property
    def labels(self) -> Labels:
        """Where genres are from; raises what `Labels` does."""
        return Labels(self.label_from, self.genres.names, learns=True)

    @property
    def fits(self) -> int:
        """Seeds of each."""
        usual = 1 if self.folds else 3
        return usual if self.seeds is None else self.seeds

    @property
    def judged_by(self) -> str:
        """'valid', 'test' or 'folds'."""
        return "folds" if self.folds else self.part or PARTS[1]

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
    cluster: Cluster | None = None,
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
    cluster : whose workers make the fits, each one at a time; they must see ``out``.

    Raises
    ------
    UsageError : the call is wrong, DATA cannot be split so, or ``out`` holds something else.
    RunError : DATA cannot be read, ``out`` not written, or the cluster is lost or of no use.
    Stopped : a person ended it; the message says how far it got.
    """
    asked = asked or Asked()
    chosen = _configurations(asked)
    _check_folder(out)
    wanted = {one.spec.eats: one.spec.name for one in reversed(chosen)}
    common = read_common(
        data, wanted, asked.split, _device(asked.device, cluster), options, report, asked.genres,
        asked.feature_set, asked.table, asked.choice, asked.labels,
    )  # fmt: skip
    chosen, reasons, left_out = _edible(chosen, common, asked)
    for line in (*(f"{name} is left out: {why}" for name, why in reasons.items()), *left_out):
        say(line)
    folding = fold(common, asked.folds) if asked.folds else one_split(common, asked.judged_by)
    _check_reduce(chosen, common, folding)
    _begin(out, common, folding, asked)
    trials = _trials(out, chosen, reasons, asked, common, folding)
    finished = Runs(trials, common, folding, reasons, say, progress).made(cluster)
    found = compared(
        chosen, asked.judged_by, asked.fits, common, folding, finished, reasons, asked.members
    )
    return dataclasses.replace(found, notes=(*found.notes, *left_out))


def _edible(
    chosen: Sequence[Configuration], common: Common, asked: Asked
) -> tuple[list[Configuration], dict[str, str], list[str]]:
    """Those that are compared, why some of these fail, and what is said of those left out.

    What eats nothing of DATA fails where a person named it, and is left out elsewhere.
    """
    named = {*asked.classifiers, *(name for members in asked.members for name in members)}
    lost = {one.name: why for one in chosen if (why := common.lacking.get(one.spec.eats))}
    left_out: dict[str, list[str]] = {}
    for one in chosen:
        if one.name in lost and one.spec.name not in named:
            left_out.setdefault(lost.pop(one.name), []).append(one.name)
    names = {name for several in left_out.values() for name in several}
    lines = [f"left out, {', '.join(several)}: {why}" for why, several in left_out.items()]
    return [one for one in chosen if one.name not in names], lost, lines


def _configurations(asked: Asked) -> list[Configuration]:
    """The classifiers by name, each with its parameters; what is wrong with the call is said."""
    _check(asked)
    entries = [entry for entry in installed().classifiers() if not entry.error]
    every = [entry.spec.name for entry in entries if entry.spec.compared]
    names = list(dict.fromkeys(asked.classifiers or every))
    for name in (*asked.parameters, *asked.grids):
        if name not in names:
            raise UsageError(f"--param names {name}, which is not compared", ", ".join(names))
    found = []
    for entry in (_eating(installed().classifier(name), asked.feature_set) for name in names):
        if asked.reduce and not _reduces(entry.spec):
            hint = "compare only those that do, by --classifiers"
            raise UsageError(f"{entry.spec.name} takes no --reduce", hint)
        name = entry.spec.name
        found += configurations(entry, asked.given(name), asked.grids.get(name, {}))
    _check_votes(asked.members, names, asked.grids)
    return found


def _check(asked: Asked) -> None:
    """What is wrong with the call, whatever is installed."""
    if Ranks.here().world_size > 1:
        raise UsageError("a comparison is one process", "start it without torchrun")
    if asked.folds is not None:
        if not 2 <= asked.folds <= MOST:
            raise UsageError(f"--folds must be from 2 to {MOST}, not {asked.folds}")
        if asked.part:
            what = f"--folds judges every track that is folded, not --part {asked.part}"
            raise UsageError(what, "leave one of them out")
        if asked.split == "random":
            what = "--folds keeps artists together, --split random does not"
            raise UsageError(what, "--split grouped folds all tracks")
    if asked.judged_by not in (*PARTS[1:], "folds"):
        raise UsageError(f"--part must be valid or test, not {asked.part!r}")
    if asked.fits < 1:
        raise UsageError(f"--seeds must be at least 1, not {asked.seeds}")
    check_split(asked.split)


def _reduces(spec: ClassifierSpec) -> bool:
    return "reduce" in {field.name for field in dataclasses.fields(spec.parameters)}


def _check_reduce(chosen: Sequence[Configuration], common: Common, folding: Folding) -> None:
    """Refuse to reduce to more than there is, before the first fit and not in each.

    Raises
    ------
    UsageError : more columns than DATA has, or as many discriminants as there are genres.
    """
    genres = min(len(one.judged.labels) for one in folding.folds)
    for one in chosen:
        eaten = common.eaten.get(one.spec.eats)
        if eaten and one.spec.eats.startswith("features:") and _reduces(one.spec):
            text = str(with_parameters(one.spec, one.given).reduce)
            how, _, amount = text.partition(":")
            most = genres - 1 if how == "lda" else eaten.dataset.input.shape[0]
            if amount.isdigit() and int(amount) > most:
                why = f"{genres} genres" if how == "lda" else f"{most} columns"
                what = f"{one.name}: reduce={text} asks for more than {most}: there are {why}"
                raise UsageError(what, "give fewer")


def _check_votes(votes: Sequence[Sequence[str]], compared: Sequence[str], grids: Grids) -> None:
    for members in votes:
        for name in members:
            if name in grids:
                what = f"--votes names {name}, of which there are several"
                raise UsageError(what, "one value of each --param, or no vote of it")
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


def _device(asked: str, cluster: Cluster | None) -> str:
    """That for what is computed here; UsageError for one that is not here."""
    device = device_here(asked, cluster)
    return device if device == "auto" else resolve_device(device, KINDS)


def _check_folder(out: Path) -> None:
    """Before hours of work, not after."""
    check_folder(out, "--out")
    kept = folder_record(out)
    if kept is not None and kept.get("made by") != _MAKER:
        raise UsageError(f"{out} holds something else", "give another --out")


def _begin(out: Path, common: Common, folding: Folding, asked: Asked) -> None:
    """Make the folder, or see that it is one of the same tracks."""
    both = zip(common.tracks, folding.parts(common), strict=True)
    rows = [[track.id, track.genre, track.group, part] for track, part in both]
    settings = {
        "made by": _MAKER,
        "part": asked.judged_by,
        "split": folding.words,
        "tracks": len(rows),
        "tracks' digest": hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16],
    }
    if asked.folds:
        settings["folds"] = asked.folds
    if asked.genres.pairs:
        settings["map"] = [f"{theirs}={ours}" for theirs, ours in asked.genres.pairs]
    kept = folder_record(out)
    if kept is not None:
        if kept.get("folds") != asked.folds:  # all else differs then, too, and says less
            refuse_other(out, {"folds": kept.get("folds")}, {"folds": asked.folds})
        same = kept.get("tracks' digest") == settings["tracks' digest"]
        # Another map that gives the same tracks is no other comparison.
        refuse_other(out, kept, {**settings, "map": kept.get("map")} if same else settings)
    try:
        (out / RUNS).mkdir(parents=True, exist_ok=True)
        write_record(out / SETTINGS, settings)
    except OSError as error:
        raise RunError(f"cannot write to {out}: {error.strerror}", "give another --out") from None


def _trials(
    out: Path,
    chosen: Sequence[Configuration],
    reasons: Mapping[str, str],
    asked: Asked,
    common: Common,
    folding: Folding,
) -> list[Trial]:
    """Every classifier that has no reason to fail, with every seed in every fold."""
    genres = sorted({track.genre for track in common.tracks})
    digests = {eats: digest(one.dataset.examples(genres)) for eats, one in common.eaten.items()}
    found = []
    for one in (one for one in chosen if one.name not in reasons):
        spec, entry = one.spec, one.entry
        usable = asked.device == "auto" or asked.device.partition(":")[0] in spec.devices
        device = asked.device if usable else "cpu"
        settings = {
            "version": f"{entry.distribution} {entry.version}",
            "parameters": dataclasses.asdict(with_parameters(spec, one.given)),
            "examples": digests.get(spec.eats, ""),
        }
        for seed in range(asked.fits):
            own = {**settings, "seed": seed}
            found += [Trial(out, one, seed, device, own, each.number) for each in folding.folds]
    return found
