"""What the port of musicnn costs and how true it is.

``python tests/bench/pretrained.py --weights FILE``, with the safetensors file that ``mgrkit
models fetch musicnn`` keeps. All times are seconds of CPU on one thread.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from mgrkit_pretrained.layout import FRAME_SECONDS, HOP, WINDOW
from mgrkit_pretrained.musicnn import Tags
from mgrkit_pretrained.network import Network
from safetensors.numpy import load_file

from mgrkit.features.windows import windows
from tests.bench.record import record
from tests.parity.test_musicnn_parity import clips, samples_of
from tests.plugins.made_checkpoint import plain

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
HOPS = (HOP, 2 * HOP, WINDOW)
_FASTEST = 8
"""Windows that torch takes at once on a CPU: more do not fit its cache."""


def seconds(work: Callable[[], object]) -> float:
    """Of CPU, of the whole process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def correlation(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])


def agreement(embedder: Tags) -> tuple[str, str, str]:
    """With the tags that the original gave; the row of figures."""
    correlations, largest, mean = [], [], []
    for clip, wanted in clips(DATA).items():
        (told,) = embedder.embed([embedder.prepare(samples_of(clip))])
        correlations.append(correlation(told, wanted))
        largest.append(float(np.abs(told - wanted).max()))
        mean.append(float(np.abs(told - wanted).mean()))
    lowest = min(correlations)
    print(f"{len(correlations)} clips against the original's tags, window by window:")
    print(f"  correlation: median {median(correlations):.4f}, lowest {lowest:.4f}")
    print(f"  absolute difference: mean {np.mean(mean):.5f}, of a clip at most {max(mean):.5f}, "
          f"of a value at most {max(largest):.3f}")  # fmt: skip
    return (
        f"our musicnn against the original's tags of {len(correlations)} clips, correlation",
        "median 0.995, none below 0.95",
        f"median **{median(correlations):.4f}**, lowest **{lowest:.4f}**",
    )


def costs(embedder: Tags, arrays: dict[str, np.ndarray]) -> list[tuple[str, str, str]]:
    """By turns, so that other work on the machine meets all of them; the rows of figures."""
    by_torch = Network(arrays, "cpu")
    parts = ("decode, resample", "log-mel", "network", "network in torch", "plain network")
    taken: dict[str, list[float]] = {part: [] for part in parts}
    apart = {"tags": 0.0, "penultimate": 0.0, "pool": 0.0}
    last = dict(apart)
    for clip in list(clips(DATA))[:10]:
        samples = samples_of(clip)
        levels = embedder.prepare(samples)
        # Other pieces, so that nothing is kept of these.
        embedder.prepare(samples[::-1])
        taken["decode, resample"].append(seconds(lambda clip=clip: samples_of(clip)))
        taken["log-mel"].append(seconds(lambda samples=samples: embedder.prepare(samples)))
        taken["network"].append(seconds(lambda levels=levels: embedder.embed([levels])))
        cut = windows(levels, WINDOW, HOP)
        before = time.process_time()
        for first in range(0, len(cut), _FASTEST):
            by_torch.of_windows(cut[first : first + _FASTEST])
        taken["network in torch"].append(time.process_time() - before)
        before = time.process_time()
        wanted = plain(arrays, cut)
        taken["plain network"].append(time.process_time() - before)
        [rows], [others] = embedder._ears.layers([levels]), by_torch([levels])
        for layer in apart:
            values, scale = getattr(rows, layer), np.maximum(1, np.abs(wanted[layer]))
            apart[layer] = max(apart[layer], float((np.abs(values - wanted[layer]) / scale).max()))
            off = np.abs(values - getattr(others, layer)) / scale
            last[layer] = max(last[layer], float(off.max()))
    print("a clip of 30 s on one core, medians of 10:")
    middle = {part: median(times) for part, times in taken.items()}
    for part, value in middle.items():
        print(f"  {part}: {value:.3f} s")
    whole, before = (middle["decode, resample"] + middle["log-mel"] + middle[network]
                     for network in ("network", "network in torch"))  # fmt: skip
    print(f"  all in all: {whole:.3f} s, with torch's network {before:.3f} s")
    for name, found in (("plain network", apart), ("network in torch", last)):
        differences = ", ".join(f"{layer} {value:.1e}" for layer, value in found.items())
        print(f"  network and {name} differ by at most: {differences}")
    naive = before - middle["network in torch"] + middle["plain network"]
    cost = "musicnn, CPU of one core for a 30 s clip, decoding included"
    against = f"{cost}, against the network in torch"
    alone = middle["network"] / middle["network in torch"]
    return [
        (cost, "0.5 s", f"**{whole:.3f} s** (a plain torch port of the network: {naive:.1f} s)"),
        (against, "0.50 x", f"**{whole / before:.2f} x** (the network alone {alone:.2f} x)"),
        (
            "tags of musicnn in NumPy against those in torch, largest difference",
            "1e-4",
            f"**{last['tags']:.1e}**",
        ),
    ]


def hops(arrays: dict[str, np.ndarray], embedder: Tags) -> None:
    """What fewer windows change, and what they would save in torch, where each is made alone."""
    print("windows further apart:")
    network = Network(arrays, "cpu")
    means: dict[int, list[np.ndarray]] = {hop: [] for hop in HOPS}
    taken: dict[int, list[float]] = {hop: [] for hop in HOPS}
    for clip in clips(DATA):
        levels = embedder.prepare(samples_of(clip))
        for hop in HOPS:
            cut = windows(levels, WINDOW, hop)
            before = time.process_time()
            means[hop].append(network.of_windows(cut).tags.mean(axis=0))
            taken[hop].append(time.process_time() - before)
    for hop in HOPS:
        alike = [correlation(a, b) for a, b in zip(means[hop], means[HOP], strict=True)]
        print(f"  one in {hop * FRAME_SECONDS:.3f} s: network {median(taken[hop]):.3f} s; means of "
              f"tags against one in {HOP * FRAME_SECONDS:.3f} s: correlation median "
              f"{median(alike):.4f}, lowest {min(alike):.4f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, metavar="FILE")
    parser.add_argument("--record", action="store_true", help="write the rows of docs/figures.csv")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    embedder, arrays = Tags(asked.weights, "cpu"), load_file(asked.weights)
    rows = [agreement(embedder), *costs(embedder, arrays)]
    hops(arrays, embedder)
    if asked.record:
        record("learning", rows)


if __name__ == "__main__":
    main()
