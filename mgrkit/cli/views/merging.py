"""What ``mgrkit merge`` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mgrkit.batch.merging import Merged
from mgrkit.cli.terminal.printing import printable
from mgrkit.files.shards import Shard
from mgrkit.tracks.schema import TABLE

_NAMED = 10


def as_fields(merged: Merged, out: Path) -> dict[str, Any]:
    """For ``--json``."""
    return {
        "command": "merge",
        "out": str(out),
        "table": str(_table(out)),
        "made": merged.made,
        "failed": merged.failed,
        "unfinished": [str(shard or "") for shard in merged.unfinished],
        "absent": [str(shard) for shard in merged.absent],
        "lost": [{"path": path, "shard": str(shard or "")} for path, shard in merged.lost],
        "exit_code": merged.exit_code,
    }


def words(merged: Merged, out: Path) -> list[str]:
    """For people."""
    lines = [f"shard {numbers} has not come here" for numbers in _ranges(merged.absent)]
    lines += [
        f"{f'shard {shard}' if shard else 'the run'} is not finished: start it again"
        for shard in merged.unfinished
    ]
    for path, shard in merged.lost[:_NAMED]:
        of = f" (shard {shard})" if shard else ""
        lines.append(f"{printable(path)} was made{of}, and is not there as it was left")
    if len(merged.lost) > _NAMED:
        by = Counter(str(shard) for _, shard in merged.lost if shard)
        shards = ", ".join(f"{number} of shard {shard}" for shard, number in sorted(by.items()))
        lines.append(f"{len(merged.lost)} files are not there{f': {shards}' if shards else ''}")
    failed = f", {merged.failed} failed" if merged.failed else ""
    return [*lines, f"merge: {merged.made} made{failed}; see {printable(_table(out))}"]


def _ranges(shards: Sequence[Shard]) -> list[str]:
    """Shares of one count, those that follow one another together: 2/9, 4-7/9."""
    found: list[tuple[Shard, Shard]] = []
    for shard in shards:
        if found and found[-1][1].number == shard.number - 1:
            found[-1] = found[-1][0], shard
        else:
            found.append((shard, shard))
    return [str(a) if a == b else f"{a.number}-{b}" for a, b in found]


def _table(out: Path) -> Path:
    return out if out.is_file() else out / TABLE
