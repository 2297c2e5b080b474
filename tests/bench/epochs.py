"""What an epoch of training takes: ``python tests/bench/epochs.py [--device cuda] [--rounds 5]``.

Ours against a plain loop over the same network, batches and crops: pictures as float32, NCHW,
cut and stacked on the CPU and brought to the device, AdamW, no augmentation. Interleaved; prints
the medians of seconds and of the ratio, with mixup (our default) and without, and the share of
our time that is neither forward nor backward.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

import numpy as np
import torch
from mgrkit_neural.course import Course
from mgrkit_neural.epochs import one_epoch
from mgrkit_neural.material import material
from torch import nn

from mgrkit.classifiers import Examples, Run, Task
from mgrkit.frontend import front_end
from mgrkit.registry import installed, resolve, with_parameters

COUNT, BANDS, FRAMES, GENRES = 442, 128, 334, 10
FRONT = front_end("kaggle-images")
TASK = Task(tuple(f"genre{i}" for i in range(GENRES)), (BANDS, FRAMES), (), FRONT)


def examples() -> Examples:
    """Noise: what an epoch takes does not hang on what is seen."""
    pixels = np.random.default_rng(0).integers(0, 256, (COUNT, BANDS, FRAMES), dtype=np.uint8)
    number = np.arange(COUNT)
    return Examples(pixels, number % GENRES, number, number)


class Plain:
    """The loop as most would write it."""

    def __init__(self, network: nn.Module, data: Examples, recipe: object, device: str) -> None:
        self.network, self.recipe, self.device = network.to(device).train(), recipe, device
        pixels = torch.from_numpy(data.x)[:, None].float()
        self.x, self.y = (pixels / 255 - 0.121) / 0.183, torch.from_numpy(data.y)
        self.optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
        self.loss = nn.CrossEntropyLoss(label_smoothing=0.1)

    def epoch(self) -> None:
        width = self.recipe.columns(TASK)  # type: ignore[attr-defined]
        for rows in torch.randperm(COUNT).split(self.recipe.batch):  # type: ignore[attr-defined]
            starts = torch.randint(FRAMES - width + 1, (len(rows),)).tolist()
            cuts = [self.x[row, :, :, s : s + width] for row, s in zip(rows, starts, strict=True)]
            x, y = torch.stack(cuts).to(self.device), self.y[rows].to(self.device)
            self.optimiser.zero_grad()
            loss = self.loss(self.network(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), 2.0)
            self.optimiser.step()
            loss.item()


class Ours:
    """An epoch of `mgrkit_neural.training.train`, without its judging of valid."""

    def __init__(self, model: object, data: Examples, run: Run) -> None:
        task, recipe = model.task, model.parameters  # type: ignore[attr-defined]
        network = model.network  # type: ignore[attr-defined]
        self.course = Course(network, task, recipe, material(task, data, None, run), run)
        self.learner = self.course.learner(0)
        self.outside: list[float] = []

    def epoch(self) -> None:
        row = one_epoch(self.course.problem, self.course.state.place, self.learner)
        self.outside.append(row["outside"])


def seconds(loop: Plain | Ours, device: str) -> float:
    begun = time.perf_counter()
    loop.epoch()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="float32", choices=("float32", "mixed"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--classifiers", default="cnn,crnn,vit")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    data = examples()
    print(f"{'':28}{'plain s':>9}{'ours s':>9}{'ratio':>8}{'outside':>9}")
    for name in asked.classifiers.split(","):
        spec = installed().classifier(name).spec
        for mixup in ("off", "default"):
            given = {"mixup": 0} if mixup == "off" else {}
            model = resolve(spec.factory)(TASK, with_parameters(spec, given))
            run = Run(0, device=asked.device, precision=asked.precision)
            plain = Plain(model.network(), data, model.parameters, asked.device)
            ours = Ours(model, data, run)
            for loop in (plain, ours):
                loop.epoch()
            pairs = [(seconds(plain, asked.device), seconds(ours, asked.device))
                     for _ in range(asked.rounds)]  # fmt: skip
            told = [median(one) for one in zip(*pairs, strict=True)]
            ratio = median(b / a for a, b in pairs)
            row = f"{name + ', mixup ' + mixup:28}{told[0]:9.2f}{told[1]:9.2f}"
            print(f"{row}{ratio:8.2f}{median(ours.outside[1:]):9.3f}")


if __name__ == "__main__":
    main()
