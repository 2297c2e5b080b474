"""Datasets of sound under conditions: which tracks, under which keys, and what fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from mgrkit.augment.altered import Altered
from mgrkit.augment.conditions import Condition, parse_conditions
from mgrkit.batch import Options
from mgrkit.commands.augment import AugmentSettings, augment
from mgrkit.datasets import altering
from mgrkit.datasets.altering import altered
from mgrkit.datasets.dataset import Dataset
from mgrkit.datasets.reading import read_dataset
from mgrkit.errors import ItemError, RunError, UsageError
from mgrkit.inputs.kinds import input_of
from mgrkit.synthetic.collection import write_collection
from tests.datasets.made_tables import rows, write


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    write_collection(tmp_path / "audio", songs=2, artists=2, seconds=1.0)
    return tmp_path / "audio"


def sounding(folder: Path) -> Dataset:
    return read_dataset(folder, input_of("image", "cnn"))


def conditions(*texts: str) -> list[Condition]:
    return [one for text in texts for one in parse_conditions(text)]


@dataclass(frozen=True)
class Odd:
    """Does something odd to the sounds whose path ends so."""

    ends: str
    what: str = "raise"
    name: str = "odd"
    digest: str = "odd"
    processes: bool = False
    warnings: tuple[str, ...] = ()

    def ready(self, folder: Path) -> Odd:
        assert not list(folder.iterdir())
        return self

    def apply(self, samples: Any, rate: int, seed: int, path: str, k: int) -> Altered:
        del seed, k
        if not path.endswith(self.ends):
            return Altered(samples, rate, [], 0.0, ("unchanged: it stayed as it was",))
        if self.what == "raise":
            raise ItemError("odd", "it is refused")
        bent = {"nan": samples * np.float32("nan"), "empty": samples[:, :0], "silent": samples * 0}
        return Altered(bent[self.what], rate, [])


def test_the_same_tracks_in_the_same_order_as_copies_of_them(audio: Path) -> None:
    dataset = sounding(audio)
    keep = list(range(len(dataset.entries)))[::-1][:5]
    taken = dataset.take(keep)
    found = altered(audio, taken, conditions("white@10", "gain@-20"), copies=2)
    assert list(found) == [("white@10", 1), ("white@10", 2), ("gain@-20", 1), ("gain@-20", 2)]
    for (name, k), one in found.items():
        assert [label.id for label in one.labelled] == [label.id for label in taken.labelled]
        assert one.groups() == taken.groups()
        assert [e.genre for e in one.entries] == [e.genre for e in taken.entries]
        assert [e.parent for e in one.entries] == [e.name for e in taken.entries]
        assert all(e.is_copy and e.noise == name for e in one.entries)
        assert (one.failed, one.notes, one.input) == (0, (), taken.input)
        assert one.x.shape == taken.x.shape
        assert one.tracks.tolist() == taken.tracks.tolist()
        assert one.entries[0].name == f"{taken.entries[0].name} ({name}{', 2' * (k == 2)})"
    noisy, other = found["white@10", 1].x, found["white@10", 2].x
    assert (noisy != taken.x).any(axis=(1, 2)).all()
    assert (noisy != other).any(axis=(1, 2)).all()
    # Pictures are relative to their peak: 20 dB less is the same picture, but for rounding.
    assert np.abs(found["gain@-20", 1].x.astype(int) - taken.x).max() <= 1


def test_the_values_are_those_of_the_file_that_augment_writes(audio: Path, tmp_path: Path) -> None:
    settings = AugmentSettings(seed=5, subtype="FLOAT")
    augment(settings, audio, tmp_path / "noisy", noises=["pink"], snrs=[3])
    dataset = sounding(audio)
    found = altered(audio, dataset, conditions("pink@3"), seed=5)["pink@3", 1]
    written = sounding(tmp_path / "noisy")
    assert len(written.entries) == len(dataset.entries) > 0
    by_parent = {entry.parent: i for i, entry in enumerate(written.entries)}
    order = [by_parent[entry.parent] for entry in found.entries]
    assert np.array_equal(written.take(order).x, found.x)


def test_what_is_there_is_read_again_and_another_seed_is_another_draw(
    audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = sounding(audio)
    asked = conditions("white@10", "gain@-3")
    first = altered(audio, dataset, asked, seed=1)
    x = first["white@10", 1].x
    other = altered(audio, dataset, asked, seed=2)["white@10", 1].x
    assert (other != x).any()
    monkeypatch.setattr(altering, "_whole", lambda *_: pytest.fail("it was made again"))
    again = altered(audio, dataset, asked, seed=1, options=Options(workers=1))
    assert np.array_equal(again["white@10", 1].x, x)


def test_a_spawned_process_and_any_number_of_workers_give_the_same(
    audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = sounding(audio)
    [white] = conditions("white@10")
    made = []
    for number, (workers, processes) in enumerate([(1, False), (4, False), (2, True)]):
        monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / f"cache-{number}"))
        wanted = [replace(white, processes=processes)]  # type: ignore[type-var]
        found = altered(audio, dataset, wanted, options=Options(workers))
        made.append(found["white@10", 1].x)
    assert np.array_equal(made[0], made[1])
    assert np.array_equal(made[0], made[2])


@pytest.mark.parametrize(
    ("what", "reason"),
    [("raise", "odd"), ("nan", "non-finite"), ("empty", "too-short"), ("silent", "silent")],
)
def test_a_track_that_fails_is_left_out_of_that_condition_alone(
    audio: Path, what: str, reason: str
) -> None:
    dataset = sounding(audio)
    bad = dataset.entries[2].name
    found = altered(audio, dataset, [Odd(bad, what), *conditions("gain@-3")])
    odd, quiet = found["odd", 1], found["gain@-3", 1]
    names = [entry.name for entry in dataset.entries]
    assert [e.parent for e in odd.entries] == [name for name in names if name != bad]
    assert [e.parent for e in quiet.entries] == names
    assert odd.failed == 1
    assert np.array_equal(odd.x, dataset.take([i for i in range(len(names)) if i != 2]).x)
    count = len(names)
    assert odd.notes[0].startswith(f"under odd, 1 of {count} files left out: 1 {reason} (the")
    assert bad in odd.notes[0]
    assert "odd" in odd.notes[0].partition("(")[2]
    assert odd.notes[1].startswith(f"under odd, {count - 1} of {count} files with a warning: ")
    assert (quiet.failed, quiet.notes) == (0, ())


def test_a_track_of_which_one_slice_fails_is_left_out(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    lines = ["path,genre"]
    (tmp_path / "000").mkdir()
    for track in ("000002", "000005"):
        for piece in (0, 1):
            name = f"000/{track}_{piece}.wav"
            soundfile.write(tmp_path / name, random.normal(size=22_050) / 9, 22_050)
            lines.append(f"{name},Rock")
    (tmp_path / "tracks.csv").write_text("\n".join(lines))
    dataset = sounding(tmp_path)
    assert [label.id for label in dataset.labelled] == ["fma:000002", "fma:000005"]
    found = altered(tmp_path, dataset, [Odd("000005_1.wav")])["odd", 1]
    assert [label.id for label in found.labelled] == ["fma:000002"]
    assert found.tracks.tolist() == [0, 0]


def test_a_file_that_has_changed_meanwhile_is_made_anew(audio: Path) -> None:
    dataset = sounding(audio)
    [quiet] = conditions("gain@-3")
    first = altered(audio, dataset, [quiet])["gain@-3", 1].x
    path = audio / dataset.entries[0].name
    samples, rate = soundfile.read(path)
    soundfile.write(path, samples[::-1], rate)
    again = altered(audio, dataset, [quiet])["gain@-3", 1].x
    assert (first[0] != again[0]).any()
    assert np.array_equal(first[1:], again[1:])


def test_no_file_is_made_beside_the_sounds(audio: Path) -> None:
    def seen() -> Sequence[Path]:
        return sorted(audio.rglob("*"))

    dataset, before = sounding(audio), seen()
    altered(audio, dataset, conditions("white@10"))
    assert seen() == before


def test_tables_of_numbers_cannot_be_altered(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows())
    dataset = read_dataset(table, input_of("features:gtzan57", "svm"))
    with pytest.raises(UsageError, match="holds no sound but gtzan57, which cannot be altered"):
        altered(tmp_path, dataset, conditions("white@10"))


def test_a_sound_that_memory_would_not_hold_is_refused_by_name(
    audio: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = sounding(audio)
    monkeypatch.setattr(altering, "MOST_SAMPLES", 10_000)
    found = altered(audio, dataset, conditions("gain@-4"))["gain@-4", 1]
    assert not found.entries
    assert f"{len(dataset.entries)} too-long" in found.notes[0]


def test_recordings_of_no_use_are_said_before_anything_is_made(audio: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "still.wav", np.zeros(22_050), 22_050)
    dataset = sounding(audio)
    with pytest.raises(RunError, match="the recording is silent"):
        altered(audio, dataset, conditions(f"{tmp_path}/still.wav@10"))


def test_a_recording_that_is_passed_over_is_noted(audio: Path, tmp_path: Path) -> None:
    (tmp_path / "rain").mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 22_050)
    soundfile.write(tmp_path / "rain" / "a.wav", noise, 22_050)
    (tmp_path / "rain" / "b.wav").write_text("no sound")
    dataset = sounding(audio)
    found = altered(audio, dataset, conditions(f"{tmp_path}/rain@10"))["rain@10", 1]
    assert len(found.entries) == len(dataset.entries)
    [note] = found.notes
    assert "rain/b.wav" in note
    assert "not-audio" in note
