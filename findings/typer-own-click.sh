#!/usr/bin/env bash
# Since typer 0.26 an app made with Typer knows nothing of the click that is installed beside it.
#
# Typer was built on click, and its documentation sent people there: one expects its commands to be
# click's, and click.UsageError to end a command with one line and the code 2. Typer 0.26 carries a
# copy of click inside and no longer depends on it. With click installed, as other packages need it,
# `isinstance(command, click.Group)` became false, so that code which walks the commands (for
# documentation, completion, a shell) finds nothing and says nothing; and an error of click's that a
# command raises ends in a traceback and the code 1.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > app.py << 'PYTHON'
import click
import typer

app = typer.Typer()


@app.command()
def draw() -> None:
    raise click.UsageError("give a song")


@app.command()
def play() -> None:
    pass


if __name__ == "__main__":
    app()
PYTHON
cat > look.py << 'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import click
import typer

from app import app

command = typer.main.get_command(app)
ended = subprocess.run([sys.executable, "app.py", "draw"], capture_output=True, text=True)
found = (
    isinstance(command, click.Group),
    isinstance(command, click.Command),
    ended.returncode,
    "Traceback" in ended.stderr,
)
print("typer", version("typer"), "click", version("click"), found)
assert found == ((True, True, 2, False) if sys.argv[1] == "before" else (False, False, 1, True))
PYTHON
for pair in 0.24.0:before 0.29.2:since; do
  python3 -m venv --clear venv
  venv/bin/pip install -q "typer==${pair%:*}" click==8.3.1
  TERM=dumb venv/bin/python look.py "${pair#*:}"
done
