"""``mgrkit plugins``, and what the listings say of broken ones."""

from __future__ import annotations

import sys

from mgrkit.cli.options import Json


def plugins(as_json: Json = False) -> None:
    """List the plugins, what they offer and what is wrong.

    \b
    mgrkit plugins
    MGRKIT_PLUGINS=my-plugin mgrkit plugins       mgrkit's own and that one only

    A plugin is a distribution with entry points of the group mgrkit.
    """
    from mgrkit.cli.terminal.printing import print_json, print_table
    from mgrkit.commands.plugins import list_plugins

    listed = list_plugins()
    if as_json:
        print_json(listed)
    else:
        rows = []
        for one in listed:
            offers = [
                f"{what}: {', '.join(one[kind])}"
                for what, kind in (("classifiers", "classifiers"), ("features", "feature_sets"))
                if one[kind]
            ]
            last = "\n".join([*offers, *([one["error"]] if one["error"] else [])])
            rows.append((one["distribution"], one["version"], one["status"], last or "nothing"))
        print_table(("plugin", "version", "status", "offers"), rows)
    tell_broken()


def tell_broken(hint: str = "") -> None:
    """One line on stderr if a plugin is broken."""
    from mgrkit.cli.terminal.printing import printable
    from mgrkit.commands.plugins import broken_plugins

    broken = broken_plugins()
    if broken:
        warning = f"warning: broken plugins: {', '.join(broken)}{f' ({hint})' if hint else ''}"
        print(printable(warning), file=sys.stderr)
