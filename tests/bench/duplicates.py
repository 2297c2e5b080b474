"""What `mgrkit duplicates` finds, and how long 100,000 fingerprints take.

    python tests/bench/duplicates.py index
    python tests/bench/duplicates.py found FOLDER...
    python tests/bench/duplicates.py inside FOLDER

``index`` makes fingerprints of two minutes, a tenth of them copies as a cut of three seconds at
64 kbit/s leaves them (one word in six unharmed, of the others 1 to 3 bits turned over), and finds
the copies; of time and memory only what `pairs` takes counts.

``found`` takes real music from folders: the first half a minute of 200 files as tracks, six copies
of each (five kinds, and all at once), and 2,000 other pieces of 16 s, disjoint, from other files
and from what comes after the tracks. A copy is found if it is told as the same recording. A pair
of two files counts as false, be it told as the same or as a part; overlaps, which nobody is told
of, and pairs of disjoint pieces of one file are counted apart: loops in music are the same sound.
Files that are known to be of the same music are left out by ``--without``. Fingerprints are kept in
``--resume FILE``.

``inside`` puts each clip of a folder among others into a song of two minutes, where it begins a
whole number of words after the song, and in steps of an eighth of a word later; it is found if it
is told as a part.

``--record`` puts what was found into docs/figures.csv.
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

from mgrkit.audio.chromaprint import HOP, RATE, SECONDS, Beginning, fingerprint, words_of
from mgrkit.audio.reading import open_sound
from mgrkit.commands.duplicates import duplicates
from mgrkit.errors import AudioError
from mgrkit.tracks.fingerprints import OVERLAP, PART, SAME, Fingerprints, pairs
from tests.audio.encoded import encode
from tests.bench.record import record

TRACKS, OTHERS, CUT = 200, 2000, 3
SECONDS_OF_TRACK, SECONDS_OF_OTHER = 30, 16
OTHER, AROUND = 108, 19
"""Words of another piece, which are 16 s with the frames around."""
Words = NDArray[np.uint32]
Rows = Iterator[tuple[str, str, str]]
"""Of the figures: what, asked and measured."""
COPIES = {
    "MP3 of 64 kbit/s": ("mp3", ["-b:a", "64k"], False),
    "Opus of 64 kbit/s": ("opus", ["-ar", "48000"], False),
    "sound of half the rate": ("wav", ["-ar", "half"], False),
    "sound 12 dB softer": ("flac", ["-af", "volume=-12dB"], False),
    "sound cut by 3 s at both ends": ("wav", [], True),
    "all of that, MP3": ("mp3", ["-b:a", "64k", "-ar", "half", "-af", "volume=-12dB"], True),
}
"""Suffix, ffmpeg's options, and whether both ends are cut."""


def index(count: int) -> Rows:
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
        found = list(pairs(prints, [120.0] * count))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    right = sum(pair.other - pair.one == count - copies for pair in found)
    print(f"{count:,} fingerprints: {wall:.1f} s ({cpu:.1f} s of processor), "
          f"{memory():.0f} MB at most, {before:.0f} MB before; "
          f"{right:,} of {copies:,} copies found, {len(found) - right} others")  # fmt: skip
    took = f"**{cpu:.1f} s** of CPU, {wall:.1f} s by the clock, **{memory():.0f} MB**"
    yield (
        f"{count:,} fingerprints of two minutes, indexed and searched",
        "60 s, 500 MB",
        f"{took}; {right:,} of {copies:,} copies found",
    )


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


