"""What `mgrkit duplicates` finds, and how long 100,000 fingerprints take.

    python tests/bench/duplicates.py index
    python tests/bench/duplicates.py found FOLDER...

``index`` makes fingerprints of two minutes, a tenth of them copies as a cut of three seconds at
64 kbit/s leaves them (one word in six unharmed, of the others 1 to 3 bits turned over), and finds
the copies; of time and memory only what `same_recordings` takes counts.

``found`` takes real music from folders: the first half a minute of 200 files as tracks, six copies
of each (five kinds, and all at once), and 2,000 other pieces of 16 s, disjoint, from other files
and from what comes after the tracks. A pair of two files counts as false; pairs of disjoint pieces
of one file are told apart, since loops in music are the same sound. Files that are known to be of
the same music are left out by ``--without``. Fingerprints are kept in ``--resume FILE``.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from mgrkit.audio.chromaprint import RATE, Beginning, fingerprint, words_of
from mgrkit.audio.reading import open_sound
from mgrkit.commands.duplicates import duplicates
from mgrkit.errors import AudioError
from mgrkit.tracks.fingerprints import Fingerprints, same_recordings
from tests.audio.encoded import encode

TRACKS, OTHERS, SECONDS, CUT = 200, 2000, 30, 3
OTHER, AROUND = 108, 19
"""Words of another piece, which are 16 s with the frames around."""
Words = NDArray[np.uint32]
COPIES = {
    "MP3 64 kbit/s": ("mp3", ["-b:a", "64k"], False),
    "Opus 64 kbit/s": ("opus", ["-ar", "48000"], False),
    "half rate": ("wav", ["-ar", "half"], False),
    "-12 dB": ("flac", ["-af", "volume=-12dB"], False),
    "3 s cut at both ends": ("wav", [], True),
    "all at once, as MP3": ("mp3", ["-b:a", "64k", "-ar", "half", "-af", "volume=-12dB"], True),
}
"""Suffix, ffmpeg's options, and whether both ends are cut."""


def index(count: int) -> None:
    rng = np.random.default_rng(0)
    with Fingerprints() as prints:
        copies = count // 10
        for number in range(count):
            words = rng.integers(0, 2**32, 948, dtype=np.uint32)
            if number >= count - copies:
                words = copied(prints[number - (count - copies)], rng)
            prints.append(words)
        before = memory()
        began, cpu = time.perf_counter(), time.process_time()
        pairs = list(same_recordings(prints))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    right = sum(other - one == count - copies for one, other, _ in pairs)
    print(f"{count:,} fingerprints: {wall:.1f} s ({cpu:.1f} s of processor), "
          f"{memory():.0f} MB at most, {before:.0f} MB before; "
          f"{right:,} of {copies:,} copies found, {len(pairs) - right} others")  # fmt: skip


def copied(words: Words, rng: np.random.Generator) -> Words:
    turned = words[24:-24].copy()
    harmed = np.flatnonzero(rng.random(len(turned)) < 5 / 6)
    for _ in range(3):
        some = harmed[rng.random(len(harmed)) < 0.6]
        turned[some] ^= np.uint32(1) << rng.integers(0, 32, len(some), dtype=np.uint32)
    return turned


