"""The options that several commands share."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer

from mgrkit.audio.piece_lengths import PIECE_SECONDS, WHOLE_SECONDS
from mgrkit.compute import cluster as _clusters
from mgrkit.errors import RunError, UsageError
from mgrkit.files.shards import Shard


def number(kind: type[int] | type[float], low: float = -inf, high: float = inf) -> Any:
    """What `typer.Option` needs to take one number or several, from ``low`` to ``high``.

    Typer's checks speak in other words than all the rest of mgrkit.
    """
    what = "a whole number" if kind is int else "a number"
    if low > -inf:
        what += f" from {low:g} to {high:g}" if high < inf else f" of at least {low:g}"

    def read(context: typer.Context, param: typer.CallbackParam, given: Any) -> Any:
        called = _called(context, param)
        if isinstance(given, list | tuple):
            return [_number(called, text, kind, low, high, what) for text in given]
        return None if given is None else _number(called, given, kind, low, high, what)

    return {"parser": str, "callback": read}


def _number(called: str, text: str, kind: type, low: float, high: float, what: str) -> Any:
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not low <= value <= high or abs(value) == inf:
        raise UsageError(f"{called} must be {what}, not {text!r}")
    return value


def _called(context: typer.Context, param: typer.CallbackParam) -> str:
    """The option's long name, or the variable that gave its value."""
    source = context.get_parameter_source(param.name or "")
    if param.envvar and source and source.name == "ENVIRONMENT":
        return str(param.envvar)
    return next(name for name in param.opts if name.startswith("--"))