def found(folders: list[Path], resume: Path, without: str, only: str) -> Rows:
    duplicates(folders, resume=resume)
    least = words_of(SECONDS_OF_TRACK * RATE)
    files = [
        (path, words)
        for path, words in kept(resume)
        if len(words) >= least and not (without and re.search(without, path))
    ]
    chosen = files[:: max(1, len(files) // TRACKS)][:TRACKS]
    tracks = [Piece(path, 0, words[:least]) for path, words in chosen]
    after = least + AROUND
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

            yield judge(kind, tracks, others, list(threads.map(made, range(len(tracks)))))


def inside(folder: Path) -> Rows:
    """Clips in songs that were put together of others, wherever they begin."""
    clips = [samples(path) for path in sorted(folder.iterdir())]
    step = round(HOP * RATE)
    results = []
    for eighths in range(5):
        begin = len(clips[0]) // step * step + eighths * step // 8
        got = []
        for number, clip in enumerate(clips):
            before, after, last = (clips[(number + k) % len(clips)] for k in (7, 13, 21))
            song = np.concatenate([np.tile(before, 2)[:begin], clip, after, last, last])
            both = [fingerprint(song[: SECONDS * RATE]), fingerprint(clip)]
            got += list(pairs(both, [len(song) / RATE, len(clip) / RATE]))
        results.append((sum(pair.relation == PART for pair in got) / len(clips), got))
        print(f"{eighths}/8 of a word: {results[-1][0]:.3f}", flush=True)
    least = min(pair.similarity for _, got in results for pair in got)
    recalls = [recall for recall, _ in results]
    yield (
        f"{len(clips)} clips of 30 s, each within two minutes of others, lying in five ways: found",
        "none",
        f"**{np.mean(recalls):.3f}**, {min(recalls):.3f} at the worst; similarity from {least:.3f}",
    )


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
    begin, end = (CUT, SECONDS_OF_TRACK - CUT) if ends else (0, SECONDS_OF_TRACK)
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
    return fingerprint(samples(path))


def samples(path: Path) -> NDArray[np.int16]:
    beginning = Beginning()
    with open_sound(path) as sound:
        for block in sound.blocks():
            beginning.push(block, sound.rate)
    return beginning.samples()


def judge(
    kind: str, tracks: list[Piece], others: list[Piece], made: list[Words]
) -> tuple[str, str, str]:
    """Of one kind of copies: how many are found, and what else is."""
    known = [*tracks, *others, *tracks]
    kept = SECONDS_OF_TRACK - 2 * CUT * COPIES[kind][2]
    each = [(tracks, SECONDS_OF_TRACK), (others, SECONDS_OF_OTHER), (made, kept)]
    lengths = [float(seconds) for pieces, seconds in each for _ in pieces]
    got = list(pairs([*(p.words for p in [*tracks, *others]), *made], lengths))
    whose = [(piece.file, piece.begin) for piece in known]
    right = [p for p in got if whose[p.one] == whose[p.other] and p.relation == SAME]
    wrong = [p for p in got if whose[p.one] != whose[p.other]]
    false = [p for p in wrong if whose[p.one][0] != whose[p.other][0]]
    told = sum(pair.relation != OVERLAP for pair in false)
    recall, precision = len(right) / len(made), len(right) / (len(right) + told)
    least = min(pair.similarity for pair in right)
    print(
        f"{kind}: recall {recall:.3f}, precision {precision:.4f}, least similarity {least:.3f}; of "
        f"two files {told} pairs told and {len(false) - told} overlaps, "
        f"{len(wrong) - len(false)} of pieces of one",
        flush=True,
    )
    for pair in false:
        print(f"  {pair.similarity:.3f} {pair.relation}", file=sys.stderr)
        print(f"    {whose[pair.one]} {whose[pair.other]}", file=sys.stderr)
    lost = sorted({*range(len(made))} - {pair.one for pair in right})
    print("\n".join(f"  not found: {tracks[number].file}" for number in lost), file=sys.stderr)
    return (
        f"{len(tracks)} tracks among {len(others):,} other pieces, copied as {kind}: found",
        "recall .98, precision .995",
        f"**{recall:.3f}**, **{precision:.4f}**; similarity from {least:.3f}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["index", "found", "inside"])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--count", type=int, default=100_000, help="of fingerprints")
    parser.add_argument("--resume", type=Path, default=Path("fingerprints.jsonl"))
    parser.add_argument("--only", default="", help="kinds of copies whose names begin so")
    parser.add_argument("--without", default="", help="pattern of paths")
    parser.add_argument("--record", action="store_true", help="put them into docs/figures.csv")
    asked = parser.parse_args()
    todo: dict[str, Callable[[], Rows]] = {
        "index": lambda: index(asked.count),
        "found": lambda: found(asked.folders, asked.resume, asked.without, asked.only),
        "inside": lambda: inside(asked.folders[0]),
    }  # fmt: skip
    rows = list(todo[asked.what]())
    if asked.record:
        record("duplicates", rows)


if __name__ == "__main__":
    main()
