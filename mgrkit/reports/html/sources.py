"""What can be shown: which of mgrkit's results a file or folder is, and its page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mgrkit.classifiers.bundle import SUFFIX
from mgrkit.errors import RunError, UsageError
from mgrkit.experiments.records import SETTINGS, read_record
from mgrkit.experiments.studyfolder import MAKER as TUNE
from mgrkit.reports.html.comparisons import comparison_page, record_page
from mgrkit.reports.html.content import Content, shaped
from mgrkit.reports.html.evaluations import (
    VERDICT_HEADS,
    evaluation_page,
    read_verdicts,
    under_page,
    verdicts_page,
)
from mgrkit.reports.html.journals import from_journal
from mgrkit.reports.html.listings import listing_page, objects_page
from mgrkit.reports.html.models import bundle_page, judged_model, result_page, run_page, search_page
from mgrkit.reports.html.page import Page
from mgrkit.reports.html.predictions import (
    SONG_HEADS,
    Prediction,
    from_rows,
    from_table,
    predictions_page,
    with_pieces,
)
from mgrkit.tracks.schema import RECORDING_OF, TABLE

_COMPARE = "mgrkit compare"
_TAKEN = (
    "report takes what predict prints (--json, --jsonl, --csv) or remembers (--resume), what "
    "evaluate prints (--json) or writes (--predictions), the folders of compare, tune and train, "
    "a model, or a table with a column path"
)


@dataclass(frozen=True)
class Beside:
    """What else is given with a source.

    Parameters
    ----------
    predictions : with the JSON of ``evaluate``, its table of verdicts.
    pieces : with the table of ``predict``, that of its pieces.
    model : with a journal of ``predict``, the model that it was made with; with what ``evaluate``
        gave, the model that was judged.
    """

    predictions: Path | None = None
    pieces: Path | None = None
    model: str | None = None

    def only(self, *names: str) -> None:
        """Raise UsageError for what does not go with the source; ``names`` do."""
        goes = {
            "predictions": "the JSON of mgrkit evaluate",
            "pieces": "the CSV of mgrkit predict",
            "model": "what mgrkit evaluate gave, or a journal of mgrkit predict --resume",
        }
        for name, what in goes.items():
            if name not in names and getattr(self, name) is not None:
                raise UsageError(f"--{name} goes with {what} alone", "leave it out")


def page_of(source: Path, beside: Beside, piped: bytes | None = None) -> Page:
    """The page of any result.

    Parameters
    ----------
    source : a file, which is told by what is in it, or a folder.
    piped : what came through a pipe, in place of the file.

    Raises
    ------
    UsageError : it is none that can be shown, or not what an option goes with.
    RunError : it is not there, empty, or cannot be read.
    """
    if piped is None and not source.exists():
        raise RunError(f"there is no {source}", "SRC is what mgrkit has written or printed")
    try:
        if piped is None and source.is_dir():
            beside.only()
            return _of_folder(source)
        if piped is None and source.suffix.lower() == SUFFIX:
            beside.only()
            return bundle_page(source)
        content = Content.of(source, piped)
        if content.is_json:
            return _of_json(content, beside)
        if content.is_table:
            return _of_table(content, beside)
    except OSError as error:
        raise RunError(f"cannot read {error.filename or source}: {error.strerror}") from None
    raise _unknown(source)


def _of_folder(folder: Path) -> Page:
    settings = read_record(folder / SETTINGS) if (folder / SETTINGS).is_file() else None
    maker = (settings or {}).get("made by")
    if maker == _COMPARE:
        return comparison_page(folder)
    if maker == TUNE:
        return search_page(folder)
    if settings is not None and folder.suffix == ".run" and "classifier" in settings:
        return run_page(folder)
    if (folder / TABLE).is_file():
        return listing_page(Content.of(folder / TABLE))
    raise _unknown(folder)


def _of_table(content: Content, beside: Beside) -> Page:
    if content.begins(SONG_HEADS):
        beside.only("pieces")
        songs, notes = from_table(content), content.passed_over
        if beside.pieces:
            pieces = Content.of(beside.pieces)
            songs, notes = with_pieces(songs, pieces), [*notes, *pieces.passed_over]
        page = predictions_page(_some(songs, content.path), [], content.path)
        return page.saying(notes)
    if content.begins(VERDICT_HEADS):
        beside.only("model")
        verdicts = read_verdicts(content)
        page = verdicts_page(verdicts, content.path).saying(content.passed_over)
        return _with_model(page, beside, "", verdicts.judged.labels)
    beside.only()
    return listing_page(content)


def _of_json(content: Content, beside: Beside) -> Page:
    value, path = content.value(), content.path
    if value is not None and not _is_line(value):
        return _of_value(value, path, beside)
    values, torn = content.lines() if value is None else ([value], [])
    match values[0]:
        case {"run": {"command": "predict"}}:
            beside.only("model")
            songs = from_journal(values, path, beside.model)
            page = predictions_page(_some(songs, path), [], path)
        case {"run": _}:
            raise _unknown(path)
        case _:
            beside.only()
            page = _of_rows(values, path)
    return page.saying(torn)


def _of_rows(rows: Sequence[Any], path: Path) -> Page:
    if rows and all(map(_is_listed, rows)):
        return objects_page(rows, path)
    songs, ignored = from_rows(rows, path)
    return predictions_page(_some(songs, path), ignored, path)


def _of_groups(groups: list[Any], rest: list[Any], path: Path) -> Page:
    """What ``duplicates --json`` prints: of each recording its files, the best first."""
    if not all(isinstance(one, list) and all(map(_is_listed, one)) for one in [*groups, rest]):
        raise _unknown(path)
    rows = [{**one, RECORDING_OF: group[0]["path"]} for group in groups for one in group]
    if not rows:
        raise RunError(f"{path} holds no duplicates", "there is nothing to show")
    return objects_page([*rows, *rest], path)


def _is_listed(row: object) -> bool:
    """Whether an object is that of a file, but no prediction."""
    match row:
        case {"path": str(), **fields}:
            return not {"genres", "tags", "error", "ignored"} & fields.keys()
    return False


def _is_line(value: object) -> bool:
    """Whether the only value of a file is a line of JSON lines."""
    return isinstance(value, dict) and ("path" in value or "run" in value)


def _of_value(value: Any, path: Path, beside: Beside) -> Page:
    match value:
        case list():
            beside.only()
            return _of_rows(value, path)
        case {"confusion": list(), "model": str(), "per_genre": dict()}:
            beside.only("predictions", "model")
            given = beside.predictions
            verdicts = read_verdicts(Content.of(given)) if given else None
            page = _evaluated(value, path, lambda: evaluation_page(value, verdicts, path))
            page = replace(page, notes=[*page.notes, *_lacking(beside)])
            return _with_model(page, beside, value["model"], value["labels"])
        case {"models": [dict(), *_] as results} if all("under" in one for one in results):
            beside.only()
            return _evaluated(results[0], path, lambda: under_page(results, path))
        case {"groups": list(groups), "left_out": list(rest)}:
            beside.only()
            return _of_groups(groups, rest, path)
        case {"rows": list(), "pairs": list()}:
            beside.only()
            return record_page(value, path)
        case {"inner": dict(), "importance": dict()}:
            beside.only()
            return result_page(value, path)
    raise _unknown(path)


def _evaluated(found: Mapping[str, Any], path: Path, made: Any) -> Page:
    """The page of an evaluation; UsageError if a field is missing, or is something else."""
    what = f"{path} is not as mgrkit evaluate printed it"
    with shaped(what, f"fields are missing: {', '.join(found)[:60]}"):
        page: Page = made()
    return page


def _lacking(beside: Beside) -> Iterator[str]:
    """What the JSON of ``evaluate`` does not know, and how the page gets it."""
    if beside.predictions is None:
        yield "no tracks are on the page: evaluate --predictions FILE writes them for --predictions"
    if beside.model is None:
        yield "no settings and versions are on the page: --model MODEL shows those of the model"


def _with_model(page: Page, beside: Beside, model: str, labels: Sequence[str]) -> Page:
    """The page with what is to be known of the model, where that was given."""
    if beside.model is None:
        return page
    sections = [*page.sections, *judged_model(beside.model, model, labels)]
    return replace(page, sections=sections)


def _some(songs: list[Prediction], path: Path) -> list[Prediction]:
    if not songs:
        raise RunError(f"{path} holds no prediction", "there is nothing to show")
    return songs


def _unknown(path: Path) -> UsageError:
    return UsageError(f"{path} is nothing that can be shown", _TAKEN)
