"""Presets: data with an origin, and what contradicts it."""

from __future__ import annotations

import pytest

from mgrkit.augment.presets import PRESETS, preset_of, said
from mgrkit.errors import UsageError


@pytest.mark.parametrize("name", PRESETS)
def test_each_says_where_it_is_from(name: str) -> None:
    one = preset_of(name)
    assert one.name == name
    assert one.origin.count("/") == 1
    assert one.about.endswith(".")
    assert set(one.excludes.values()) <= set(one.options)


def test_what_it_leaves_open_is_kept_and_what_agrees_is_no_contradiction() -> None:
    one = preset_of("s2")
    given = {"--seed": 3, "--rate": 22_050, "--mix-gain": [0.3], "--mono": None, "--snr": None}
    decided = one.with_others(given)
    assert decided == {**one.options, "--seed": 3, "--snr": None}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("--rate", 44_100, "--rate 44100 contradicts --preset s2, which sets --rate 22050"),
        ("--start", 5.0, "--start 5 contradicts --preset s2, which sets --start 0"),
        ("--mix-gain", [0.3, 1.0],
         "--mix-gain 0.3 --mix-gain 1 contradicts --preset s2, which sets --mix-gain 0.3"),
        ("--snr", [5.0], "--snr 5 contradicts --preset s2, which sets --mix-gain 0.3"),
        ("--recipe", ["phone"],
         "--recipe phone contradicts --preset s2, which sets --names same"),
    ],
)  # fmt: skip
def test_what_contradicts_it_is_refused_with_both_named(
    name: str, value: object, words: str
) -> None:
    with pytest.raises(UsageError) as error:
        preset_of("s2").with_others({name: value})
    assert str(error.value) == words


def test_the_noise_is_one_recording() -> None:
    for wrong in ([], ["white"], ["a.wav", "b.wav"]):
        with pytest.raises(UsageError, match="--preset s2 mixes in one recording: "):
            preset_of("s2").check_noise(wrong)
    preset_of("s2").check_noise(["a.wav"])


def test_one_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"there is no preset s9 \(.*s2"):
        preset_of("s9")


def test_options_as_they_are_typed() -> None:
    assert said("--mono", True) == "--mono"
    assert said("--seconds", 10.0) == "--seconds 10"
