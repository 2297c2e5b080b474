"""The commands by name: each is imported when it is called, and all look the same."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from mgrkit.errors import UsageError
from mgrkit.files.objects import SCHEME

COMMANDS = {
    "augment": "Make copies of sound files: with exact noise, by recipes.",
    "spectrograms": "Draw spectrograms as PNG, one pixel per band and frame.",
    "merge": "Unite what --shard made into one tree or table.",
    "show": "Draw one sound: waveform, spectrum, mel and chroma.",
    "features": "Describe sound by numbers: one table, a row per piece.",
    "train": "Train a classifier and keep it as one file.",
    "tune": "Search a classifier's parameters, and train the best.",
    "evaluate": "Measure a model on tracks that it has not seen.",
    "predict": "Tell the genre of songs.",
    "tag": "Write the predicted genres into the files' own tags.",
    "vote": "Join trained models to one that answers by all of them.",
    "compare": "Train several classifiers and tell which of them differ.",
    "duplicates": "Find the same recording in several files.",
    "explore": "Look at DATA: pictures, tables and a page of what it holds.",
    "report": "Show results in a browser: one HTML file, without a network.",
    "data": "Prepare a collection: its table, its split, its faults.",
    "demo": "Show it all on synthetic music: from noise to a genre.",
    "classifiers": "List the classifiers, or show one with its parameters.",
    "plugins": "List the plugins, what they offer and what is wrong.",
    "doctor": "Say what is installed, what is broken, and the cure.",
    "models": "List the trained models, or get weights that they need.",
}
"""Each command, which is the object of its name in ``mgrkit.cli.NAME``, and its first line."""

URLS = {
    "augment": {"src", "out"},
    "spectrograms": {"src", "out"},
    "convert": {"src", "out"},
    "features": {"src"},
    "predict": {"files"},
    "merge": {"out"},
}
"""The parameters of commands that may be ``s3://...``; all others name what lies here."""
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+:)/+")

HELP_OPTIONS = {"help_option_names": ["-h", "--help"]}


class Command(TyperCommand):
    """A command whose help calls arguments and options by one kind of name.

    An option of one value that is given several times is refused, where Typer takes the last.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of a call; UsageError for an option of one value that is there twice."""
        parsed = self.make_parser(ctx).parse_args(args=list(args))  # it empties the list
        given: list[Any] = parsed[2]
        asks = any(option.is_eager for option in given)  # as for --help, which says it all
        for option in () if asks else given:
            single = option.param_type_name == "option" and not (option.is_flag or option.multiple)
            if single and given.count(option) > 1:
                name = max(option.opts, key=len)
                raise UsageError(f"{name} is given more than once", "it takes one value")
        read: list[str] = super().parse_args(ctx, args)
        for param in self.get_params(ctx):
            self._check_urls(param, ctx.params.get(param.name))
        return read

    def _check_urls(self, param: Any, given: Any) -> None:
        """Raise UsageError for a URL where files here are meant, or one of another kind."""
        of_paths = getattr(getattr(param, "type", None), "name", "") == "path"  # Typer before 0.29
        takes = param.name in URLS.get(self.name or "", ())
        for path in given if isinstance(given, list | tuple) else [given]:
            if not (of_paths or isinstance(path, Path)) or not (match := _URL.match(str(path))):
                continue
            scheme = f"{match[1]}//"  # of which a path has lost one
            if not takes or scheme != SCHEME:
                name = (
                    _name(param)
                    if param.param_type_name == "argument"
                    else max(param.opts, key=len)
                )
                url = scheme + str(path)[match.end() :]
                known = (
                    f"of URLs it takes {SCHEME}BUCKET/PREFIX" if takes else "get the files first"
                )
                raise UsageError(f"{name} takes no URL such as {url}", known)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """``FILE`` for what must be given, where Typer writes ``{FILE}``, and ``[FILE]`` else."""
        arguments = [p for p in self.get_params(ctx) if p.param_type_name == "argument"]
        return ["[OPTIONS]", *(_name(p) if p.required else f"[{_name(p)}]" for p in arguments)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments by their names alone, where Typer adds ``<path>`` or ``<list[Path]>``."""
        shown: dict[str, list[tuple[str, str]]] = {"argument": [], "option": []}
        for param in self.get_params(ctx):
            if record := param.get_help_record(ctx):
                name, text = record
                if param.param_type_name == "argument":
                    name = _name(param)
                shown[param.param_type_name].append((name, text))
        for kind, records in shown.items():
            if records:
                with formatter.section(f"{kind.capitalize()}s"):
                    formatter.write_dl(records)


def _name(argument: Any) -> str:
    return f"{argument.metavar}{'...' if argument.nargs != 1 else ''}"


class Commands(TyperGroup):
    """All of ``COMMANDS``; the help of the group reads no other module."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands: dict[str, Any] = dict.fromkeys(COMMANDS)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names in the order of ``COMMANDS``."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, None if there is none."""
        del ctx
        if cmd_name in COMMANDS and self.commands[cmd_name] is None:
            self.commands[cmd_name] = command(cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list in the help."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def command(name: str) -> Any:
    """A command of ``COMMANDS``, imported."""
    found = getattr(import_module(f"mgrkit.cli.{name}"), name)
    if not isinstance(found, typer.Typer):
        function = found
        found = typer.Typer(
            rich_markup_mode=None, add_completion=False, context_settings=HELP_OPTIONS
        )
        found.command(name, cls=Command)(function)
    made = typer.main.get_command(found)
    made.name = name
    return made
