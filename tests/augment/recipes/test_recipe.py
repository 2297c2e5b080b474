"""Recipe files: what they may say, and what is said of those that say something else."""

from __future__ import annotations

import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("audiomentations")

from mgrkit.augment.recipes import Recipe, shipped, traits, transforms
from mgrkit.errors import RunError, UsageError
from tests.augment.recipes import cooking
from tests.augment.recipes.cooking import GAIN, RATE

STEP = "[[step]]\ntransform = "


def deep(depth: int) -> str:
    """A step in a step in a step."""
    open_, close = '{transform = "Compose", transforms = [', "]}"
    return open_ * depth + '{transform = "Gain"}' + close * depth


def wrong(folder: Path, text: str) -> str:
    """What is said of a recipe that is none."""
    with pytest.raises(UsageError) as caught:
        cooking.recipe(folder, text)
    said = str(caught.value)
    assert "\n" not in said
    assert "r.toml" in said
    return said


def test_a_recipe_is_a_name_copies_and_steps(tmp_path: Path) -> None:
    plain = cooking.recipe(tmp_path, GAIN, "kitchen-radio")
    assert (plain.name, plain.copies, len(plain.steps)) == ("kitchen-radio", 1, 1)
    named = cooking.recipe(tmp_path, 'name = "attic"\ncopies = 3\n' + GAIN + GAIN)
    assert (named.name, named.copies, len(named.steps)) == ("attic", 3, 2)
    assert plain.processes


