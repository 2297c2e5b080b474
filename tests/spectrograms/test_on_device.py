"""Pictures that torch has a part in, against those of the CPU; here torch computes on it, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mgrkit.commands import spectrograms as command
from mgrkit.commands.spectrograms import SpectrogramsSettings
from mgrkit.errors import RunError, UsageError
from mgrkit.frontend import front_end
from mgrkit.spectrograms import on_a_device, on_device, read_png, render

pytestmark = pytest.mark.torch
TORCH = "cpu:0"
"""A device of torch's that is everywhere."""

FRONT_ENDS = {
    "mel": front_end(),
    "stft": front_end(kind="stft", n_fft=512, hop_length=200),
    "magnitudes": front_end(power=1.0),
    "compressed": front_end(log="log10"),
    "full scale": front_end(ref=1.0),
    "kaggle": front_end("kaggle-images"),
    "rgb": front_end("rgb:mel,stft,chroma-stft"),
}


@pytest.fixture
def sounds(data: Path) -> list[Any]:
    clips = sorted((data / "gtzan" / "clips").glob("*.flac"))[::11]
    return [soundfile.read(clip, dtype="float32")[0] for clip in clips]


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_real_music_is_the_same_within_a_level(
    name: str, sounds: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_device, "_FRAMES", 1000)
    for samples in sounds:
        here, there = (render(samples, FRONT_ENDS[name], device) for device in ("cpu", TORCH))
        assert here.values.shape == there.values.shape
        apart = np.abs(here.values.astype(int) - there.values)
        assert apart.max() <= 1
        assert (apart > 0).mean() < 1e-3
        if here.peak_db is not None:
            assert there.peak_db == pytest.approx(here.peak_db, abs=1e-3)


def test_digital_silence_in_a_sound_and_the_shortest_sound() -> None:
    tone = np.sin(np.arange(22_050) / 9).astype(np.float32)
    for samples in (np.concatenate([tone, np.zeros(22_050, np.float32)]), tone[:2048]):
        here, there = (render(samples, front_end(), device) for device in ("cpu", TORCH))
        assert np.abs(here.values.astype(int) - there.values).max() <= 1


def test_a_device_that_is_gone_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sounds: list[Any]
) -> None:
    monkeypatch.setattr(command, "resolve_device", lambda *_: "meta")
    for number in range(3):
        soundfile.write(tmp_path / f"{number}.wav", sounds[0], 22_050)
    with pytest.raises(RunError, match="the device meta failed: ") as raised:
        command.spectrograms(SpectrogramsSettings.of(device="cuda"), [tmp_path], tmp_path / "out")
    assert raised.value.hint == "give --device cpu"


def test_the_command_draws_there_and_keeps_devices_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sounds: list[Any]
) -> None:
    monkeypatch.setattr(
        command, "resolve_device", lambda asked, _: {"cuda": TORCH}.get(asked, asked)
    )
    asked = []
    log_power = on_device.log_power
    monkeypatch.setattr(
        on_device, "log_power", lambda *how: asked.append(how[2]) or log_power(*how)
    )
    source, out = tmp_path / "a.wav", tmp_path / "out"
    soundfile.write(source, sounds[0], 22_050)
    assert command.spectrograms(SpectrogramsSettings.of(device="cuda"), [source], out).made == 1
    assert asked == [TORCH]
    picture = read_png(out / "a.png")
    assert np.abs(picture.values.astype(int) - render(sounds[0], front_end()).values).max() <= 1
    with pytest.raises(UsageError, match="device"):
        command.spectrograms(SpectrogramsSettings.of(), [source], out)


def test_kinds_that_are_no_sums_over_the_transform_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(command, "resolve_device", lambda *_: TORCH)
    with pytest.raises(UsageError, match="kind cqt is computed on the CPU"):
        SpectrogramsSettings.of(kind="cqt", device="cuda")
    assert on_a_device(front_end("rgb:cqt,mel,mfcc"))
    assert not on_a_device(front_end("rgb:cqt,mfcc,tonnetz"))


def test_a_device_that_is_not_here_is_refused_before_anything() -> None:
    with pytest.raises(UsageError, match="there is no device cuda:77 here"):
        SpectrogramsSettings.of(device="cuda:77")
