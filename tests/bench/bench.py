"""How fast mgrkit is beside its rivals, as Markdown tables: ``python tests/bench/bench.py``.

The real clips of the test data become 16-bit WAV once and are hard-linked to the counts
needed. Each subject runs on few and on many files, and its time per file is the difference
of the two times over the difference of the counts, so that start-up is left out. In a round
every subject has its turn, the outputs of the last one deleted; every other round goes
backwards. A row is the median, over the rounds, of the ratio within the round. It takes
3 GB of memory (of TMPDIR, where there is no /dev/shm).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import itertools
import multiprocessing
import os
import platform
import pty
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import rivals
from record import record

for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):  # two processes on two cores: one thread each
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or HERE.parents[2] / "shared" / "data")
MGRKIT = str(Path(sys.executable).with_name("mgrkit"))
NOTHING = [sys.executable, "-c", "pass"]
WORKERS = (1, 2, 4, 16)
Run = Callable[[Path, Path], Any]


class Subject(NamedTuple):
    """Something that turns a folder of WAVs into a folder: how, on how many, with what."""

    run: Run
    few: int
    many: int
    needs: tuple[str, ...] = ()


class Pool:
    """Two spawned processes, started and warmed by the first run's preparation."""

    def __init__(self, function: Callable[[str, str], None], suffix: str) -> None:
        self.function, self.suffix = function, suffix
        self.pool: ProcessPoolExecutor | None = None

    def prepare(self, source: Path, out: Path) -> None:
        if self.pool is None:
            spawn = multiprocessing.get_context("spawn")
            barrier = spawn.Barrier(3, timeout=60)
            clip = str(next(source.iterdir()))
            first = (self.function, clip, str(out / f"warm{self.suffix}"), barrier)
            self.pool = ProcessPoolExecutor(2, spawn, rivals.warm, first)
            for _ in range(2):  # a call for each, or the second process waits for work to start
                self.pool.submit(time.time)
            barrier.wait()

    def __call__(self, source: Path, out: Path) -> None:
        assert self.pool
        sources = [str(path) for path in source.iterdir()]
        targets = [str(out / (Path(path).stem + self.suffix)) for path in sources]
        for _ in self.pool.map(self.function, sources, targets, chunksize=4):
            pass


def ours(*words: str, workers: int = 16) -> Run:
    """A command of mgrkit as its users run it."""

    def run(source: Path, out: Path) -> None:
        places = [str(source), str(out)]
        if words[0] == "features":
            places[1] = str(out / "features.csv")
        elif words[0] == "predict":
            places[1:] = ["--resume", str(out / "done.jsonl"), "--csv"]
        call([MGRKIT, *words, *places, "--workers", str(workers), "--quiet"])

    return run


def at_terminal(*words: str) -> Run:
    """A command as a person sees it, rows and all, at a terminal that reads at once."""

    def run(source: Path, out: Path) -> None:
        leader, follower = pty.openpty()
        asked = [MGRKIT, *words, str(source), "--resume", str(out / "done.jsonl")]
        with subprocess.Popen(asked, stdin=follower, stdout=follower, stderr=follower) as process:
            os.close(follower)
            with contextlib.suppress(OSError):  # the end of a terminal
                while os.read(leader, 65536):
                    pass
        os.close(leader)
        if process.returncode:
            sys.exit(f"{' '.join(asked)} ended with {process.returncode}")

    return run


