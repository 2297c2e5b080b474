"""A recipe on a sound: each step looked at, seeded for itself, and told of."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("audiomentations")

from mgrkit.augment import mix
from mgrkit.augment.recipes import applying
from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import front_end
from tests.augment.mixes import Kept, audible
from tests.augment.recipes import cooking
from tests.augment.recipes.cooking import GAIN, RATE

STEP = "[[step]]\ntransform = "
WHITE = '[[step]]\nnoise = "white"\nsnr = 10\n'
SILENCED = STEP + '"Padding"\nmin_fraction = 1.0\nmax_fraction = 1.0\n'
FLAT = STEP + '"Gain"\nmin_gain_db = 0.0\nmax_gain_db = 0.0\n'


def snr(before: np.ndarray, after: np.ndarray, rate: int = RATE) -> float:
    before = before.astype(np.float64)
    return 10 * np.log10(audible(before, rate) / audible(after - before, rate))


@pytest.mark.parametrize("noise", ["white", "pink", "brown", "hiss.wav"])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_the_snr_of_exact_noise_holds_in_a_chain(noise: str, channels: int, tmp_path: Path) -> None:
    """Against the step's input, also where the sum is beyond full scale."""
    cooking.sounds(tmp_path)
    loud = STEP + '"Gain"\nmin_gain_db = 18.0\nmax_gain_db = 18.0\n'
    text = f'{loud}[[step]]\nnoise = "{noise}"\nsnr = [-5, 25]\n'
    made = cooking.ready(tmp_path, text)
    sound = cooking.made_music(20.0, channels)  # in less, all is not clear at 20 Hz itself
    before = cooking.apply(cooking.ready(tmp_path, loud), sound).samples
    for k in (1, 2):
        altered = cooking.apply(made, sound, k=k)
        drawn = altered.drawn[1]
        assert -5 <= drawn["parameters"]["snr_db"] <= 25
        assert abs(snr(before, altered.samples) - drawn["parameters"]["snr_db"]) < 0.001
        assert abs(drawn["measured"]["snr_db"] - drawn["parameters"]["snr_db"]) < 0.001
        assert len(drawn["measured"]["snr_db_by_channel"]) == channels


def test_the_snr_is_drawn_evenly(tmp_path: Path) -> None:
    made = cooking.ready(tmp_path, WHITE.replace("10", "[0, 10]"))
    sound = cooking.made_music(0.2)
    drawn = [cooking.apply(made, sound, k=k).drawn[0]["parameters"]["snr_db"] for k in range(200)]
    assert all(8 <= n <= 35 for n in np.histogram(drawn, 10, (0, 10))[0])


def test_two_steps_of_one_noise_are_two_noises(tmp_path: Path) -> None:
    sound = cooking.made_music()
    once = cooking.apply(cooking.ready(tmp_path, WHITE), sound).samples
    twice = cooking.apply(cooking.ready(tmp_path, WHITE + WHITE), sound).samples
    assert abs(np.corrcoef((once - sound)[0], (twice - once)[0])[0, 1]) < 0.02


def test_recipes_paths_seeds_and_copies_draw_for_themselves(tmp_path: Path) -> None:
    sound = cooking.made_music()
    made = cooking.ready(tmp_path, GAIN + WHITE)
    other = cooking.ready(tmp_path, GAIN + WHITE, "other")
    found = [
        cooking.apply(made, sound), cooking.apply(other, sound),
        cooking.apply(made, sound, k=2), cooking.apply(made, sound, seed=2),
        cooking.apply(made, sound, path="a/c.wav"),
    ]  # fmt: skip
    assert len({one.samples.tobytes() for one in found}) == len(found)
    assert len({json.dumps(one.drawn[0]) for one in found}) == len(found)


def test_threads_draw_as_one_does_alone(tmp_path: Path) -> None:
    made = cooking.ready(tmp_path, GAIN + cooking.step("AddGaussianNoise") + WHITE)
    sound = cooking.made_music(1.0)
    alone = [cooking.apply(made, sound, k=k).samples.tobytes() for k in range(1, 25)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: cooking.apply(made, sound, k=k), range(1, 25)))
    assert [one.samples.tobytes() for one in found] == alone


