"""Transfer: which layers learn, where weights come from, how networks of photographs see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mgrkit_pretrained import imagenet_features
from mgrkit_pretrained.backbones import Trunk
from mgrkit_pretrained.headed import Headed
from mgrkit_pretrained.imagenet import BACKBONES, HOP, WINDOW
from mgrkit_pretrained.transfer import Transfer
from torch import nn

from mgrkit.classifiers import Run
from mgrkit.errors import Stopped, UsageError, WeightsError
from mgrkit.registry import installed, resolve, with_parameters
from mgrkit.testing.toys import toy
from tests.plugins.made_backbones import SIDE, made_trunk, made_weights, tensors

pytestmark = pytest.mark.torch

TOY = toy("image")
LITE0 = "efficientnet_lite0"
QUICK = {
    "side": SIDE, "epochs": 2, "crop_seconds": 0, "views": 0, "batch": 24, "judge_every": 1,
}  # fmt: skip


def classifier(name: str = LITE0, **given: object) -> Transfer:
    spec = installed().classifier(name).spec
    made = resolve(spec.factory)(TOY.task, with_parameters(spec, {**QUICK, **given}))
    assert isinstance(made, Transfer)
    return made


def headed(name: str, unfreeze: int) -> Headed:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return Headed(BACKBONES[name], SIDE, 3, unfreeze)


# --- what learns


@pytest.mark.parametrize("name", BACKBONES)
def test_layers_are_all_that_has_weights_and_as_many_as_stated(name: str) -> None:
    trunk = Trunk(BACKBONES[name], SIDE)
    layers = trunk.layers()
    assert len(layers) == BACKBONES[name].layers
    of_layers = [p for layer in layers for module in layer for p in module.parameters()]
    assert list(map(id, of_layers)) == list(map(id, trunk.parameters()))


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("unfreeze", [0, 2])
def test_only_the_last_layers_learn(name: str, unfreeze: int) -> None:
    network = headed(name, unfreeze).train()
    before = {n: t.clone() for n, t in network.state_dict().items()}
    learning = {n for n, p in network.named_parameters() if p.requires_grad}
    optimiser = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    network(torch.randn(6, 1, 64, 64)).square().sum().backward()
    optimiser.step()
    layers = network.trunk.layers()
    still = [m for layer in layers[: len(layers) - unfreeze] for m in layer]
    assert not any(module.training for module in still)
    assert all(m.training for layer in layers[len(layers) - unfreeze :] for m in layer)
    assert {"last.weight", "last.bias"} <= learning
    kept = {n for n, t in network.state_dict().items() if torch.equal(t, before[n])}
    frozen = {id(t) for m in still for t in [*m.parameters(), *m.buffers()]}
    named = [*network.named_parameters(), *network.named_buffers()]
    assert {n for n, t in named if id(t) in frozen} <= kept
    assert learning.isdisjoint(n for n, t in named if id(t) in frozen)
    if unfreeze:
        assert any(n.startswith("trunk.") for n in set(before) - kept)
        assert len(learning) > 2
    else:
        assert {n for n in before if n.startswith("trunk.")} <= kept


@pytest.mark.parametrize("name", BACKBONES)
def test_more_layers_than_there_are(name: str) -> None:
    count = BACKBONES[name].layers
    if count == 19:
        with pytest.raises(UsageError, match="unfreeze must be from 0 to 19"):
            classifier(name, unfreeze=20)
        return
    with pytest.raises(UsageError, match=f"{name} has {count} layers, not {count + 1}") as caught:
        classifier(name, weights="random", unfreeze=count + 1).fit(TOY.train, None, Run(1))
    assert caught.value.hint == f"--param unfreeze={count} lets all of them learn"


@pytest.mark.parametrize("name", BACKBONES)
def test_the_description_states_the_parameters(name: str) -> None:
    count = sum(p.numel() for p in Trunk(BACKBONES[name], SIDE).parameters())
    assert f"{count:,} parameters" in (type(classifier(name)).__doc__ or "")


def test_a_fit_leaves_the_weights_of_the_file_as_they_are(tmp_path: Path) -> None:
    path = made_weights(LITE0, tmp_path)
    model = classifier(weights=str(path))
    model.fit(TOY.train, TOY.valid, Run(1))
    state = model.state()
    for name, tensor in tensors(made_trunk(LITE0)).items():
        if "num_batches" in name:
            continue
        np.testing.assert_array_equal(state[f"0.trunk.network.{name}"], tensor.numpy())
    again = classifier(weights=str(path))
    again.restore(state)
    np.testing.assert_array_equal(again.predict_proba(TOY.asked), model.predict_proba(TOY.asked))


def test_a_stopped_fit_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    given = {"weights": str(made_weights(LITE0, tmp_path)), "unfreeze": 3}
    whole = classifier(**given)
    whole.fit(TOY.train, TOY.valid, Run(1))
    asked = []

    def bell() -> bool:
        asked.append(0)
        return len(asked) > 5

    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(Stopped):
        classifier(**given).fit(TOY.train, TOY.valid, Run(1, folder=folder, stop_requested=bell))
    assert (folder / "checkpoint.safetensors").exists()
    again = classifier(**given)
    again.fit(TOY.train, TOY.valid, Run(1, folder=folder))
    np.testing.assert_array_equal(again.predict_proba(TOY.asked), whole.predict_proba(TOY.asked))


# --- where weights come from


@pytest.fixture
def no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("name", BACKBONES)
def test_weights_that_are_missing_name_the_command_and_none_are_made_up(
    name: str, no_weights: Path
) -> None:
    model = classifier(name)
    with pytest.raises(WeightsError) as caught:
        model.fit(TOY.train, TOY.valid, Run(1))
    assert caught.value.message == f"the weights {name} are not here"
    for words in (f"mgrkit models fetch {name} gets them (", " MB)", "--param weights=FILE",
                  "--param weights=random"):  # fmt: skip
        assert words in caught.value.hint
    with pytest.raises(UsageError, match="neither fit nor restored"):
        model.state()
    assert not no_weights.exists()


def test_random_weights_where_they_are_asked_for(no_weights: Path) -> None:
    states = []
    for _ in range(2):
        model = classifier(weights="random")
        model.fit(TOY.train, TOY.valid, Run(1))
        states.append(model.state())
    name = "0.trunk.network._conv_stem.weight"
    np.testing.assert_array_equal(states[0][name], states[1][name])
    assert states[0][name].std() > 0


def test_a_file_of_another_network_and_a_truncated_one(tmp_path: Path) -> None:
    path = made_weights("efficientnet_b0", tmp_path)
    with pytest.raises(WeightsError, match="holds another network than efficientnet_lite0"):
        classifier(weights=str(path)).fit(TOY.train, TOY.valid, Run(1))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="cut off"):
        classifier("efficientnet_b0", weights=str(path)).fit(TOY.train, TOY.valid, Run(1))
    with pytest.raises(WeightsError, match=r"cannot read the weights none\.pth: No such file"):
        classifier(weights="none.pth").fit(TOY.train, TOY.valid, Run(1))


def test_what_is_restored_needs_no_weights(tmp_path: Path, no_weights: Path) -> None:
    model = classifier(weights=str(made_weights(LITE0, tmp_path)))
    model.fit(TOY.train, TOY.valid, Run(1))
    other = classifier()
    other.restore(model.state())
    np.testing.assert_array_equal(other.predict_proba(TOY.asked), model.predict_proba(TOY.asked))


def test_a_comparison_takes_them_by_name_only() -> None:
    """Hours of work, and weights that are to be fetched, are nobody's surprise."""
    every = {entry.spec.name: entry.spec for entry in installed().classifiers()}
    assert every["cnn"].compared
    assert not any(every[name].compared for name in BACKBONES)