def test_p_is_1_unless_a_step_says_otherwise(tmp_path: Path) -> None:
    made = cooking.ready(tmp_path, GAIN)
    sound = cooking.made_music()
    drawn = [cooking.apply(made, sound, k=k).drawn[0]["parameters"] for k in range(1, 21)]
    assert all(one["should_apply"] for one in drawn)
    made = cooking.ready(tmp_path, GAIN + "p = 0.5")
    ran = [cooking.apply(made, sound, k=k) for k in range(1, 41)]
    applied = [one.drawn[0]["parameters"]["should_apply"] for one in ran]
    assert 8 < sum(applied) < 32
    for one, did in zip(ran, applied, strict=True):
        assert (one.warnings == ("unchanged: none of the steps was drawn",)) is not did


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STEP + '"PichShift"', "no transform 'PichShift' (did you mean PitchShift?)"),
        (STEP + '"gain"', "did you mean Gain?"),
        (STEP + '"FrequencyMask"', "this version calls it BandStopFilter"),
        (STEP + '"AddImpulseResponse"', "calls it ApplyImpulseResponse"),
        (STEP + '"Zzz"', "there are AddBackgroundNoise, AddColorNoise"),
        ("[[step]]\ntransform = 3", "must be the name of a transform"),
        (STEP + '"AddGaussianSNR"\nmin_snr_in_db = 3',
         "no parameter 'min_snr_in_db' (this version calls it min_snr_db)"),
        (STEP + '"AddGaussianSNR"\nmin_SNR = 3', "this version calls it min_snr_db"),
        (STEP + '"Gain"\nmax_gain_in_db = 3', "this version calls it max_gain_db"),
        (STEP + '"Shift"\nmin_fraction = 0.1', "this version calls it min_shift"),
        (STEP + '"TimeMask"\nfade = true', "this version calls it fade_duration"),
        (STEP + '"AddShortNoises"\nsignal_gain_in_db_during_noise = 1',
         "calls it signal_gain_db_during_noise"),
        (GAIN + "min_gian_db = 3", "did you mean min_gain_db?"),
        (GAIN + "loudness = 3", "Gain takes max_gain_db, min_gain_db, p"),
        (GAIN + 'min_gain_db = "loud"', "min_gain_db = 'loud' must be a number"),
        (GAIN + "min_gain_db = nan", "must be a number"),
        (GAIN + "min_gain_db = inf", "must be a number"),
        (GAIN + "min_gain_db = true", "must be a number"),
        (GAIN + "min_gain_db = 20", "impossible parameters: min_gain_db cannot be greater"),
        (GAIN + "p = 1.5", "p = 1.5 must be a number from 0 to 1"),
        (GAIN + 'p = "often"', "p = 'often' must be a number from 0 to 1"),
        (STEP + '"Resample"\nmin_sample_rate = 50000',
         "this does not hold: min_sample_rate <= max_sample_rate"),
        (STEP + '"BitCrush"\nmin_bit_depth = 5.5', "must be a whole number"),
        (STEP + '"PitchShift"\nmethod = "librosa"', "is none of its choices"),
        (STEP + '"Normalize"\napply_to = "al"', "did you mean all?"),
        (STEP + '"Shift"\nrollover = 1', "must be true or false"),
        (STEP + '"AdjustDuration"', "impossible parameters"),
        (STEP + '"AddBackgroundNoise"', "needs sounds_path (give it a sound file"),
        (STEP + '"AddBackgroundNoise"\nsounds_path = 3', "a path or a list of paths"),
        (STEP + '"AddBackgroundNoise"\nsounds_path = "nowhere"',
         "nowhere (paths are relative to the recipe's file)"),
        (STEP + '"Lambda"', "Lambda needs function"),
        (STEP + '"Lambda"\nfunction = "reverse"', "must be a table with a transform"),
        (STEP + '"OneOf"', "OneOf needs transforms"),
        (STEP + '"OneOf"\ntransforms = []', "must be tables with a transform each"),
        (STEP + '"OneOf"\nweights = [1, 2]\n[[step.transforms]]\ntransform = "Gain"',
         "Length of weights must match"),
        (STEP + '"OneOf"\n[[step.transforms]]\nnoise = "white"\nsnr = 3',
         "noise works as a step of its own only (transforms are those of audiomentations)"),
        (STEP + '"OneOf"\n[[step.transforms]]\np = 1.0', "must be a table with a transform"),
        (STEP + '"SomeOf"\nnum_transforms = 2\n[[step.transforms]]\ntransform = "Gain"',
         "num_transforms = 2 cannot be drawn from 1 (from 0 to 1"),
        (STEP + '"SomeOf"\nnum_transforms = -1\n[[step.transforms]]\ntransform = "Gain"',
         "num_transforms = -1 cannot be drawn"),
        (STEP + '"SomeOf"\nnum_transforms = [1, 0]\n[[step.transforms]]\ntransform = "Gain"',
         "of two the lower one first"),
        (STEP + '"AddBackgroundNoise"\nsounds_path = []', "a path or a list of paths"),
        (STEP + '"SomeOf"\n[[step.transforms]]\ntransform = "Gain"',
         "SomeOf needs num_transforms"),
        (STEP + '"Compose"\n[[step.transforms]]\ntransform = "Resample"',
         "inside another the new rate would be lost"),
        (STEP + '"Compose"\n[[step.transforms]]\ntransform = "Gian"',
         "did you mean Gain?"),
        ('[[step]]\nnoise = "white"', "noise needs an snr in dB (snr = 10, or two numbers in []"),
        ('[[step]]\nnoise = "white"\nsnr = [20, 5]', "the lower one comes first"),
        ('[[step]]\nnoise = "white"\nsnr = [20, 5, 4]', "noise needs an snr"),
        ('[[step]]\nnoise = "white"\nsnr = 99', "an SNR of 99 dB is out of range"),
        ('[[step]]\nnoise = "white"\nsnr = nan', "out of range"),
        ('[[step]]\nnoise = "white"\nsnr = "loud"', "noise needs an snr"),
        ('[[step]]\nnoise = "wihte"\nsnr = 3', "did you mean white?"),
        ('[[step]]\nnoise = 3\nsnr = 3', "must be a colour or a path"),
        ('[[step]]\nnoise = "white"\nsnr = 3\ngain = 2', "noise has no parameter 'gain'"),
        ('[[step]]\ncodec = "mp5@64"', "no codec 'mp5@64' (did you mean mp3?)"),
        ('[[step]]\ncodec = "mp3"', "codec 'mp3' needs a number behind an @ (as in mp3@64)"),
        ('[[step]]\ncodec = "mp3@loud"', "needs a number behind an @"),
        ('[[step]]\ncodec = "mp3@63"', "mp3 has no bit rate of 63 kbit/s (64 is nearest)"),
        ('[[step]]\ncodec = ["mp3@64", "opus@1000"]', "opus has no bit rate of 1000 kbit/s"),
        ('[[step]]\ncodec = []', "names none"),
        ('[[step]]\ncodec = [64]', "no codec 64"),
        ('[[step]]\ncodec = "gsm@13"', "gsm has one bit rate"),
        ('[[step]]\ncodec = "gsm"\nsnr = 3', "codec has no parameter 'snr' (it takes codec, p)"),
        ("[[step]]\nreverb = 0.01", "a reverberation time of 0.01 s is out of range"),
        ("[[step]]\nreverb = [2, 1]", "the lower one comes first"),
        ('[[step]]\nreverb = "hall"', "reverb needs seconds"),
        ('[[step]]\nnoise = "white"\nsnr = 3\ntransform = "Gain"', "a step needs one of"),
        ("[[step]]\np = 1", "a step needs one of"),
        ("step = [3]", "a step must be a table"),
        ("step = []", "has no steps"),
        ("copies = 2", "has no steps"),
        ("copies = 0\n" + GAIN, "copies = 0 must be a whole number from 1"),
        ("copies = true\n" + GAIN, "must be a whole number from 1"),
        ("copies = 100001\n" + GAIN, "must be a whole number from 1 to 100000"),
        (GAIN + "min_gain_db = 1" + "0" * 400, "10000000...: a whole number of TOML has 64 bits"),
        ('[[step]]\nnoise = "white"\nsnr = [1, 1' + "0" * 400 + "]", "64 bits"),
        ("[[step]]\nreverb = 1" + "0" * 400, "64 bits"),
        ("step = " + "[" * 5000 + "]" * 5000, "too deep in each other"),
        (f"step = [{deep(200)}]", "too deep in each other"),
        ('name = "a/b"\n' + GAIN, "cannot stand in a file's name"),
        ("name = 3\n" + GAIN, "cannot stand in a file's name"),
        ("stpe = 1\n" + GAIN, "unknown 'stpe' (did you mean step?)"),
        ("[[step]", "is no TOML"),
        ("transform: Gain", "is no TOML"),
    ],
)  # fmt: skip
def test_a_recipe_that_is_none_is_told_why(text: str, said: str, tmp_path: Path) -> None:
    assert said in wrong(tmp_path, text)


