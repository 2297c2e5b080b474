"""What the benchmark compares with: each a module-level function of (source, target).

Every one does what its users do, with nothing slow put in and nothing needed left out.
Imports are inside, so that a new process pays only for what it uses.
"""

from __future__ import annotations

import asyncio
import functools
import json
import subprocess
import time
from pathlib import Path
from typing import Any

RATE = 22050


def bare_job(source: str, target: str) -> None:
    """The work of ``mgrkit spectrograms`` on one file, without the engine around it."""
    from mgrkit.audio import open_sound, pieces
    from mgrkit.frontend import FrontEnd
    from mgrkit.spectrograms import render, write_png

    frontend = FrontEnd()
    with open_sound(source) as sound:
        for piece in pieces(sound, frontend.rate):
            write_png(target, render(piece.samples, frontend), frontend, Path(source).name)


def librosa_specshow(source: str, target: str) -> None:
    """The recipe of the tutorials: a figure, ``specshow``, ``savefig``."""
    import librosa
    import librosa.display
    import matplotlib as mpl
    import numpy as np

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    sound, rate = librosa.load(source, sr=RATE)
    power = librosa.feature.melspectrogram(y=sound, sr=rate)
    figure, axes = plt.subplots()
    librosa.display.specshow(
        librosa.power_to_db(power, ref=np.max), sr=rate, x_axis="time", y_axis="mel", ax=axes
    )
    figure.savefig(target)
    plt.close(figure)


def librosa_pillow(source: str, target: str) -> None:
    """librosa's decibels as an 8-bit picture, one pixel per band and frame."""
    import librosa
    import numpy as np
    from PIL import Image

    sound, rate = librosa.load(source, sr=RATE)
    power = librosa.feature.melspectrogram(y=sound, sr=rate)
    decibels = librosa.power_to_db(power, ref=np.max)
    Image.fromarray(np.rint((decibels[::-1] + 80) * (255 / 80)).astype(np.uint8)).save(target)


def _librosa_drawn(source: str, target: str, kind: str) -> None:
    """librosa's function of a kind as an 8-bit picture: of decibels, of shares, or about zero."""
    import librosa
    import numpy as np
    from PIL import Image

    sound, rate = librosa.load(source, sr=RATE)
    if kind == "cqt":
        found = librosa.amplitude_to_db(np.abs(librosa.cqt(sound, sr=rate)), ref=np.max)
        shown = (found + 80) * (255 / 80)
    else:
        found = getattr(librosa.feature, kind)(y=sound, sr=rate)
        largest = np.abs(found).max(axis=1, keepdims=True)
        shown = 127.5 * (1 + found / largest) if kind == "mfcc" else 255 * found
    Image.fromarray(np.rint(shown[::-1]).clip(0, 255).astype(np.uint8)).save(target)


def librosa_mfcc(source: str, target: str) -> None:
    _librosa_drawn(source, target, "mfcc")


def librosa_chroma_stft(source: str, target: str) -> None:
    _librosa_drawn(source, target, "chroma_stft")


def librosa_chroma_cqt(source: str, target: str) -> None:
    _librosa_drawn(source, target, "chroma_cqt")


def librosa_cqt(source: str, target: str) -> None:
    _librosa_drawn(source, target, "cqt")


def librosa_tempogram(source: str, target: str) -> None:
    _librosa_drawn(source, target, "tempogram")


def librosa_features(source: str, target: str) -> None:
    """The 57 numbers by librosa's functions one after the other, as the tutorials have it."""

    import librosa
    import numpy as np

    sound, rate = librosa.load(source, sr=RATE)
    spectrum = librosa.stft(sound)
    halves = [librosa.istft(half) for half in librosa.decompose.hpss(spectrum)]
    curves = [
        librosa.feature.chroma_stft(y=sound, sr=rate),
        librosa.feature.rms(y=sound),
        librosa.feature.spectral_centroid(y=sound, sr=rate),
        librosa.feature.spectral_bandwidth(y=sound, sr=rate),
        librosa.feature.spectral_rolloff(y=sound, sr=rate),
        librosa.feature.zero_crossing_rate(sound),
        *halves,
        *librosa.feature.mfcc(y=sound, sr=rate, n_mfcc=20),
    ]
    tempo, _ = librosa.beat.beat_track(y=sound, sr=rate)
    numbers = [float(moment(curve)) for curve in curves for moment in (np.mean, np.var)]
    Path(target).write_text(json.dumps([*numbers, float(np.atleast_1d(tempo)[0])]))