def call(words: list[str]) -> None:
    """Run a command in this folder, where ``rivals`` can be imported; end when it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=HERE)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\nended with {done.returncode}: {done.stderr}")


SUBJECTS = {  # neighbours are compared with each other
    "specshow": Subject(Pool(rivals.librosa_specshow, ".png"), 10, 54, ("librosa", "matplotlib")),
    "pillow": Subject(Pool(rivals.librosa_pillow, ".png"), 40, 240, ("librosa",)),
    "sox": Subject(rivals.sox_spectrogram, 20, 120, ("sox", "xargs")),
    "mel1": Subject(ours("spectrograms", workers=1), 100, 1000),
    "mel2": Subject(ours("spectrograms", workers=2), 200, 2000),
    "bare": Subject(Pool(rivals.bare_job, ".png"), 200, 2000),
    "mel16": Subject(ours("spectrograms"), 200, 2000),
    "mel4": Subject(ours("spectrograms", workers=4), 200, 2000),
    "stft16": Subject(ours("spectrograms", "--kind", "stft"), 100, 1000),
    "librosa-mfcc": Subject(Pool(rivals.librosa_mfcc, ".png"), 30, 180, ("librosa",)),
    "mfcc16": Subject(ours("spectrograms", "--kind", "mfcc"), 100, 1000),
    "librosa-chroma-stft": Subject(Pool(rivals.librosa_chroma_stft, ".png"), 20, 120, ("librosa",)),
    "chroma-stft16": Subject(ours("spectrograms", "--kind", "chroma-stft"), 60, 460),
    "librosa-chroma-cqt": Subject(Pool(rivals.librosa_chroma_cqt, ".png"), 10, 50, ("librosa",)),
    "chroma-cqt16": Subject(ours("spectrograms", "--kind", "chroma-cqt"), 20, 120),
    "librosa-cqt": Subject(Pool(rivals.librosa_cqt, ".png"), 20, 120, ("librosa",)),
    "cqt16": Subject(ours("spectrograms", "--kind", "cqt"), 60, 460),
    "librosa-tempogram": Subject(Pool(rivals.librosa_tempogram, ".png"), 20, 120, ("librosa",)),
    "tempogram16": Subject(ours("spectrograms", "--kind", "tempogram"), 60, 360),
    "mix": Subject(rivals.sox_mix, 50, 450, ("sox", "xargs")),
    **{f"white{n}": Subject(ours("augment", workers=n), 100, 1000) for n in (1, 2, 4)},
    "white16": Subject(ours("augment"), 200, 2000),
    "gaussian": Subject(Pool(rivals.gaussian_snr, ".wav"), 50, 450, ("audiomentations",)),
    "pink16": Subject(ours("augment", "--noise", "pink"), 100, 1000),
    "color": Subject(Pool(rivals.color_noise, ".wav"), 40, 340, ("audiomentations",)),
    "librosa57": Subject(Pool(rivals.librosa_features, ".json"), 6, 36, ("librosa",)),
    "features16": Subject(ours("features"), 50, 500),
    "bare57": Subject(Pool(rivals.bare_features, ".json"), 50, 500),
    "predict16": Subject(ours("predict", "--model", "svm"), 50, 500),
    "bar": Subject(at_terminal("predict", "--model", "svm", "--workers", "16"), 50, 500),
    "no-bar": Subject(at_terminal("predict", "--model", "svm", "--workers", "16", "-q"), 50, 500),
    "bare-network": Subject(Pool(rivals.bare_network, ".json"), 50, 500),
    "network16": Subject(ours("predict", "--model", "cnn", "--device", "cpu"), 50, 500),
}


class Bench:
    """The files, the rounds, and the seconds per file of each subject in each round."""

    def __init__(self, tmp: Path, data: Path, rounds: int, quick: bool) -> None:
        self.tmp, self.data, self.rounds, self.quick = tmp, data, rounds, quick
        self.times: dict[str, list[float]] = {}
        self.clips = list(convert(data / "gtzan" / "clips", tmp / "clips"))

    def files(self, count: int) -> Path:
        """A folder of ``count`` WAVs: hard links to the clips, over and over."""
        folder = self.tmp / f"{count}-files"
        if not folder.is_dir():
            folder.mkdir()
            for number, clip in zip(range(count), itertools.cycle(self.clips), strict=False):
                os.link(clip, folder / f"{clip.stem.partition('.')[0]}.{number:05d}.wav")
        return folder

    def empty(self) -> Path:
        out = self.tmp / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return out

    def counts(self, name: str) -> tuple[int, int]:
        _, few, many, _ = SUBJECTS[name]
        return (max(4, few // 5), max(24, many // 5)) if self.quick else (few, many)

    def measure(self, names: Iterable[str]) -> None:
        """Fill ``times`` with a number per round for each subject that is here."""
        here = [name for name in SUBJECTS if name in names and not missing(SUBJECTS[name].needs)]
        self.times = {name: [] for name in here}
        for turn in range(self.rounds):
            for name in here if turn % 2 == 0 else reversed(here):
                few, many = self.counts(name)
                spent = [self.seconds(SUBJECTS[name].run, count) for count in (few, many)]
                self.times[name].append((spent[1] - spent[0]) / (many - few))
                shown = f"{self.times[name][-1] * 1000:.2f} ms a file"
                print(f"round {turn + 1}: {name} {shown}", file=sys.stderr, flush=True)

    def seconds(self, run: Run, count: int) -> float:
        """The time of one call on ``count`` files; each must have become a file or a row."""
        source, out = self.files(count), self.empty()
        if isinstance(run, Pool):
            run.prepare(source, self.tmp)
        begin = time.perf_counter()
        run(source, out)
        spent = time.perf_counter() - begin
        made = sum(path.suffix in {".png", ".wav", ".json"} for path in out.rglob("*"))
        if (table := out / "features.csv").exists():
            made = len(table.read_text().splitlines()) - 1
        if (journal := out / "done.jsonl").exists():
            made = journal.read_text().count('{"done"')
        if made != count:
            sys.exit(f"{made} outputs of {count} files in {out}")
        return spent


def convert(source: Path, target: Path) -> Iterable[Path]:
    """The clips as 16-bit WAV, and beside the folders a file of white noise as long."""
    import numpy as np
    import soundfile

    target.mkdir()
    frames = 0
    for clip in sorted(source.glob("*.flac")):
        sound, rate = soundfile.read(clip, dtype="int16")
        frames = max(frames, len(sound))
        soundfile.write(target / f"{clip.stem}.wav", sound, rate, subtype="PCM_16")
        yield target / f"{clip.stem}.wav"
    if not frames:
        sys.exit(f"no clips in {source} (MGRKIT_TEST_DATA, or --data)")
    noise = np.random.default_rng(0).normal(0, 1000, frames).astype(np.int16)
    soundfile.write(target.parent / "noise.wav", noise, rivals.RATE, subtype="PCM_16")


def missing(needs: Iterable[str]) -> bool:
    """Whether one of the programs or packages is not installed."""
    return any(not shutil.which(need) and not importlib.util.find_spec(need) for need in needs)


def ratio(over: str, under: str, bench: Bench) -> str:
    """The median of ``over`` / ``under``, its range, and the times per file behind it."""
    if over not in bench.times or under not in bench.times:
        return "not here"
    ratios = [a / b for a, b in zip(bench.times[over], bench.times[under], strict=True)]
    slow, fast = (median(bench.times[name]) * 1000 for name in (over, under))
    return (
        f"**{median(ratios):.2f} x** ({min(ratios):.2f} to {max(ratios):.2f}; "
        f"{slow:.2f} and {fast:.2f} ms)"
    )


def best_count(bench: Bench) -> str:
    names = [f"mel{count}" for count in WORKERS]
    return ratio("mel16", min(names, key=lambda name: median(bench.times[name])), bench)


def peaks(bench: Bench) -> str:
    """Peak memory and time of whole calls with 16 workers on ever more files."""
    if not Path("/proc/self/status").exists():
        return "not here"
    cells = []
    for count in (100, 1000) if bench.quick else (100, 1000, 10000):
        source, out = bench.files(count), bench.empty()
        words = [MGRKIT, "spectrograms", str(source), str(out), "--workers", "16", "--quiet"]
        begin, peak = time.perf_counter(), 0
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            peak = max(peak, rivals.peak_memory(process.pid))
            time.sleep(0.02)
        spent = time.perf_counter() - begin
        if process.returncode:
            sys.exit(f"{' '.join(words)} ended with {process.returncode}")
        cells.append(
            f"{count:,} files: **{peak / 1e6:.0f} MB**, {spent / count * 1000:.2f} ms each"
        )
    return "; ".join(cells)


def trivial(bench: Bench) -> str:
    """Engine, journal and table per item, from two counts of items that do nothing."""
    few, many = (2_000, 20_000) if bench.quick else (10_000, 100_000)
    times, sizes = [], []
    for _ in range(bench.rounds):
        results = []
        for count in (few, many):
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
                results.append(pool.submit(rivals.engine, str(bench.empty()), count).result())
        times.append((results[1][0] - results[0][0]) / (many - few))
        sizes.append((results[1][1] - results[0][1]) / (many - few))
    return f"**{median(times) * 1e6:.0f} microseconds, {median(sizes):.0f} bytes** an item"


def starts(bench: Bench, *, over: list[str], under: list[str], runs: int) -> str:
    """The median of the ratios of two commands' times, each in a new process, in turns."""
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        for times, asked in zip(spent, (over, under), strict=True):
            out = bench.empty()
            here = [word.format(clip=bench.clips[0], one=bench.files(1), out=out) for word in asked]
            begin = time.perf_counter()
            call(here)
            times.append(time.perf_counter() - begin)
    ratios = [first / second for first, second in zip(*spent, strict=True)]
    first, second = (median(times) * 1000 for times in spent)
    return f"**{median(ratios):.1f} x** ({first:.0f} and {second:.0f} ms)"


