"""What ``predict`` says of a song: the fields of its JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def answer(
    judged: Mapping[str, Any],
    labels: Sequence[str],
    model: str,
    *,
    top: int,
    least: float,
    timeline: bool,
    tags: int = 0,
) -> dict[str, Any]:
    """The fields, as `mgrkit.models.model.Model.predict` lists them.

    Parameters
    ----------
    judged : what `mgrkit.models.model.Model.judged` gives.
    labels : the genres of its probabilities.
    model : the model's name.
    top : how many genres to name.
    least : a verdict of a lower probability is unsure; so is one of a strange song.
    timeline : whether to give the genres of each piece, too.
    tags : how many tags to name.
    """
    fields = {"path": judged["path"], **_genres(judged, labels, top)}
    strange = judged.get("strange", "")
    unsure = bool(strange) or max(judged["probabilities"]) < least
    fields |= {"unsure": unsure, "seconds": judged["seconds"], "model": model}
    fields["warning"] = "; ".join(filter(None, (judged["warning"], strange)))
    if timeline:
        fields["timeline"] = [
            {"start": one["start"], "seconds": one["seconds"], **_genres(one, labels, top)}
            for one in judged["pieces"]
        ]
    if tags:
        fields["tags"] = strongest(judged.get("tags", {}), tags)
    return fields


def _genres(judged: Mapping[str, Any], labels: Sequence[str], top: int) -> dict[str, Any]:
    known = sorted(zip(labels, judged["probabilities"], strict=True), key=_falling)
    genres = [{"genre": name, "probability": round(p, 4)} for name, p in known[:top]]
    return {**genres[0], "genres": genres}


def _falling(pair: tuple[str, float]) -> float:
    return -pair[1]


def strongest(values: Mapping[str, float], count: int) -> list[dict[str, Any]]:
    """The ``count`` strongest of a song's tags: ``tag``, ``value``."""
    ranked = sorted(values.items(), key=lambda pair: -pair[1])[:count]
    return [{"tag": name, "value": round(value, 4)} for name, value in ranked]
