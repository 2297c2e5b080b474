"""``mgrkit data check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import (
    DataTable,
    Debug,
    DryRun,
    Json,
    ListIgnored,
    Quiet,
    Replace,
    Suffix,
    Timeout,
    Workers,
    number,
)


def check(
    data: Annotated[
        Path,
        typer.Argument(metavar="DATA", readable=False, help="Folder, or track table."),
    ],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="The table: .csv or .parquet. [default: checked.csv in DATA, or beside it]",
            show_default=False,
        ),
    ] = None,
    min_seconds: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", help="Files with less sound are short.", **number(float, 0)
        ),
    ] = 0.0,
    quarantine: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write the table without failed files and copies: .csv or .parquet.",
        ),
    ] = None,
    workers: Workers = 4,
    timeout: Timeout = None,
    table: DataTable = None,
    suffix: Suffix = None,
    list_ignored: ListIgnored = False,
    replace: Replace = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Decode every file of a collection, and say what is wrong with it.

    \b
    mgrkit data check gtzan
    mgrkit data check gtzan/tracks.csv --quarantine gtzan/good.csv
    mgrkit data check music --min-seconds 20 --json | jq .findings

    Fail: missing, empty, pointer (of Git LFS), undecodable, truncated, silent, short,
    and contradicting: rows with several genres for one path.
    Are told: clipped, label (against folder or name), duplicate, repeated and unlisted rows,
    and what the collection's own list of bad files says.
    """
    from mgrkit.batch import Options
    from mgrkit.cli.terminal.console import Console
    from mgrkit.cli.views.checking import show_findings
    from mgrkit.commands.check import check as command
    from mgrkit.commands.check import default_out
    from mgrkit.tracks.find import Search

    out = out or default_out(data)
    with Console("check", quiet=quiet, debug=debug) as console:
        checked = command(
            data,
            out,
            least=min_seconds,
            quarantine=quarantine,
            search=Search.of(suffix or (), lists_ignored=list_ignored),
            table=table,
            options=Options(workers, timeout, dry=dry_run),
            replace=replace,
            report=console.report,
        )
        more = checked.as_json()
        code = console.show(checked.summary, out, as_json=as_json, table=out, more=more)
    if not as_json:
        show_findings(checked, quarantine)
    return code
