"""``mgrkit data cite``."""

from __future__ import annotations

from typing import Annotated

import typer

from mgrkit.cli.options import Debug, Json


def cite(
    name: Annotated[str, typer.Argument(metavar="NAME", help="gtzan or fma.")],
    as_json: Json = False,
    debug: Debug = False,
) -> None:
    """Say who made a known collection, its licence and its known faults.

    \b
    mgrkit data cite gtzan
    mgrkit data cite fma --json | jq -r .citation > fma.bib
    """
    del debug
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.tracks.collections.lookup import find_collection

    about = find_collection(name).about
    if as_json:
        print_json({"name": name, **about.as_json()})
        return
    print(f"{about.title}\n{about.homepage}\n\n{about.citation}\n\nLicence: {about.licence}")
    print("\nKnown faults:")
    for fault in about.faults:
        print(f"- {fault}")
