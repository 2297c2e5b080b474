"""Results of every kind, small and made up, with any text in all fields."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mgrkit.classifiers import Bundle, Task, load_bundle, save_bundle
from mgrkit.classifiers.heldout import HeldOut
from mgrkit.experiments.standings import Comparison, Standing
from mgrkit.experiments.trials import _HEADS
from mgrkit.experiments.voting import joined
from mgrkit.learning.comparing import Difference, Spread
from mgrkit.learning.metrics import scores
from mgrkit.reports.comparison import RECORD

EVIL = "<img src=x onerror=alert(1)>"
UNSEEN = "\u202e\u200b\u2066\ufeff\x1b"
"""What turns a text around, has no width, or moves a terminal."""
WORSE = f"{EVIL}</script><script>alert(2)</script>\u2028 & \"'`{{{{7*7}}}}{UNSEEN}"
GENRES = ("jazz", "pop", EVIL)
ARTISTS = 6


def table(n: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities ``(n, 3)`` and truth ``(n,)``."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % len(GENRES)
    p = random.random((n, len(GENRES))) + 1.2 * np.eye(len(GENRES))[y]
    return (p / p.sum(1, keepdims=True)).round(6), y


def names(n: int = 24, text: str = EVIL) -> list[str]:
    return [f"{text.replace('/', '')} {i:03}.wav" for i in range(n)]


def predictions(n: int = 24, text: str = WORSE) -> list[dict[str, Any]]:
    """As ``predict --json --timeline --tags`` gives them; the last one is an error."""
    p, _ = table(n)
    found: list[dict[str, Any]] = []
    for name, row in zip(names(n), p, strict=True):
        ranked = sorted(zip(GENRES, row.tolist(), strict=True), key=lambda one: -one[1])
        genres = [{"genre": genre, "probability": share} for genre, share in ranked]
        piece = {"start": 0.0, "seconds": 30.0, **genres[1]}
        found.append(
            {
                "path": name, **genres[0], "genres": genres, "unsure": bool(row.max() < 0.5),
                "seconds": 60.5, "model": text, "warning": text,
                "timeline": [piece, {**piece, "start": 30.0, **genres[0]}],
                "tags": [{"tag": text, "value": 0.5}],
            }
        )  # fmt: skip
    found[-1] = {"path": found[-1]["path"], "error": f"unreadable: {text}"}
    return [*found, {"path": f"{text}.txt", "ignored": text}]


def verdicts(path: Path, text: str = WORSE) -> Path:
    """As ``evaluate --predictions`` writes them."""
    p, y = table()
    heads = ("path", "id", "noise", "snr", "genre", "predicted", "probability", "unsure",
             "verdict", "artist", "artist_heard")  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*heads, *GENRES])
        for number, (row, truth) in enumerate(zip(p, y, strict=True)):
            said = GENRES[row.argmax()]
            artist = f"{text} {number % ARTISTS}" if number else ""
            cells = (names()[number], f"name:{number}", text, "10", GENRES[truth], said)
            more = (row.max(), "false", said, artist, "false")
            writer.writerow([*cells, *more, *row])
    return path


def evaluation(text: str = WORSE) -> dict[str, Any]:
    """As ``evaluate --json`` prints it, of the same tracks as `verdicts`."""
    p, y = table()
    artists = [f"{number % ARTISTS}" if number else "alone" for number in range(len(y))]
    found = scores(p, y, artists, GENRES)
    noise = {"noise": text, "snr": 10.0, **found}
    grouped = {"by": "album", "groups": 3, "accuracy": 0.5, "accuracy_low": 0.1,
               "accuracy_high": 0.9, "tracks": 20, "tracks_accuracy": 0.4, "verdicts": {},
               "notes": [text]}  # fmt: skip
    return {
        "model": text, "part": "test", **found, "split": text, "by_noise": [noise],
        "dropped_as_seen": 3, "notes": [text], "failed": 1, "grouped": grouped,
    }  # fmt: skip


def under(text: str = WORSE) -> dict[str, Any]:
    """As ``evaluate --under --json`` prints it; the last condition left no track."""
    found = evaluation(text)
    values = {
        f"{name}{end}": 0.25
        for name in ("accuracy", "macro_f1", "ece", "unsure")
        for end in ("", "_low", "_high", "_change", "_change_low", "_change_high")
    }
    axis = {"family": text, "value": None, "unit": "", "tracks": 24, "failed": 0}
    rows = [{"condition": text, **axis, **values}]
    rows.append({"condition": "gsm", **axis, **dict.fromkeys(values)})
    return {"models": [{**found, "under": rows}]}


def comparison(out: Path, text: str = EVIL, folds: int = 0) -> Path:
    """The folder of ``compare``, of two classifiers and their vote."""
    p, y = table()
    names_ = [text, "svm"]
    spread = Spread(0.01, 0.4, 0.5)
    good = {"accuracy": 0.5, "low": 0.3, "high": 0.7, "seeds": spread, "ties": "ab",
            "macro_f1": 0.4, "top3": 1.0, "ece": 0.1, "parameters": 12345, "device": "cpu",
            "bytes": 99, "chose": True, "folds": (0.5,) * folds}  # fmt: skip
    rows = [Standing(name, **good) for name in (*names_, f"{text}+svm")]
    rows.append(Standing(f"broken {text}", reason=text))
    pair = Difference(text, "svm", 0.1, -0.1, 0.3, 0.2)
    found = Comparison(
        "folds" if folds else "valid", text, len(y), ARTISTS, 2, tuple(rows), (pair,), (text,), 0,
        folds,
    )  # fmt: skip
    (out / "runs").mkdir(parents=True)
    write(out / RECORD, found.as_json())
    write(out / "settings.json", {"made by": "mgrkit compare"})
    measured = {"training_seconds": 1.5, "prediction_ms": 0.2, "numbers": 3, "bytes": 99}
    halves = np.array_split(np.arange(len(y)), folds or 1)
    for which, name in enumerate(names_):
        for seed in (0, 1):
            for fold, places in enumerate(halves, 1):
                stem = f"c{which}-{seed}" + (f"-fold{fold}" if folds else "")
                settings = {"version": text, "parameters": {text: text}, "seed": seed}
                record = {"classifier": name, "settings": settings, "finished": True}
                record |= {**measured, "device": text}
                write(out / "runs" / f"{stem}.json", record)
                _probabilities(out / "runs" / f"{stem}.csv", places, table(seed=which)[0])
    del p
    return out


def _probabilities(path: Path, places: np.ndarray, p: np.ndarray) -> None:
    y = table()[1]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_HEADS, *(f"p:{genre}" for genre in GENRES)])
        for place in places:
            artist = f"{EVIL} {place % ARTISTS}"
            writer.writerow([names()[place], GENRES[y[place]], artist, *p[place]])


def bundle(path: Path, text: str = EVIL) -> Path:
    """A model's file with out-of-fold predictions."""
    p, y = table()
    held = HeldOut(
        p.astype(np.float16), y.astype(np.int64), (np.arange(len(y)) % 5).astype(np.uint8),
        tuple(names()), tuple(f"{text} {n % ARTISTS}" for n in range(len(y))),
    )  # fmt: skip
    metrics = {"part": "valid", "split": text, "refit": True, "accuracy": 0.5,
               "accuracy_low": 0.4, "accuracy_high": 0.6, "macro_f1": 0.5, "top3": 1.0,
               "ece": 0.1, "tracks": 24, "folds": {}}  # fmt: skip
    made = Bundle(
        "toy", text, text, {"name": text}, "features:toy", Task(GENRES, (1,), ("x",)),
        {"w": np.array([0.5], np.float32)}, metrics=metrics, card={text: text, "limits": text},
        calibration={"temperature": 1.5, "unsure_below": 0.3, "ece": 0.1, "method": "folds"},
        held_out=held, seen=("t",),
    )  # fmt: skip
    save_bundle(path, made)
    return path


