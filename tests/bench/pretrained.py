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
from safetensors.numpy import load_file

from mgrkit.features.windows import windows
from tests.parity.test_musicnn_parity import clips, samples_of
from tests.plugins.made_checkpoint import plain

DATA = Path(os.environ.get("MGRKIT_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")
HOPS = (HOP, 2 * HOP, WINDOW)


def seconds(work: Callable[[], object]) -> float:
    """Of CPU, of the whole process."""
    before = time.process_time()
    work()
    return time.process_time() - before


def correlation(one: np.ndarray, two: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), two.ravel())[0, 1])


def agreement(embedder: Tags) -> None:
    """With the tags that the original told."""
    correlations, largest, mean = [], [], []
    for clip, wanted in clips(DATA).items():
        (told,) = embedder.embed([embedder.prepare(samples_of(clip))])
        correlations.append(correlation(told, wanted))
        largest.append(float(np.abs(told - wanted).max()))
        mean.append(float(np.abs(told - wanted).mean()))
    print(f"{len(correlations)} clips against the original's tags, window by window:")
    print(f"  correlation: median {median(correlations):.4f}, lowest {min(correlations):.4f}")
    print(f"  absolute difference: mean {np.mean(mean):.5f}, of a clip at most {max(mean):.5f}, "
          f"of a value at most {max(largest):.3f}")  # fmt: skip


def costs(embedder: Tags, weights: Path) -> None:
    """By turns, so that other work on the machine meets all of them."""
    arrays = load_file(weights)
    taken: dict[str, list[float]] = {
        "decode, resample": [], "log-mel": [], "network": [], "plain network": [],
    }  # fmt: skip
    apart = {"tags": 0.0, "penultimate": 0.0, "pool": 0.0}
    for clip in list(clips(DATA))[:10]:
        samples = samples_of(clip)
        levels = embedder.prepare(samples)
        cut = windows(levels, WINDOW, HOP)
        taken["decode, resample"].append(seconds(lambda clip=clip: samples_of(clip)))
        taken["log-mel"].append(seconds(lambda samples=samples: embedder.prepare(samples)))
        taken["network"].append(seconds(lambda levels=levels: embedder.embed([levels])))
        before = time.process_time()
        wanted = plain(arrays, cut)
        taken["plain network"].append(time.process_time() - before)
        told = embedder._network(torch.from_numpy(np.array(cut)))
        for layer in apart:
            values = getattr(told, layer).numpy()
            off = np.abs(values - wanted[layer]) / np.maximum(1, np.abs(wanted[layer]))
            apart[layer] = max(apart[layer], float(off.max()))
    print("a clip of 30 s on one core, medians of 10:")
    for part, times in taken.items():
        print(f"  {part}: {median(times):.3f} s")
    whole = [sum(parts) for parts in zip(*list(taken.values())[:3], strict=True)]
    print(f"  all in all, without the plain network: {median(whole):.3f} s")
    differences = ", ".join(f"{layer} {value:.1e}" for layer, value in apart.items())
    print(f"  network and plain network differ by at most: {differences}")


def hops(embedder: Tags) -> None:
    """What fewer windows save and what they change."""
    print("windows further apart:")
    means: dict[int, list[np.ndarray]] = {hop: [] for hop in HOPS}
    taken: dict[int, list[float]] = {hop: [] for hop in HOPS}
    for clip in clips(DATA):
        levels = embedder.prepare(samples_of(clip))
        for hop in HOPS:
            cut = windows(levels, WINDOW, hop)
            before = time.process_time()
            means[hop].append(embedder._rows(cut).mean(axis=0))
            taken[hop].append(time.process_time() - before)
    for hop in HOPS:
        alike = [correlation(a, b) for a, b in zip(means[hop], means[HOP], strict=True)]
        print(f"  one in {hop * FRAME_SECONDS:.3f} s: network {median(taken[hop]):.3f} s; means of "
              f"tags against one in {HOP * FRAME_SECONDS:.3f} s: correlation median "
              f"{median(alike):.4f}, lowest {min(alike):.4f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True, metavar="FILE")
    weights = parser.parse_args().weights
    torch.set_num_threads(1)
    embedder = Tags(weights, "cpu")
    agreement(embedder)
    costs(embedder, weights)
    hops(embedder)


if __name__ == "__main__":
    main()
