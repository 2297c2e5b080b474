"""The three networks, what sizes they take and how large they are; the guard of torchvision."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from mgrkit_neural import layers, vision
from mgrkit_neural.classifier import NeuralClassifier
from torch import nn

from mgrkit.classifiers.base import Task
from mgrkit.errors import UsageError
from mgrkit.registry import installed, resolve, with_parameters

LABELS = tuple("abcdefghij")
NAMES = ("cnn", "crnn", "vit")


def classifier(name: str, bands: int = 128, **given: object) -> NeuralClassifier:
    spec = installed().classifier(name).spec
    made = resolve(spec.factory)(Task(LABELS, (bands, 334)), with_parameters(spec, given))
    assert isinstance(made, NeuralClassifier)
    return made


def network(name: str, bands: int = 128, **given: object) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return classifier(name, bands, **given).network()


def pictures(n: int, bands: int, frames: int) -> torch.Tensor:
    return torch.randn(n, 1, bands, frames, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bands", [64, 65, 96, 128, 229, 1025])
def test_takes_any_number_of_bands_and_frames(name: str, bands: int) -> None:
    made = network(name, bands)
    for frames in (1, 2, 7, 33, 64):
        told = made(pictures(2, bands, frames))
        assert told.shape == (2, len(LABELS))
        assert told.dtype == torch.float32
        assert told.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_takes_more_frames_than_it_learns_from(name: str) -> None:
    with torch.inference_mode():
        told = network(name).eval()(pictures(1, 128, 1293))
    assert told.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_has_the_parameters_that_its_description_states(name: str) -> None:
    made = classifier(name)
    stated = re.search(r"([\d,]+)\s+parameters", type(made).__doc__ or "")
    assert stated
    count = sum(p.numel() for p in network(name).parameters())
    assert f"{count:,}" == stated[1]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_learns(name: str) -> None:
    made = network(name)
    made(pictures(4, 128, 64)).logsumexp(1).sum().backward()
    for key, value in made.named_parameters():
        assert value.grad is not None, key
        assert value.grad.isfinite().all(), key


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_alone_in_prediction(name: str) -> None:
    made, x = network(name).eval(), pictures(3, 128, 70)
    with torch.inference_mode():
        together, again = made(x), made(x)
        alone = torch.cat([made(one[None]) for one in x])
    assert torch.equal(together, again)
    assert torch.allclose(together, alone, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_weights_come_from_the_generator_of_torch(name: str) -> None:
    first, second = network(name).state_dict(), network(name).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    with torch.random.fork_rng():
        torch.manual_seed(8)
        other = classifier(name).network().state_dict()
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_patches_are_left_out_in_training_only() -> None:
    made, x = layers.Transformer(2, 1, 0.5), torch.randn(2, 8, 64)
    seen: list[int] = []
    made.blocks.register_forward_hook(lambda _m, given, _out: seen.append(given[0].shape[1]))
    assert not torch.equal(made(x), made(x))
    made.eval()
    assert torch.equal(made(x), made(x))
    assert seen == [4, 4, 8, 8]


@pytest.mark.parametrize("given", [{"patch_bands": 12}, {"patch_frames": 6}])
def test_patches_are_whole_multiples_of_what_the_convolutions_make_one(
    given: dict[str, int],
) -> None:
    with pytest.raises(UsageError, match=r"no patches of .* multiple of 8"):
        network("vit", **given)


def test_patches_may_be_larger_than_the_picture() -> None:
    made = network("vit", 64, patch_bands=128, patch_frames=64)
    assert made(pictures(2, 64, 5)).isfinite().all()


def test_one_patch_stays_of_a_short_picture() -> None:
    assert layers.Transformer(2, 1, 0.9)(torch.randn(2, 1, 64)).isfinite().all()


def test_places_in_time_differ() -> None:
    told = layers.waves(64, 500, torch.device("cpu"))
    assert told.shape == (64, 1, 500)
    apart = torch.cdist(told[:, 0].T, told[:, 0].T) + 9 * torch.eye(500)
    assert apart.min() > 0.1


def test_halving_rounds_up_as_pooling_does() -> None:
    for size in range(1, 40):
        x = torch.zeros(1, 1, size, 1)
        for times in range(5):
            assert x.shape[2] == -(-size // (1 << times))
            x = layers.pool()(x)
        assert layers.convolved(1, 2, (2, 1))(pictures(2, size, 3)).shape[2:] == (-(-size // 2), 3)


@pytest.fixture
def no_torchvision() -> Iterator[None]:
    """As if torchvision had never been imported."""

    def take() -> dict[str, object]:
        names = [n for n in sys.modules if n.split(".")[0] == "torchvision"]
        return {name: sys.modules.pop(name) for name in names}

    kept = take()
    yield
    take()
    sys.modules.update(kept)  # type: ignore[arg-type]


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """A torchvision that runs this code, in front of the real one."""
    (folder / "torchvision" / "models").mkdir(parents=True)
    (folder / "torchvision" / "__init__.py").write_text(code)
    (folder / "torchvision" / "models" / "__init__.py").write_text("")
    (folder / "torchvision" / "models" / "vision_transformer.py").write_text(
        "EncoderBlock = 'fake'"
    )
    (folder / "torchvision" / "part.py").write_text("HERE = True")
    monkeypatch.syspath_prepend(str(folder))


NEEDS = """
import torch
import torchvision.part
torchvision.part.HERE
for name in {names}:
    if not hasattr(torch.ops.torchvision, name):
        raise RuntimeError(f"operator torchvision::{{name}} does not exist")
"""


@pytest.mark.usefixtures("no_torchvision")
def test_torchvision_of_the_same_build_is_imported_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, "")
    before = len(vision._declared)
    assert vision.models.__wrapped__("vision_transformer").EncoderBlock == "fake"
    assert len(vision._declared) == before


@pytest.mark.usefixtures("no_torchvision")
def test_missing_operators_are_declared_and_the_import_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, NEEDS.format(names=["not_there_1", "not_there_2"]))
    before = len(vision._declared)
    assert vision.models.__wrapped__("vision_transformer").EncoderBlock == "fake"
    assert len(vision._declared) == before + 2


@pytest.mark.usefixtures("no_torchvision")
@pytest.mark.parametrize("message", ["no such luck", "operator torchvision::odd does not exist"])
def test_an_import_that_goes_on_failing_raises(
    message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, monkeypatch, f"raise RuntimeError({message!r})")
    with pytest.raises(RuntimeError, match=message):
        vision.models.__wrapped__("vision_transformer")


def test_the_installed_torchvision_gives_its_encoder_block() -> None:
    assert vision.models("vision_transformer").EncoderBlock.__name__ == "EncoderBlock"
