"""augment --preset and the options that it is made of, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import files, mgrkit, table, tone
from tests.commands.recipe_files import tree

Captured = pytest.CaptureFixture[str]
SPELLED = [
    "--mix-gain", "0.3", "--noise-start", "0", "--seconds", "10", "--rate", "22050", "--mono",
    "--clip", "hard", "--names", "same",
]  # fmt: skip


@pytest.fixture(autouse=True)
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with two tones of 11 s in ``audio``, and ``cafe.wav`` of 3 s."""
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "audio" / "high" / "a.wav", 11, hz=2000)
    tone(tmp_path / "audio" / "low" / "b.wav", 11, 0.9, hz=200)
    tone(tmp_path / "cafe.wav", 3, 0.8, hz=700)
    return tmp_path / "audio"


def test_a_preset_is_what_its_options_are(tmp_path: Path, capfd: Captured) -> None:
    assert mgrkit("augment", "audio", "s2", "--preset", "s2", "--noise", "cafe.wav") == 0
    assert mgrkit("augment", "audio", "spelled", "--noise", "cafe.wav", *SPELLED) == 0
    assert tree(tmp_path / "spelled") == tree(tmp_path / "s2")
    assert files(tmp_path / "s2") == {"high/a.wav", "low/b.wav", "tracks.csv"}
    assert [int(row["clipped"]) > 0 for row in table(tmp_path / "s2")] == [False, True]
    capfd.readouterr()
    again = ["--preset", "s2", "--noise", "cafe.wav", "--rate", 22050, "--mix-gain", "0.3"]
    assert mgrkit("augment", "audio", "spelled", *again) == 0
    assert "0 made, 2 kept" in capfd.readouterr().err
    assert mgrkit("augment", "audio", "s2", "--noise", "cafe.wav", "--mix-gain", "0.3") == 2
    assert capfd.readouterr().err == (
        "mgrkit: OUT was made with other settings: --seconds 10 instead of none, --noise-start 0 "
        "instead of none, --rate 22050 instead of none, and 3 more (give another OUT, or "
        "--replace to make everything again)\n"
    )


def test_presets_are_listed_with_their_origin(capfd: Captured) -> None:
    assert mgrkit("augment", "--presets") == 0
    text = capfd.readouterr().out
    assert max(map(len, text.splitlines())) <= 80
    told = " ".join(text.split())
    assert "of: nikhilnair31/SpectroTune---Genre-Classifier" in told
    assert f"sets: {' '.join(SPELLED[:4])} --start 0 {' '.join(SPELLED[4:])}" in told
    assert mgrkit("augment", "--presets", "--json") == 0
    (one,) = json.loads(capfd.readouterr().out)
    assert (one["name"], one["options"]["mix-gain"], one["options"]["mono"]) == ("s2", [0.3], True)
    for other in (["audio"], ["--seed", "1"]):
        assert mgrkit("augment", *other, "--presets") == 2
        named = "SRC" if other == ["audio"] else "--seed"
        assert capfd.readouterr().err == (
            f"mgrkit: --presets takes no {named} (it lists, and makes nothing)\n"
        )


def test_a_dry_run_and_a_replay(tmp_path: Path, capfd: Captured) -> None:
    words = ["--preset", "s2", "--noise", "cafe.wav"]
    before = files(tmp_path)
    assert mgrkit("augment", *words, "--dry-run") == 0
    assert "augment: 2 to do, about" in capfd.readouterr().err
    assert files(tmp_path) == before
    assert mgrkit("augment", *words, "--json", "-q") == 0
    assert json.loads(capfd.readouterr().out)["made"] == 2
    replayed = ["--replay", "noisy/tracks.csv", "--noise", "cafe.wav"]
    assert mgrkit("augment", "audio", "again", *replayed) == 0
    assert tree(tmp_path / "again") == tree(tmp_path / "noisy")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--preset s2", "--preset s2 mixes in one recording: none is given (--noise FILE)"),
        ("--preset s2 --noise pink", "--preset s2 mixes in one recording: pink (--noise FILE)"),
        ("--preset s3 --noise cafe.wav", "there is no preset s3 (there is s2)"),
        ("--preset s2 --noise cafe.wav --clip gain",
         "--clip gain contradicts --preset s2, which sets --clip hard"),
        ("--preset s2 --noise cafe.wav --copies 2",
         "--copies 2 contradicts --preset s2, which sets --copies 1"),
        ("--preset s2 --noise cafe.wav --format flac",
         "--format flac contradicts --preset s2, which sets --format wav"),
        ("--preset s2 --noise cafe.wav --snr 5",
         "--snr 5 contradicts --preset s2, which sets --mix-gain 0.3"),
        ("--mix-gain 0.3 --snr 5",
         "--snr 5 contradicts --mix-gain 0.3 (one of the two says how loud the noise is)"),
        ("--mix-gain 0", "--mix-gain must be a number from 1e-06 to 1000, not '0'"),
        ("--rate 11.5", "--rate must be a whole number from 1000 to 768000, not '11.5'"),
        ("--start -1", "--start must be a number of at least 0, not '-1'"),
        ("--seconds 0", "--seconds must be more than 0, not 0"),
        ("--noise-start nan", "--noise-start must be a number of at least 0, not 'nan'"),
        ("--clip soft", "--clip must be gain or hard, not 'soft'"),
        ("--names mine", "--names must be own or same, not 'mine'"),
        ("--clip hard", ("--clip hard goes with --mix-gain (a mix at an SNR is never clipped, so "
         "that it holds)")),
        ("--noise-start 3", ("--noise-start is a place in a recording, white is none "
         "(--noise FILE)")),
        ("--names same --snr 0 --snr 5", ("--names same is for one copy of each source, and these "
         "are 2 (one --noise or --recipe, one --snr or --mix-gain, one copy)")),
        ("--replay t.csv --preset s2", "--replay takes no --preset (its table says it)"),
        ("--transforms --mono", "--transforms takes no --mono (it lists, and makes nothing)"),
    ],
)  # fmt: skip
def test_refused_in_one_line(words: str, said: str, tmp_path: Path, capfd: Captured) -> None:
    before = files(tmp_path)
    assert mgrkit("augment", *words.split()) == 2
    assert capfd.readouterr().err == f"mgrkit: {said}\n"
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    "words", ["--mix-gain 2", "--noise-start 1", "--start 1", "--seconds 2", "--rate 8000",
              "--mono", "--clip hard", "--names same"]
)  # fmt: skip
def test_what_the_table_says_is_no_option_of_a_replay(words: str, capfd: Captured) -> None:
    assert mgrkit("augment", "--replay", "t.csv", *words.split()) == 2
    name = words.split()[0]
    assert capfd.readouterr().err == f"mgrkit: --replay takes no {name} (its table says it)\n"


def test_a_recording_that_ends_before_the_noise_begins(capfd: Captured) -> None:
    assert mgrkit("augment", "--noise", "cafe.wav", "--noise-start", 5) == 3
    assert capfd.readouterr().err == (
        "mgrkit: noise cafe.wav: too-short: the recording has 3 s, --noise-start is 5 s "
        "(give another recording)\n"
    )


def test_a_sound_that_is_shorter_than_asked_fails_by_name(capfd: Captured) -> None:
    assert mgrkit("augment", "--start", 5, "--seconds", 7) == 1
    err = capfd.readouterr().err
    assert (
        "high/a.wav: too-short: the sound has 11.000000 s, and what is asked for ends at 12 s "
        "(a smaller --seconds)"
    ) in err
    assert "0 made, 2 failed (2 too-short)" in err
