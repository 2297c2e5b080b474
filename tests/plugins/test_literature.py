"""The networks of the literature: their published sizes, what they take and what they refuse."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_neural import distributed, predicting
from mgrkit_neural.classifier import NeuralClassifier
from mgrkit_neural.literature.specs import SPECS
from mgrkit_neural.literature.stack import Beside, ColumnNorm, Gated, Stack
from torch import nn

from mgrkit.classifiers import Examples, Run, Task
from mgrkit.errors import UsageError
from mgrkit.frontend import front_end
from mgrkit.registry import installed, resolve, with_parameters
from mgrkit.testing.toys import toy

FITTED = {"pools": "fitted"}
NETWORKS: list[tuple[str, dict[str, Any], tuple[int, ...]]] = [
    ("musically_motivated", {"architecture": "black_box"}, (40, 80)),
    ("musically_motivated", {"architecture": "time"}, (40, 80)),
    ("musically_motivated", {"architecture": "frequency"}, (40, 80)),
    ("musically_motivated", {"architecture": "time_frequency"}, (40, 80)),
    ("lidy_schindler", {}, (80, 80)),
    ("choi_fcn", FITTED, (24, 50)),
    ("choi_fcn", {**FITTED, "architecture": "fcn4"}, (20, 30)),
    ("choi_crnn", {"width": 8}, (96, 100)),
    ("short_chunk", {"width": 4}, (128, 60)),
    ("short_chunk", {"width": 4, "architecture": "plain", "crop_seconds": 0}, (128, 128)),
    ("parallel_crnn", {}, (128, 230)),
    ("sample_cnn", {"architecture": "3^5", "width": 8}, (729,)),
    ("sample_cnn", {"architecture": "shallow", "width": 8}, (1000,)),
    ("vgg_small", {"architecture": "simple"}, (20, 30)),
    ("vgg_small", {"architecture": "minimal"}, (3, 20, 30)),
    ("vgg_small", {"architecture": "fancy"}, (20, 30)),
    ("vgg_small", {"architecture": "two_layers"}, (3, 20, 30)),
    ("vgg_small", {"architecture": "three_layers"}, (40, 50)),
]
"""Each architecture, small."""


def classifier(
    name: str, shape: tuple[int, ...], labels: int = 10, **given: object
) -> NeuralClassifier:
    spec = installed().classifier(name).spec
    task = Task(tuple(f"genre {i}" for i in range(labels)), shape, frontend=front_end())
    made = resolve(spec.factory)(task, with_parameters(spec, given))
    assert isinstance(made, NeuralClassifier)
    return made


def network(name: str, shape: tuple[int, ...], labels: int = 10, **given: object) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return classifier(name, shape, labels, **given).network()


def inputs(n: int, shape: tuple[int, ...]) -> torch.Tensor:
    sizes = shape if len(shape) == 3 else (1, *shape)
    return torch.randn(n, *sizes, generator=torch.Generator().manual_seed(3))


def size(of: nn.Module) -> int:
    return sum(p.numel() for p in of.parameters())


@pytest.mark.parametrize(
    ("name", "given", "shape", "labels", "published"),
    [
        ("musically_motivated", {"architecture": "black_box"}, (40, 80), 10, 3_275_714),
        ("musically_motivated", {"architecture": "time"}, (40, 80), 10, 8_682),
        ("musically_motivated", {"architecture": "frequency"}, (40, 80), 10, 3_946),
        ("musically_motivated", {"architecture": "time_frequency"}, (40, 80), 10, 197_218),
        ("choi_fcn", {"architecture": "fcn5"}, (96, 1366), 50, 865_950),
        ("choi_crnn", {}, (96, 1366), 50, 396_786),
        ("parallel_crnn", {}, (128, 640), 8, 816_648),
        ("vgg_small", {"architecture": "three_layers"}, (3, 217, 334), 10, 947_614),
        ("vgg_small", {"architecture": "three_layers"}, (3, 288, 432), 10, 1_627_550),
    ],
)
def test_has_as_many_parameters_as_published(
    name: str, given: dict[str, Any], shape: tuple[int, ...], labels: int, published: int
) -> None:
    assert size(network(name, shape, labels, **given)) == published


def convolved(into: int, out: int, kernel: int, normed: bool = True) -> int:
    """Weights and biases of a convolution with a batch norm."""
    return into * out * kernel + out + (2 * out if normed else 0)


def chained(channels: list[int], kernel: int) -> int:
    return sum(convolved(a, b, kernel) for a, b in itertools.pairwise(channels))


WON = [1, 128, 128, 256, 256, 256, 256, 512]
WON_DENSE = 2 + 512 * 512 + 512 + 2 * 512 + 512 * 50 + 50
LEE = [128, 128, 128, *[256] * 6, 512]


@pytest.mark.parametrize(
    ("name", "given", "shape", "labels", "layers"),
    [
        (
            "lidy_schindler", {}, (80, 80), 10,
            convolved(1, 16, 230, False) + convolved(1, 16, 420, False)
            + (16 * 80 * 4 * 2 + 1) * 200 + 2010,
        ),
        (
            "choi_fcn", {"architecture": "fcn4"}, (96, 1366), 50,
            2 * 1366 + chained([1, 128, 384, 768, 2048], 9) + 2049 * 50,
        ),
        (
            "short_chunk", {}, (128, 231), 50,
            2 * chained(WON, 9) + sum(convolved(c, c, 9) for c in WON[1:]) + WON_DENSE,
        ),
        (
            "short_chunk", {"architecture": "plain", "crop_seconds": 0}, (128, 231), 50,
            chained(WON, 9) + WON_DENSE,
        ),
        (
            "sample_cnn", {}, (59_049,), 50,
            convolved(1, 128, 3) + chained(LEE, 3) + convolved(512, 512, 1) + 513 * 50,
        ),
        (
            "sample_cnn", {"architecture": "shallow"}, (1000,), 8,
            convolved(1, 128, 3, False) + convolved(128, 64, 3, False)
            + (248 * 64 + 1) * 512 + 513 * 8,
        ),
        (
            "vgg_small", {"architecture": "simple"}, (3, 150, 200), 10,
            convolved(3, 32, 9) + convolved(32, 64, 9) + (118_400 + 1) * 128 + 1290,
        ),
    ],
)  # fmt: skip
def test_has_the_layers_of_its_source_where_no_number_is_published(
    name: str, given: dict[str, Any], shape: tuple[int, ...], labels: int, layers: int
) -> None:
    assert size(network(name, shape, labels, **given)) == layers


def test_descriptions_state_what_the_layers_make() -> None:
    for name, given, shape, labels in (
        ("lidy_schindler", {}, (80, 80), 10),
        ("short_chunk", {}, (128, 231), 50),
        ("short_chunk", {"architecture": "plain", "crop_seconds": 0}, (128, 231), 50),
        ("sample_cnn", {}, (59_049,), 50),
    ):
        module = resolve(f"mgrkit_neural.literature.{name}:__doc__")
        assert f"{size(network(name, shape, labels, **given)):,}" in module


def test_every_sample_level_network_ends_in_one_frame() -> None:
    for layers in range(5, 10):
        made = classifier("sample_cnn", (70_000,), architecture=f"3^{layers}", width=2)
        assert made.parameters.columns(made.task) == 3 ** (layers + 1)
        last = next(m for m in reversed(list(made.network().modules())) if isinstance(m, nn.Linear))
        assert last.in_features == 8


@pytest.mark.parametrize(("name", "given", "shape"), NETWORKS)
def test_every_parameter_learns_but_biases_before_a_norm(
    name: str, given: dict[str, Any], shape: tuple[int, ...]
) -> None:
    made = network(name, shape, **given)
    told = made(inputs(4, shape))
    assert told.shape == (4, 10)
    assert told.dtype == torch.float32
    told.logsumexp(1).sum().backward()
    held = [p for p in made.parameters() if not p.requires_grad]
    stacks = [list(m) for m in made.modules() if isinstance(m, nn.Sequential)]
    pairs = [pair for stack in stacks for pair in itertools.pairwise(stack)]
    convolutions, norms = (nn.Conv1d, nn.Conv2d), (nn.BatchNorm1d, nn.BatchNorm2d)
    before = [a.bias for a, b in pairs if isinstance(a, convolutions) and isinstance(b, norms)]
    assert {id(p) for p in held} == {id(p) for p in before}
    assert not any(p.any() for p in held)
    for key, value in made.named_parameters():
        if value.requires_grad:
            assert value.grad is not None, key
            assert value.grad.isfinite().all(), key


@pytest.mark.parametrize(("name", "given", "shape"), NETWORKS)
def test_an_example_is_alone_in_prediction(
    name: str, given: dict[str, Any], shape: tuple[int, ...]
) -> None:
    made, x = network(name, shape, **given).eval(), inputs(3, shape)
    with torch.inference_mode():
        together, alone = made(x), torch.cat([made(one[None]) for one in x])
    assert torch.allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize(("name", "given", "shape"), NETWORKS)
def test_weights_come_from_the_generator_of_torch(
    name: str, given: dict[str, Any], shape: tuple[int, ...]
) -> None:
    first, second = (network(name, shape, **given).state_dict() for _ in "ab")
    assert all(torch.equal(first[key], second[key]) for key in first)
    with torch.random.fork_rng():
        torch.manual_seed(8)
        other = classifier(name, shape, **given).network().state_dict()
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize(("name", "given", "shape"), NETWORKS)
def test_batch_norms_over_several_processes_predict_the_same(
    name: str, given: dict[str, Any], shape: tuple[int, ...]
) -> None:
    made, x = network(name, shape, **given).eval(), inputs(2, shape)
    with torch.inference_mode():
        before = made(x)
        after = distributed.with_global_statistics(made)(x)
    assert torch.equal(before, after)
    norms = [m for m in made.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert all(isinstance(m, distributed.GlobalBatchNorm) for m in norms)


def test_predicting_takes_torch() -> None:
    for spec in SPECS:
        assert spec.predicting == ("torch",), spec.name
        made = resolve(spec.factory)(Task(("a", "b"), (128, 300)), with_parameters(spec, {}))
        assert not made._in_numpy(), spec.name


# What is refused.


@pytest.mark.parametrize(
    ("name", "given", "shape", "words"),
    [
        (
            "musically_motivated", {"architecture": "time"}, (40, 59),
            (r"^musically_motivated: 40 bands x 59 frames are too few for it: its convolution of 1 "
            r"bands x 60 frames finds 40 bands x 59 frames left"),
        ),
        ("musically_motivated", {"architecture": "frequency"}, (31, 80), "convolution of 32 bands"),
        ("musically_motivated", {"architecture": "black_box"}, (14, 80), "pool of 4 bands x 1 fra"),
        ("lidy_schindler", {}, (80, 19), "pool of 1 bands x 20 frames finds 80 bands x 19 frames"),
        (
            "choi_fcn", {}, (128, 334),
            "128 bands x 334 .* pool of 4 bands x 4 frames finds 5 bands x 1 .*pools=fitted",
        ),
        ("choi_crnn", {}, (95, 96), "pool of 4 bands x 4 frames finds 3 bands .*96 bands or more"),
        ("short_chunk", {"architecture": "plain"}, (128, 127), "pool of 2 bands x 2 frames"),
        ("parallel_crnn", {}, (128, 221), "pool of 4 bands x 4 frames finds 4 bands x 3 frames"),
        ("parallel_crnn", {}, (127, 640), "pool of 4 bands x 4 frames finds 3 bands"),
        ("sample_cnn", {}, (59_048,), "59048 samples are too few .* pool of 3 samples"),
        ("sample_cnn", {"architecture": "shallow"}, (9,), "9 samples .*crop_seconds"),
        ("vgg_small", {}, (3, 40), "vgg_small: 3 bands x 40 frames .* pool of 2 bands x 2 frames"),
    ],
)  # fmt: skip
def test_what_is_too_small_for_a_pool_is_refused_and_the_pool_named(
    name: str, given: dict[str, Any], shape: tuple[int, ...], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        network(name, shape, **{"crop_seconds": 100, **given})


@pytest.mark.parametrize(
    ("name", "given", "shape"),
    [
        ("musically_motivated", {"architecture": "time"}, (1, 60)),
        ("musically_motivated", {"architecture": "frequency"}, (32, 1)),
        ("lidy_schindler", {}, (20, 20)),
        ("choi_fcn", FITTED, (1, 1)),
        ("choi_fcn", {"architecture": "fcn4"}, (96, 1280)),
        ("choi_crnn", {"width": 2}, (96, 1)),
        ("short_chunk", {"width": 2}, (1, 1)),
        ("parallel_crnn", {}, (128, 222)),
    ],
)
def test_the_smallest_that_is_taken(
    name: str, given: dict[str, Any], shape: tuple[int, ...]
) -> None:
    made = network(name, shape, **{"crop_seconds": 100, **given}).eval()
    with torch.inference_mode():
        assert made(inputs(1, shape)).isfinite().all()


@pytest.mark.parametrize("name", ["musically_motivated", "choi_fcn", "short_chunk", "sample_cnn",
                                  "vgg_small"])  # fmt: skip
def test_an_unknown_architecture_is_refused_with_those_there_are(name: str) -> None:
    choices = {shape[1].get("architecture") for shape in NETWORKS if shape[0] == name} - {None}
    with pytest.raises(UsageError, match="architecture must be") as refused:
        classifier(name, (40, 80), architecture="resnet50")
    assert all(str(choice) in refused.value.message for choice in choices)


def test_crops_of_another_length_than_what_is_predicted_are_refused() -> None:
    with pytest.raises(UsageError, match=r"learns from 80 frames and cannot predict from 334"):
        network("musically_motivated", (128, 334), views=0)
    network("musically_motivated", (128, 80), views=0)


@pytest.mark.parametrize("name", ["gain", "contrast", "band_mask"])
def test_augmentation_of_pictures_is_refused_for_samples(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is for pictures"):
        network("sample_cnn", (59_049,), **{name: 0.1})


def in_colour(examples: Examples) -> Examples:
    """The toy pictures in three channels, of which the last tells."""
    dark = np.zeros_like(examples.x)
    return Examples(
        np.stack([dark, dark, examples.x], 1), examples.y, examples.tracks, examples.groups
    )


def fitted(shape: tuple[int, ...], train: Examples, valid: Examples) -> NeuralClassifier:
    spec = installed().classifier("vgg_small").spec
    task = Task(toy("image").task.labels, shape, frontend=toy("image").task.frontend)
    given = {"epochs": 5, "batch": 16, "architecture": "minimal", "average": 0.5, "mixup": 0.2,
             "time_mask": 0.2, "band_mask": 0.1, "gain": 0.1, "contrast": 0.1}  # fmt: skip
    made: NeuralClassifier = resolve(spec.factory)(task, with_parameters(spec, given))
    made.fit(train, valid, Run(1))
    return made


def test_three_channels_are_learnt_from() -> None:
    toys = toy("image", shape=(24, 32))
    made = fitted((3, 24, 32), in_colour(toys.train), in_colour(toys.valid))
    told = made.predict_proba(in_colour(toys.held_out).x)
    assert (told.argmax(1) == toys.held_out.y).mean() > 0.9
    with pytest.raises(UsageError, match="1 channels for a model of 3, not pictures"):
        made.predict_proba(toys.held_out.x)


def test_three_channels_are_refused_by_a_model_of_one() -> None:
    toys = toy("image", shape=(24, 32))
    words = r"3 channels for a model of 1, not pictures: uint8 of shape \(n, 24, 32\)"
    with pytest.raises(UsageError, match=words):
        fitted((24, 32), in_colour(toys.train), in_colour(toys.valid))
    for name, given in (("vgg_small", {}), ("short_chunk", {"width": 2})):
        of = classifier(name, (24, 32), 3, **given)
        of.restore(predicting.stored([of.network()], np.arange(3)))
        with pytest.raises(UsageError, match=words):
            of.predict_proba(in_colour(toys.held_out).x)


# The parts.


def test_one_bias_a_gate_is_torch_s_gru_with_the_other_at_zero() -> None:
    torch.manual_seed(1)
    made, like = Gated(5, 4, one_bias=True), nn.GRU(5, 4, batch_first=True)
    weights = dict(made.gru.named_parameters())
    assert set(weights) == {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0"}
    assert set(made.state_dict()) == {f"gru.{name}" for name in weights}
    like.load_state_dict({**made.gru.state_dict(), "bias_hh_l0": torch.zeros(12)})
    x = torch.randn(3, 7, 5)
    for one in (made, copy.deepcopy(made)):
        torch.testing.assert_close(one(x), like(x)[1][0])
    torch.testing.assert_close(made.double()(x.double()), like.double()(x.double())[1][0])
    both = Gated(5, 4, ways=2)
    torch.testing.assert_close(both(x), torch.cat([*both.gru(x)[1]], 1))
    assert Gated(5, 4, last=False)(x).shape == (3, 7, 4)


def test_columns_are_normed_each_by_itself() -> None:
    x = torch.randn(6, 1, 5, 4) * torch.tensor([1.0, 10, 100, 1000]) + 3
    told = ColumnNorm(4)(x)
    torch.testing.assert_close(told.mean((0, 1, 2)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(
        told.var((0, 1, 2), unbiased=False), torch.ones(4), atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("kernel", [(3, 3), (10, 23), (21, 20), (1, 4)])
def test_same_leaves_the_size_and_sees_the_middle(kernel: tuple[int, int]) -> None:
    stack = Stack("toy", (1, 30, 40), "").convolve(1, *kernel, same=True)
    assert stack.size == (1, 30, 40)
    layers = list(stack.network)
    nn.init.zeros_(layers[-1].bias)
    nn.init.zeros_(layers[-1].weight)
    layers[-1].weight.data[0, 0, (kernel[0] - 1) // 2, (kernel[1] - 1) // 2] = 1
    x = torch.randn(2, 1, 30, 40)
    assert torch.equal(stack.network(x), x)


def test_sizes_are_those_that_come_out() -> None:
    for stack, x in (
        (Stack("toy", (2, 31, 45), ""), torch.randn(3, 2, 31, 45)),
        (Stack("toy", (2, 301), ""), torch.randn(3, 2, 301)),
    ):
        ranks = len(stack.size) - 1
        stack.convolve(5, *[4] * ranks, stride=2).pool(*[3] * ranks)
        assert stack.network(x).shape[1:] == stack.size
        assert stack.flatten().network(x).shape[1:] == (math.prod(stack.size),)
    told = Beside(nn.Flatten(), nn.Flatten())(torch.ones(2, 3))
    assert told.shape == (2, 6)