def first_picture(bench: Bench) -> str:
    if missing(("librosa",)):
        return "not here"
    script = "import rivals; rivals.librosa_pillow(r'{clip}', r'{out}/1.png')"
    picture = [MGRKIT, "spectrograms", "{one}", "{out}", "--quiet"]
    return starts(bench, over=[sys.executable, "-c", script], under=picture, runs=bench.rounds)


def tags(bench: Bench) -> str:
    """Artists of a thousand songs, by our readers and from opened containers, in turns."""
    from mgrkit.audio.pyav import open_container
    from mgrkit.audio.tags.artist import artist_tag

    def container_artist(path: Path) -> str:
        with open_container(path) as container:
            return container.metadata.get("artist", "")

    songs = [path for path in sorted((bench.data / "fma" / "clips").iterdir())
             if artist_tag(path)]  # fmt: skip
    songs += sorted((bench.data / "songs").glob("*.ogg"))
    for _ in range(bench.rounds):
        for read in (container_artist, artist_tag):
            begin = time.perf_counter()
            for song in itertools.islice(itertools.cycle(songs), 1000):
                read(song)
            spent = (time.perf_counter() - begin) / 1000
            bench.times.setdefault(read.__name__, []).append(spent)
    return ratio("container_artist", "artist_tag", bench)


