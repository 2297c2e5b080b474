"""Recorded noise: found, spooled without its silence, looped, resampled, mixed."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.augment import Colour, Recordings, Spooled, parse_noise
from mgrkit.augment.blocks import BLOCK, Draw
from mgrkit.errors import RunError, UsageError
from tests.augment.mixes import RATE, mixed, residual, snr_of, tone


def hiss(seconds: float, rate: int = RATE, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=round(seconds * rate)) * level


def rest(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.zeros(round(seconds * rate))


def write(path: Path, *parts: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.concatenate(parts), rate, "FLOAT")
    return path


def spooled(path: Path, work: Path) -> Spooled:
    work.mkdir(exist_ok=True)
    noise = parse_noise(str(path))
    assert isinstance(noise, Recordings)
    return noise.spooled(work)


def drawn(noise: Spooled, frames: int, rate: int = RATE, channel: int = 0, channels: int = 1,
          **draw: object) -> np.ndarray:  # fmt: skip
    fill = noise.take(Draw(**{"seed": 1, "path": "a", "k": 1, **draw}), rate, channels)
    out = np.empty(frames, np.float32)
    for start in range(0, frames, BLOCK):
        fill.channels[channel](out[start : start + BLOCK])
    return out.astype(np.float64)


@pytest.fixture
def mostly_silent(tmp_path: Path) -> Path:
    """80 % silence: 2 s of 10 s sound, in three stretches."""
    return write(
        tmp_path / "hall.wav", rest(3), hiss(0.5), rest(2), hiss(1, seed=1), rest(2.5),
        hiss(0.5, seed=2), rest(0.5),
    )  # fmt: skip


def test_twenty_of_twenty_copies_from_a_recording_that_is_mostly_silent(
    mostly_silent: Path, tmp_path: Path
) -> None:
    noise = spooled(mostly_silent, tmp_path / "work")
    sound = tone(5 * RATE, channels=2)
    for k in range(1, 21):
        made, samples, _ = mixed(sound, noise, 10, "PCM_16", k=k)
        assert abs(snr_of(sound, made, samples) - 10) < 0.01
        heard = residual(sound, made, samples)
        seconds = heard.reshape(2, -1, RATE // 2)
        assert np.sqrt(np.mean(seconds**2, axis=2)).min() > 0.5 * np.sqrt(np.mean(heard**2))
        assert made.recording == "hall.wav"
        spoken = ((3, 3.5), (5.5, 6.5), (9, 9.5))
        assert any(start - 0.05 <= made.offset <= stop + 0.05 for start, stop in spoken)


def test_offset_says_where_the_noise_comes_from(tmp_path: Path) -> None:
    recording = np.concatenate([rest(2), hiss(1), rest(3), hiss(2, seed=1)])
    noise = spooled(write(tmp_path / "n.wav", recording), tmp_path / "work")
    sound = tone(500)
    for k in range(1, 11):
        made, samples, _ = mixed(sound, noise, 0, k=k)
        start = round(made.offset * RATE)
        there = recording[start : start + 500]
        if len(there) < 500 or not there.all():
            continue  # runs over a join
        heard = residual(sound, made, samples)[0]
        assert np.corrcoef(heard, there)[0, 1] > 0.9


def test_silence_is_cut_and_joins_keep_the_level(mostly_silent: Path, tmp_path: Path) -> None:
    loop = spooled(mostly_silent, tmp_path / "work").loops[0]
    # Frames that are partly silent stay, joins overlap by 10 ms.
    assert 1.9 * RATE < loop.frames < 2.3 * RATE
    assert loop.spool.stat().st_size == 4 * loop.frames


def test_level_between_loud_and_silent_counts_as_sound(tmp_path: Path) -> None:
    for decibels, seconds in ((-55, 2), (-65, 1)):
        quiet = hiss(1, level=0.1 * 10 ** (decibels / 20), seed=1)
        path = write(tmp_path / f"{-decibels}.wav", hiss(1), quiet)
        loop = spooled(path, tmp_path / "work").loops[0]
        assert abs(loop.frames / RATE - seconds) < 0.06


def test_loop_has_no_seam(tmp_path: Path) -> None:
    time = np.arange(round(0.5 * RATE)) / RATE
    wave = np.sin(2 * np.pi * 100.7 * time + 0.3)
    noise = spooled(write(tmp_path / "hum.wav", wave), tmp_path / "work")
    sound = drawn(noise, 5 * RATE)
    # A jump would be up to 2, a sine's largest step is 0.029; the fade may add a little.
    assert abs(np.diff(sound)).max() < 0.035
    frames = noise.loops[0].frames
    np.testing.assert_array_equal(sound[:frames], sound[frames : 2 * frames])
    longer = drawn(spooled(write(tmp_path / "h.wav", hiss(0.3)), tmp_path / "work"), 20 * RATE)
    powers = np.mean(longer[: longer.size // 220 * 220].reshape(-1, 220) ** 2, axis=1)
    assert powers.min() > 0.5 * powers.mean()


def test_stretches_are_joined_without_a_click(tmp_path: Path) -> None:
    rate = 20_000  # stretches of whole frames, so that their own ends stay out
    wave = np.sin(2 * np.pi * 100.3 * np.arange(rate) / rate)
    path = write(tmp_path / "n.wav", wave, rest(1, rate), -wave[3_000:], rest(1, rate), rate=rate)
    sound = drawn(spooled(path, tmp_path / "work"), 3 * rate, rate)
    assert abs(np.diff(sound)).max() < 0.06


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_noise_of_another_rate_is_resampled(rate: int, tmp_path: Path) -> None:
    time = np.arange(rate) / rate
    path = write(tmp_path / "n.wav", np.sin(2 * np.pi * 1000 * time), rate=rate)
    sound = drawn(spooled(path, tmp_path / "work"), 3 * RATE)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert abs(np.argmax(spectrum) / 3 - 1000) < 2
    starts = [drawn(spooled(path, tmp_path / "work"), 100, k=k) for k in range(20)]
    power = np.mean(np.square(starts), axis=0)
    assert power.min() > 0.2  # no fading in of the resampler


def test_channels_come_from_places_far_apart(tmp_path: Path) -> None:
    noise = spooled(write(tmp_path / "n.wav", hiss(3)), tmp_path / "work")
    sounds = [drawn(noise, RATE, channel=c, channels=3) for c in range(3)]
    correlation = np.corrcoef(sounds)
    assert abs(correlation - np.eye(3)).max() < 0.05


def test_draws(tmp_path: Path) -> None:
    noise = spooled(write(tmp_path / "n.wav", hiss(30)), tmp_path / "work")
    first = drawn(noise, 5000)
    np.testing.assert_array_equal(first, drawn(noise, 9000)[:5000])
    np.testing.assert_array_equal(first, drawn(pickle.loads(pickle.dumps(noise)), 5000))
    for other in ({"seed": 2}, {"path": "b"}, {"k": 2}):
        assert abs(np.corrcoef(first, drawn(noise, 5000, **other))[0, 1]) < 0.1


def test_long_and_passed_twice_gives_the_same(tmp_path: Path, monkeypatch) -> None:
    noise = spooled(write(tmp_path / "n.wav", hiss(2, 44_100), rate=44_100), tmp_path / "work")
    sound = tone(BLOCK + 1000, 0.5)
    kept = mixed(sound, noise, 0, "PCM_16")[1]
    monkeypatch.setattr("mgrkit.augment.material.KEPT_BYTES", 0)
    np.testing.assert_array_equal(kept, mixed(sound, noise, 0, "PCM_16")[1])


def test_folder(tmp_path: Path) -> None:
    folder = tmp_path / "street"
    for index, name in enumerate(["b.wav", "a.flac.wav", "sub/c.WAV"]):
        write(folder / name, hiss(1, seed=index))
    for name in (".hidden.wav", "._a.wav", ".cache/x.wav", "notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"no sound")
    (folder / "broken.wav").write_bytes(b"RIFFno sound")
    write(folder / "mute.wav", rest(1))
    write(folder / "tick.wav", hiss(0.01))
    found = parse_noise(str(folder))
    assert isinstance(found, Recordings)
    assert found.name == "street"
    assert found.files == ("a.flac.wav", "b.wav", "broken.wav", "mute.wav", "sub/c.WAV", "tick.wav")
    noise = spooled(folder, tmp_path / "work")
    assert [loop.name for loop in noise.loops] == ["a.flac.wav", "b.wav", "sub/c.WAV"]
    assert [reason in line for reason, line in
            zip(("broken.wav: ", "mute.wav: silent", "tick.wav: too-short"), noise.warnings,
                strict=True)] == [True] * 3  # fmt: skip
    chosen = {noise.take(Draw(1, "a", k), RATE, 1).recording for k in range(30)}
    assert chosen == {"a.flac.wav", "b.wav", "sub/c.WAV"}


def test_silent_recording_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the recording is silent") as caught:
        spooled(write(tmp_path / "mute.wav", rest(2)), tmp_path / "work")
    # Recipes, evaluate --under and train --augment mix recordings in, too.
    assert caught.value.hint == "give another recording"
    with pytest.raises(RunError, match="out-of-range"):
        spooled(write(tmp_path / "loud.wav", rest(1) + 1e30), tmp_path / "work")


def test_stereo_recording_is_mixed_to_mono(tmp_path: Path) -> None:
    both = np.stack([hiss(1), hiss(1, seed=1)], axis=1)
    soundfile.write(tmp_path / "n.wav", both, RATE, "FLOAT")
    loop = spooled(tmp_path / "n.wav", tmp_path / "work").loops[0]
    middle = np.fromfile(loop.spool, np.float32)[1000:2000]
    np.testing.assert_allclose(np.diff(middle), np.diff(both.mean(axis=1)[1000:2000]), atol=1e-6)


def test_an_offset_of_a_recording_is_no_noise(tmp_path: Path) -> None:
    """Of 40 dB more than the noise itself: it was 10 dB of nothing, and the mix had no room."""
    plain = hiss(2, level=0.005)
    noise = spooled(write(tmp_path / "n.wav", plain + 0.5), tmp_path / "work")
    sound = tone(5 * RATE)
    made, samples, _ = mixed(sound, noise, 10, "PCM_16")
    heard = residual(sound, made, samples)
    assert abs(snr_of(sound, made, samples) - 10) < 0.01
    assert abs(10 * np.log10(np.mean(sound**2) / np.mean(heard**2)) - 10) < 0.05
    assert made.gain == 1


def test_silence_beside_an_offset_is_cut(tmp_path: Path) -> None:
    recording = np.concatenate([rest(2), hiss(1), rest(3)]) + 0.25
    loop = spooled(write(tmp_path / "n.wav", recording), tmp_path / "work").loops[0]
    assert loop.frames < 1.2 * RATE
    with pytest.raises(RunError, match="the recording is silent"):
        spooled(write(tmp_path / "mute.wav", rest(2) + 0.25), tmp_path / "work")


def test_rumble_of_a_recording_is_no_noise(tmp_path: Path) -> None:
    time = np.arange(4 * RATE) / RATE
    rumble = 0.05 * np.sin(2 * np.pi * 8 * time)
    noise = spooled(write(tmp_path / "n.wav", hiss(4, level=0.01) + rumble), tmp_path / "work")
    sound = tone(5 * RATE)
    made, samples, _ = mixed(sound, noise, 10, "PCM_16")
    assert abs(snr_of(sound, made, samples) - 10) < 0.01


def test_digest_notices_a_change(tmp_path: Path) -> None:
    path = write(tmp_path / "n.wav", hiss(0.1))
    first = parse_noise(str(path)).digest
    assert first == parse_noise(str(path)).digest
    assert len(first) == 64
    write(path, hiss(0.1, seed=1))
    assert parse_noise(str(path)).digest != first
    assert parse_noise("white").digest == ""


def test_parsing(tmp_path: Path, monkeypatch) -> None:
    assert parse_noise("pink") == Colour("pink")
    path = write(tmp_path / "rain.one.wav", hiss(0.1))
    assert parse_noise(str(path)).name == "rain.one"
    with pytest.raises(UsageError, match="pink"):
        parse_noise("pnik")
    with pytest.raises(UsageError, match="the colours are blue, brown, pink, violet, white"):
        parse_noise(str(tmp_path / "nothing"))
    with pytest.raises(UsageError):
        parse_noise("")
    (tmp_path / "void").mkdir()
    with pytest.raises(UsageError, match="no recordings"):
        parse_noise(str(tmp_path / "void"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "white").mkdir()
    assert parse_noise("white") == Colour("white")
    write(tmp_path / "white" / "n.wav", hiss(0.1))
    assert isinstance(parse_noise("./white"), Recordings)
    assert parse_noise(str(Path("white") / "..")).name == tmp_path.name


# --- a recording as it is, from where it is said


def begun(path: Path, work: Path, begin: float) -> Spooled:
    work.mkdir(exist_ok=True)
    noise = parse_noise(str(path), begin=begin)
    assert isinstance(noise, Recordings)
    return noise.spooled(work)


@pytest.mark.parametrize("begin", [0, 0.02, 1.25])
def test_noise_from_a_place_is_the_recording_itself(begin: float, tmp_path: Path) -> None:
    """Its silence and its offset too."""
    recording = np.concatenate([hiss(1), rest(2), hiss(1, seed=1)]) + 0.25
    noise = begun(write(tmp_path / "n.wav", recording), tmp_path / "work", begin)
    start = round(begin * RATE)
    heard = drawn(noise, 2 * RATE, k=3)
    np.testing.assert_array_equal(heard, recording[start:][: 2 * RATE].astype("f4"))
    take = noise.take(Draw(1, "a", 1), RATE, 1)
    assert (take.recording, take.offset) == ("n.wav", begin)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
@pytest.mark.parametrize("begin", [0, 0.05, 2.3])
def test_it_is_what_the_whole_recording_resampled_has_there(
    begin: float, rate: int, tmp_path: Path
) -> None:
    soxr = pytest.importorskip("soxr")
    recording = hiss(4, rate).astype("f4")
    noise = begun(write(tmp_path / "n.wav", recording, rate=rate), tmp_path / "work", begin)
    everything = soxr.resample(recording, rate, RATE, "HQ")
    start = round(begin * RATE)
    np.testing.assert_allclose(drawn(noise, RATE), everything[start : start + RATE], atol=2e-6)


def test_one_that_ends_goes_on_from_its_start_without_a_seam(tmp_path: Path) -> None:
    recording = hiss(1).astype("f4")
    noise = begun(write(tmp_path / "n.wav", recording), tmp_path / "work", 0.75)
    heard = drawn(noise, 4 * RATE)
    fade = noise.loops[0].lead
    assert fade == round(0.05 * RATE) // 5
    first = RATE - round(0.75 * RATE)
    np.testing.assert_array_equal(heard[: first - fade], recording[-first:-fade])
    for turn in range(3):
        at = first + turn * (RATE - fade)
        np.testing.assert_array_equal(heard[at : at + RATE - 2 * fade], recording[fade:-fade])
        power = np.mean(heard[at - fade : at] ** 2)
        assert 0.5 < power / np.mean(recording**2) < 2
    time = np.arange(RATE) / RATE
    wave = np.sin(2 * np.pi * 100.7 * time + 0.3)
    hum = begun(write(tmp_path / "hum.wav", wave), tmp_path / "work", 0)
    assert abs(np.diff(drawn(hum, 5 * RATE))).max() < 0.06  # a jump would be above 1


def test_all_channels_begin_at_one_place(tmp_path: Path) -> None:
    noise = begun(write(tmp_path / "n.wav", hiss(2)), tmp_path / "work", 0.5)
    both = [drawn(noise, 1000, channel=c, channels=2) for c in range(2)]
    np.testing.assert_array_equal(*both)


def test_a_place_that_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "n.wav", hiss(2))
    with pytest.raises(RunError, match="too-short: the recording has 2 s, --noise-start is 2 s"):
        begun(path, tmp_path / "work", 2)
    with pytest.raises(UsageError, match="--noise-start is a place in a recording, pink is none"):
        parse_noise("pink", begin=0)
    write(tmp_path / "many" / "long.wav", hiss(3))
    write(tmp_path / "many" / "short.wav", hiss(1))
    noise = begun(tmp_path / "many", tmp_path / "work", 2)
    assert [loop.name for loop in noise.loops] == ["long.wav"]
    assert "short.wav: too-short" in noise.warnings[0]
