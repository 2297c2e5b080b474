"""``mgrkit demo``."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mgrkit.cli.options import number
from mgrkit.errors import RunError


def demo(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A new folder for all that is made.")
    ] = Path("mgrkit-demo"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Without the network: about 15 s.")
    ] = False,
    seed: Annotated[
        int,
        typer.Option(metavar="N", help="Another seed, other artists and songs.", **number(int, 0)),
    ] = 0,
) -> int:
    """Show it all on synthetic music: from noise to a genre.

    \b
    mgrkit demo
    mgrkit demo --quick

    Each command is printed as you would type it, then run: a random forest learns from numbers,
    a convolutional network from pictures. Nothing is fetched.
    """
    from mgrkit.commands.demo import FULL, QUICK, check, make_music, pictures, results, steps

    check(quick=quick)
    began = time.monotonic()
    music = make_music(folder, QUICK if quick else FULL, seed)
    _say(f"# {music}, made up by rules, are in {folder}/audio")
    here = Path.cwd()
    app = context.find_root().command
    try:
        os.chdir(folder)
        _say(f"$ cd {shlex.quote(str(folder))}")
        for step in steps(quick=quick):
            _say("\n" + "\n".join(f"# {line}" for line in step.why.splitlines()))
            _say(f"$ mgrkit {shlex.join(step.words)}")
            code = app.main(list(step.words), prog_name="mgrkit", standalone_mode=False)
            if code in (130, 143):
                return int(code)
            if code:
                raise RunError(f"mgrkit {step.words[0]} ended with {code}", "see above")
            sys.stdout.flush()
    finally:
        os.chdir(here)
    if not quick:
        print("\n" + "\n".join(_table(results(folder))), flush=True)
    _say(f"\n# {time.monotonic() - began:.0f} s; everything is in {folder}. To open:")
    for path, what in pictures(folder, quick=quick):
        _say(f"#   {path}  {what}")
    _say("# Now your own songs; the second line gets a better model (29 MB):")
    _say("#   mgrkit predict song.mp3")
    _say("#   mgrkit models fetch musicnn")
    return 0


def _table(models: Sequence[Mapping[str, Any]]) -> list[str]:
    """A row for each model."""
    lines = [f"{'model':9} {'accuracy (95 %)':>22} {'macro F1':>9} {'calib.':>7} {'size':>9}"]
    for one in models:
        interval = f"({one['accuracy_low']:.3f} to {one['accuracy_high']:.3f})"
        lines.append(
            f"{one['model']:9} {one['accuracy']:.3f} {interval:>16} {one['macro_f1']:9.3f} "
            f"{one['ece']:7.3f} {one['bytes'] / 1000:6,.0f} kB"
        )
    return [*lines, f"{models[0]['tracks']} songs of artists that neither has heard"]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