class Row(NamedTuple):
    """A line of the table: what, asked for at least and aimed at, how found, from what."""

    what: str
    asked: str
    find: Callable[[Bench], str]
    subjects: tuple[str, ...] = ()


def against(what: str, asked: str, over: str, under: str) -> Row:
    return Row(what, asked, partial(ratio, over, under), (over, under))


ROWS = {
    "specshow": against("mel pictures against librosa + specshow + savefig, two warm processes",
                        "18 x / 22 x", "specshow", "mel16"),
    "pillow": against("mel pictures against librosa melspectrogram + Pillow, two warm processes",
                      "2.7 x / 3.3 x", "pillow", "mel16"),
    "sox": against("mel pictures against `xargs -P2 sox -n spectrogram -r -x 1292 -y 1025`",
                   "7 x / 8.5 x", "sox", "mel16"),
    "stft": against("stft pictures against that same sox", "4.5 x / 5.5 x", "sox", "stft16"),
    **{kind: against(f"{kind} pictures against librosa + Pillow, two warm processes", asked,
                     f"librosa-{kind}", f"{kind}16")
       for kind, asked in (("mfcc", "3 x / 5 x"), ("chroma-stft", "3 x / 5 x"),
                           ("cqt", "1 x / 1.5 x"), ("chroma-cqt", "1 x / 1.5 x"),
                           ("tempogram", "1 x / 1.5 x"))},
    "bare": against("engine against a bare pool of two processes over the same function",
                    "at most 1.10 x / 1.03 x", "mel16", "bare"),
    "workers": Row("16 workers against the best count", "at most 1.05 x / 1.03 x", best_count,
                   tuple(f"{kind}{count}" for kind in ("mel", "white") for count in WORKERS)),
    "mix": against("white copies against `xargs -P2 sox -m` with a ready noise file",
                   "3 x / 4 x", "mix", "white16"),
    "gaussian": against("white copies against AddGaussianSNR, two warm processes",
                        "2.6 x / 3.5 x", "gaussian", "white16"),
    "color": against("pink copies against AddColorNoise, two warm processes",
                     "2.2 x / 2.7 x", "color", "pink16"),
    "features": against("57 features against librosa's functions, two warm processes",
                        "6 x", "librosa57", "features16"),
    "predict": against("`mgrkit predict` against two warm processes that decode and describe",
                       "at most 1.3 x", "predict16", "bare57"),
    "bar": against("`mgrkit predict` at a terminal with its bar against --quiet", "at most 1.02 x",
                   "bar", "no-bar"),
    "network": against("`mgrkit predict --model cnn` against two warm processes that decode, draw "
                       "and pass forward", "at most 1.5 x", "network16", "bare-network"),
    "tags": Row("artists of 1,000 tagged songs against opening each as a container",
                "2 x", tags),
    "memory": Row("peak memory at 16 workers, time of the whole call",
                  "150 MB / 110 MB, flat", peaks),
    "engine": Row("engine with a trivial job, journal and table included",
                  "60 microseconds, 200 bytes / 40", trivial),
    "help": Row("`mgrkit --help` against bare `python -c pass`", "at most 8 x / 6 x",
                partial(starts, over=[MGRKIT, "--help"], under=NOTHING, runs=15)),
    "first": Row("first picture from a new process against librosa + Pillow's",
                 "4 x / 7 x", first_picture),
}  # fmt: skip


