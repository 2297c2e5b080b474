"""augment by recipes: names, columns, failures as rows, and what is refused before it starts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio import quantise
from mgrkit.augment.recipes.traits import Requirement
from mgrkit.batch import Options, Report, Summary
from mgrkit.commands.augment import AugmentSettings, augment
from mgrkit.errors import RunError, UsageError
from mgrkit.tracks.lineage import Lineage
from tests.commands.recipe_files import RATE, RECIPES, music, recipe, table, tree

Rows = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``audio`` with three sounds, and all recipes."""
    folder = tmp_path_factory.mktemp("recipes")
    music(folder / "audio" / "high" / "a.wav")
    music(folder / "audio" / "high" / "b.flac", channels=2, subtype="PCM_24")
    music(folder / "audio" / "low" / "c.wav", subtype="FLOAT")
    for name in RECIPES:
        recipe(folder, name)
    return folder


def run(folder: Path, out: str, *names: str, **more: object) -> Summary:
    paths = [str(folder / f"{name}.toml") for name in names]
    settings = more.pop("settings", AugmentSettings())
    return augment(settings, folder / "audio", folder / out, recipes=paths, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made(folder: Path) -> tuple[Summary, Rows]:
    """All recipes at once, and white noise beside them."""
    summary = run(folder, "out", *RECIPES, noises=["white"], snrs=[10])
    return summary, table(folder / "out")


def test_copies_are_named_by_recipe_and_number(made: tuple[Summary, Rows], folder: Path) -> None:
    _, rows = made
    good = {row["path"] for row in rows.values() if row["status"] == "ok"}
    assert {path for path in good if path.startswith("high/a.")} == {
        "high/a.drawn_1.wav", "high/a.hiss_1.wav", "high/a.hiss_2.wav", "high/a.loud_1.wav",
        "high/a.moved_1.wav", "high/a.never_1.wav", "high/a.white_10dB_1.wav",
    }  # fmt: skip
    assert set(tree(folder / "out")) == good | {"tracks.csv"}


def test_what_a_recipe_spoils_is_a_row_that_names_the_step(made: tuple[Summary, Rows]) -> None:
    summary, rows = made
    reasons = {row["recipe"]: row["reason"] for row in rows.values() if row["status"] == "failed"}
    assert set(reasons) == {"mute", "burst", "stub"}
    assert reasons["mute"].startswith("silent: step 1 (Gain): ")
    assert reasons["burst"].startswith("non-finite: step 2 (Gain): ")
    assert reasons["stub"].startswith("too-short: step 1 (AdjustDuration): ")
    assert (summary.failed, summary.exit_code) == (9, 1)
    assert summary.reasons == {"silent": 3, "non-finite": 3, "too-short": 3}


def test_what_leaves_the_sound_as_it_was_is_counted(made: tuple[Summary, Rows]) -> None:
    summary, rows = made
    assert summary.warned == 3
    assert {row["recipe"] for row in rows.values() if row["reason"].startswith("unchanged")} == {
        "never"
    }


def test_the_row_says_how_a_copy_was_made(made: tuple[Summary, Rows], folder: Path) -> None:
    row = made[1]["high/a.moved_1.wav"]
    assert (row["genre"], row["parent"], row["kind"]) == ("high", "high/a.wav", "altered")
    assert (row["recipe"], row["noise"], row["copy"], row["seed"]) == ("moved", "moved", "1", "0")
    assert (row["seconds"], row["rate"], row["channels"]) == ("1.0", "22050", "1")
    source = (folder / "audio" / "high" / "a.wav").read_bytes()
    assert row["content"] == hashlib.sha256(source).hexdigest()
    assert float(row["shift"]) == pytest.approx(0.1, abs=1.5 / RATE)
    (step,) = json.loads(row["drawn"])
    assert step["transform"] == "Shift"
    assert step["parameters"]["should_apply"] is True


def test_training_takes_them_for_copies(made: tuple[Summary, Rows], folder: Path) -> None:
    del made
    lineage = Lineage.read(folder / "out")
    assert lineage.is_noisy("high/a.moved_1.wav")
    assert lineage.of("high/a.moved_1.wav")["parent"] == "high/a.wav"


def test_what_is_beyond_full_scale_gets_one_gain(made: tuple[Summary, Rows], folder: Path) -> None:
    """Nothing is clipped: the file is the source times 24 dB times the gain of the table."""
    gain = float(made[1]["high/b.loud_1.wav"]["gain"])
    source = soundfile.read(folder / "audio" / "high" / "b.flac", dtype="float32")[0]
    written = soundfile.read(folder / "out" / "high" / "b.loud_1.wav", dtype="int16")[0]
    louder = source * np.float32(10 ** (24 / 20)) * np.float32(gain)
    assert np.abs(louder).max() == pytest.approx(0.999)
    assert np.abs(quantise(louder, "PCM_16").astype(int) - written).max() <= 1
    assert made[1]["high/a.moved_1.wav"]["gain"] == "1.0"


@pytest.mark.parametrize("path", ["high/a.hiss_1.wav", "high/b.hiss_2.wav", "low/c.hiss_1.wav"])
def test_exact_noise_as_the_last_step_holds_in_the_file(
    made: tuple[Summary, Rows], folder: Path, path: str
) -> None:
    from mgrkit.augment.audible import energies

    row = made[1][path]
    source, rate = soundfile.read(folder / "audio" / row["source"], always_2d=True)
    copy = soundfile.read(folder / "out" / path, always_2d=True)[0]
    sound = float(row["gain"]) * source.T.astype("f4")
    noise = copy.T.astype("f4") - sound
    snr = 10 * np.log10(energies(sound, rate)[0] / energies(noise, rate)[0])
    drawn = json.loads(row["drawn"])[0]["parameters"]["snr_db"]
    assert 5 <= drawn <= 20
    assert snr == pytest.approx(drawn, abs=0.01)
    assert snr == pytest.approx(float(row["snr_measured"]), abs=0.002)
    assert row["power"] == "above 20 Hz"


def test_copies_of_one_sound_differ(made: tuple[Summary, Rows], folder: Path) -> None:
    drawn = [made[1][f"high/a.hiss_{k}.wav"]["drawn"] for k in (1, 2)]
    assert drawn[0] != drawn[1]
    assert made[1]["high/a.drawn_1.wav"]["drawn"] != made[1]["low/c.drawn_1.wav"]["drawn"]


def test_again_keeps_and_another_recipe_of_the_name_is_made_anew(
    tmp_path: Path, folder: Path
) -> None:
    source = folder / "audio" / "high"
    pink = recipe(tmp_path, "rain", "[[step]]\nnoise = 'pink'\nsnr = 10\n")
    more = {"recipes": [pink], "copies": 2}
    settings, out = AugmentSettings(format="flac"), tmp_path / "out"
    first = augment(settings, source, out, **more)
    assert (first.made, first.kept) == (4, 0)
    again = augment(settings, source, out, **more)
    assert (again.made, again.kept) == (0, 4)
    before = tree(out)
    recipe(tmp_path, "rain", "[[step]]\nnoise = 'pink'\nsnr = 11\n")
    third = augment(settings, source, out, **more)
    assert (third.made, third.kept) == (4, 0)
    assert set(tree(out)) == set(before)
    assert tree(out)["a.rain_2.flac"] != before["a.rain_2.flac"]


def test_a_recipe_that_takes_too_long_gives_rows(tmp_path: Path) -> None:
    music(tmp_path / "audio" / "a.wav", seconds=20)
    step = "[[step]]\ntransform = 'PitchShift'\n"
    endless = recipe(tmp_path, "endless", 400 * step)
    summary = augment(
        AugmentSettings(), tmp_path / "audio", tmp_path / "out", recipes=[endless],
        options=Options(timeout=4),
    )  # fmt: skip
    assert summary.reasons == {"timeout": 1}
    (row,) = table(tmp_path / "out").values()
    assert (row["status"], row["recipe"]) == ("failed", "endless")


def test_a_dry_run_makes_nothing(folder: Path, tmp_path: Path) -> None:
    before = tree(folder)
    summary = run(folder, "dry", "hiss", options=Options(dry=True))
    assert (summary.to_do, summary.files) == (6, 3)
    assert summary.expected > 0
    assert tree(folder) == before


# --- refused before anything starts


def refused(folder: Path, kind: type[Exception], *paths: str, **more: object) -> str:
    """What is said, and that nothing was made."""
    out = folder / "never"
    with pytest.raises(kind) as error:
        augment(AugmentSettings(), folder, out, recipes=paths, **more)  # type: ignore[arg-type]
    assert not out.exists()
    return str(error.value)


def test_two_recipes_of_one_name(folder: Path, tmp_path: Path) -> None:
    other = recipe(tmp_path, "other", "name = 'Loud'\n" + RECIPES["loud"])
    text = refused(folder, UsageError, str(folder / "loud.toml"), other)
    assert text == "2 recipes are called 'loud' (rename one of them: name = \"...\" in its file)"


def test_an_snr_without_a_noise(folder: Path) -> None:
    text = refused(folder, UsageError, str(folder / "loud.toml"), snrs=[10.0])
    assert text.startswith("--snr goes with --noise")


def test_what_is_missing_is_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Requirement, "missing", property(lambda self: self.name == "loudness"))
    quiet = recipe(tmp_path, "quiet", "[[step]]\ntransform = 'LoudnessNormalization'\n")
    text = refused(folder, RunError, quiet)
    assert text == "the recipe quiet needs loudness, not here (pip install loudness)"