def test_unbalanced_channels_are_told_of(tmp_path: Path) -> None:
    """White noise of one level in both channels, of which one is 30 dB softer."""
    sound = np.repeat(cooking.made_music(), 2, axis=0)
    sound[1] *= np.float32(10 ** (-30 / 20))
    made = cooking.ready(tmp_path, cooking.step("AddGaussianSNR") + WHITE)
    for drawn in cooking.apply(made, sound).drawn:
        left, right = drawn["measured"]["snr_db_by_channel"]
        assert right < left - 20
        assert right < drawn["measured"]["snr_db"] < left


def test_a_silent_channel_has_no_snr(tmp_path: Path) -> None:
    sound = np.repeat(cooking.made_music(), 2, axis=0)
    sound[1] = 0
    altered = cooking.apply(cooking.ready(tmp_path, WHITE), sound)
    assert altered.drawn[0]["measured"]["snr_db_by_channel"][1] is None


@pytest.mark.parametrize(
    ("step", "label", "reason"),
    [
        (SILENCED, "step 2 (Padding)", "silent: step 2 (Padding): silence came out"),
        (STEP + '"Gain"\nmin_gain_db = 800.0\nmax_gain_db = 800.0\n', "step 2 (Gain)",
         "non-finite"),
        (STEP + '"AdjustDuration"\nduration_seconds = 0.05\n',
         "step 2 (AdjustDuration)", "too-short"),
        (STEP + '"AdjustDuration"\nduration_samples = 300_000_000\n',
         "step 2 (AdjustDuration)", "too-long"),
    ],
)  # fmt: skip
def test_what_is_no_sound_any_more_fails_by_the_name_of_its_step(
    step: str, label: str, reason: str, tmp_path: Path
) -> None:
    made = cooking.ready(tmp_path, GAIN + step + GAIN)
    with pytest.raises(ItemError) as caught:
        cooking.apply(made, cooking.made_music())
    assert label in str(caught.value)
    assert str(caught.value).startswith(reason)


def test_nothing_left_is_too_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import audiomentations

    monkeypatch.setattr(audiomentations.Trim, "apply", lambda self, samples, rate: samples[..., :0])
    made = cooking.ready(tmp_path, cooking.step("Trim"))
    with pytest.raises(ItemError, match=r"too-short: step 1 \(Trim\): 0 frames are left"):
        cooking.apply(made, cooking.made_music())


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda s: s * 0, "silent"),
        (lambda s: s * 0 + 0.3, "silent"),
        (lambda s: np.where(s > 0.1, np.nan, s).astype("f4"), "non-finite"),
        (lambda s: np.where(s > 0.1, np.inf, s).astype("f4"), "non-finite"),
        (lambda s: s[:, :0], "too-short"),
        (lambda s: np.broadcast_to(s[:, :1], (len(s), 2**29)), "too-long"),
    ],
)
def test_what_is_no_sound_to_begin_with(change, error: str, channels: int, tmp_path: Path) -> None:
    made = cooking.ready(tmp_path, GAIN)
    with pytest.raises(ItemError) as caught:
        cooking.apply(made, change(cooking.made_music(channels=channels)))
    assert caught.value.reason == error


def test_integers_are_refused(tmp_path: Path) -> None:
    """audiomentations takes full scale to be 1; 16 bits would be 32,768 times too loud."""
    made = cooking.ready(tmp_path, GAIN)
    for samples in (np.ones((1, RATE), np.int16), cooking.made_music()[0], [[0.5, 0.1]]):
        with pytest.raises(UsageError, match="full scale is 1"):
            made.apply(samples, RATE, 1, "a", 1)


