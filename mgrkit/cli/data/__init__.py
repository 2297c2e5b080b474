"""``mgrkit data``: collections as they come, split and checked before anything is learnt."""

from __future__ import annotations

import typer

from mgrkit.cli.data.audit import audit
from mgrkit.cli.data.check import check
from mgrkit.cli.data.cite import cite
from mgrkit.cli.data.collect import collect
from mgrkit.cli.data.convert import convert
from mgrkit.cli.data.split import split
from mgrkit.cli.group import HELP_OPTIONS, Command

data = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    subcommand_metavar="COMMAND",
    context_settings=HELP_OPTIONS,
)
data.command("import", cls=Command)(collect)
data.command("check", cls=Command)(check)
data.command("split", cls=Command)(split)
data.command("audit", cls=Command)(audit)
data.command("convert", cls=Command)(convert)
data.command("cite", cls=Command)(cite)


@data.callback()
def _top() -> None:
    """Prepare a collection: its table, its split, its faults.

    \b
    mgrkit data import gtzan genres.tar.gz  its table, with artists and split
    mgrkit data check gtzan                 decode every file, say what is wrong
    mgrkit data split tracks.csv split.csv  train, valid and test by artist
    mgrkit data audit tracks.csv            what is on both sides of its split
    mgrkit data convert fma_small wav       the same tree in another format
    mgrkit data cite gtzan                  who made it, its licence and faults
    """
