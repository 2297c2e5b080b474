"""What `mgrkit tag` did to each file, on stdout, and all of it in a line on stderr."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mgrkit.cli.terminal.printing import print_json, printable
from mgrkit.cli.terminal.stdout import check_stdout, results
from mgrkit.errors import MgrkitError, ReaderGoneError

if TYPE_CHECKING:
    from mgrkit.batch import Summary
    from mgrkit.cli.terminal.console import Console

_ACTIONS = {
    "written": "written",
    "would-write": "would be written",
    "has-one": "left, for they have one",
    "unsure": "left, for the verdict is unsure",
    "restored": "restored",
    "same": "as they should be already",
}


class Printer:
    """Prints each changed file as it comes, or all files as JSON at the end.

    Raises
    ------
    RunError : stdout is closed.
    """

    def __init__(self, *, as_json: bool) -> None:
        check_stdout()
        self._as_json = as_json
        self._rows: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()

    def emit(self, row: dict[str, Any]) -> None:
        """Take one row of `mgrkit.commands.tag.tag` or of `mgrkit.commands.untag.untag`."""
        self._counts[row.get("action", "")] += 1
        if self._as_json:
            self._rows.append(row)
        elif text := _text(row):
            try:
                print(printable(text), file=results(), flush=True)
            except BrokenPipeError:
                raise ReaderGoneError("nobody reads the results any more") from None

    def end(self, console: Console, summary: Summary, undo_file: Path | None) -> int:
        """The summary; ``undo_file`` of a run that may have written. Returns the exit code."""
        if self._as_json:
            self._print_json(undo_file, {
                "failed": summary.failed,
                "reasons": summary.reasons,
                "warnings": summary.warnings,
                "seconds": round(summary.seconds, 3),
                "exit_code": summary.exit_code,
            })  # fmt: skip
        code = console.show(summary)
        self._say_counts(console, undo_file, 0)
        return code

    def cut(self, console: Console, error: MgrkitError, undo_file: Path | None) -> int:
        """What was done before an error ended the run, and how to undo it; then the error.

        It is raised, but returns its exit code where stdout has the result as JSON.
        """
        if not self._counts:
            raise error
        failed = self._counts[""]
        if self._as_json:
            fields = {"failed": failed, "error": str(error), "exit_code": error.exit_code}
            self._print_json(undo_file, fields)
        self._say_counts(console, undo_file, failed)
        if not self._as_json:
            raise error
        print(f"mgrkit: {printable(error)}", file=sys.stderr)
        return error.exit_code

    def _print_json(self, undo_file: Path | None, fields: dict[str, Any]) -> None:
        print_json({
            "command": "tag",
            "files": sorted(self._rows, key=lambda row: str(row["path"])),
            "actions": {name: n for name, n in sorted(self._counts.items()) if name},
            "undo_file": str(undo_file) if self._wrote(undo_file) else None,
            **fields,
        })  # fmt: skip

    def _say_counts(self, console: Console, undo_file: Path | None, failed: int) -> None:
        if console.quiet:
            return
        said = [f"{n} {_ACTIONS[a]}" for a in _ACTIONS if (n := self._counts[a])]
        said += [f"{failed} failed"] if failed else []
        if said:
            print(f"tag: {', '.join(said)}", file=sys.stderr)
        if self._wrote(undo_file):
            print(f"undo: mgrkit tag --undo {printable(undo_file)}", file=sys.stderr)

    def _wrote(self, undo_file: Path | None) -> bool:
        return undo_file is not None and self._counts["written"] > 0


def _text(row: dict[str, Any]) -> str:
    """A line for a file that was changed, or would be; '' for others."""
    if row.get("action") == "restored":
        return f"{row['path']}: restored"
    if row.get("action") not in ("written", "would-write"):
        return ""
    values, *more = row["fields"].values()
    share = f" {row['probability']:.2f}" if "probability" in row and not more else ""
    was = f" (was {', '.join(row['was'])})" if row["was"] else ""
    return f"{row['path']}: {', '.join(values)}{share}{was}"