def sox_spectrogram(source: Path, target: Path) -> None:
    """sox, two processes at a time, a raw picture of the size of ours for ``stft``."""
    _xargs(source, "sox", "{}", "-n", "spectrogram", "-r", "-x", "1292", "-y", "1025", "-o",
           f"{target}/{{}}.png")  # fmt: skip


def sox_mix(source: Path, target: Path) -> None:
    """sox, two processes at a time, mixing each file with a ready file of white noise."""
    noise = source.parent / "noise.wav"
    _xargs(source, "sox", "-m", "-v", "1", "{}", "-v", "1", str(noise), f"{target}/{{}}")


def _xargs(source: Path, *command: str) -> None:
    names = "\n".join(path.name for path in source.iterdir())
    subprocess.run(
        ["xargs", "-P2", "-I{}", *command],
        input=names, text=True, cwd=source, check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def gaussian_snr(source: str, target: str) -> None:
    """audiomentations: white noise at 10 dB."""
    _audiomentations("AddGaussianSNR", source, target)


def color_noise(source: str, target: str) -> None:
    """audiomentations: pink noise at 10 dB."""
    _audiomentations("AddColorNoise", source, target, min_f_decay=-3.01, max_f_decay=-3.01)


def _audiomentations(name: str, source: str, target: str, **colour: float) -> None:
    import audiomentations
    import soundfile

    augment = getattr(audiomentations, name)(min_snr_db=10, max_snr_db=10, p=1, **colour)
    sound, rate = soundfile.read(source, dtype="float32")
    soundfile.write(target, augment(sound, rate), rate, subtype="PCM_16")


def bare_features(source: str, target: str) -> None:
    """Our own decoding and features, and nothing around them."""
    from mgrkit.audio import open_sound, pieces
    from mgrkit.features.sets.gtzan57 import gtzan57

    with open_sound(source) as sound:
        rows = [gtzan57(piece.samples).tolist() for piece in pieces(sound, RATE)]
    Path(target).write_text(json.dumps(rows))


def bare_network(source: str, target: str) -> None:
    """Our own decoding, front end and forward passes, and nothing around them."""
    import numpy as np

    from mgrkit.audio import open_sound, pieces

    model = _network()
    with open_sound(source) as sound:
        drawn = [model.only.input.piece(piece.samples, RATE) for piece in pieces(sound, RATE)]
    x = np.concatenate([model.only.input.examples(values) for values in drawn])
    Path(target).write_text(json.dumps(model.only.classifier.predict_proba(x).tolist()))


@functools.cache
def _network() -> Any:
    import mgrkit

    return mgrkit.load("cnn", device="cpu")


def warm(function: Any, source: str, target: str, barrier: Any) -> None:
    """Start a worker of a warm pool: run once, then wait for the other worker."""
    function(source, target)
    barrier.wait()


def trivial_job(item: Any, work: Any) -> Any:
    """The least a job can do: a row."""
    from mgrkit.batch import Output

    return [Output({"path": item.key})]


def engine(out: str, count: int) -> tuple[float, int]:
    """``count`` trivial items through engine, journal and table: s, and bytes of peak memory.

    To be called in a new process, since a peak never falls.
    """
    from mgrkit import batch

    items = (batch.Item(f"folder/{k:08d}.png", "", {}) for k in range(count))
    begin = time.perf_counter()
    sink = batch.FolderSink(Path(out), {})
    columns = ["path", "status", "reason"]
    summary = asyncio.run(batch.run(items, trivial_job, sink, columns, batch.Options(workers=16)))
    seconds = time.perf_counter() - begin
    if summary.made != count:
        raise RuntimeError(f"{summary.made} of {count} trivial items made")
    return seconds, peak_memory("self")


def peak_memory(process: int | str) -> int:
    """The largest resident memory of a process and those it started so far, in bytes (Linux)."""
    folder = Path("/proc") / str(process)
    try:
        status = (folder / "status").read_text()
        children = [child for task in folder.glob("task/*/children")
                    for child in task.read_text().split()]  # fmt: skip
    except OSError:
        return 0  # it has ended
    own = int(status.partition("VmHWM:")[2].split()[0]) * 1024 if "VmHWM:" in status else 0
    return own + sum(peak_memory(child) for child in children)
