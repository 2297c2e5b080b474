"""``mgrkit demo``."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from mgrkit.errors import RunError, UsageError


def demo(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A new folder for all that is made.")
    ] = Path("mgrkit-demo"),
    quick: Annotated[
        bool, typer.Option("--quick", help="40 short songs and a random forest: half a minute.")
    ] = False,
) -> int:
    """Show the whole line on synthetic music: noisy copies to a prediction.

    \b
    mgrkit demo --quick

    Each command is printed as you would type it, then run. Nothing is fetched.
    """
    from mgrkit.commands.demo import make_music, steps

    if not quick:
        raise UsageError("only the quick demo is there so far", "mgrkit demo --quick")
    began = time.monotonic()
    make_music(folder)
    _say(f"# 40 songs by 8 artists in 4 styles, made up by rules, lie in {folder}/audio")
    here = Path.cwd()
    app = context.find_root().command
    try:
        os.chdir(folder)
        _say(f"$ cd {shlex.quote(str(folder))}")
        for step in steps(Path()):
            _say(f"\n# {step.why}\n$ mgrkit {shlex.join(step.words)}")
            code = app.main(list(step.words), prog_name="mgrkit", standalone_mode=False)
            if code:
                raise RunError(f"mgrkit {step.words[0]} ended with {code}", "see above")
            if sys.stdout:
                sys.stdout.flush()
    finally:
        os.chdir(here)
    _say(f"\n# {time.monotonic() - began:.0f} s; everything is in {folder}, try for instance")
    _say(f"#   mgrkit predict YOUR-SONG.mp3    or open {folder}/spectrograms/blues/blues-01.png")
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
