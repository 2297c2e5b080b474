"""mgrkit held against FFmpeg on any files: ``python tests/bench/foreign.py FOLDER [FOLDER...]``.

Each file below the folders whose suffix mgrkit takes for sound is decoded by
`mgrkit.audio.open_sound`, in a child process, so that a decoder that crashes or hangs costs one
file only, and by the program ``ffmpeg``, which must be on the PATH. The verdicts:

agree    as long as FFmpeg says, at its rate, with its channels, as loud
short    shorter without a word: a rest of the file is lost silently
refused  an error, where FFmpeg decodes the file and finds no fault
crash    the child died
hang     the child took longer than --timeout
level    as long, but more than 1 dB louder or softer
other    as long, but at another rate or with other channels
long     longer than FFmpeg says, or FFmpeg decodes nothing
faulty   an error, where FFmpeg decodes something and finds faults
neither  an error, and FFmpeg decodes nothing

Exit status 1 when any file is short, refused, crash, hang or level. FFmpeg can be wrong too:
what is right, a look at the file must tell.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mgrkit.audio import SUFFIXES, open_sound
from mgrkit.errors import AudioError

FAILING = ("short", "refused", "crash", "hang", "level")
VERDICTS = ("agree", *FAILING, "other", "long", "faulty", "neither")
# Frames by which decoders of a lossy codec may differ: what the encoder put before the sound and
# behind it (MP3: 2,257 with the Info frame, and up to 1,728 behind; AAC: 2,112).
DELAY = 4000
LOSSLESS = re.compile("pcm|flac|alac|wavpack|tta|ape|wmalossless|dsd")
LEVEL, QUIET, SILENT = 1.0, -60.0, -999.0  # dB apart that count, where one is above QUIET dBFS


class Heard(NamedTuple):
    """What a decoder makes of a file: how much sound, the root mean square of all its samples in
    dBFS, why there is no more; of FFmpeg, its name of the codec and its errors.
    """

    seconds: float = 0.0
    rate: int = 0
    channels: int = 0
    level: float = SILENT
    codec: str = ""
    reason: str = ""
    faults: tuple[str, ...] = ()


def level(squares: float, samples: int) -> float:
    """In dBFS; SILENT too where a sample is no number."""
    return 10 * math.log10(squares / samples) if squares > 0 else SILENT


def by_mgrkit(path: str) -> Heard:
    """One file by mgrkit, with what it heard before an error."""
    rate = channels = frames = 0
    squares, reason = 0.0, ""
    try:
        with open_sound(path) as sound:
            rate, channels = sound.rate, sound.channels
            for block in sound.blocks():
                frames += block.shape[1]
                squares += float(np.vdot(block, block))
    except AudioError as error:
        reason = f"{error.reason}: {error.message}"
    except Exception as error:
        reason = f"internal: {type(error).__name__}: {error}"
    loud = level(squares, frames * channels)
    return Heard(frames / (rate or 1), rate, channels, loud, reason=reason)


def serve(ends: Connection) -> None:
    """The child's life: a path in, what was heard out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders talk, without the file's name
    while True:
        ends.send(by_mgrkit(ends.recv()))


