"""What a run shows: progress and failures on stderr, one summary at the end."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from mgrkit.batch.model import Row, Summary
from mgrkit.batch.report import Report
from mgrkit.cli.chatter import Chatter
from mgrkit.cli.stdout import results_only
from mgrkit.cli.tables import print_json, printable
from mgrkit.tracks.schema import TABLE

_SHOWN_FAILURES = 10
_SHOWN_WARNINGS = 5
_PLAIN_EVERY = 10.0
_BAR_EVERY = 0.1


class Plain(Report):
    """Lines on stderr: failures as they come, and how far it is every ten seconds."""

    every = _PLAIN_EVERY

    def __init__(self, name: str, quiet: bool, table: bool) -> None:
        self.name, self.quiet, self.table = name, quiet, table
        self.done = self.failed = self._named = 0
        self._told = time.monotonic()

    def finished(self, rows: Sequence[Row], *, kept: bool) -> None:
        """See ``Report.finished``."""
        self.done += 1
        for row in rows:
            if row.get("reason"):
                self._name(row, kept)
        if time.monotonic() - self._told > self.every:
            self._told = time.monotonic()
            self.show()

    def _name(self, row: Row, kept: bool) -> None:
        """Name a failure or a warning, unless a table does it."""
        is_failure = row["status"] == "failed"
        self.failed += is_failure
        if self.table and (kept or self._named > _SHOWN_FAILURES):
            return
        if self.quiet and not is_failure:
            return
        self._named += 1
        if self.table and self._named > _SHOWN_FAILURES:
            self.note("more are in the table")
        else:
            kind = "" if is_failure else "warning: "
            self.note(f"{kind}{printable(row['source'])}: {row['reason']}")

    def show(self) -> None:
        """Say how far it is."""
        if not self.quiet:
            self.note(f"{self.name}: {self.done} items done, {self.failed} failed")

    def note(self, text: str) -> None:
        """See ``Report.note``."""
        print(text, file=sys.stderr, flush=True)


class Bar(Plain):
    """A Rich bar with rate and time left, for a terminal."""

    wants_total = True
    every = _BAR_EVERY

    def __init__(self, name: str, table: bool) -> None:
        super().__init__(name, quiet=False, table=table)
        from rich.console import Console as RichConsole
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=RichConsole(file=sys.stderr),
            transient=True,
        )
        self._task = self._progress.add_task(name, total=None, rate="")
        self._began = time.monotonic()
        self._progress.start()

    def total(self, items: int) -> None:
        """See ``Report.total``."""
        self._progress.update(self._task, total=items)

    def show(self) -> None:
        """Move the bar."""
        rate = self.done / max(time.monotonic() - self._began, 1e-9)
        self._progress.update(self._task, completed=self.done, rate=f"{rate:.0f}/s")

    def note(self, text: str) -> None:
        """See ``Report.note``; printed above the bar."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """See ``Report.close``."""
        self._progress.stop()


class Console:
    """The terminal during one run; a context in which only results reach stdout.

    Parameters
    ----------
    bar : show a bar on a terminal; not where results are printed there as they come.
    table : the run makes a table, so that a few failures are named here; else all are.
    """

    def __init__(
        self, name: str, *, quiet: bool, debug: bool, bar: bool = True, table: bool = True
    ) -> None:
        self.name, self.quiet, self.bar, self.table = name, quiet, bar, table
        self._chatter = None if debug else Chatter()
        self._stdout = results_only()
        self.report: Report = Report()

    def __enter__(self) -> Console:
        self._stdout.__enter__()
        if self._chatter:
            self._chatter.start()
        self.report = (
            Bar(self.name, self.table)
            if self.bar and sys.stderr.isatty() and not self.quiet
            else Plain(self.name, self.quiet, self.table)
        )
        if self._chatter:
            self._chatter.working = lambda: self.report.working()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stdout.__exit__(kind, error, trace)
        self.report.close()
        if self._chatter:
            self._chatter.stop()

    def show(
        self,
        summary: Summary,
        out: Path | None = None,
        *,
        as_json: bool = False,
        table: Path | None = None,
    ) -> int:
        """Print the summary of a run; returns the exit code.

        Parameters
        ----------
        out : where its results are, if anywhere.
        table : their table, unless it is ``out / "tracks.csv"``.
        """
        if out and not table:
            table = out / TABLE
        summary.warnings += self.warnings()
        if as_json and out:
            told = _plain(self.name, summary) | {"out": str(out), "table": str(table)}
            if summary.ignored_files is not None:
                pairs = summary.ignored_files
                told["ignored_files"] = [{"path": path, "why": why} for path, why in pairs]
            print_json(told)
        for path, why in summary.ignored_files or ():
            print(f"passed over: {printable(path)} ({printable(why)})", file=sys.stderr)
        if not self.quiet or summary.failed:
            print("\n".join(_words(self.name, summary, table)), file=sys.stderr)
        return summary.exit_code

    def warnings(self) -> list[str]:
        """What decoders had to say; nothing more is caught afterwards."""
        return self._chatter.stop() if self._chatter else []


def _plain(name: str, summary: Summary) -> dict[str, Any]:
    return {
        "command": name,
        "made": summary.made,
        "kept": summary.kept,
        "failed": summary.failed,
        "warned": summary.warned,
        "reasons": summary.reasons,
        "ignored": summary.ignored,
        "deleted": summary.deleted,
        "warnings": summary.warnings,
        "seconds": round(summary.seconds, 3),
        "exit_code": summary.exit_code,
    }


def _words(name: str, summary: Summary, table: Path | None) -> list[str]:
    lines = [f"warning: {text}" for text in summary.warnings[:_SHOWN_WARNINGS]]
    if len(summary.warnings) > _SHOWN_WARNINGS:
        rest = "--json has all" if table else "--debug shows what decoders print"
        lines.append(f"{len(summary.warnings) - _SHOWN_WARNINGS} more warnings ({rest})")
    if summary.ignored:
        lines.append(f"passed over: {_counts(summary.ignored)}")
    parts = [f"{summary.made} {'made' if table else 'done'}"]
    parts += [f"{summary.kept} kept"] if summary.kept else []
    parts += [f"{summary.warned} of them with a warning"] if summary.warned else []
    parts += [f"{summary.deleted} deleted"] if summary.deleted else []
    parts += [f"{summary.failed} failed ({_counts(summary.reasons)})"] if summary.failed else []
    stopped = "stopped: " if summary.stopped_by else ""
    where = f"; see {table}" if table else ""
    lines.append(f"{name}: {stopped}{', '.join(parts)} in {summary.seconds:.1f} s{where}")
    return lines


def _counts(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{number} {what}" for what, number in ordered)
