"""``python -m mgrkit`` is the command ``mgrkit``."""

from mgrkit.cli import main

if __name__ == "__main__":
    main()
