"""The figures of ``mgrkit tag``: kills among real songs, its time beside predict, other readers.

    python -m tests.bench.tagging kills WORK [--files 1000] [--kills 100]
    python -m tests.bench.tagging time WORK [--repeats 3]
    python -m tests.bench.tagging readers WORK --python /path/to/another/python

WORK is an empty folder. Songs are cut from those of MGRKIT_TEST_DATA. For ``readers`` the other
Python has some of pytaglib, eyed3 and another mutagen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mgrkit.audio import Resampler, open_sound
from tests.audio.taggable import FORMATS, RATE, coded, song, tagged
from tests.conftest import DATA
from tests.crash.harness import ROOT
from tests.crash.test_kill_tag import torture

READ = """
import json, sys
found = {}
def attempt(name, how):
    try:
        found[name] = how()
    except ImportError:
        pass
    except Exception as error:
        found[name] = f"{type(error).__name__}: {error}"
path = sys.argv[1]
def taglib_():
    import taglib
    with taglib.File(path) as file:
        return file.tags.get("GENRE")
def eyed3_():
    import eyed3
    eyed3.log.setLevel("ERROR")
    file = eyed3.load(path)
    return [str(file.tag.genre)] if file and file.tag and file.tag.genre else None
def mutagen_():
    import mutagen
    file = mutagen.File(path, easy=True)
    tags = file.tags
    if type(tags).__name__ in ("_WaveID3", "_IFFID3"):
        return tags["TCON"].genres
    for name in ("genre", "Genre", "WM/Genre"):
        if name in tags:
            return [str(one) for one in tags[name]]
attempt("taglib", taglib_)
attempt("eyed3", eyed3_)
attempt("mutagen", mutagen_)
print(json.dumps(found))
"""


def parts(seconds: float) -> Iterator[np.ndarray]:
    """Pieces of real songs, stereo at `RATE`, for ever."""
    paths = sorted((DATA / "songs").iterdir()) + sorted((DATA / "gtzan" / "clips").rglob("*.flac"))
    paths = [path for path in paths if path.suffix != ".md"]
    rng = random.Random(0)
    whole = {}
    while True:
        path = rng.choice(paths)
        if path not in whole:
            with open_sound(path) as sound:
                resampler = Resampler(sound.rate, RATE)
                blocks = [resampler.push(block) for block in sound.blocks()]
                empty = np.empty((sound.channels, 0), np.float32)
                samples = np.concatenate([*blocks, resampler.push(empty, last=True)], 1)
            whole[path] = samples[[0, -1]]
        samples = whole[path]
        length = round(seconds * RATE)
        start = rng.randrange(max(1, samples.shape[1] - length))
        part = samples[:, start : start + length]
        if np.abs(part).mean() > 0.01:  # else it may be silent, and get no genre
            yield np.ascontiguousarray(part)


def library(folder: Path, files: int, seconds: float) -> Path:
    """Tagged songs of all formats, in folders of a hundred."""
    for number, samples in zip(range(files), parts(seconds), strict=False):
        form = FORMATS[number % len(FORMATS)]
        tagged(coded(folder / f"{number // 100}" / f"{number}.{form}", samples))
    return folder


def kills(work: Path, files: int, number: int) -> None:
    """SIGKILL at random moments; see `torture`."""
    began = time.monotonic()
    music = work / "music"
    if not music.exists():
        library(music, files, 5.0)
    print(f"{files} files in {time.monotonic() - began:.0f} s", flush=True)
    told = torture(music, work / "undo.jsonl", number, 26)
    print(json.dumps({"files": files, **told}), flush=True)


def run(*words: object) -> float:
    """Seconds that a call of mgrkit takes."""
    began = time.monotonic()
    command = [sys.executable, "-m", "mgrkit", *map(str, words), "-q"]
    code = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode
    assert code in (0, 1), code
    return time.monotonic() - began


def times(work: Path, repeats: int, seconds: float) -> None:
    """tag beside predict, over songs of usual length, with the default model."""
    music = library(work / "music", 2 * len(FORMATS), seconds)
    undo = work / "undo.jsonl"
    ratios = []
    for _ in range(repeats):
        alone = run("predict", music, "--jsonl", "--device", "cpu")
        both = run("tag", music, "--even-unsure", "--undo-file", undo, "--device", "cpu")
        run("tag", "--undo", undo)
        undo.unlink()
        ratios.append(both / alone)
        print(f"predict {alone:.1f} s, tag {both:.1f} s, {both / alone:.3f}", flush=True)
    print(f"median {statistics.median(ratios):.3f}")


def readers(work: Path, python: str) -> None:
    """What others read in each format."""
    for form in FORMATS:
        path = song(work / f"a.{form}", 2.0)
        run("tag", path, "--model", "svm", "--even-unsure", "--undo-file", work / "u.jsonl")
        entries = "format_tags=genre:stream_tags=genre"
        words = ["ffprobe", "-v", "error", "-show_entries", entries, "-of", "csv=p=0", str(path)]
        probe = shutil.which("ffprobe") and subprocess.check_output(words, text=True).split()
        others = subprocess.check_output([python, "-c", READ, os.fspath(path)], text=True)
        print(form, json.dumps({"ffprobe": probe, **json.loads(others)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kills", "time", "readers"))
    parser.add_argument("work", type=Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=180.0, help="of each song of time")
    parser.add_argument("--python", default=sys.executable)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    if asked.what == "kills":
        kills(asked.work, asked.files, asked.kills)
    elif asked.what == "time":
        times(asked.work, asked.repeats, asked.seconds)
    else:
        readers(asked.work, asked.python)


if __name__ == "__main__":
    main()
