"""What MkDocs fills in: the help of every command, the figures, the README of the findings."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from typer.core import TyperGroup

from mgrkit.cli.app import app
from mgrkit.cli.group import HELP_OPTIONS

SHOWN = ("what", "asked", "measured", "date")
WIDTH = 80
HELP = HELP_OPTIONS["help_option_names"]
HERE = Path(__file__).parent
FINDINGS = HERE.parent / "findings" / "README.md"
NOT_BUILT = re.compile(r"^> Not built:.*\n\n", re.MULTILINE)
"""What a page says to people who read it in the checkout, where nothing is filled in."""


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs with the text of each page."""
    markdown = NOT_BUILT.sub("", markdown)
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", "\n".join(_helps()))
    if "<!-- findings -->" in markdown:
        markdown = markdown.replace("<!-- findings -->", FINDINGS.read_text().partition("\n")[2])
    return re.sub(r"<!-- figures (\w+) -->", lambda found: _figures(found[1]), markdown)


def _figures(table: str) -> str:
    """The rows of a table of figures.csv, and below it by which commands they came, and where."""
    with (HERE / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] == table]
    lines = ["| | asked | measured | on |", "|---|---|---|---|"]
    lines += [" | ".join(["", *(row[c] for c in SHOWN), ""]).strip() for row in rows]
    runs = dict.fromkeys(f"`{row['command']}` ({row['machine']})" for row in rows)
    return "\n".join([*lines, "", f"By {'; '.join(runs)}.", ""])


def _helps() -> Iterator[str]:
    for words, command in _commands(typer.main.get_command(app), ["mgrkit"]):
        context = typer.Context(
            command, info_name=" ".join(words), terminal_width=WIDTH, help_option_names=HELP
        )
        yield f"## {context.info_name}\n\n```text\n{command.get_help(context)}\n```\n"


def _commands(command: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
    yield words, command
    if isinstance(command, TyperGroup):
        for name in command.list_commands(typer.Context(command)):
            if below := command.get_command(typer.Context(command), name):
                yield from _commands(below, [*words, name])