def test_a_folder_of_noises_without_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "noises").mkdir()
    step = "[[step]]\ntransform = 'AddBackgroundNoise'\nsounds_path = 'noises'\n"
    text = refused(folder, UsageError, recipe(tmp_path, "noisy", step))
    assert f"no recordings in the folder {tmp_path / 'noises'}" in text


def test_a_folder_of_noises_with_a_broken_one(tmp_path: Path) -> None:
    """Beside a good one it is a note; alone it ends the run before a copy is made."""
    music(tmp_path / "audio" / "a.wav")
    (tmp_path / "noises").mkdir()
    (tmp_path / "noises" / "broken.wav").write_bytes(b"no sound")
    path = recipe(tmp_path, "noisy", "[[step]]\nnoise = 'noises'\nsnr = 10\n")
    told: list[str] = []

    class Heard(Report):
        def note(self, text: str) -> None:
            told.append(text)

    def go() -> Summary:
        return augment(
            AugmentSettings(), tmp_path / "audio", tmp_path / "out", recipes=[path], report=Heard()
        )

    with pytest.raises(RunError, match=r"broken\.wav"):
        go()
    assert not list((tmp_path / "out").glob("*.wav"))
    music(tmp_path / "noises" / "good.wav")
    assert go().made == 1
    assert any("broken.wav: not-audio" in text for text in told)
    assert table(tmp_path / "out")["a.noisy_1.wav"]["recording"] == "good.wav"


def test_no_recipe_of_that_name(folder: Path) -> None:
    assert "did you mean pitch-and-stretch?" in refused(folder, UsageError, "pitch-and-strech")
