"""The command line: parse, call, show. One file per command.

Importing this package imports no NumPy and no Rich; commands import what they need when
they run.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The console script ``mgrkit``."""
    # Threads inside BLAS fight with ours: they raise the time of a dot product tenfold.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ.get("OPENBLAS_NUM_THREADS") or "1"
    _open_stderr()
    try:
        from mgrkit.cli.app import app
        from mgrkit.cli.terminal.errors import guarded
        from mgrkit.cli.terminal.stdout import open_stdout

        open_stdout()
        code = guarded(app, sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    # A thread that hangs in a decoder must not keep the process from ending.
    os._exit(code)


def _open_stderr() -> None:
    """Where the caller has closed it there is nobody to talk to: that is no error."""
    if sys.stderr is None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)  # what is printed by decoders goes to the descriptor
        sys.stderr = open(2, "w", errors="backslashreplace", closefd=False)  # noqa: SIM115