def memory() -> float:
    """The most that was held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def found(folders: list[Path], resume: Path, without: str, only: str) -> None:
    duplicates(folders, resume=resume)
    files = [
        (path, words)
        for path, words in kept(resume)
        if len(words) >= words_of(SECONDS * RATE) and not (without and re.search(without, path))
    ]
    chosen = files[:: max(1, len(files) // TRACKS)][:TRACKS]
    tracks = [Piece(path, 0, words[: words_of(SECONDS * RATE)]) for path, words in chosen]
    after = words_of(SECONDS * RATE) + AROUND
    begins = {path: after for path, _ in chosen}
    others = [piece for path, words in files for piece in cut(path, words, begins.get(path, 0))]
    others = others[:: max(1, len(others) // OTHERS)][:OTHERS]
    print(f"{len(files)} files, {len(tracks)} tracks, {len(others)} others", flush=True)
    with tempfile.TemporaryDirectory(prefix="mgrkit-") as temp, ThreadPoolExecutor(2) as threads:
        for kind, how in COPIES.items():
            if not kind.startswith(only):
                continue

            def made(number: int, how: tuple[str, list[str], bool] = how) -> Words:
                made_of = Path(tracks[number].file)
                try:
                    return printed(copy(made_of, Path(temp, str(number)), *how))
                except AudioError as error:  # counts as not found
                    print(f"copy of {made_of}: {error}", file=sys.stderr)
                    return np.empty(0, np.uint32)

            judge(kind, tracks, others, list(threads.map(made, range(len(tracks)))))


class Piece(NamedTuple):
    file: str
    begin: int
    words: Words


def kept(journal: Path) -> Iterator[tuple[str, Words]]:
    """The files that a run has heard, and their fingerprints, by path."""
    rows = {}
    for line in journal.open():
        for row in json.loads(line).get("rows", ()):
            rows[row["path"]] = row
    for path, row in sorted(rows.items()):
        if row["status"] == "ok" and not row["reason"]:
            yield path, np.frombuffer(base64.b64decode(row["words"]), "<u4")


def cut(path: str, words: Words, begin: int) -> Iterator[Piece]:
    """Pieces of 16 s, none of which hears what another does: a word sees 19 frames more."""
    for start in range(begin, len(words) - OTHER + 1, OTHER + AROUND):
        yield Piece(path, start, words[start : start + OTHER])


def copy(path: Path, to: Path, suffix: str, options: list[str], ends: bool) -> Path:
    import imageio_ffmpeg

    with open_sound(path) as sound:
        asked = [str(sound.rate // 2) if word == "half" else word for word in options]
    begin, end = (CUT, SECONDS - CUT) if ends else (0, SECONDS)
    # libsndfile 1.2.2 takes much of the Opus that FFmpeg 9 writes for malformed: PyAV encodes it.
    out = to.with_suffix(".wav" if suffix == "opus" else f".{suffix}")
    words = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-nostdin", "-i", str(path)]
    words += ["-vn", "-ss", str(begin), "-to", str(end), *asked, str(out)]
    subprocess.run(words, check=True)
    if suffix == "opus":
        samples, rate = soundfile.read(out, dtype="float32", always_2d=True)
        out = to.with_suffix(".opus")
        encode(out, samples.T[:2], rate, "libopus")
    return out


def printed(path: Path) -> Words:
    beginning = Beginning()
    with open_sound(path) as sound:
        for block in sound.blocks():
            beginning.push(block, sound.rate)
    return fingerprint(beginning.samples())


def judge(kind: str, tracks: list[Piece], others: list[Piece], made: list[Words]) -> None:
    """Of one kind of copies: how many are found, and what else is."""
    known = [*tracks, *others, *tracks]
    pairs = list(same_recordings([*(p.words for p in [*tracks, *others]), *made]))
    whose = [(piece.file, piece.begin) for piece in known]
    right = [pair for pair in pairs if whose[pair.one] == whose[pair.other]]
    wrong = [pair for pair in pairs if whose[pair.one] != whose[pair.other]]
    of_file = [pair for pair in wrong if whose[pair.one][0] == whose[pair.other][0]]
    false = len(wrong) - len(of_file)
    print(
        f"{kind}: recall {len(right) / len(made):.3f}, precision "
        f"{len(right) / (len(right) + false):.4f}, least similarity "
        f"{min(pair.similarity for pair in right):.3f}; {false} pairs of two files, "
        f"{len(of_file)} of pieces of one",
        flush=True,
    )
    for one, other, fit in wrong:
        if (one, other, fit) not in of_file:
            print(f"  {fit:.3f} {whose[one]} {whose[other]}", file=sys.stderr)
    lost = sorted({*range(len(made))} - {pair.one for pair in right})
    print("\n".join(f"  not found: {tracks[number].file}" for number in lost), file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["index", "found"])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=100_000, help="of fingerprints")
    parser.add_argument("--resume", type=Path, default=Path("fingerprints.jsonl"))
    parser.add_argument("--only", default="", help="kinds of copies whose names begin so")
    parser.add_argument("--without", default="", help="pattern of paths")
    asked = parser.parse_args()
    todo: dict[str, Callable[[], None]] = {
        "index": lambda: index(asked.count),
        "found": lambda: found(asked.folders, asked.resume, asked.without, asked.only),
    }  # fmt: skip
    todo[asked.what]()


if __name__ == "__main__":
    main()