@pytest.mark.parametrize(
    ("subtype", "rate"),
    [("PCM_U8", RATE), ("FLOAT", RATE), ("DOUBLE", 44_100), ("PCM_24", 192_000)],
)
def test_eight_bits_floats_and_192_khz(subtype: str, rate: int, tmp_path: Path) -> None:
    from mgrkit.audio import open_sound

    path = tmp_path / "a.wav"
    soundfile.write(path, cooking.made_music(1.0, 2, rate).T, rate, subtype)
    with open_sound(path) as file:
        samples = np.concatenate(list(file.blocks()), axis=1)
    made = cooking.ready(tmp_path, cooking.step("PitchShift") + WHITE)
    altered = cooking.apply(made, samples, rate)
    assert altered.samples.shape == samples.shape
    assert abs(altered.drawn[1]["measured"]["snr_db"] - 10) < 0.001


@pytest.mark.parametrize(
    "step",
    [FLAT, STEP + '"Clip"\n', STEP + '"Trim"\ntop_db = 90.0\n'],
)
def test_a_step_that_leaves_the_sound_as_it_was_is_told_of(step: str, tmp_path: Path) -> None:
    altered = cooking.apply(cooking.ready(tmp_path, step), cooking.made_music())
    [warning] = altered.warnings
    assert warning.startswith("unchanged: step 1 (")
    altered = cooking.apply(cooking.ready(tmp_path, WHITE), cooking.made_music())
    assert altered.warnings == ()


def test_what_the_library_warns_of_is_handed_on_by_name(tmp_path: Path) -> None:
    noise = np.zeros(8 * RATE)
    noise[-RATE:] = 0.1 * np.random.default_rng(0).normal(size=RATE)
    soundfile.write(tmp_path / "knock.wav", noise, RATE)
    text = STEP + '"AddBackgroundNoise"\nsounds_path = "knock.wav"\n'
    made = cooking.ready(tmp_path, text)
    sound = cooking.made_music(1.0)
    told = {cooking.apply(made, sound, k=k).warnings for k in range(1, 9)}
    said = "step 1 (AddBackgroundNoise): The file knock.wav is too silent to be added as noise. "
    said += "Returning the input unchanged."
    assert (said, "unchanged: step 1 (AddBackgroundNoise): it left the sound as it was") in told


def test_resampling_noise_is_nothing_to_tell(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "hiss.wav", np.random.default_rng(0).normal(size=40_000) * 0.1, 8000)
    made = cooking.ready(tmp_path, cooking.step("AddBackgroundNoise"))
    assert cooking.apply(made, cooking.made_music()).warnings == ()


def test_resample_gives_its_rate(tmp_path: Path) -> None:
    text = STEP + '"Resample"\nmin_sample_rate = 8000\nmax_sample_rate = 8000\n'
    altered = cooking.apply(cooking.ready(tmp_path, text + WHITE), cooking.made_music())
    assert altered.rate == 8000
    assert altered.samples.shape == (1, 3 * 8000)
    assert altered.shift == 0.0


@pytest.mark.parametrize(
    ("text", "shift"),
    [
        (GAIN + WHITE, 0.0),
        (cooking.step("ApplyImpulseResponse"), 100 / RATE),
        (STEP + '"LowPassFilter"\nmin_cutoff_freq = 1000.0\nmax_cutoff_freq = 1000.0\n'
         "min_rolloff = 24\nmax_rolloff = 24\n", 2.613 / (2 * np.pi * 1000)),
        (cooking.step("ApplyImpulseResponse") + cooking.step("TimeStretch"), None),
        (STEP + '"Reverse"\n', None),
        (STEP + '"Reverse"\np = 0.0\n' + GAIN, 0.0),
        (STEP + '"Shift"\nmin_shift = 0.1\nmax_shift = 0.1\nrollover = false\n'
         'shift_unit = "seconds"\n', 0.1),
        (STEP + '"Shift"\nmin_shift = -0.1\nmax_shift = -0.1\nrollover = false\n'
         'shift_unit = "seconds"\n[[step]]\ntransform = "PolarityInversion"\n', -0.1),
    ],
)  # fmt: skip
def test_by_how_much_the_sound_was_shifted(text: str, shift: float | None, tmp_path: Path) -> None:
    cooking.sounds(tmp_path)
    altered = cooking.apply(cooking.ready(tmp_path, text), cooking.chirp())
    if shift is None:
        assert altered.shift is None
    else:
        assert altered.shift is not None
        assert abs(altered.shift - shift) <= 1 / RATE


