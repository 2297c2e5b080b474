"""What MkDocs fills in: the help of every command, and the README of the findings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
from click import Command, Context, Group

from mgrkit.cli.app import app
from mgrkit.cli.group import HELP_OPTIONS

WIDTH = 80
HELP = HELP_OPTIONS["help_option_names"]
FINDINGS = Path(__file__).parent.parent / "findings" / "README.md"


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by MkDocs with the text of each page."""
    if "<!-- commands -->" in markdown:
        markdown = markdown.replace("<!-- commands -->", "\n".join(_helps()))
    if "<!-- findings -->" in markdown:
        markdown = markdown.replace("<!-- findings -->", FINDINGS.read_text().partition("\n")[2])
    return markdown


def _helps() -> Iterator[str]:
    for words, command in _commands(typer.main.get_command(app), ["mgrkit"]):
        context = Context(
            command, info_name=" ".join(words), terminal_width=WIDTH, help_option_names=HELP
        )
        yield f"## {context.info_name}\n\n```text\n{command.get_help(context)}\n```\n"


def _commands(command: Command, words: list[str]) -> Iterator[tuple[list[str], Command]]:
    yield words, command
    if isinstance(command, Group):
        for name in command.list_commands(Context(command)):
            if below := command.get_command(Context(command), name):
                yield from _commands(below, [*words, name])
