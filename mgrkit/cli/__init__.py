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
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if sys.stderr is None:  # closed by the caller: there is nobody to talk to
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        from mgrkit.cli.app import app
        from mgrkit.cli.terminal.errors import guarded
        from mgrkit.cli.terminal.stdout import escape

        escape()
        code = guarded(app, sys.argv[1:])
        if sys.stdout:
            sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:  # nobody reads any more
        code = 141
    except OSError:  # the disk is full: the result is lost
        code = 3
    # A thread that hangs in a decoder must not keep the process from ending.
    os._exit(code)
