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
    """Say who made a known collection, its licence, known faults and published files.

    \b
    mgrkit data cite gtzan
    mgrkit data cite fma --json | jq -r .citation > fma.bib
    """
    del debug
    from dataclasses import asdict

    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.tracks.collections.lookup import find_collection

    collection = find_collection(name.partition("-")[0])  # fma-small is of fma
    about = collection.about
    if as_json:
        forms = [asdict(form) for form in collection.forms]
        bad = [asdict(one) for one in collection.bad]
        print_json({"name": name, **about.as_json(), "forms": forms, "bad": bad})
        return
    print(f"{about.title}\n{about.homepage}\n\n{about.citation}\n\nLicence: {about.licence}")
    print("\nKnown faults:")
    for fault in about.faults:
        print(f"- {fault}")
    print("\nPublished as:")
    for form in collection.forms:
        print(f"- {form.name}: {form.files:,} tracks, {form.path}")
    files = {file.name: file for form in collection.forms for file in form.downloads}
    for file in files.values():
        print(f"- {file.url}, {file.size / 1e9:.1f} GB, {file.digest}")