def test_the_step_is_named(tmp_path: Path) -> None:
    assert "r.toml: step 2: " in wrong(tmp_path, GAIN + STEP + '"Gian"')


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no TOML: it is not UTF-8"):
        Recipe.load(str(tmp_path / "r.toml"))


def test_no_recipe_of_this_name() -> None:
    with pytest.raises(UsageError, match="did you mean cassette"):
        Recipe.load("kassette")
    with pytest.raises(UsageError, match="those that ship are"):
        Recipe.load("")


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="directory"):
        Recipe.load(str(tmp_path))


def test_a_file_called_like_a_shipped_recipe_is_reached_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = shipped()[0]
    Path(name).write_text(GAIN)
    assert len(Recipe.load(f"./{name}").steps) == 1
    assert Recipe.load(name).steps != Recipe.load(f"./{name}").steps


def test_without_audiomentations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    transforms.classes.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "audiomentations", None)
    try:
        with pytest.raises(RunError, match=r"need audiomentations.*pip install audiomentations"):
            cooking.recipe(tmp_path, GAIN)
    finally:
        transforms.classes.cache_clear()


@pytest.mark.parametrize(
    ("transform", "more", "names"),
    [
        ("Limiter", "", "pip install numpy-audio-limiter"),
        ("LoudnessNormalization", "", "pip install loudness"),
        ("RoomSimulator", "", "pip install pyroomacoustics"),
        ("Mp3Compression", "", "pip install fast-mp3-augment"),
        ("Mp3Compression", 'backend = "lameenc"\npreserve_delay = true', "pip install lameenc"),
        ("Mp3Compression", 'backend = "pydub"', "pip install pydub; install FFmpeg"),
        ("Compose", '[[step.transforms]]\ntransform = "Limiter"', "numpy-audio-limiter"),
    ],
)
def test_what_is_missing_is_named_before_anything_starts(
    transform: str, more: str, names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traits.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(traits.shutil, "which", lambda name: None)
    found = cooking.recipe(tmp_path, STEP + f'"{transform}"\n{more}')
    assert found.missing
    with pytest.raises(RunError) as caught:
        found.ready(tmp_path)
    assert names in str(caught.value)
    assert "the recipe r needs" in str(caught.value)


def test_what_is_installed_is_not_missing(tmp_path: Path) -> None:
    assert not cooking.recipe(tmp_path, GAIN).requires


def background(folder: Path, path: str = "noise") -> str:
    (folder / "noise").mkdir(exist_ok=True)
    return cooking.step("Gain") + STEP + f'"AddBackgroundNoise"\nsounds_path = "{path}"'


def test_an_empty_noise_folder(tmp_path: Path) -> None:
    assert "no recordings in the folder" in wrong(tmp_path, background(tmp_path))


def test_a_noise_folder_with_a_broken_file(tmp_path: Path) -> None:
    text = background(tmp_path)
    cooking.sounds(tmp_path)
    shutil.move(tmp_path / "hiss.wav", tmp_path / "noise/b.wav")
    (tmp_path / "noise/a.wav").write_bytes(b"no sound")
    made = cooking.ready(tmp_path, text)
    [warning] = made.warnings
    assert warning.startswith("recipe r, step 2 (AddBackgroundNoise): noise/a.wav: ")
    altered = cooking.apply(made, cooking.made_music())
    assert altered.drawn[1]["parameters"]["noise_file_path"] == "noise/b.wav"


def test_a_noise_folder_with_broken_files_alone(tmp_path: Path) -> None:
    text = background(tmp_path)
    (tmp_path / "noise/a.wav").write_bytes(b"no sound")
    soundfile.write(tmp_path / "noise/b.wav", np.zeros(RATE), RATE)
    with pytest.raises(RunError, match=r"step 2 \(AddBackgroundNoise\): no sound can be used"):
        cooking.ready(tmp_path, text)


def test_what_is_said_of_a_silent_noise_names_no_option(tmp_path: Path) -> None:
    """A recipe has no --noise; the option of augment would not replace its step."""
    soundfile.write(tmp_path / "mute.wav", np.zeros(RATE), RATE)
    with pytest.raises(RunError, match=r"step 1 \(noise mute\)") as caught:
        cooking.ready(tmp_path, "[[step]]\nnoise = 'mute.wav'\nsnr = 10\n")
    assert caught.value.hint == "give another recording"


def test_noise_that_is_mostly_silent_is_told_of_before_the_run(tmp_path: Path) -> None:
    text = background(tmp_path, "noise/knock.wav")
    knock = np.zeros(10 * RATE)
    knock[RATE : 2 * RATE] = np.random.default_rng(0).normal(size=RATE) * 0.1
    soundfile.write(tmp_path / "noise/knock.wav", knock, RATE)
    [warning] = cooking.ready(tmp_path, text).warnings
    assert "noise/knock.wav: 90% of it is silent" in warning
    assert 'noise = "noise/knock.wav" with an snr passes over silence' in warning


def test_impulse_responses_may_be_mostly_silent(tmp_path: Path) -> None:
    hall = np.zeros(RATE)
    hall[100] = 1
    soundfile.write(tmp_path / "hall.wav", hall, RATE)
    assert not cooking.ready(tmp_path, cooking.step("ApplyImpulseResponse")).warnings


def test_a_sound_that_the_library_cannot_read_is_decoded_for_it(tmp_path: Path, data: Path) -> None:
    text = background(tmp_path, str(data / "songs/templeos_20s.wma"))
    altered = cooking.apply(cooking.ready(tmp_path, text), cooking.made_music())
    assert altered.drawn[1]["parameters"]["noise_file_path"] == "templeos_20s.wma"


def test_the_digest_is_of_all_that_decides_samples(tmp_path: Path) -> None:
    text = background(tmp_path, "noise/b.wav")
    cooking.sounds(tmp_path)
    shutil.copy(tmp_path / "hiss.wav", tmp_path / "noise/b.wav")
    first = cooking.recipe(tmp_path, text)
    assert cooking.recipe(tmp_path, "copies = 3\n# but for words\n" + text).digest == first.digest
    others = [
        cooking.recipe(tmp_path, text, "other"),
        cooking.recipe(tmp_path, text + "\np = 0.5"),
        cooking.recipe(tmp_path, GAIN + text),
        cooking.recipe(tmp_path, text + '\n[[step]]\nnoise = "white"\nsnr = 10'),
        cooking.recipe(tmp_path, text + '\n[[step]]\nnoise = "pink"\nsnr = 10'),
        cooking.recipe(tmp_path, text + '\n[[step]]\nnoise = "pink"\nsnr = 11'),
    ]
    shutil.copy(tmp_path / "hall.wav", tmp_path / "noise/b.wav")
    others.append(cooking.recipe(tmp_path, text))
    digests = {one.digest for one in others}
    assert len(digests) == len(others)
    assert first.digest not in digests


def test_the_digest_is_of_the_library_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import audiomentations

    first = cooking.recipe(tmp_path, GAIN).digest
    monkeypatch.setattr(audiomentations, "__version__", "9.9")
    assert cooking.recipe(tmp_path, GAIN).digest != first


def test_the_same_wherever_it_lies(tmp_path: Path) -> None:
    """Folders of other names, files made in another order."""
    found = []
    for place, names in (("here", "ab"), ("over/there", "ba")):
        folder = tmp_path / place
        (folder / "noise").mkdir(parents=True)
        for name in names:
            samples = np.random.default_rng(ord(name)).normal(size=RATE) * 0.1
            soundfile.write(folder / f"noise/{name}.wav", samples, RATE)
        os.utime(folder / "noise/a.wav", (1, 1))
        made = cooking.recipe(folder, background(folder))
        (folder / "work").mkdir()
        altered = [
            cooking.apply(pickle.loads(pickle.dumps(made.ready(folder / "work"))),
                          cooking.made_music(), k=k) for k in range(1, 5)
        ]  # fmt: skip
        assert {one.drawn[1]["parameters"]["noise_file_path"] for one in altered} == {
            "noise/a.wav", "noise/b.wav"}  # fmt: skip
        found.append((made.digest, [(a.samples.tobytes(), a.drawn) for a in altered]))
    assert found[0] == found[1]
