"""augment: so many times the noise, parts of sounds, names of copies; their table and replay."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.augment import Excerpt
from mgrkit.batch import Options, Summary
from mgrkit.commands.augment import AugmentSettings, augment, replay
from mgrkit.commands.spectrograms import SpectrogramsSettings, spectrograms
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import RunError, UsageError
from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import input_of
from tests.commands.recipe_files import RATE, music, recipe, table, tree

PART = Excerpt(0.25, 0.5, 8000, mono=True)
SETTINGS = AugmentSettings(3, "PCM_24", "flac", PART, noise_start=0.1, clip="hard", names="same")


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    """Three sounds of a second, one in stereo, and ``cafe.wav``."""
    for name in ("one/a", "one/b", "two/c"):
        music(tmp_path / "audio" / f"{name}.wav", channels=1 + (name == "one/b"))
    music(tmp_path / "cafe.wav", 2)
    return tmp_path / "audio"


def made(audio: Path, out: str, settings: AugmentSettings, **more: object) -> Summary:
    more = {"noises": [str(audio.parent / "cafe.wav")], "gains": [0.3], **more}
    return augment(settings, audio, audio.parent / out, **more)  # type: ignore[arg-type]


def test_the_table_tells_parent_noise_and_gain(audio: Path) -> None:
    assert made(audio, "out", SETTINGS).made == 3
    row = table(audio.parent / "out")["one/b.flac"]
    assert {name: row[name] for name in (
        "genre", "parent", "start", "seconds", "rate", "channels", "kind", "noise", "snr",
        "mix_gain", "gain", "clipped", "recording", "offset",
    )} == {
        "genre": "one", "parent": "one/b.wav", "start": "0.25", "seconds": "0.5", "rate": "8000",
        "channels": "1", "kind": "noisy", "noise": "cafe", "snr": "", "mix_gain": "0.3",
        "gain": "1.0", "clipped": "0", "recording": "cafe.wav", "offset": "0.1",
    }  # fmt: skip
    assert json.loads(row["options"]) == {
        "start": 0.25, "seconds": 0.5, "noise-start": 0.1, "rate": 8000, "mono": True,
        "clip": "hard", "names": "same",
    }  # fmt: skip
    samples, rate = soundfile.read(audio.parent / "out" / "one" / "b.flac")
    assert (rate, samples.shape) == (8000, (4000,))


def test_the_same_bytes_for_any_workers_and_wherever_it_lies(audio: Path, tmp_path: Path) -> None:
    made(audio, "out", SETTINGS, options=Options(1))
    made(audio, "again", SETTINGS, options=Options(8))
    assert tree(tmp_path / "again") == tree(tmp_path / "out")


def test_copies_by_gain_and_by_snr_share_an_out_and_a_draw(audio: Path, tmp_path: Path) -> None:
    """A level is no setting: a later call adds to what is there."""
    made(audio, "out", AugmentSettings(), gains=[5, 0.01])
    assert made(audio, "out", AugmentSettings(), gains=(), snrs=[5]).made == 3
    rows = table(tmp_path / "out")
    of_a = {path: row for path, row in rows.items() if path.startswith("one/a.")}
    assert {(path, row["snr"], row["mix_gain"]) for path, row in of_a.items()} == {
        ("one/a.cafe_gain5_1.wav", "", "5.0"), ("one/a.cafe_gain0.01_1.wav", "", "0.01"),
        ("one/a.cafe_5dB_1.wav", "5.0", ""),
    }  # fmt: skip
    assert len({row["offset"] for row in of_a.values()}) == 1


def test_what_is_usual_is_as_it_was_before_there_were_options(audio: Path, tmp_path: Path) -> None:
    """Tables and journals of earlier releases go on, and their copies are made again."""
    settings = AugmentSettings(excerpt=Excerpt())
    assert settings.as_json() == {
        "command": "augment", "seed": 0, "subtype": "PCM_16", "format": "wav",
        "SNR": "of power above 20 Hz",
    }  # fmt: skip
    assert settings.digest == "5eee585bc225057d"
    made(audio, "out", settings, gains=(), snrs=[5])
    assert not {"options", "mix_gain", "clipped"} & set(
        next(iter(table(tmp_path / "out").values()))
    )


@pytest.mark.parametrize(
    "other",
    [
        {"excerpt": Excerpt(0.3, 0.5, 8000, mono=True)}, {"excerpt": Excerpt(0.25, 0.5, 8000)},
        {"noise_start": 0.2}, {"noise_start": None}, {"clip": "gain"}, {"names": "own"},
    ],
)  # fmt: skip
def test_what_decides_bytes_or_names_must_agree(audio: Path, other: dict[str, object]) -> None:
    settings = {
        "excerpt": PART, "noise_start": 0.1, "clip": "hard", "names": "same"
    }  # fmt: skip
    made(audio, "out", AugmentSettings(**settings))
    name = next(iter(other)).replace("excerpt", "").replace("_", "-")
    with pytest.raises(UsageError, match=f"OUT was made with other settings: .*--{name}"):
        made(audio, "out", AugmentSettings(**{**settings, **other}))


def test_seconds_are_one_setting_however_they_are_written() -> None:
    whole = AugmentSettings(excerpt=Excerpt(seconds=10), noise_start=0)
    assert whole.digest == AugmentSettings(excerpt=Excerpt(seconds=10.0), noise_start=0.0).digest


def test_a_sound_that_is_shorter_is_a_failed_row(audio: Path, tmp_path: Path) -> None:
    music(audio / "one" / "long.wav", 3)
    long = AugmentSettings(excerpt=Excerpt(seconds=2.5))
    summary = made(audio, "out", long, options=Options(2))
    assert (summary.made, summary.reasons) == (1, {"too-short": 3})
    rows = table(tmp_path / "out")
    assert rows["one/a.cafe_gain0.3_1.wav"]["reason"].startswith(
        "too-short: the sound has 1.000000 s, and what is asked for ends at 2.5 s"
    )
    assert [path for path in tree(tmp_path / "out") if path != "tracks.csv"] == [
        "one/long.cafe_gain0.3_1.wav"
    ]


# --- replay


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        (SETTINGS, {}),
        (AugmentSettings(noise_start=0.5), {"gains": [0.3, 0.1]}),
        (AugmentSettings(noise_start=0.5), {"gains": (), "snrs": [3, 30]}),
        (AugmentSettings(4, excerpt=PART), {"noises": ["pink"], "copies": 2}),
    ],
)
def test_its_table_makes_it_again(
    audio: Path, tmp_path: Path, settings: AugmentSettings, more: dict[str, object]
) -> None:
    made(audio, "out", settings, **more)
    named = [] if "noises" in more else [str(tmp_path / "cafe.wav")]
    replay(tmp_path / "out" / "tracks.csv", audio, tmp_path / "again", noises=named)
    assert tree(tmp_path / "again") == tree(tmp_path / "out")


def test_by_recipes_too_of_a_part_and_under_the_same_name(audio: Path, tmp_path: Path) -> None:
    called = [recipe(tmp_path, "drawn")]
    settings = AugmentSettings(excerpt=PART, names="same")
    assert made(audio, "out", settings, noises=(), gains=(), recipes=called).made == 3
    row = table(tmp_path / "out")["one/b.wav"]
    assert (row["start"], row["seconds"], row["rate"], row["channels"], row["noise"]) == (
        "0.25", "0.5", "8000", "1", "drawn",
    )  # fmt: skip
    replay(tmp_path / "out" / "tracks.csv", audio, tmp_path / "again", recipes=called)
    assert tree(tmp_path / "again") == tree(tmp_path / "out")


def test_copies_of_copies_say_how_they_were_made_themselves(audio: Path, tmp_path: Path) -> None:
    made(audio, "out", SETTINGS)
    twice = tmp_path / "twice"
    augment(AugmentSettings(), tmp_path / "out", twice, noises=["pink"], snrs=[5])
    row = table(twice)["one/a.pink_5dB_1.wav"]
    assert (row["parent"], row["snr"], row["mix_gain"], row["clipped"], row["options"]) == (
        "one/a.wav", "5.0", "", "", "",
    )  # fmt: skip
    replay(twice / "tracks.csv", tmp_path / "out", tmp_path / "again")
    assert tree(tmp_path / "again") == tree(twice)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("[]", "has options that are none"),
        ("{", "has options that are none"),
        ('{"speed": 2}', "has options that are none: there is no option speed"),
        ('{"seconds": "10"}', "has options that are none: '10' is no number of seconds"),
        ('{"rate": 1.5}', "has options that are none: the rate 1.5 is no number"),
        ('{"rate": 5}', "has options that are none: --rate must be from 1000"),
        ('{"names": ["same"]}', "has options that are none: --names must be own or same"),
    ],
)
def test_options_of_a_table_that_are_none(
    audio: Path, tmp_path: Path, options: str, words: str
) -> None:
    made(audio, "out", SETTINGS)
    text = (tmp_path / "out" / "tracks.csv").read_text()
    rows = text.splitlines()
    quoted = '"' + options.replace('"', '""') + '"'
    changed = [rows[0], *(row[: row.index('"{')] + quoted for row in rows[1:])]
    (tmp_path / "t.csv").write_text("\n".join(changed))
    with pytest.raises(UsageError, match=r"t\.csv") as error:
        replay(tmp_path / "t.csv", audio, tmp_path / "x", noises=[str(tmp_path / "cafe.wav")])
    assert words in str(error.value)


def test_options_that_somebody_changed_are_another_call(audio: Path, tmp_path: Path) -> None:
    made(audio, "out", SETTINGS)
    text = (
        (tmp_path / "out" / "tracks.csv")
        .read_text()
        .replace('""seconds"": 0.5', '""seconds"": 0.4')
    )
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(RunError, match="was made by another noise cafe"):
        replay(tmp_path / "t.csv", audio, tmp_path / "x", noises=[str(tmp_path / "cafe.wav")])


# --- names


def test_sources_of_one_stem_keep_their_suffix_in_it(audio: Path, tmp_path: Path) -> None:
    samples, rate = soundfile.read(audio / "one" / "a.wav")
    soundfile.write(audio / "one" / "a.flac", samples, rate)
    made(audio, "out", AugmentSettings(names="same"))
    assert {path for path in tree(tmp_path / "out") if path.startswith("one/a")} == {
        "one/a.flac.wav", "one/a.wav.wav",
    }  # fmt: skip


@pytest.mark.parametrize(
    "more",
    [{"gains": [0.3, 0.1]}, {"copies": 2}, {"noises": ["white", "pink"]}, {"recipes": ["phone"]}],
)
def test_the_same_name_is_for_one_copy(
    audio: Path, tmp_path: Path, more: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match="--names same is for one copy of each source, and these"):
        made(audio, "out", AugmentSettings(names="same"), **more)
    assert not (tmp_path / "out").exists()


def test_it_never_lands_on_its_source(audio: Path, tmp_path: Path) -> None:
    before = tree(audio)
    settings = AugmentSettings(names="same")
    with pytest.raises(UsageError, match="OUT is SRC"):
        made(audio, "audio", settings)
    with pytest.raises(UsageError, match="OUT is SRC"):
        made(audio / "one" / "a.wav", ".", settings, noises=["white"])
    (tmp_path / "out").mkdir()
    os.symlink(audio / "one", tmp_path / "out" / "one")
    summary = made(audio, "out", settings)
    assert summary.reasons == {"exists": 2}
    assert tree(audio) == before


@pytest.mark.parametrize(
    ("settings", "more", "words"),
    [
        (AugmentSettings(), {"snrs": [5]}, "--snr 5 contradicts --mix-gain 0.3"),
        (AugmentSettings(), {"noises": (), "recipes": ["phone"]}, "--mix-gain goes with --noise"),
        (AugmentSettings(clip="hard"), {"gains": ()}, "--clip hard goes with --mix-gain"),
        (AugmentSettings(clip="hard"), {"recipes": ["phone"]}, "--clip hard goes not with"),
        (AugmentSettings(noise_start=1), {"recipes": ["phone"]}, "--noise-start goes not with"),
        (AugmentSettings(noise_start=1), {"noises": ["pink"]}, "pink is none"),
        (AugmentSettings(noise_start=1), {"copies": 2}, "--noise-start makes 2 copies of a recor"),
        (AugmentSettings(), {"gains": [0]}, "noise cannot be mixed in 0 times"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused_before_anything_starts(
    audio: Path, tmp_path: Path, settings: AugmentSettings, more: dict[str, object], words: str
) -> None:
    with pytest.raises(UsageError) as error:
        made(audio, "out", settings, **more)
    assert words in str(error.value)
    assert not (tmp_path / "out").exists()


def test_several_copies_from_a_place_in_a_folder_of_recordings(audio: Path, tmp_path: Path) -> None:
    for name in "xyz":
        music(tmp_path / "street" / f"{name}.wav")
    settings = AugmentSettings(noise_start=0.5)
    made(audio, "out", settings, noises=[str(tmp_path / "street")], copies=4)
    rows = table(tmp_path / "out").values()
    assert {row["offset"] for row in rows} == {"0.5"}
    assert len({row["recording"] for row in rows}) > 1


@pytest.mark.parametrize("wrong", [{"clip": "soft"}, {"names": "other"}, {"noise_start": -1}])
def test_settings_that_are_none(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="must be"):
        AugmentSettings(**wrong)


def test_the_mix_is_the_part_and_so_many_times_the_noise(audio: Path, tmp_path: Path) -> None:
    settings = AugmentSettings(
        subtype="FLOAT", excerpt=Excerpt(0.2, 0.6), noise_start=0.5, clip="hard"
    )
    made(audio, "out", settings)
    sound, _ = soundfile.read(audio / "one" / "b.wav", dtype="float32")
    noise, _ = soundfile.read(tmp_path / "cafe.wav", dtype="float32")
    first, begin, count = round(0.2 * RATE), round(0.5 * RATE), round(0.6 * RATE)
    wanted = sound[first : first + count] + 0.3 * noise[begin : begin + count, None]
    copy, _ = soundfile.read(tmp_path / "out" / "one" / "b.cafe_gain0.3_1.wav", dtype="float32")
    np.testing.assert_allclose(copy, wanted, atol=1e-7)


@pytest.mark.parametrize("names", ["own", "same"])
def test_a_copy_is_none_the_less_for_its_name(audio: Path, tmp_path: Path, names: str) -> None:
    """Read back as DATA, and as the source of pictures."""
    made(audio, "out", AugmentSettings(names=names))
    wanted = input_of("features:gtzan57", "svm")
    data = read_dataset(tmp_path / "out", wanted)
    assert [entry.is_copy for entry in data.entries] == [True] * 3
    assert {entry.parent for entry in data.entries} == {"one/a.wav", "one/b.wav", "two/c.wav"}
    spectrograms(SpectrogramsSettings(front_end()), [tmp_path / "out"], tmp_path / "pictures")
    wanted = input_of("image", "cnn")
    assert all(entry.is_copy for entry in read_dataset(tmp_path / "pictures", wanted).entries)


def test_a_folder_around_says_that_its_copies_are_taken_for_recordings(
    audio: Path, tmp_path: Path
) -> None:
    """Where their names do not tell, and their table is not read."""
    made(audio, "own", AugmentSettings())
    wanted = input_of("features:gtzan57", "svm")
    assert not any("not read" in note for note in read_dataset(tmp_path, wanted).notes)
    (tmp_path / "cafe.wav").rename(tmp_path / "audio" / "two" / "cafe.wav")
    made(audio, "same", AugmentSettings(names="same"), noises=["pink"])
    expected = (
        f"{tmp_path}/same/tracks.csv is not read, so its 4 copies are taken for recordings: "
        f"give {tmp_path}/same by itself"
    )
    data = read_dataset(tmp_path, wanted)
    assert expected in data.notes
    assert [entry.is_copy for entry in data.entries if entry.name.startswith("same/")] == [
        False
    ] * 4
    pictures = [tmp_path], tmp_path / "pictures"
    summary = spectrograms(SpectrogramsSettings(front_end()), *pictures)
    assert expected in summary.warnings
    again = spectrograms(SpectrogramsSettings(front_end()), *pictures)
    assert not any("pictures/tracks.csv" in warning for warning in again.warnings)
    (tmp_path / "tracks.csv").write_text(
        "path,parent,noise\n" + "".join(
            f"{entry.name},{entry.name.removeprefix('same/')},pink\n"
            for entry in data.entries if entry.name.startswith("same/")
        )
    )  # fmt: skip
    data = read_dataset(tmp_path, wanted)
    assert expected not in data.notes
    assert [entry.is_copy for entry in data.entries if entry.name.startswith("same/")] == [True] * 4
