"""Track tables without a leak, and the leaks that can be planted in them."""

from __future__ import annotations

import hashlib
import random
import unicodedata
from collections.abc import Callable

from mgrkit.tracks.leaks import ARTIST, COPY, DUPLICATE, NEAR, PIECE, RECORDING

Row = dict[str, str]
PARTS = ("train", "valid", "test")
GENRES = ("rock", "Hip-Hop", "r&b", "caf\u00e9")
_NAMES = ("Sigur R\u00f3s", "Earth, Wind & Fire", "AC/DC", "\u5742\u672c\u9f8d\u4e00", "!!!")


class Planter:
    """Makes rows, each of an artist and a song that no other row has."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.number = 0

    def row(self, part: str = "") -> Row:
        """One track; its artist is known or not, and its name is awkward."""
        self.number += 1
        n, genre = self.number, self.draw.choice(GENRES)
        artist = f"{self.draw.choice(_NAMES)} {n}"
        name = self.draw.choice(("{a} - live (at home)", "song {n}a & b", "{n:06d}b", "take {n} x"))
        return {
            "path": f"{genre}/{name.format(a=artist.replace('/', ' '), n=n)}.mp3",
            "genre": genre,
            "group": self.draw.choice((artist, artist, "")),
            "split": part or self.draw.choice(PARTS),
        }

    def spelt(self, artist: str) -> str:
        """The same artist as another table may spell it."""
        how: tuple[Callable[[str], str], ...] = (
            str.upper,
            str.lower,
            lambda a: unicodedata.normalize("NFD", a),
            lambda a: a.replace("&", "and").replace(",", ""),
            lambda a: f" {a} ",
        )
        return self.draw.choice(how)(artist)

    def leak(self, kind: str) -> list[Row]:
        """Two rows of different parts that belong together, and nothing else does."""
        one, other = self.draw.sample(PARTS, 2)
        first, second = self.row(one), self.row(other)
        first["group"] = second["group"] = ""
        path, stem = first["path"], first["path"].removesuffix(".mp3")
        if kind == ARTIST:
            first["group"] = f"{self.draw.choice(_NAMES)} {self.number}"
            second["group"] = self.spelt(first["group"])
        elif kind == RECORDING:
            shared = self.draw.choice(("source_id", "parent", "known"))
            if shared == "known":
                name = f"{self.number:06d}.mp3"
                first["path"], second["path"] = (f"{d}/{name[:3]}/{name}" for d in ("a", "b"))
            else:
                first[shared] = second[shared] = f"of {self.number}"
        elif kind == DUPLICATE:
            if self.draw.random() < 0.5:
                second["duplicate_of"] = path
            else:
                digest = hashlib.sha256(str(self.number).encode()).hexdigest()
                first["sound"] = second["sound"] = digest
        elif kind == NEAR:
            first["recording_of"] = second["recording_of"] = path
        elif kind == PIECE:
            if self.draw.random() < 0.5:
                first |= {"path": f"{stem}_part1.mp3"}
                second |= {"path": f"{stem}_part2.mp3", "genre": first["genre"]}
            else:
                second |= {"parent": path, "start": "30.0"}
        elif kind == COPY:
            second["path"] = f"{stem}.pink_-5dB_1.mp3"
            if self.draw.random() < 0.5:
                second |= {"path": f"noisy/{self.number}.wav", "kind": "noisy", "parent": path}
        return [first, second]