def vote(path: Path, rule: str = "geometric", kept: bool = True) -> Path:
    """A vote of two models, of which the second keeps out-of-fold predictions, or does not."""
    members = {}
    for seed, name in enumerate(("one", "two")):
        p, _ = table(seed=seed)
        bundle(path, EVIL)
        member = load_bundle(path)
        held = replace(member.held_out, probabilities=p.astype(np.float16))
        members[name] = replace(member, held_out=held if kept or not seed else None)
    save_bundle(path, joined(members, rule, "1")[0])
    return path


def search(out: Path, text: str = WORSE) -> Path:
    """The folder of ``tune``."""
    out.mkdir()
    write(out / "tune.json", result(text))
    write(out / "settings.json", {"made by": "mgrkit tune", text: text})
    heads = ["search", "trial", "status", "accuracy", "seconds", "C", text, "reason"]
    rows = [["search", n, "ok", n / 10, 0.5, n, text, ""] for n in range(4)]
    rows += [["search", 4, "ended early", 0.1, 0.5, 9, text, ""]]
    rows += [["search", 5, "failed", "", 0.5, 9, "x", text]]
    with (out / "trials.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([heads, *rows])
    return out


def result(text: str = WORSE) -> dict[str, Any]:
    """As ``tune --json`` prints it."""
    inner = {"accuracy": 0.3, "trial": 3, "defaults": 0.2, "folds": 5, "tracks": 24, "trials": 6,
             "ended_early": 1, "failed": 1}  # fmt: skip
    nested = {"accuracy": 0.25, "accuracy_low": 0.1, "accuracy_high": 0.5}
    return {
        "classifier": text, "parameters": {text: text}, "inner": inner, "nested": nested,
        "importance": {text: 0.7, "C": 0.3}, "notes": [text],
    }  # fmt: skip


def run(out: Path, text: str = WORSE) -> Path:
    """The folder of a training run, with its bundle beside it; ``out`` ends in .run."""
    (out / "model").mkdir(parents=True)
    write(out / "settings.json", {"classifier": text, text: text, "finished": True})
    lines = ["member,epoch,loss,accuracy,valid_loss,valid_accuracy"]
    lines += [f"{member},{epoch},1.{epoch},0.{epoch},1.5,0.5" for member in (0, 1)
              for epoch in (1, 2, 3)]  # fmt: skip
    (out / "model" / "metrics.csv").write_text("\n".join(lines) + "\n")
    (out / "log.txt").write_text(f"{text}\n", encoding="utf-8")
    bundle(out.with_suffix(".safetensors"))
    return out


def tracks(path: Path, text: str = WORSE) -> Path:
    """A track table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "genre", "group", "seconds", "status", "same", text])
        for number, name in enumerate(names()):
            state = "failed" if number == 3 else "ok"
            cells = (GENRES[number % 3], f"{text} {number}", 30 - number / 2, state, text)
            writer.writerow([name, *cells, f"{text} {number}"])
    return path


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path