def test_recorded_values_are_put_in_place_of_what_is_drawn(tmp_path: Path) -> None:
    cooking.sounds(tmp_path)
    text = GAIN + WHITE.replace("10", "[0, 20]") + cooking.step("OneOf")
    made = cooking.ready(tmp_path, text)
    sound = cooking.made_music()
    first = cooking.apply(made, sound)
    recorded = json.loads(json.dumps(first.drawn))
    recorded[0]["parameters"]["amplitude_ratio"] = 0.5
    recorded[1]["parameters"]["snr_db"] = 7.0
    recorded[2]["parameters"]["transform_index"] = 1 - recorded[2]["parameters"]["transform_index"]
    altered = cooking.apply(made, sound, recorded=recorded)
    assert altered.drawn[0]["parameters"]["amplitude_ratio"] == 0.5
    assert abs(snr(sound * np.float32(0.5), altered.samples) - 7) < 0.001 or altered.drawn[2][
        "parameters"]["transform_index"] == 0  # fmt: skip
    assert altered.drawn[2]["parameters"] == recorded[2]["parameters"]
    kinds = [one.split(":")[0] for one in altered.warnings if one.startswith("drawn")]
    assert kinds == ["drawn-otherwise"] * 3
    again = cooking.apply(made, sound, recorded=json.loads(json.dumps(altered.drawn)))
    assert again.samples.tobytes() == altered.samples.tobytes()


def test_a_record_of_another_recipe_is_refused(tmp_path: Path) -> None:
    made = cooking.ready(tmp_path, GAIN + WHITE)
    sound = cooking.made_music()
    drawn = cooking.apply(made, sound).drawn
    for recorded in (
        drawn[:1],
        drawn[::-1],
        [drawn[0], {"noise": "pink", "parameters": {}}],
        [drawn[0], {"noise": "white"}],
        [1, 2],
        [{**drawn[0], "steps": 3}, drawn[1]],
        [{**drawn[0], "calls": 3}, drawn[1]],
    ):
        with pytest.raises(ItemError, match="other-recipe"):
            cooking.apply(made, sound, recorded=recorded)


def test_a_record_names_sounds_of_the_recipe_alone(tmp_path: Path) -> None:
    """A table from elsewhere cannot have other files of this machine read."""
    cooking.sounds(tmp_path)
    made = cooking.ready(tmp_path, cooking.step("AddBackgroundNoise"))
    sound = cooking.made_music()
    recorded = json.loads(json.dumps(cooking.apply(made, sound).drawn))
    recorded[0]["parameters"]["noise_file_path"] = str(tmp_path / "hall.wav")
    assert (tmp_path / "hall.wav").exists()
    with pytest.raises(ItemError, match=r"other-recipe: .*hall.wav' is none of the recipe's"):
        cooking.apply(made, sound, recorded=recorded)


@pytest.mark.parametrize("value", ["x", None, [1, 2], True, -99, 1e5, 10**400, float("nan")])
@pytest.mark.parametrize(
    ("step", "key"), [(WHITE, "snr_db"), ("[[step]]\nreverb = 0.3\n", "seconds")]
)
def test_a_record_of_an_impossible_value_names_the_step(
    step: str, key: str, value: object, tmp_path: Path
) -> None:
    made = cooking.ready(tmp_path, GAIN + step + GAIN)
    sound = cooking.made_music(0.5)
    recorded = json.loads(json.dumps(cooking.apply(made, sound).drawn))
    recorded[1]["parameters"][key] = value
    with pytest.raises(ItemError, match=r"step 2 .*: the table says: ") as caught:
        cooking.apply(made, sound, recorded=recorded)
    assert caught.value.reason == "step-failed"