def print_by_workers(bench: Bench) -> None:
    print("\n| workers | mel picture | white copy |\n|---|---|---|")
    for count in WORKERS:
        mel, white = (median(bench.times[f"{kind}{count}"]) for kind in ("mel", "white"))
        print(f"| {count} | {mel * 1000:.2f} ms | {white * 1000:.2f} ms |")


def conditions(bench: Bench) -> str:
    versions = [f"{name} {importlib.metadata.version(name)}"
                for name in ("mgrkit", "numpy", "librosa", "audiomentations")
                if not missing((name,))]  # fmt: skip
    counts = ", ".join(f"{name} {few}-{many}" for name in bench.times if name in SUBJECTS
                       for few, many in [bench.counts(name)])  # fmt: skip
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, "
        f"{', '.join(versions)}; {len(bench.clips)} clips of 30 s; medians of {bench.rounds} "
        f"rounds (range; time per file of each). Files: {counts or '-'}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer files, three rounds")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of real data")
    parser.add_argument("--rounds", type=int, help="default 5, or 3 with --quick")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS), metavar="NAME",
                        help=f"of {', '.join(ROWS)}")  # fmt: skip
    parser.add_argument("--record", action="store_true", help="put them into docs/figures.csv")
    asked = parser.parse_args()
    ram = Path("/dev/shm")  # where there is one, no disk counts for anybody
    with tempfile.TemporaryDirectory(
        prefix="mgrkit-bench-", dir=ram if ram.is_dir() else None
    ) as tmp:
        bench = Bench(Path(tmp), asked.data, asked.rounds or (3 if asked.quick else 5), asked.quick)
        bench.measure({name for row in asked.only for name in ROWS[row].subjects})
        print("| | at least / aim | measured |\n|---|---|---|", flush=True)
        found = []
        for name in asked.only:
            row = ROWS[name]
            found.append((row.what, row.asked, row.find(bench)))
            print(f"| {' | '.join(found[-1])} |", flush=True)
        if asked.record:
            record("speed", found)
        if "workers" in asked.only:
            print_by_workers(bench)
        print(f"\n{conditions(bench)}")


if __name__ == "__main__":
    main()