def typed(context: typer.Context) -> set[str]:
    """The parameters of a command that are not left at their defaults."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return {name for name, source in sources.items() if source and source.name == "COMMANDLINE"}


def called(context: typer.Context, parameter: str) -> str:
    """The option, or the argument, of a parameter of a command."""
    (param,) = (one for one in context.command.params if one.name == parameter)
    names = [name for name in param.opts if name.startswith("--")]
    return names[0] if names else param.metavar or parameter


def check_companions(context: typer.Context, needs: Mapping[str, Sequence[str]]) -> None:
    """See that no option is given that means nothing without another.

    Parameters
    ----------
    needs : such parameters of a command, each with those of which one has to be given with it.

    Raises
    ------
    UsageError : one is given alone.
    """
    given = typed(context)
    for name, others in needs.items():
        if name in given and not any(context.params[other] for other in others):
            ones = " or ".join(called(context, other) for other in others)
            raise UsageError(
                f"{called(context, name)} goes with {ones}", "give both, or leave it out"
            )


@contextlib.contextmanager
def named_as(options: Mapping[str, str]) -> Iterator[None]:
    """A context whose refusals call these parameters of a function by their options."""
    known = re.compile(rf"(?<![-\w])({'|'.join(options)})\b")
    try:
        yield
    except UsageError as error:
        texts = (known.sub(lambda m: options[m[0]], t) for t in (error.message, error.hint))
        raise UsageError(*texts) from None


def _device(context: typer.Context, param: typer.CallbackParam, text: str) -> str:
    if not re.fullmatch(r"auto|cpu|mps|cuda(:[0-9]+)?", text):
        called = _called(context, param)
        raise UsageError(f"{called} must be auto, cpu, cuda, cuda:N or mps, not {text!r}")
    return text


def _shard(text: str | None) -> Shard | None:
    return Shard.of(text) if text else None


def _cluster(text: str | None) -> _clusters.Cluster | None:
    return None if text is None else _clusters.Cluster.of(text)


Source = Annotated[
    Path | None,
    typer.Argument(
        metavar="SRC",
        readable=False,
        help="Folder, sound file or track table. [default: audio and noisy]",
    ),
]
PieceSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Cut pieces of exactly this length. [default: tracks up to "
        f"{WHOLE_SECONDS:g} s whole, longer ones every {PIECE_SECONDS:g} s]",
        show_default=False,
        **number(float),
    ),
]
SplitHow = Annotated[
    str | None,
    typer.Option(
        "--split",
        metavar="SPLIT",
        help="published, grouped (by artist) or random. [default: the first that DATA allows]",
        show_default=False,
    ),
]
FeatureSet = Annotated[
    str | None,
    typer.Option(
        "--set",
        metavar="NAME",
        help="Features that sound becomes, or that a table holds; NAME:mean and NAME:mean-sd sum "
        "up those of windows. [default: what the classifier usually takes]",
        show_default=False,
    ),
]
Columns = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="NAMES",
        help="Learn from these columns of a table, or of the feature set: names, their beginnings, "
        "or patterns, as in mfcc,chroma or 'mfcc*_mean'; texts by full name. [default: a "
        "feature set]",
        show_default=False,
    ),
]
Drop = Annotated[
    str,
    typer.Option("--drop", metavar="NAMES", help="Not from these of them.", show_default=False),
]
Reduce = Annotated[
    str,
    typer.Option(
        "--reduce",
        metavar="HOW",
        help="Learn from fewer columns, found on train alone: pca:17, pca:0.85 (of the variance), "
        "lda:9, or select:50 (the ones that tell most).",
        show_default=False,
    ),
]
LabelColumn = Annotated[
    str,
    typer.Option(
        "--label-column",
        metavar="NAME",
        help="Of a table of numbers, the column of the genre. [default: genre or label]",
        show_default=False,
    ),
]
GroupColumn = Annotated[
    str,
    typer.Option(
        "--group-column",
        metavar="NAME",
        help="Of a table of numbers, the column of the artist. [default: group or artist]",
        show_default=False,
    ),
]
Subset = Annotated[
    str,
    typer.Option(
        "--subset",
        metavar="NAME",
        help="Of FMA's tables, only the tracks of small, medium or large. [default: all]",
        show_default=False,
    ),
]
LabelFrom = Annotated[
    str,
    typer.Option(
        "--label-from",
        metavar="WHERE",
        help="tag: genres are those in the files' own tags. folder: those of tracks.csv, else the "
        "folders' names. [default: folder, unless folders are artists]",
        show_default=False,
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="THEIRS=OURS",
        help="Count genre THEIRS of DATA as OURS; may be repeated, or a file with one a line.",
        show_default=False,
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers",
        "-j",
        metavar="N",
        envvar="MGRKIT_WORKERS",
        help="Files in work at the same time, 1 to 1024.",
        **number(int, 1, 1024),
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="DEVICE",
        envvar="MGRKIT_DEVICE",
        help="auto, cpu, cuda, cuda:N or mps.",
        callback=_device,
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Give a file up after so long. [default: the longer of 60 s and the "
        "sound's own length]",
        show_default=False,
        **number(float, 0.1),
    ),
]
SourceTable = Annotated[
    Path | None,
    typer.Option(
        "--table",
        metavar="TABLE",
        help="Take the files of SRC that TABLE (CSV, Parquet) lists, and what it says of them.",
    ),
]
DataTable = Annotated[
    Path | None,
    typer.Option(
        "--table",
        metavar="TABLE",
        help="Take the files of the folder DATA that TABLE (CSV, Parquet) lists.",
    ),
]
FilesFrom = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Only the files listed there, one a line, relative to SRC (here, if none is "
        "given); - reads stdin.",
    ),
]
FilesFrom0 = Annotated[
    str | None,
    typer.Option(
        "--files-from0",
        metavar="FILE",
        help="Like --files-from, with a NUL after each, as find -print0 gives.",
    ),
]
Suffix = Annotated[
    list[str] | None,
    typer.Option(
        "--suffix",
        metavar="SUFFIX",
        help="In folders, take files with this suffix too, such as .xyz; may be repeated.",
        show_default=False,
    ),
]
ListIgnored = Annotated[
    bool,
    typer.Option("--list-ignored", help="Name the files of folders that are passed over, and why."),
]
ShardOf = Annotated[
    Any,
    typer.Option(
        "--shard",
        metavar="K/N",
        parser=str,
        callback=_shard,
        help="Only the K-th of N shares of the files, as 2/4: N processes, on several machines "
        "too, share the work.",
        show_default=False,
    ),
]
Cluster = Annotated[
    Any,
    typer.Option(
        "--cluster",
        metavar="WHERE",
        parser=str,
        callback=_cluster,
        help="Work on a cluster of Dask: tcp://HOST:PORT, a scheduler file, or local:N.",
        show_default=False,
    ),
]
Replace = Annotated[
    bool,
    typer.Option(
        "--replace",
        help="Make everything again, then delete what earlier runs made and this one did not.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        "-n",
        help="Make nothing: say what there is to do, and for how long, by trying a few files for "
        "three seconds.",
    ),
]
AllowTruncated = Annotated[
    bool,
    typer.Option(
        "--allow-truncated",
        help="Draw what can be decoded of a file that is cut or damaged, with a warning.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress; failures only.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and what decoders print.")]


def read_list(files_from: str | None, files_from0: str | None, root: Path) -> list[str] | None:
    """The relative paths of ``--files-from`` and ``--files-from0``, or None without them."""
    lines = read_lists(files_from, files_from0)
    if lines is None:
        return None
    from mgrkit.commands.plan import listed

    return listed(lines, root)


def read_lists(files_from: str | None, files_from0: str | None) -> list[str] | None:
    """The paths of ``--files-from`` and ``--files-from0`` as they are; None without them.

    Raises
    ------
    RunError : a list cannot be read.
    UsageError : one that is in UTF-16, or has NUL characters where it should have lines.
    """
    if files_from is None and files_from0 is None:
        return None
    lines = []
    if files_from is not None:
        text = content_of(files_from)
        if b"\0" in text:
            hint = "save it as UTF-8; a list with NUL characters between goes to --files-from0"
            raise UsageError(f"{files_from} holds NUL characters, as UTF-16 does", hint)
        # Not splitlines: names may hold what Unicode takes for the end of a line.
        named = os.fsdecode(text.removeprefix(codecs.BOM_UTF8)).split("\n")
        lines += [line.removesuffix("\r") for line in named if line.strip()]
    if files_from0 is not None:
        lines += [name for name in os.fsdecode(content_of(files_from0)).split("\0") if name]
    return lines


def content_of(name: str) -> bytes:
    """The bytes of a file, or of stdin if it is called ``-``; raises RunError."""
    try:
        if name != "-":
            return Path(name).read_bytes()
        if sys.stdin is None:
            raise RunError("stdin is closed, so there is nothing to read")
        return sys.stdin.buffer.read()
    except OSError as error:
        raise RunError(f"cannot read {name}: {error.strerror}") from None