def test_the_last_noise_is_left_for_the_file(tmp_path: Path) -> None:
    """`mix` with what is left gives what the chain gives."""
    made = cooking.ready(tmp_path, GAIN + WHITE.replace("10", "[0, 20]"))
    sound = cooking.made_music(channels=2)
    whole = cooking.apply(made, sound)
    before, left = made.up_to_last_noise(sound, RATE, 1, "a/b.wav", 1)
    assert left is not None
    kept = Kept()
    mix(lambda: [before.samples], RATE, 2, left.noise, left.snr_db, left.seed, "a/b.wav", 1,
        "FLOAT", kept)  # fmt: skip
    assert np.allclose(kept.raw, whole.samples, atol=1e-6)
    assert before.drawn[1] == left.drawn
    assert {**left.drawn, "measured": whole.drawn[1]["measured"]} == whole.drawn[1]
    _, left = made.up_to_last_noise(sound, RATE, 1, "a/b.wav", 1, recorded=whole.drawn)
    assert left is not None
    assert left.snr_db == whole.drawn[1]["parameters"]["snr_db"]


def test_nothing_is_left_where_no_noise_comes_last(tmp_path: Path) -> None:
    sound = cooking.made_music()
    for text in (WHITE + GAIN, GAIN + WHITE + "p = 0.0"):
        made = cooking.ready(tmp_path, text)
        altered, left = made.up_to_last_noise(sound, RATE, 1, "a/b.wav", 1)
        assert left is None
        whole = cooking.apply(made, sound)
        assert altered.samples.tobytes() == whole.samples.tobytes()
        assert altered.drawn == whole.drawn


def test_nested_transforms_run(tmp_path: Path) -> None:
    """A function of Lambda, a transform of noise, one of parts, a choice within a choice."""
    cooking.sounds(tmp_path)
    reverse = '[step.{}]\ntransform = "Reverse"\n'
    sound = cooking.made_music()
    made = cooking.ready(tmp_path, cooking.step("Lambda").replace("Gain", "Reverse"))
    assert np.array_equal(cooking.apply(made, sound).samples, sound[:, ::-1])
    plain = cooking.apply(cooking.ready(tmp_path, cooking.step("AddBackgroundNoise")), sound)
    turned = cooking.apply(
        cooking.ready(
            tmp_path, cooking.step("AddBackgroundNoise") + reverse.format("noise_transform")
        ),
        sound,
    )
    assert turned.drawn[0]["steps"][0]["parameters"]["should_apply"]
    assert not np.array_equal(plain.samples, turned.samples)
    some = (
        STEP + '"SomeOf"\nnum_transforms = [1, 2]\n'
        '[[step.transforms]]\ntransform = "Reverse"\n'
        '[[step.transforms]]\ntransform = "OneOf"\n'
        '[[step.transforms.transforms]]\ntransform = "AddShortNoises"\nsounds_path = "hiss.wav"\n'
        '[[step.transforms.transforms]]\ntransform = "Gain"\n'
    )
    made = cooking.ready(tmp_path, some)
    both = cooking.made_music(channels=2)
    chosen = set()
    for k in range(1, 13):
        altered = cooking.apply(made, both, k=k)
        again = cooking.apply(made, both, k=k, recorded=json.loads(json.dumps(altered.drawn)))
        assert again.samples.tobytes() == altered.samples.tobytes()
        assert (altered.shift is None) is (0 in altered.drawn[0]["parameters"]["transform_indexes"])
        chosen.add(tuple(altered.drawn[0]["parameters"]["transform_indexes"]))
    assert chosen == {(0,), (1,), (0, 1)}


def test_part_transforms_draw_at_each_repeat(tmp_path: Path) -> None:
    text = (
        STEP + '"RepeatPart"\nmin_repeats = 3\nmax_repeats = 3\n'
        'max_part_duration = 0.3\n[step.part_transform]\ntransform = "Gain"\n'
    )
    altered = cooking.apply(cooking.ready(tmp_path, text), cooking.made_music())
    assert len(altered.drawn[0]["steps"][0]["calls"]) == 3


def test_samples_beyond_full_scale_are_not_clipped(tmp_path: Path) -> None:
    text = STEP + '"Gain"\nmin_gain_db = 30.0\nmax_gain_db = 30.0\n'
    altered = cooking.apply(cooking.ready(tmp_path, text), cooking.made_music())
    assert np.abs(altered.samples).max() > 5


def test_the_least_length_is_one_transform_of_the_default_front_end() -> None:
    front = front_end()
    assert front.transform.n_fft / front.sample_rate == applying.SHORTEST
