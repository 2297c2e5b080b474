"""Every transform of the installed audiomentations: reachable, repeatable, as it is said to be."""

from __future__ import annotations

import ast
import inspect
import json
import multiprocessing
import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("audiomentations")

from mgrkit.augment.recipes import ReadyRecipe, TransformInfo, aligning, catalogue
from mgrkit.augment.recipes.traits import Requirement, requirements
from mgrkit.augment.recipes.transforms import classes
from mgrkit.errors import ItemError
from tests.augment.recipes import cooking
from tests.augment.recipes.cooking import RATE

ALL = catalogue()
HERE = [one for one in ALL if not one.missing]
MORE = {
    "BandPassFilter": "zero_phase = true", "BandStopFilter": "zero_phase = true",
    "HighPassFilter": "zero_phase = true", "LowPassFilter": "zero_phase = true",
    "ApplyImpulseResponse": "leave_length_unchanged = false",
    "RoomSimulator": "leave_length_unchanged = true",
    "TimeStretch": "leave_length_unchanged = false", "RepeatPart": 'mode = "replace"',
}  # fmt: skip
"""Parameters that change what stays."""


def each(infos: list[TransformInfo]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("info", infos, ids=lambda one: one.name)


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    cooking.sounds(tmp_path)
    return tmp_path


def spawned(made: ReadyRecipe, samples: np.ndarray) -> tuple[bytes, str]:
    altered = cooking.apply(made, samples)
    return altered.samples.tobytes(), json.dumps(altered.drawn)


def test_the_catalogue_has_every_class_of_the_package() -> None:
    import audiomentations

    public = {
        name
        for name, value in vars(audiomentations).items()
        if inspect.isclass(value) and value.__module__.startswith("audiomentations")
    }
    assert {one.name for one in ALL} == public
    assert len(ALL) >= 40


@each(ALL)
def test_the_catalogue_says_what_a_transform_takes(info: TransformInfo) -> None:
    assert info.help
    p = next(one for one in info.parameters if one.name == "p")
    assert p.default == 1.0
    json.dumps([one.default for one in info.parameters])


@pytest.mark.parametrize("channels", [1, 2, 8])
@each(HERE)
def test_it_runs_on_music(info: TransformInfo, channels: int, kitchen: Path) -> None:
    made = cooking.ready(kitchen, cooking.step(info.name))
    sound = cooking.made_music(channels=channels) * 2
    kept = sound.copy()
    altered = cooking.apply(made, sound)
    assert np.array_equal(sound, kept)
    assert altered.samples.dtype == np.float32
    assert len(altered.samples) == channels
    assert altered.samples.flags.c_contiguous
    assert np.isfinite(altered.samples).all()
    assert altered.drawn[0]["transform"] == info.name
    json.dumps(altered.drawn, allow_nan=False)


@each(HERE)
def test_twice_the_same_bytes(info: TransformInfo, kitchen: Path) -> None:
    """Also after other draws, and in a process of its own."""
    made = cooking.ready(kitchen, cooking.step(info.name))
    sound = cooking.made_music(2.0, channels=2)
    first = cooking.apply(made, sound)
    random.seed(99)
    np.random.seed(99)  # noqa: NPY002
    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    cooking.apply(made, sound, k=2)
    again = cooking.apply(made, sound)
    assert again.samples.tobytes() == first.samples.tobytes()
    assert again.drawn == first.drawn
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def test_the_same_bytes_in_a_spawned_process(kitchen: Path) -> None:
    sound = cooking.made_music(2.0, channels=2)
    single = [cooking.ready(kitchen, cooking.step(one.name)) for one in HERE]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.starmap(spawned, [(made, sound) for made in reversed(single)])
    for made, (samples, drawn) in zip(reversed(single), found, strict=True):
        altered = cooking.apply(made, sound)
        assert samples == altered.samples.tobytes(), altered.drawn
        assert drawn == json.dumps(altered.drawn)


@each(HERE)
def test_it_replays_from_what_was_drawn(info: TransformInfo, kitchen: Path) -> None:
    made = cooking.ready(kitchen, cooking.step(info.name))
    sound = cooking.made_music(2.0, channels=2)
    first = cooking.apply(made, sound)
    again = cooking.apply(made, sound, recorded=json.loads(json.dumps(first.drawn)))
    assert again.samples.tobytes() == first.samples.tobytes()
    assert again.drawn == first.drawn
    assert again.warnings == first.warnings


@pytest.mark.parametrize(
    ("name", "more"),
    [(one.name, "") for one in HERE]
    + [(one.name, MORE[one.name]) for one in HERE if one.name in MORE],
)
def test_length_and_alignment_stay_where_it_is_said(
    name: str, more: str, kitchen: Path, data: Path
) -> None:
    """To the sample, on a chirp and on music, for several draws."""
    made = cooking.ready(kitchen, cooking.step(name, more))
    stays = _traits(made)
    for sound in (cooking.chirp(), cooking.music(data)):
        for k in range(1, 7):
            altered = cooking.apply(made, sound, k=k)
            after = altered.samples.shape[1] / altered.rate
            if stays.length:
                assert abs(after - sound.shape[1] / RATE) <= 1 / min(RATE, altered.rate)
            if stays.alignment:
                moved = aligning.shift(sound, RATE, altered.samples, altered.rate)
                assert abs(moved) * RATE <= 1 + 1e-9
                assert altered.shift == 0.0


@each([one for one in HERE if not one.keeps_length])
def test_what_changes_the_length_does(info: TransformInfo, kitchen: Path) -> None:
    made = cooking.ready(kitchen, cooking.step(info.name))
    sound = cooking.made_music(3.0)
    sound[:, : RATE // 2] = 0
    lengths = {cooking.apply(made, sound, k=k).samples.shape[1] for k in (1, 2, 3)}
    assert lengths != {sound.shape[1]}


EQUALISERS = ("HighShelfFilter", "LowShelfFilter", "PeakingFilter", "SevenBandParametricEQ")
"""They move by their phase alone, by a sample or two, and seldom."""


@each([one for one in HERE if not one.stays_aligned and one.name not in EQUALISERS])
def test_what_moves_does(info: TransformInfo, kitchen: Path, data: Path) -> None:
    """The catalogue calls nothing movable that never moves, here by more than a sample."""
    made = cooking.ready(kitchen, cooking.step(info.name))
    sound = cooking.music(data)
    sound = np.concatenate([np.zeros((1, 3000), "f4"), sound], axis=1)
    moved = [
        aligning.lag(sound[0], cooking.apply(made, sound, k=k).samples[0]) for k in range(1, 13)
    ]
    assert max(map(abs, moved)) > 1


def _traits(made: ReadyRecipe):
    from mgrkit.augment.recipes.traits import STAYS, traits

    first = made.steps[0]
    if first.name in ("Compose", "OneOf", "SomeOf", "Lambda"):
        return STAYS
    return traits(first.name, first.parameters)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@each(ALL)
def test_every_package_that_it_imports_on_use_is_named(info: TransformInfo) -> None:
    source = ast.parse(inspect.getsource(inspect.getmodule(classes()[info.name])))
    own = {"sys", "warnings", "math", "random"}
    late = {
        alias.name.split(".")[0]
        for function in ast.walk(source)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import)
        for alias in node.names
    } - own
    choices = next((one.choices for one in info.parameters if one.name == "backend"), ("",))
    given = {one.name: one.default for one in info.parameters}
    named: set[Requirement] = set()
    for choice in choices:
        named |= set(requirements(info.name, {**given, "backend": choice}))
    assert {one.name for one in named if not one.program} == late


@each([one for one in HERE if one.mono_only])
def test_mono_only_transforms_treat_each_channel_under_one_draw(
    info: TransformInfo, kitchen: Path
) -> None:
    made = cooking.ready(kitchen, cooking.step(info.name))
    one = cooking.made_music()
    both = cooking.apply(made, np.concatenate([one, one]))
    assert np.array_equal(both.samples[0], both.samples[1])
    assert np.array_equal(both.samples[0], cooking.apply(made, one).samples[0])
    assert "calls" not in both.drawn[0]


def test_mono_only_there_are_two() -> None:
    assert {one.name for one in ALL if one.mono_only} == {"AddBackgroundNoise", "AddShortNoises"}


REFUSED = {
    ("Mp3Compression", 192_000): ("step-failed", ".*sample_rate"),  # no MP3 has such a rate
    ("SevenBandParametricEQ", 8_000): ("non-finite", "NaN"),  # it has bands above 4 kHz
}


@each(HERE)
@pytest.mark.parametrize("rate", [8_000, 192_000])
def test_every_rate(info: TransformInfo, rate: int, kitchen: Path) -> None:
    made = cooking.ready(kitchen, cooking.step(info.name))
    sound = cooking.made_music(2.0, rate=rate)
    if refusal := REFUSED.get((info.name, rate)):
        with pytest.raises(ItemError, match=rf"{refusal[0]}: step 1 \({info.name}\): {refusal[1]}"):
            cooking.apply(made, sound, rate)
        return
    assert cooking.apply(made, sound, rate).samples.size