# --- what the networks see


class Eye(nn.Module):
    """Keeps what it is shown."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen = x
        return x


def seen(x: torch.Tensor, name: str = "mobilenet_v2", side: int = SIDE) -> torch.Tensor:
    trunk = Trunk(BACKBONES[name], side)
    trunk.network = Eye()
    trunk(x)
    return trunk.network.seen


def test_one_channel_is_given_three_times_and_scaled_as_the_photographs_were() -> None:
    x = torch.full((2, 1, 40, 50), 0.5)
    shown = seen(x)
    assert shown.shape == (2, 3, SIDE, SIDE)
    for colour, (mean, deviation) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)]):
        np.testing.assert_allclose(shown[:, colour], (0.5 - mean) / deviation, atol=1e-6)
    np.testing.assert_allclose(seen(x, LITE0), (127.5 - 127) / 128, atol=1e-6)


def test_three_channels_go_through_as_they_are() -> None:
    x = torch.rand(2, 3, SIDE, SIDE)
    shown = seen(x, LITE0)
    np.testing.assert_allclose(shown, (x.flip(2) * 255 - 127) / 128, atol=1e-5)
    assert not torch.equal(shown[:, 0], shown[:, 1])


@pytest.mark.parametrize("channels", [2, 4])
def test_other_numbers_of_channels_are_refused(channels: int) -> None:
    with pytest.raises(UsageError, match=f"{channels} channels, not 1 or 3"):
        Trunk(BACKBONES[LITE0], SIDE)(torch.zeros(1, channels, 8, 8))


def test_three_channels_are_refused_where_one_is_wanted(tmp_path: Path) -> None:
    model = classifier(weights=str(made_weights(LITE0, tmp_path)))
    model.fit(TOY.train, TOY.valid, Run(1))
    with pytest.raises(UsageError, match="3 channels for a model of 1, not pictures"):
        model.predict_proba(np.zeros((5, 3, 64, 64), np.uint8))


def test_the_lowest_band_is_below() -> None:
    x = torch.zeros(1, 1, SIDE, SIDE)
    x[:, :, 0] = 1
    shown = seen(x)[0, 0]
    assert (shown[-1] > shown[:-1]).all()


@pytest.mark.parametrize("side", [32, 224])
@pytest.mark.parametrize("name", BACKBONES)
def test_any_size_is_brought_to_one(name: str, side: int) -> None:
    trunk = Trunk(BACKBONES[name], side).eval()
    with torch.inference_mode():
        for bands, frames in ((128, 128), (1, 1), (1025, 7)):
            assert trunk(torch.rand(1, 1, bands, frames)).shape == (1, BACKBONES[name].width)


def test_many_pictures_are_seen_as_one_by_one() -> None:
    trunk, x = made_trunk(LITE0), torch.rand(19, 1, 64, 64)
    with torch.inference_mode():
        together = trunk(x)
        assert torch.allclose(together, torch.cat([trunk(one[None]) for one in x]), atol=1e-4)


def test_a_window_is_a_square_of_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagenet_features, "SIDE", SIDE)
    made = imagenet_features.EfficientNetLite0(made_weights(LITE0, tmp_path), "cpu")
    picture = np.random.default_rng(1).integers(0, 256, (2 * HOP + WINDOW + 5, 128), np.uint8)
    (rows,) = made.embed([picture])
    assert rows.shape == (3, 1280)
    cut = torch.from_numpy(picture[HOP : HOP + WINDOW].T.copy())[None, None].float() / 255
    with torch.inference_mode():
        np.testing.assert_allclose(rows[1], made._trunk(cut)[0], atol=1e-4)


def test_other_computations_keep_their_threads(tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        made = imagenet_features.EfficientNetLite0(made_weights(LITE0, tmp_path), "cpu")
        inside: list[int] = []
        made._trunk.register_forward_hook(lambda *_: inside.append(torch.get_num_threads()))
        made.embed([np.zeros((WINDOW, 128), np.uint8)])
        assert (inside, torch.get_num_threads()) == ([1], 2)
    finally:
        torch.set_num_threads(before)
