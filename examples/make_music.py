#!/usr/bin/env python3
"""Make a small collection of synthetic music: OUT/<style>/<style>-NN.wav and OUT/tracks.csv.

The table gives each song's path, genre and artist (as its group), so that whatever is made
from the songs can be split by artist.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mgrkit.errors import MgrkitError
from mgrkit.synthetic.collection import write_collection
from mgrkit.synthetic.music import STYLES


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("out", nargs="?", default="audio", type=Path, help="the folder to fill")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each song")
    parser.add_argument("--songs", type=int, default=3, help="songs in each style")
    parser.add_argument("--artists", type=int, default=3, help="artists in each style")
    parser.add_argument("--rate", type=int, default=22050, help="sample rate in Hz")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other artists")
    asked = vars(parser.parse_args())
    out = asked.pop("out")
    try:
        rows = write_collection(out, **asked)
    except (MgrkitError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    sys.stdout.write(
        f"made {len(rows)} songs of {asked['seconds']:g} s in {len(STYLES)} styles "
        f"({', '.join(STYLES)}) in {out}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
