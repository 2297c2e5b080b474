"""Recipes as a person meets them: the list of transforms, refusals, the doctor."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from mgrkit.augment.recipes import Recipe, catalogue, shipped
from mgrkit.augment.recipes.traits import Requirement
from mgrkit.commands import doctor
from tests.cli.test_commands import files, mgrkit, table, tone
from tests.cli.test_help import shown

Captured = pytest.CaptureFixture[str]
NAMES = [one.name for one in catalogue()]


@pytest.fixture
def without_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is where pyroomacoustics is not installed."""
    missing = property(lambda self: self.name == "pyroomacoustics")
    monkeypatch.setattr(Requirement, "missing", missing)


@pytest.mark.usefixtures("without_rooms")
def test_all_transforms_are_listed_with_what_stays_and_what_they_need(capsys: Captured) -> None:
    assert mgrkit("augment", "--transforms") == 0
    heads, *lines = capsys.readouterr().out.splitlines()
    assert re.split("  +", heads) == ["transform", "what stays", "needs"]
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines] == NAMES
    rows = {line.split()[0]: re.split("  +", line)[1:] for line in lines}
    assert rows["Gain"] == ["length, place"]
    assert rows["PitchShift"] == ["length"]
    assert rows["TimeMask"] == ["length, place"]
    assert rows["Trim"] == ["nothing"]
    assert rows["Limiter"] == ["length, place", "numpy_audio_limiter"]
    assert rows["RoomSimulator"] == ["nothing", "not here: pip install pyroomacoustics"]


@pytest.mark.parametrize("name", NAMES)
def test_a_transform_is_shown_as_a_step_to_copy(name: str, capsys: Captured, tmp_path) -> None:
    assert mgrkit("augment", "--transforms", name) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{name}: ")
    assert max(map(len, text.splitlines())) <= 80
    step = "[[step]]" + text.partition("[[step]]")[2]
    (only,) = tomllib.loads(step)["step"]
    assert only["transform"] == name
    one = next(one for one in catalogue() if one.name == name)
    for each in one.parameters:
        assert re.search(rf"^(# )?{each.name} = ", step, re.MULTILINE)
    asks = name == "AdjustDuration" or any(each.needed for each in one.parameters)
    if not asks:  # for one of two lengths, or for what has no default: it is a recipe as it stands
        (tmp_path / "r.toml").write_text(step)
        assert Recipe.load(str(tmp_path / "r.toml")).steps


@pytest.mark.parametrize(
    "option",
    ["--recipe=phone", "--noise=white", "--replay=tracks.csv", "--snr=3", "--seed=0", "--copies=2"],
)
def test_transforms_takes_no_option_of_a_run(option: str, capsys: Captured) -> None:
    assert mgrkit("augment", "--transforms", "Gain", option) == 2
    said = capsys.readouterr()
    assert not said.out
    assert f"--transforms takes no {option.partition('=')[0]} (it lists" in said.err


def test_no_more_copies_than_can_be_counted(capsys: Captured) -> None:
    assert mgrkit("augment", "--recipe", "phone", "--copies", "9" * 20) == 2
    assert "--copies must be a whole number from 1 to 100000" in capsys.readouterr().err


def test_transforms_as_json(capsys: Captured) -> None:
    assert mgrkit("augment", "--transforms", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in listed] == NAMES
    assert mgrkit("augment", "--transforms", "PitchShift", "--json") == 0
    one = json.loads(capsys.readouterr().out)
    assert one in listed
    assert (one["keeps_length"], one["stays_aligned"], one["mono_only"]) == (True, False, False)
    assert one["parameters"][0] == {
        "name": "min_semitones", "default": -4.0, "kind": "number", "needed": False, "choices": [],
    }  # fmt: skip


def test_a_transform_that_is_not_there(capsys: Captured) -> None:
    assert mgrkit("augment", "--transforms", "pitchshift") == 2
    expected = "mgrkit: there is no transform 'pitchshift' (did you mean PitchShift?)\n"
    assert capsys.readouterr() == ("", expected)


def test_the_help_names_the_recipes_that_ship() -> None:
    text = " ".join(shown("augment", "--help").split()).replace("- ", "-")
    for name in shipped():
        assert f" {name}," in text


@pytest.mark.usefixtures("without_rooms")
def test_the_doctor_says_what_a_transform_lacks(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor._transforms() == [
        {
            "name": "RoomSimulator",
            "lacks": "pyroomacoustics",
            "mend": "pip install pyroomacoustics",
        }
    ]
    nothing = {"devices": ["cpu"], "decoders": [], "plugins": [], "weights": [], "torch": ""}
    for name, value in nothing.items():
        monkeypatch.setattr(doctor, f"_{name}", lambda *_, value=value: value, raising=False)
    mgrkit("doctor")
    lines = capsys.readouterr().out.splitlines()
    line = next(line for line in lines if line.startswith("transforms "))
    assert line.split(maxsplit=1)[1] == (
        "RoomSimulator lacks pyroomacoustics: pip install pyroomacoustics"
    )
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    "words",
    ["--snr 5", "--copies 2", "--seed 1", "--subtype FLOAT", "--format flac", "--table t.csv",
     "--files-from list", "--files-from0 list"],
)  # fmt: skip
def test_what_the_table_says_is_no_option_of_a_replay(words: str, capsys: Captured) -> None:
    assert mgrkit("augment", "--replay", "t.csv", *words.split()) == 2
    name = words.split()[0]
    assert capsys.readouterr().err == f"mgrkit: --replay takes no {name} (its table says it)\n"


def test_a_recipe_and_its_replay_by_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    tone(tmp_path / "audio" / "low" / "a.wav")
    (tmp_path / "rain.toml").write_text("[[step]]\nnoise = 'pink'\nsnr = 10\n")
    assert mgrkit("augment", "--recipe", "rain.toml", "--dry-run") == 0
    assert "augment: 1 to do, about" in capfd.readouterr().err
    assert sorted(files(tmp_path)) == ["audio/low/a.wav", "rain.toml"]
    assert mgrkit("augment", "--recipe", "rain.toml", "--json", "-q") == 0
    assert json.loads(capfd.readouterr().out)["made"] == 1
    words = ["--replay", "noisy/tracks.csv", "--recipe", "rain.toml"]
    assert mgrkit("augment", "audio", "again", *words) == 0
    assert "1 made" in capfd.readouterr().err
    assert table(tmp_path / "again") == table(tmp_path / "noisy")
    copy = "low/a.rain_1.wav"
    assert (tmp_path / "again" / copy).read_bytes() == (tmp_path / "noisy" / copy).read_bytes()
    assert mgrkit("augment", "audio", "again", *words) == 0, "what is there is kept"
    assert "0 made, 1 kept" in capfd.readouterr().err
