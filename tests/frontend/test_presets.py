"""Presets: what each sets, what contradicts one, and that a new one is one entry."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mgrkit.commands.spectrograms import SpectrogramsSettings
from mgrkit.errors import UsageError
from mgrkit.frontend import front_end
from mgrkit.frontend.presets import PRESETS, Preset, preset_of

of_preset = SpectrogramsSettings.of_preset
RATE = 22050

AS_OPTIONS: dict[str, dict[str, Any]] = {
    "s0": {},
    "s1": {"hop_length": 1024, "log": "ln"},
    "s2": {"kind": "s2-images"},
    "s3": {
        "hop_length": 1024,
        "window": "blackman",
        "floor": "least",
        "size": "640x480",
        "resample": "matplotlib",
    },
    "s4": {"size": "224x224"},
    "pons": {"hop_length": 1024, "window": "blackmanharris62", "n_mels": 40, "log": "log10"},
    "choi": {"sample_rate": 12000, "n_fft": 512, "hop_length": 256, "n_mels": 96},
    "kaggle": {"kind": "kaggle-images"},
}
CUTS = {"s1": 639 * 1024 / RATE, "pons": 79 * 1024 / RATE, "choi": 29.12}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_what_its_options_are(name: str) -> None:
    settings = of_preset(name)
    assert settings.frontend == front_end(**AS_OPTIONS[name])
    assert settings.piece_seconds == CUTS.get(name)
    assert (settings.cmap, settings.axes, settings.size) == ("magma", "", None)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_whose_it_is_and_what_it_leaves_open(name: str) -> None:
    one = PRESETS[name]
    assert one.name == name
    assert one.about.endswith((".", ")."))
    assert one.leaves_open
    assert "/" in one.origin or "20" in one.origin or "Kaggle" in one.origin
    json.dumps(dict(one.options))


@pytest.mark.parametrize(("name", "frames"), [("s1", 640), ("pons", 80), ("choi", 1366)])
@pytest.mark.parametrize("rate", [None, 44100])
def test_pieces_have_the_frames_of_the_source(name: str, frames: int, rate: int | None) -> None:
    if rate and "sample_rate" in PRESETS[name].options:
        return
    settings = of_preset(name, sample_rate=rate) if rate else of_preset(name)
    assert settings.piece_seconds
    samples = round(settings.piece_seconds * settings.frontend.rate)
    assert 1 + samples // settings.frontend.transform.hop_length == frames == PRESETS[name].frames
    assert samples % settings.frontend.transform.hop_length == 0


@pytest.mark.parametrize("name", PRESETS)
def test_what_a_preset_sets_can_be_said_and_not_changed(name: str) -> None:
    other = {"axes": "hz", "size": "64x64", "window": "hamming", "kind": "cqt", "log": "x"}
    for option, value in PRESETS[name].options.items():
        assert of_preset(name, **{option: value}) == of_preset(name)
        changed = other.get(option, 7)
        with pytest.raises(UsageError) as caught:
            of_preset(name, **{option: changed})
        said = str(caught.value)
        assert f"contradicts preset {name}, which sets" in said
        assert option in said.partition("contradicts")[0]
        assert option in said.partition("contradicts")[2]


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("pons", {"n_mels": 128}, "n_mels 128 contradicts preset pons, which sets n_mels 40"),
        ("s2", {"axes": "hz"}, "axes contradicts preset s2, which sets no axes"),
        ("s3", {"axes": "notes"}, "notes contradicts preset s3, which sets no axes"),
        ("s2", {"size": "200x150"}, "size 200x150 contradicts preset s2, which sets no size"),
        ("s2", {"cmap": "grey"}, "cmap grey contradicts preset s2, which sets cmap magma"),
        ("s0", {"ref": "1.0"}, "ref 1.0 contradicts preset s0, which sets ref peak"),
        (
            "pons",
            {"piece_seconds": 3.0},
            "piece_seconds 3 contradicts preset pons, which sets pieces of 80 frames, 3.66875 s",
        ),
        ("pons", {"top_db": 60.0}, "top_db belongs to log db, not to log10"),
        ("s2", {"n_mels": 40}, "n_mels belongs to kind mel"),
        ("nons", {}, "there is no preset 'nons'"),
    ],
)
def test_what_is_refused(name: str, given: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        of_preset(name, **given)
    assert message in caught.value.message
    said = f"{caught.value.message} {caught.value.hint}"
    assert f"preset {name}" in said.replace("'", "")


def test_what_a_preset_does_not_have_tells_what_it_sets() -> None:
    with pytest.raises(UsageError) as caught:
        of_preset("pons", top_db=60.0)
    assert caught.value.hint.startswith("preset pons sets kind mel, n_fft 2048, ")
    with pytest.raises(UsageError, match="did you mean pons"):
        preset_of("pns")


def test_what_is_left_open_is_free() -> None:
    pons = of_preset("pons", sample_rate=44100, power=1, ref=1.0, cmap="grey", axes="hz")
    assert pons.frontend == front_end(
        **AS_OPTIONS["pons"], sample_rate=44100, power=1, ref=1.0, fmax=22050.0
    )
    assert (pons.cmap, pons.axes) == ("grey", "hz")
    assert of_preset("pons", piece_seconds=3.66875) == of_preset("pons")
    assert of_preset("s4", resample="area", n_mels=64).frontend == front_end(
        n_mels=64, size="224x224", resample="area"
    )
    people = of_preset("s1", axes="notes", size="1200x600")
    assert people.frontend == of_preset("s1").frontend
    assert people.canvas().width == 1200
    assert of_preset("s0", piece_seconds=5.0, allow_truncated=True).piece_seconds == 5


def test_a_new_preset_is_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Preset("mine", "OWNER/NAME", "A few bands.", "the rest", {"n_mels": 20}, frames=10)
    monkeypatch.setitem(PRESETS, "mine", mine)
    settings = of_preset("mine")
    assert settings.frontend == front_end(n_mels=20)
    assert settings.piece_seconds == 9 * 512 / RATE
