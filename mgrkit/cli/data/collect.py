"""``mgrkit data import``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mgrkit.cli.options import Debug, Json, Quiet


def collect(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="gtzan, fma-small, fma-medium, fma-large, fma-full, folder, table or pictures.",
        ),
    ],
    src: Annotated[
        Path | None,
        typer.Argument(
            metavar="SRC",
            readable=False,
            help="Folder, archive (zip, tar, tar.gz) or, for table, a table. [default: NAME]",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="OUT",
            help="The track table, CSV or Parquet. [default: tracks.csv in SRC]",
            show_default=False,
        ),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch what is published into SRC first.")
    ] = False,
    mirror: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Fetch from this folder of a server instead; may be repeated.",
            show_default=False,
        ),
    ] = None,
    path: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Of a table: where paths are."),
    ] = None,
    genre: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Of a table: where genres are."),
    ] = None,
    artist: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Of a table: where artists are."),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Of a table: where parts are."),
    ] = None,
    genres: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="Of FMA: genre_top, the root of most genres, or of the first: top, most, first.",
        ),
    ] = "top",
    replace: Annotated[
        bool, typer.Option("--replace", help="Write OUT anew if it is there.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Make the track table of a collection: genre, artist, split of each file.

    \b
    mgrkit data import gtzan genres.tar.gz         -> genres/tracks.csv
    mgrkit data import fma-small fma               of its zips, or their folders
    mgrkit data import fma-small fma --download    fetched first, 8 GB
    mgrkit data import folder music                sound by genre
    mgrkit data import pictures images_original    pictures by genre
    mgrkit data import table songs.csv out.csv --genre style

    SRC that is an archive is extracted into the folder of OUT, archives in a folder SRC beside
    themselves. Other files stay where they are, and no sound is decoded: mgrkit data check does
    that. What is missing has no row, but is counted. Paths are relative to OUT. Every command takes
    it as SRC or DATA if it lies in the folder of the sound, or above. What was ended goes on by the
    same command. What is fetched is checked by its published sum.
    """
    from mgrkit.cli.terminal.printing import print_json
    from mgrkit.cli.views.balance import show_balance
    from mgrkit.cli.views.weights import fetching, say
    from mgrkit.commands.collect import CollectSettings
    from mgrkit.commands.collect import collect as command

    del debug  # see cli.errors
    given = {"path": path, "genre": genre, "artist": artist, "split": split}
    columns = tuple((what, column) for what, column in given.items() if column)
    settings = CollectSettings(name, download, tuple(mirror or ()), replace, columns, genres)
    with fetching(quiet=quiet) as progress:
        made = command(settings, src, out, progress)
    if not quiet:
        for note in made.notes:
            say(note)
    if made.reasons:
        counts = ", ".join(f"{number} {reason}" for reason, number in made.reasons.items())
        say(f"{sum(made.reasons.values())} rows failed ({counts}): status and reason say why")
    if not quiet:
        say(f"{made.rows} rows in {made.table}")
    if as_json:
        print_json(made.as_json())
    else:
        show_balance(made.balance)
    return made.exit_code
