"""How well mgrkit learns and how fast it answers: ``python tests/bench/learning.py``.

Prints the rows of the README's second table of figures: accuracies by ``mgrkit train`` on the
Kaggle table (its train part, scored on valid), agreement of sound and table, waiting times of
new processes, the cost of the contract checks, and the coverage of the intervals. With
``--weights FILE``, the wheel of musicnn or what its cache keeps, also how a head on musicnn takes
real clips and the sounds of `no_music`; ``--head`` prints only what concerns heads.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

import no_music
from record import record

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
MGRKIT = str(Path(sys.executable).with_name("mgrkit"))
SEEDS = (0, 1, 2)
SONG_SECONDS = 120
HEAD = ("logistic_regression", DATA / "gtzan" / "msd_musicnn_tags_train.csv.gz",
        "--set", "musicnn-tags:mean-sd", "--split", "published")  # fmt: skip
EACH = 6
"""Sounds of each kind that is no music: two at each level."""


def told(*words: object) -> Any:
    """What a command of mgrkit prints as JSON."""
    done = subprocess.run([MGRKIT, *map(str, words), "--json"], capture_output=True, text=True)
    if done.returncode and not (done.returncode == 1 and done.stdout):  # some items failed
        sys.exit(f"mgrkit {' '.join(map(str, words))}: {done.stderr}")
    return json.loads(done.stdout)


def accuracies(tmp: Path) -> Iterator[tuple[str, str, str]]:
    """Of each classical classifier with its defaults, over the seeds."""
    table = DATA / "gtzan" / "features_30_sec.csv"
    for name, asked in (("svm", "0.46"), ("random_forest", "-"), ("logistic_regression", "-")):
        out = tmp / f"{name}.safetensors"
        runs = [
            told("train", name, table, "--out", out, "--replace", "--seed", seed)["metrics"]
            for seed in SEEDS
        ]
        each = " ".join(f"{run['accuracy']:.3f}" for run in runs)
        values = {key: mean(run[key] for run in runs) for key in ("accuracy", "macro_f1", "ece")}
        folds = {key: mean(run["folds"][key] for run in runs) for key in ("accuracy", "ece")}
        low, high = runs[0]["accuracy_low"], runs[0]["accuracy_high"]
        measured = (
            f"**{values['accuracy']:.3f}** ({each}; 95 % {low:.2f} to {high:.2f}), "
            f"macro F1 {values['macro_f1']:.3f}, calibration error {values['ece']:.3f}; "
            f"folds of train {folds['accuracy']:.3f} and {folds['ece']:.3f}; "
            f"{out.stat().st_size / 1e6:.2f} MB"
        )
        yield f"{name}, accuracy on valid, three seeds", asked, measured


def heads(tmp: Path) -> Iterator[tuple[str, str, str]]:
    """Of the linear head on the stored tags of train, over the seeds; keeps ``head0`` and more."""
    runs = []
    for seed in SEEDS:
        out = tmp / f"head{seed}.safetensors"
        runs.append(told("train", *HEAD, "--out", out, "--replace", "--seed", seed)["metrics"])
    each = " ".join(f"{run['accuracy']:.3f}" for run in runs)
    low, high = runs[0]["accuracy_low"], runs[0]["accuracy_high"]
    measured = (
        f"**{mean(run['accuracy'] for run in runs):.3f}** ({each}; 95 % {low:.2f} to {high:.2f}), "
        f"macro F1 {mean(run['macro_f1'] for run in runs):.3f}"
    )
    yield "logistic_regression on musicnn-tags, folds of train, three seeds", "0.76", measured
    error = f"**{mean(run['ece'] for run in runs):.3f}**"
    yield "the same, calibration error out of fold", "0.08", error


def unsure(tmp: Path) -> Iterator[tuple[str, str, str]]:
    """How often the heads are unsure of made sound, and of valid's clips."""
    import numpy as np
    import soundfile

    kinds = {}
    made = tmp / "made"
    made.mkdir()
    for kind, name, samples in no_music.sounds(EACH):
        path = made / f"{name.replace(' ', '_')}.wav"
        soundfile.write(path, samples, no_music.RATE, "PCM_16")
        kinds[path.name] = kind
    for number in range(3):
        length = (number + 1) * 10 * no_music.RATE
        soundfile.write(made / f"silent{number}.wav", np.zeros(length, np.float32), no_music.RATE)
    clips, known = DATA / "gtzan" / "clips", _valid_clips()
    for seed in SEEDS:
        head = tmp / f"head{seed}.safetensors"
        rows = told("predict", made, "--model", head)
        refused = [row["error"] for row in rows if "error" in row]
        verdicts = {Path(row["path"]).name: row["unsure"] for row in rows if "error" not in row}

        def share(wanted: Callable[[str], bool], verdicts: dict[str, bool] = verdicts) -> str:
            those = [verdict for name, verdict in verdicts.items() if wanted(kinds[name])]
            return f"{sum(those)} of {len(those)}"

        halves = [share(lambda kind, half=half: no_music.HALVES[kind] == half) for half in (0, 1)]
        measured = (
            f"**{100 * mean(verdicts.values()):.0f} %**: noise "
            f"{share(lambda kind: kind not in no_music.SPEECH)}, speech-like "
            f"{share(lambda kind: kind in no_music.SPEECH)}; kinds that were looked at "
            f"{halves[0]}, kinds kept apart {halves[1]}; of {len(refused)} files, all zeros, "
            f"{sum(error.startswith('silent') for error in refused)} refused as silent"
        )
        yield f"unsure of what is no music, seed {seed}", "80 %", measured
        rows = told("predict", clips, "--model", head)
        told_of = [row for row in rows if Path(row["path"]).stem in known]
        right = sum(row["genre"] == known[Path(row["path"]).stem] for row in told_of)
        measured = f"{sum(row['unsure'] for row in told_of)} of {len(told_of)}, {right} right"
        yield f"unsure of clips of valid, seed {seed}", "-", measured


