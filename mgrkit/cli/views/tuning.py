"""A search for a person: how far it is, and what it found, in 80 columns."""

from __future__ import annotations

import shlex
import sys
import textwrap
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.cli.terminal.bars import LINE_EVERY, Bar, far, wanted
from mgrkit.cli.terminal.fitting import FitBar
from mgrkit.cli.terminal.printing import print_table, printable

if TYPE_CHECKING:
    from mgrkit.experiments.searches import Step, Tuned

_OPTIMISTIC = (
    "The score of the inner folds was chosen as the highest of all trials, so it is too high."
)
_NESTED = "That of the outer folds is not: each was searched for without its artists."
_LATE = (
    "Nothing honest stands beside it, for the time was up before the outer folds were done: the "
    "same command goes on from here, and a longer --timeout lets one call do more."
)
_NO_NESTED = "--outer 3 measures what it is worth, at the price of three more searches."


class SearchBar:
    """A bar with the trials of all searches, the best score, and the time left; or lines."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Bar | None = None
        self._fit: FitBar | None = None
        self._first: int | None = None
        self._began = self._line = time.monotonic()

    def watch(self, step: Step) -> None:
        """Show how far it is."""
        if self._quiet:
            return
        now = time.monotonic()
        if self._first is None:
            self._first, self._began = step.done, now
            self._bar = Bar("tune") if wanted(quiet=False) else None
        words = [far(step.done, step.total, step.done - self._first, now - self._began)]
        words += [f"best {step.best:.3f}"] if step.best is not None else []
        words += [step.name] if step.name != "search" else []
        state = ", ".join(words)
        if self._bar:
            self._bar.move(step.done, step.total, state)
        elif now - self._line >= LINE_EVERY:
            self._line = now
            print(f"tune: {state}", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """A line above the bar."""
        if self._quiet:
            return
        if self._bar:
            self._bar.note(printable(text))
        else:
            print(printable(text), file=sys.stderr, flush=True)

    def progress(self, step: int, total: int, metrics: Mapping[str, float]) -> None:
        """Show how far the last fit is, in the place of the searches."""
        if not self._fit:
            self.close()
            self._fit = FitBar(quiet=self._quiet)
        self._fit.progress(step, total, metrics)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.close()
        self._bar = None
        if self._fit:
            self._fit.close()


def as_command(words: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """The call of ``mgrkit train`` that makes the same model, to be copied."""
    given = [f"{name}={_value(value)}" for name, value in parameters.items()]
    params = [word for pair in given for word in ("--param", pair)]
    return shlex.join(["mgrkit", "train", *words, *params])


def show_tuned(
    found: Tuned,
    command: str,
    warnings: Iterable[str],
    paths: Sequence[Path],
    *,
    on_stdout: bool,
    quiet: bool,
) -> None:
    """The notes, the scores, the parameters, and the command line to copy."""
    result = found.result
    if not quiet:
        for note in (*result["notes"], *warnings):
            print(f"note: {printable(note)}", file=sys.stderr)
    if not on_stdout:
        return
    inner = result["inner"]
    ended = f", {inner['ended_early']} ended early" if inner["ended_early"] else ""
    print(f"{result['classifier']}: {inner['trials']} trials{ended}; {inner['tracks']} tracks of "
          f"train, {result['metrics']['split']}\n")  # fmt: skip
    print_table(("measured on", "accuracy", "95 %", ""), list(_scores(result)))
    print()
    importance = result["importance"]
    print_table(
        ("--param", "best", "importance"),
        [
            (name, _value(value), _share(importance.get(name)) or "not searched"
             * (name not in result["searched"]))
            for name, value in result["parameters"].items()
        ],
    )  # fmt: skip
    about = _NESTED if result["nested"] else _LATE if result["outer"] else _NO_NESTED
    print("\n" + textwrap.fill(f"{_OPTIMISTIC} {about}", 80))
    print(f"\n{printable(command)}\n")
    print(f"wrote {', '.join(printable(path) for path in (found.path, *paths))}")


def _scores(result: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str]]:
    inner, nested, metrics = result["inner"], result["nested"], result["metrics"]
    about = f"{inner['folds']}, chosen as the highest: too high"
    yield "inner folds", _share(inner["accuracy"]), "", about
    if inner["defaults"] is not None:
        yield "the defaults", _share(inner["defaults"]), "", "by the same folds"
    if nested:
        about = f"{nested['folds']}, each after a search of its own"
        yield "outer folds", _share(nested["accuracy"]), _range(nested), about
    if metrics["part"] == "valid":
        about = "chose its epoch by it" if result["chose"] else "not used to choose"
        yield "valid", _share(metrics["accuracy"]), _range(metrics), about


def _range(scores: dict[str, Any]) -> str:
    return f"{_share(scores['accuracy_low'])}-{_share(scores['accuracy_high'])}"


def _share(value: float | None) -> str:
    """Without the zero before the point."""
    return "" if value is None else f"{value:.3f}".removeprefix("0")


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
