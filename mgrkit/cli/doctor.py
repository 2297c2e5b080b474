"""``mgrkit doctor``."""

from __future__ import annotations

from typing import Any

from mgrkit.cli.options import Json


def doctor(as_json: Json = False) -> int:
    """Say what is installed, what is broken, and the cure.

    \b
    mgrkit doctor
    mgrkit doctor --json > report.json            to send with a report

    The exit code is 1 if a command of mgrkit cannot work.
    """
    from mgrkit.cli.terminal.printing import print_json, print_table
    from mgrkit.commands.doctor import examine

    found = examine()
    if as_json:
        print_json(found)
        return int(found["exit_code"])
    print(f"mgrkit {found['mgrkit']}, Python {found['python']}, {found['platform']}\n")
    needed = [(one["name"], one["version"] or "-", _state(one)) for one in found["dependencies"]]
    print_table(("needs", "version", "state"), needed)
    print()
    commands = [(one["name"], one["status"], _needs(one)) for one in found["commands"]]
    print_table(("command", "state", "needs"), commands)
    print()
    extras = [(one["name"], "-" if one["lacks"] else "ok", _extra(one)) for one in found["extras"]]
    print_table(("extra", "state", "what needs it"), extras)
    print()
    print_table(("here", "what is found"), _rest(found))
    return int(found["exit_code"])


def _state(one: dict[str, Any]) -> str:
    return f"{one['error']}\n{one['mend']}" if one["error"] else "ok"


def _extra(one: dict[str, Any]) -> str:
    lacks = f"\nlacks {', '.join(one['lacks'])}: {one['mend']}" if one["lacks"] else ""
    return f"{one['for']}{lacks}"


def _needs(one: dict[str, Any]) -> str:
    return ", ".join(one["needs"]) + (f"\n{one['error']}" if one["error"] else "")


def _rest(found: dict[str, Any]) -> list[tuple[str, str]]:
    cache = found["cache"]
    lacks = [f"{t['name']} lacks {t['lacks']}: {t['mend']}" for t in found["transforms"]]
    words = "can be written" if cache["writable"] else f"cannot be written: {cache['mend']}"
    rows = [
        (f"decoder {one['name']}", f"{_state(one)}\n{', '.join(one['formats'])}")
        for one in found["decoders"]
    ]
    torch = next(one for one in found["dependencies"] if one["name"] == "torch")
    built = f"built for {found['torch']}" if found["torch"] else _state(torch)
    rows += [("torch", built)] if torch["version"] else []
    rows += [("transforms", "\n".join(lacks))] if lacks else []
    rows.append(("devices", "\n".join(found["devices"])))
    rows.append(("cache", f"{cache['path']}\n{cache['bytes'] / 1e6:.1f} MB, {words}"))
    rows += [("weights", "\n".join(map(_weights, found["weights"])))] if found["weights"] else []
    broken = [
        (f"plugin {one['distribution']}", f"{one['version']} is broken: {_state(one)}")
        for one in found["plugins"]
    ]
    return [*rows, *(broken or [("plugins", "none is broken")])]


def _weights(one: dict[str, Any]) -> str:
    where = one["path"] or f"{one['error'] or 'not here'}, {one['command']} gets them"
    return f"{one['name']}: {where}"