def _valid_clips() -> dict[str, str]:
    """Genre by track."""
    with (DATA / "gtzan" / "clips_manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "valid"]
    return {row["track"]: row["genre"] for row in rows}


def agreement(tmp: Path) -> tuple[str, str, str]:
    """The shipped model on the clips' sound and on their rows of the table."""
    clips = sorted((DATA / "gtzan" / "clips").glob("*.flac"))
    wanted = {f"{clip.stem}.wav" for clip in clips}
    with (DATA / "gtzan" / "features_30_sec.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["filename"] in wanted]
    by_table = _verdicts_on(rows)
    by_sound = {
        Path(row["path"]).stem: row["genre"]
        for row in told("predict", clips[0].parent, "--model", "svm")
    }
    same = sum(by_sound[name] == genre for name, genre in by_table.items())
    return "the same genre from sound as from the table", "42 of 44", f"**{same} of {len(clips)}**"


def _verdicts_on(rows: Sequence[dict[str, str]]) -> dict[str, str]:
    import numpy as np

    import mgrkit

    model = mgrkit.load("svm")
    x = np.array([[float(row[name]) for name in model.bundle.task.columns] for row in rows])
    best = model.only.classifier.predict_proba(x.astype(np.float32)).argmax(1)
    return {Path(row["filename"]).stem: model.labels[k] for row, k in zip(rows, best, strict=True)}


def likeness() -> tuple[str, str, str]:
    """The shipped network on the clips' sound and on the public pictures of them."""
    import mgrkit
    from mgrkit.spectrograms import read_picture

    model = mgrkit.load("cnn")
    clips = sorted((DATA / "gtzan" / "clips").glob("*.flac"))
    same = 0
    for clip in clips:
        genre, number = clip.stem.split(".")
        picture = read_picture(DATA / "gtzan" / "images_original" / genre / f"{genre}{number}.png")
        x = model.only.input.examples(picture.values.T)
        best = model.only.classifier.predict_proba(x).mean(0).argmax()
        same += model.labels[best] == model.predict(clip)["genre"]
    what = "the same genre from sound as from the public picture, cnn"
    return what, "42 of 44", f"**{same} of {len(clips)}**"


def ears_agreement() -> tuple[str, str, str]:
    """The shipped head on our tags and on those of the original network."""
    import mgrkit
    from mgrkit.datasets.reading import read_dataset
    from mgrkit.inputs.kinds import Features

    model = mgrkit.load("musicnn")
    assert isinstance(model.only.input, Features)
    stored = read_dataset(HEAD[1], model.only.input)
    best = model.only.classifier.predict_proba(stored.x).argmax(1)
    names = [Path(entry.name).stem for entry in stored.entries]
    by_table = {name: model.labels[k] for name, k in zip(names, best, strict=True)}
    clips = [c for c in (DATA / "gtzan" / "clips").glob("*.flac") if c.stem in by_table]
    same = sum(model.predict(clip)["genre"] == by_table[clip.stem] for clip in clips)
    what = "the same genre from our tags as from the original network's, musicnn"
    return what, f"{len(clips) - 1} of {len(clips)}", f"**{same} of {len(clips)}**"


def song(tmp: Path) -> Path:
    """Two minutes of a real song as MP3."""
    import soundfile

    whole = DATA / "songs" / "templeos_hymn_risen_remix.mp3"
    sound, rate = soundfile.read(whole, dtype="float32")
    path = tmp / "song.mp3"
    soundfile.write(path, sound[: SONG_SECONDS * rate], rate)
    return path


def waiting(*words: object, runs: int = 11) -> str:
    """The median time of a new process."""
    spent = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run([MGRKIT, *map(str, words)], check=True, capture_output=True)
        spent.append(time.perf_counter() - begin)
    return f"**{median(spent):.2f} s** ({min(spent):.2f} to {max(spent):.2f})"


def delay(model: str, most: str, path: Path) -> tuple[str, str, str]:
    """How long a new process takes to tell the genre of a song."""
    what = f"`mgrkit predict song.mp3 --model {model}`, {SONG_SECONDS} s, new process"
    return what, most, waiting("predict", path, "--model", model)


def contract() -> str:
    """The seconds that the contract checks take, imports apart."""
    code = (
        "import time, sklearn.svm, sklearn.tree, torch\n"
        "from mgrkit.testing import contract\n"
        "for name, how in (('svm', {}), ('random_forest', {'trees': 20}), ('random_forest', {}),\n"
        "                  ('logistic_regression', {})):\n"
        "    begin = time.perf_counter()\n"
        "    assert not contract.failures(name, parameters=how)\n"
        "    told = ', '.join(f'{k} {v}' for k, v in how.items()) or 'defaults'\n"
        "    print(f'{name} ({told}) **{time.perf_counter() - begin:.1f} s**')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return ", ".join(done.stdout.splitlines())


def coverage(tables: int) -> str:
    """How often the interval holds the truth, over simulated tables of artists and tracks."""
    import numpy as np

    from mgrkit.learning.metrics import interval

    random = np.random.default_rng(0)
    cells = []
    for likeness in (0.0, 0.1, 0.3):
        held = 0
        for number in range(tables):
            truth = random.uniform(0.3, 0.95)
            artists = random.integers(20, 151)
            groups = np.repeat(np.arange(artists), random.integers(1, 21, artists))
            if likeness:
                shape = 1 / likeness - 1
                of_artist = random.beta(truth * shape, (1 - truth) * shape, artists)
            else:
                of_artist = np.full(artists, truth)
            right = random.random(len(groups)) < of_artist[groups]
            low, high = interval(right, groups.tolist(), number)
            held += low <= truth <= high
        cells.append(f"**{100 * held / tables:.1f} %** at {likeness:g}")
    return f"{', '.join(cells)} (correlation within artists; {tables} tables each)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tables", type=int, default=1000, help="simulated for the coverage")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of musicnn, for its head")
    parser.add_argument("--head", action="store_true", help="only the head on musicnn")
    parser.add_argument("--record", action="store_true", help="put them into docs/figures.csv")
    asked = parser.parse_args()
    print("| | asked | measured |\n|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="mgrkit-bench-") as folder:
        tmp = Path(folder)
        os.environ["MGRKIT_CACHE"] = str(tmp / "cache")
        rows = [*heads(tmp)]
        path = song(tmp)
        if asked.weights:
            told("models", "fetch", "musicnn", "--weights", asked.weights)
            rows += [*unsure(tmp), ears_agreement(), delay("musicnn", "-", path)]
        if asked.head:
            show(rows, recorded=asked.record)
            return
        rows += [*accuracies(tmp), agreement(tmp), likeness()]
        rows += [delay("svm", "1.5 s", path), delay("cnn", "3.5 s", path)]
        rows += [
            (f"`mgrkit {name}`, new process", "0.3 s", waiting(name))
            for name in ("classifiers", "plugins")
        ]
        rows.append(("contract checks, imports apart", "2 s", contract()))
        rows.append(("intervals that hold the truth", "93-97 %", coverage(asked.tables)))
        show(rows, recorded=asked.record)


def show(rows: Sequence[tuple[str, str, str]], *, recorded: bool) -> None:
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
    if recorded:
        record("learning", rows)


if __name__ == "__main__":
    main()
