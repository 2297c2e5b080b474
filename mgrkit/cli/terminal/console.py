"""What a run shows: progress and failures on stderr, one summary at the end."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

from mgrkit.batch.model import Row, Summary
from mgrkit.batch.report import Report
from mgrkit.cli.terminal.bars import LINE_EVERY, Bar, far, span, wanted
from mgrkit.cli.terminal.chatter import Chatter
from mgrkit.cli.terminal.printing import print_json, printable
from mgrkit.cli.terminal.stdout import results_only
from mgrkit.files.remote import placed
from mgrkit.files.shards import Shard
from mgrkit.tracks.schema import TABLE

_SHOWN_FAILURES = 10
_SHOWN_WARNINGS = 5


class Shown(Report):
    """Failures as they come, and how far it is: a bar on a terminal, else a line now and then.

    ``opening`` is said first, once there is something to do and nothing speaks against it.
    """

    def __init__(self, name: str, quiet: bool, table: bool) -> None:
        self.name, self.quiet, self.table = name, quiet, table
        self.wants_total = not quiet
        self.opening = ""
        self._named = 0
        self._warned: Counter[str] = Counter()
        """By its kind: how often it was warned, where no table does it."""
        self._bar: Bar | None = None
        self._restart()

    def _restart(self) -> None:
        self.done = self.kept = self.failed = 0
        self._total: int | None = None
        self._began = self._last_line = time.monotonic()

    def begun(self) -> None:
        """See ``Report.begun``."""
        self._restart()
        if self.opening:
            self.note(self.opening)
        if wanted(quiet=self.quiet):
            self._bar = Bar(self.name)

    def total(self, items: int) -> None:
        """See ``Report.total``."""
        self._total = items

    def finished(self, rows: Sequence[Row], *, kept: bool) -> None:
        """See ``Report.finished``."""
        self.done += 1
        self.kept += kept
        for row in rows:
            if row.get("reason"):
                self._name(row, kept)

    def _name(self, row: Row, kept: bool) -> None:
        """Name a failure or a warning, unless a table does it."""
        is_failure = row["status"] == "failed"
        self.failed += is_failure
        if self.table and (kept or self._named > _SHOWN_FAILURES):
            return
        if self.quiet and not is_failure:
            return
        if not is_failure and not self.table:
            kind = row["reason"].partition(":")[0]
            self._warned[kind] += 1
            if self._warned[kind] > _SHOWN_FAILURES:
                return
        self._named += 1
        if self.table and self._named > _SHOWN_FAILURES:
            self.note("more are in the table")
        else:
            kind = "" if is_failure else "warning: "
            self.note(f"{kind}{printable(row['source'])}: {printable(row['reason'])}")

    def tick(self) -> None:
        """See ``Report.tick``."""
        now = time.monotonic()
        if self._bar:
            self._bar.move(self.done, self._total, self._words(now))
        elif not self.quiet and now - self._last_line >= LINE_EVERY:
            self._last_line = now
            self.note(f"{self.name}: {self._words(now)}")

    def _words(self, now: float) -> str:
        text = far(self.done, self._total, self.done - self.kept, now - self._began)
        return f"{text}, {self.failed} failed" if self.failed else text

    def note(self, text: str) -> None:
        """See ``Report.note``."""
        if self._bar:
            self._bar.note(text)
        else:
            print(text, file=sys.stderr, flush=True)

    def aside(self) -> AbstractContextManager[None]:
        """A context to print results on stdout while the run goes on."""
        return self._bar.aside() if self._bar else nullcontext()

    def close(self) -> None:
        """See ``Report.close``."""
        for kind, count in sorted(self._warned.items()):
            if count > _SHOWN_FAILURES:
                self.note(f"warning: {printable(kind)}: {count - _SHOWN_FAILURES:,} more files")
        self._warned.clear()
        if self._bar:
            self._bar.close()
        self._bar = None


class Console:
    """The terminal during one run; a context in which only results reach stdout.

    Parameters
    ----------
    table : the run makes a table, so that a few failures are named here; else all are, and a few
        warnings of each kind.
    """

    def __init__(self, name: str, *, quiet: bool, debug: bool, table: bool = True) -> None:
        self.name, self.quiet = name, quiet
        self._chatter = None if debug else Chatter()
        self._stdout = results_only()
        self.report = Shown(name, quiet, table)

    def __enter__(self) -> Console:
        self._stdout.__enter__()
        if self._chatter:
            self._chatter.start()
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
        shard: Shard | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> int:
        """Print the summary of a run; returns the exit code.

        Parameters
        ----------
        out : where its results are, if anywhere.
        table : their table, unless it is ``out / "tracks.csv"``.
        shard : the share that was done; then the table is not there yet.
        more : further fields of the JSON.
        """
        out = placed(out) if out else None
        if out and not table:
            table = out / TABLE
        summary.warnings += self.warnings()
        dry = summary.to_do is not None
        if as_json and (out or dry):
            fields = _as_json(self.name, summary)
            fields |= {"out": str(out), "table": None if shard else str(table)} if out else {}
            fields |= {"shard": str(shard)} if shard else {}
            fields |= more or {}
            if summary.ignored_files is not None:
                pairs = summary.ignored_files
                fields["ignored_files"] = [{"path": path, "why": why} for path, why in pairs]
            print_json(fields)
        for path, why in summary.ignored_files or ():
            print(f"passed over: {printable(path)} ({printable(why)})", file=sys.stderr)
        if not self.quiet or summary.failed or dry:
            where = f"see {printable(table)}" if table else ""
            if shard:
                where = f"mgrkit merge {printable(out)} writes the table" if out else ""
            print("\n".join(_words(self.name, summary, where)), file=sys.stderr)
        return summary.exit_code

    def warnings(self) -> list[str]:
        """What decoders had to say; nothing more is caught afterwards."""
        return self._chatter.stop() if self._chatter else []


def _as_json(name: str, summary: Summary) -> dict[str, Any]:
    fields = {
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
    if summary.to_do is not None:
        fields |= {"to_do": summary.to_do, "files": summary.files}
        fields["expected_seconds"] = round(summary.expected, 3)
    return fields


def _words(name: str, summary: Summary, where: str) -> list[str]:
    """The lines of a summary; ``where`` says of its results where they are, if anywhere."""
    lines = [f"warning: {printable(text)}" for text in summary.warnings[:_SHOWN_WARNINGS]]
    if len(summary.warnings) > _SHOWN_WARNINGS:
        rest = "--json has all" if where else "--debug shows what decoders print"
        lines.append(f"{len(summary.warnings) - _SHOWN_WARNINGS} more warnings ({rest})")
    if summary.ignored:
        lines.append(f"passed over: {_counts(summary.ignored)}")
    if summary.to_do is not None:
        return [*lines, f"{name}: {', '.join(_to_do(summary))}; nothing was made"]
    parts = [f"{summary.made} {'made' if where else 'done'}"]
    parts += [f"{summary.kept} kept"] if summary.kept else []
    parts += [f"{summary.warned} of them with a warning"] if summary.warned else []
    parts += [f"{summary.deleted} deleted"] if summary.deleted else []
    parts += [f"{summary.failed} failed ({_counts(summary.reasons)})"] if summary.failed else []
    stopped = "stopped: " if summary.stopped_by else ""
    found = f"; {where}" if where else ""
    lines.append(f"{name}: {stopped}{', '.join(parts)} in {summary.seconds:.1f} s{found}")
    return lines


def _to_do(summary: Summary) -> list[str]:
    several = summary.files != (summary.to_do or 0) + summary.kept + summary.failed  # of a file
    of = f" of {summary.files} files" if several else ""
    parts = [f"{summary.to_do} to do{of}"]
    parts += [f"about {span(summary.expected)}"] if summary.to_do else []
    parts += [f"{summary.kept} done already"] if summary.kept else []
    if summary.failed:
        parts.append(f"{summary.failed} cannot be done ({_counts(summary.reasons)})")
    return parts


def _counts(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{number} {what}" for what, number in ordered)
