"""The journal of ``predict --resume`` as predictions: the genres are those of its model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mgrkit.errors import UsageError
from mgrkit.files.cache import content_key
from mgrkit.models.choosing import choose
from mgrkit.models.model import Model
from mgrkit.models.tagging import TagModel, tag_set
from mgrkit.reports.html.content import shaped
from mgrkit.reports.html.predictions import Prediction, from_rows

_TAGS = 5
_EVERY = 1000
"""More genres than any model has."""


def from_journal(records: Iterable[object], source: Path, model: str | None) -> list[Prediction]:
    """What stands in a journal, each song as it was judged last.

    Parameters
    ----------
    records : its lines as JSON values; the first says which model it was.
    model : path or name of that model; None looks for it by its name.

    Raises
    ------
    UsageError : the model is not here, or another file; or the journal is damaged.
    BundleError : the model cannot be used.
    """
    asked: Mapping[str, Any] = {}
    rows: dict[str, Any] = {}
    for record in records:
        match record:
            case {"run": dict(asked)}:
                pass
            case {"done": str(key), "rows": list(found)}:
                rows[key] = found
    answering = _model(asked, source, model)
    with shaped(f"{source} is damaged", "give what predict prints, by --jsonl"):
        answers = [
            {"path": row["path"], "error": row["reason"]}
            if row["status"] == "failed"
            else answering.answer(
                row["judged"], top=_EVERY, timeline=True, tags=_TAGS if asked.get("tags") else 0
            )
            for found in rows.values()
            for row in found
        ]
    predictions, _ = from_rows(answers, source)
    return predictions


def _model(asked: Mapping[str, Any], source: Path, model: str | None) -> Model | TagModel:
    name, key = str(asked.get("model", "")), asked.get("bundle")
    spec = tag_set(name) if model is None else None
    if spec is not None and spec.digest == key:
        return TagModel(spec, "cpu")
    try:
        path, _ = choose(model or name)
    except UsageError as error:
        if model is not None:
            raise
        what = f"{source} was made with the model {name}, which is not here: {error.message}"
        raise UsageError(what, "--model FILE says where it is") from None
    if content_key(str(path)) != key:
        what = f"{source} was made with another file of the model {name} than {path}"
        raise UsageError(what, "--model FILE says which")
    return Model(path, "cpu")