class Child:
    """mgrkit in a process of its own; after a crash or a hang it is dead."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self.ends, theirs = spawn.Pipe()
        self.process = spawn.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()

    def hear(self, path: str, timeout: float) -> Heard:
        self.ends.send(path)
        try:
            if self.ends.poll(timeout):
                answer: Heard = self.ends.recv()
                return answer
        except EOFError:
            self.process.join()
            return Heard(reason=f"crash: exit status {self.process.exitcode}")
        self.process.kill()
        self.process.join()
        return Heard(reason=f"hang: more than {timeout:g} s")


def by_ffmpeg(path: str, timeout: float) -> Heard:
    """The first sound of one file by FFmpeg, at its own rate."""
    words = ["ffmpeg", "-nostdin", "-nostats", "-v", "level+info", "-i", f"file:{path}"]
    words += ["-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
    samples, squares = 0, 0.0
    with tempfile.TemporaryFile() as lines:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=lines)
        timer = threading.Timer(timeout, process.kill)
        timer.start()
        assert process.stdout
        head = process.stdout.read(24)
        if len(head) == 24:
            _, start, _, _, rate, channels = struct.unpack(">4s5I", head)
            process.stdout.read(start - 24)
            while chunk := process.stdout.read(2**20):
                with np.errstate(all="ignore"):
                    block = np.frombuffer(chunk[: len(chunk) // 4 * 4], ">f4").astype(np.float32)
                samples += len(block)
                squares += float(np.vdot(block, block))
        process.wait()
        faults = [] if timer.is_alive() else [f"stopped after {timeout:g} s"]
        timer.cancel()
        lines.seek(0)
        log = lines.read().decode(errors="replace")
    faults += re.findall(r"^(?:\[[^]]*\] )?\[(?:error|fatal|panic)\] (.*)$", log, re.MULTILINE)
    if not samples:
        return Heard(reason=next(iter(faults), "no sound"), faults=tuple(faults[:3]))
    seconds = samples / channels / rate
    promised = promise(log.partition("Stream mapping:")[0])
    if promised - seconds > max(0.1, 0.01 * promised):
        faults.append(f"the header promises {promised:g} s")
    codec = re.findall(r"-> #0:0 \((\w+)", log)[0]
    return Heard(seconds, rate, channels, level(squares, samples), codec, "", tuple(faults[:3]))


def promise(source: str) -> float:
    """The seconds that a header promises; 0.0 where they are guessed from the bit rate, hold the
    preroll of ASF, or may be a film's. What lies before the start is the encoder's delay."""
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)(?:, start: ([\d.-]+))?", source)
    film = re.search(r"Stream #0.*: Video: (?!.*\(attached pic\))", source)
    if not found or film or "Estimating duration" in source or "Input #0, asf" in source:
        return 0.0
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) - float(found[4] or 0)


def judge(ours: Heard, theirs: Heard) -> str:
    """The verdict on a file."""
    kind = ours.reason.partition(":")[0]
    if kind in ("crash", "hang"):
        return kind
    if kind:
        return "neither" if not theirs.seconds else "faulty" if theirs.faults else "refused"
    lossless = LOSSLESS.match(theirs.codec)
    difference = (ours.seconds - theirs.seconds) * ours.rate
    if abs(difference) > (1.01 if lossless else max(DELAY, 0.06 * ours.rate)):
        return "long" if difference > 0 else "short"
    if not theirs.seconds:
        return "long"
    if (ours.rate, ours.channels) != (theirs.rate, theirs.channels):
        return "other"
    heard = max(ours.level, theirs.level) > QUIET and (lossless or theirs.seconds >= 1)
    return "level" if heard and abs(ours.level - theirs.level) > LEVEL else "agree"


class Row(NamedTuple):
    path: str
    verdict: str
    ours: Heard
    theirs: Heard

    def __str__(self) -> str:
        both = [f"{heard.seconds:.4f} s {heard.rate} Hz x {heard.channels} {heard.level:.1f} dBFS"
                for heard in (self.ours, self.theirs)]  # fmt: skip
        words = [self.ours.reason, *both, self.theirs.codec, *self.theirs.faults[:1], self.path]
        return " | ".join(words)


def compare(paths: list[str], known: dict[str, Heard], timeout: float) -> Iterator[Row]:
    """A row for each file, in their order; FFmpeg is asked only where ``known`` says nothing."""
    mine = threading.local()

    def one(path: str) -> Row:
        if not hasattr(mine, "child") or not mine.child.process.is_alive():
            mine.child = Child()
        ours, theirs = mine.child.hear(path, timeout), known.get(path) or by_ffmpeg(path, timeout)
        return Row(path, judge(ours, theirs), ours, theirs)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(one, paths)


def show(rows: list[Row]) -> None:
    counts = Counter(row.verdict for row in rows)
    print("| verdict | files |\n|---|---|")
    for verdict in VERDICTS:
        print(f"| {verdict} | {counts[verdict]} |")
    for verdict in VERDICTS[1:]:
        if counts[verdict]:
            print(f"\n{verdict}: why | mgrkit | FFmpeg | codec | FFmpeg's complaint | file")
            print(*sorted(str(row) for row in rows if row.verdict == verdict), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--suffix", nargs="+", default=[], help="take these files too")
    kept = "write every row there; what FFmpeg said in a run that lies there is not asked again"
    parser.add_argument("--json", type=Path, metavar="FILE", help=kept)
    parser.add_argument("--timeout", type=float, default=60, help="seconds for a file (60)")
    asked = parser.parse_args()
    if not shutil.which("ffmpeg"):
        sys.exit("the program ffmpeg is needed and not on the PATH")
    suffixes = SUFFIXES | set(asked.suffix)
    found = (path for folder in asked.folders for path in sorted(folder.rglob("*")))
    paths = [str(path) for path in found if path.suffix.lower() in suffixes and path.is_file()]
    if not paths:
        sys.exit("no files there that are taken for sound")
    before = json.loads(asked.json.read_text()) if asked.json and asked.json.exists() else []
    known = {row["path"]: Heard(**row["ffmpeg"]) for row in before}
    rows = list(compare(paths, known, asked.timeout))
    show(rows)
    if asked.json:
        told = [{"path": row.path, "verdict": row.verdict, "ours": row.ours._asdict(),
                 "ffmpeg": row.theirs._asdict()} for row in rows]  # fmt: skip
        asked.json.write_text(json.dumps(told, indent=1))
    sys.exit(any(row.verdict in FAILING for row in rows))


if __name__ == "__main__":
    main()
