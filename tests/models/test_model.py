"""From sound to a genre, by a model trained on a folder of sound."""

from __future__ import annotations

import json
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mgrkit
from mgrkit.batch import Options, Work
from mgrkit.commands.predict import PredictSettings, loaded, predict
from mgrkit.commands.train import train
from mgrkit.datasets import describing
from mgrkit.errors import BundleError, ItemError, RunError, UsageError
from mgrkit.models import member
from mgrkit.models import model as modelling
from mgrkit.synthetic import music
from mgrkit.synthetic.collection import write_collection


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with songs and a model of them."""
    folder = tmp_path_factory.mktemp("place")
    write_collection(folder / "audio", songs=6, artists=3, seconds=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MGRKIT_CACHE", str(folder / "cache"))
        train("svm", folder / "audio", folder / "svm.safetensors")
    return folder


@pytest.fixture
def model(place: Path) -> Path:
    return place / "svm.safetensors"


def write_song(path: Path, seconds: float, rate: int = 22050, song: int = 50) -> Path:
    sound = music.render("techno", 1, song, seconds, rate)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(np.rint(sound * 32767).astype("<i2").tobytes())
    return path


def results(model: Path, paths: list[Path], **more: Any) -> tuple[list[dict[str, Any]], Any]:
    rows: list[dict[str, Any]] = []
    options = {name: more.pop(name) for name in ("resume", "options") if name in more}
    summary = predict(PredictSettings(str(model), **more), paths, rows.append, **options)
    return rows, summary


def test_a_prediction_has_what_is_promised(model: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", 8)
    rows, summary = results(model, [song])
    (row,) = rows
    assert set(row) == {
        "path", "genre", "probability", "unsure", "genres", "seconds", "model", "warning",
    }  # fmt: skip
    assert (row["path"], row["genre"], row["seconds"], row["model"]) == (
        str(song), "techno", 8.0, "svm",
    )  # fmt: skip
    assert len(row["genres"]) == 3
    assert row["genres"][0] == {"genre": row["genre"], "probability": row["probability"]}
    found = [one["probability"] for one in row["genres"]]
    assert found == sorted(found, reverse=True)
    assert isinstance(row["unsure"], bool)
    assert (summary.made, summary.exit_code) == (1, 0)
    json.dumps(row)


def test_from_python_it_is_the_same(model: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", 8)
    asked = mgrkit.load(model).predict(song)
    assert results(model, [song])[0] == [asked]
    with pytest.raises(ItemError) as error:
        mgrkit.load(str(model)).predict(tmp_path / "none.wav")
    assert error.value.reason == "missing"


def test_top_bounds_the_genres(model: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", 4)
    assert len(results(model, [song], top=1)[0][0]["genres"]) == 1
    (row,), _ = results(model, [song], top=99)
    assert len(row["genres"]) == 4
    assert sum(one["probability"] for one in row["genres"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "limits",
    [
        {"top": 0},
        {"top": -1},
        {"max_seconds": -5},
        {"max_seconds": 1},
        {"max_seconds": float("nan")},
        {"max_seconds": float("inf")},
        {"threshold": 1.1},
        {"threshold": float("nan")},
    ],
)
def test_limits_that_cannot_be_kept_are_wrong_calls(
    model: Path, place: Path, limits: dict[str, Any]
) -> None:
    (name,) = limits
    with pytest.raises(UsageError, match=f"{name} must be"):
        PredictSettings(**limits)
    with pytest.raises(UsageError, match=f"{name} must be"):
        mgrkit.load(model).predict(place / "audio" / "blues" / "blues-01.wav", **limits)


def test_below_the_threshold_the_genre_stays_and_is_unsure(model: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", 4)
    sure = mgrkit.load(model)
    best = sure.predict(song)["probability"]
    for threshold, unsure in ((best - 0.01, False), (min(best + 0.01, 1.0), best < 1.0)):
        object.__setattr__(sure.calibration, "unsure_below", threshold)
        row = sure.predict(song)
        assert (row["genre"], row["unsure"]) == ("techno", unsure)


def test_a_long_song_is_the_mean_of_its_pieces(model: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", 95)
    one = mgrkit.load(model)
    row = one.predict(song, timeline=True, top=4)
    assert [piece["start"] for piece in row["timeline"]] == [0, 30, 60]
    assert [piece["seconds"] for piece in row["timeline"]] == [30, 30, 30]
    assert "timeline" not in one.predict(song)
    raw = {}

    real = one.only.classifier.predict_proba

    def spy(x: np.ndarray) -> np.ndarray:
        raw["x"] = real(x)
        return raw["x"]

    one.only.classifier.predict_proba = spy  # type: ignore[method-assign]
    one.predict(song)
    mean = one.calibration.apply(raw["x"].mean(0, keepdims=True))[0]
    found = {each["genre"]: each["probability"] for each in row["genres"]}
    assert [found[label] for label in one.labels] == pytest.approx(mean.tolist(), abs=1e-3)


@pytest.mark.parametrize("seconds", [31, 61.5, 74.25])
def test_the_length_told_is_the_songs_own(model: Path, tmp_path: Path, seconds: float) -> None:
    song = write_song(tmp_path / "song.wav", seconds)
    asked: list[float] = []
    row = mgrkit.load(model).predict(song, timeline=True, work=Work("", asked.append))
    assert row["seconds"] == seconds
    assert asked[-1] == pytest.approx(seconds), "the time limit hears it, too"
    heard = sum(piece["seconds"] for piece in row["timeline"])
    assert heard == (seconds if seconds < 45 else 60)


def test_of_a_three_hour_song_a_minute_is_heard(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    rate = 2000
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        noise = np.random.default_rng(0).integers(-9000, 9000, rate * 60, dtype="<i2").tobytes()
        for _ in range(180):
            file.writeframes(noise)
    (row,), _ = results(model, [path], timeline=True)
    assert row["seconds"] == 3 * 3600
    assert len(row["timeline"]) == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("silent.wav", "silent"),
        ("short.wav", "too-short"),
        ("text.mp3", "not-audio"),
        ("no.wav", "missing"),
    ],
)
def test_a_bad_file_is_an_error_of_its_own(
    model: Path, tmp_path: Path, name: str, reason: str
) -> None:
    good = write_song(tmp_path / "good.wav", 4)
    bad = tmp_path / name
    if name != "no.wav":
        bad.write_bytes(b"these are words, not music" * 100)
    if reason in ("silent", "too-short"):
        frames = np.zeros(22050 * 3, "<i2") if reason == "silent" else np.arange(1000, dtype="<i2")
        with wave.open(str(bad), "wb") as file:
            file.setparams((1, 2, 22050, 0, "NONE", ""))
            file.writeframes(frames.tobytes())
    rows, summary = results(model, [bad, good])
    by_path = {row["path"]: row for row in rows}
    assert set(by_path[str(bad)]) == {"path", "error"}
    assert by_path[str(bad)]["error"].startswith(f"{reason}:")
    assert by_path[str(good)]["genre"] == "techno"
    assert (summary.failed, summary.exit_code) == (1, 1)


def test_a_fifth_of_a_second_is_enough_or_says_why(model: Path, tmp_path: Path) -> None:
    rows, _ = results(model, [write_song(tmp_path / "s.wav", 0.2)])
    assert "genre" in rows[0] or rows[0]["error"].startswith("too-short:")


def test_folders_are_walked_and_nothing_is_asked_twice(model: Path, place: Path) -> None:
    audio = place / "audio"
    song = audio / "blues" / "blues-01.wav"
    rows, summary = results(model, [audio, song])
    assert len(rows) == summary.made == 24
    assert summary.warnings == [f"named twice, judged once: {song}"]
    assert results(model, [song, song, audio, song])[1].warnings == summary.warnings
    assert results(model, [audio])[1].warnings == []
    (found,) = results(model, [audio, audio])[1].warnings
    assert found.startswith("named twice, judged once: ")
    assert found.endswith(".wav and 23 more")
    assert {row["path"] for row in rows} >= {str(song)}
    (place / "empty").mkdir()
    with pytest.raises(RunError, match="no sound files"):
        results(model, [place / "empty"])


def test_resume_does_only_the_rest_and_gives_all(
    model: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "done.jsonl"
    songs = sorted((place / "audio" / "blues").glob("*.wav"))
    first, _ = results(model, songs[:4], resume=journal)
    asked: list[str] = []
    real = modelling.Model.judged

    def counted(self: Any, path: str, **more: Any) -> Any:
        asked.append(path)
        return real(self, path, **more)

    monkeypatch.setattr(modelling.Model, "judged", counted)
    rows, summary = results(model, songs, resume=journal)
    assert sorted(asked) == [str(song) for song in songs[4:]]
    assert (summary.kept, summary.made) == (4, 2)
    assert sorted(row["path"] for row in rows) == [str(song) for song in songs]
    assert [row for row in rows if row["path"] == first[0]["path"]] == [first[0]]
    message = r"done\.jsonl was made with .*no --max-seconds instead of 30 \(give another --resume"
    with pytest.raises(UsageError, match=message):
        results(model, songs, resume=journal, max_seconds=30)
    other = tmp_path / "other.jsonl"
    asked.clear()
    results(model, songs[:2], resume=other)
    assert len(asked) == 2, "a journal beside it is another run's"


def test_what_is_remembered_answers_other_questions(
    model: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, song = tmp_path / "done.jsonl", place / "audio" / "blues" / "blues-01.wav"
    results(model, [song], resume=journal)
    asked = {"top": 4, "threshold": 1.0, "timeline": True}
    anew = mgrkit.load(model).predict(song, **asked)  # type: ignore[arg-type]
    monkeypatch.delattr(modelling.Model, "judged")
    (row,), summary = results(model, [song], resume=journal, **asked)
    assert row == anew
    assert (len(row["genres"]), row["unsure"], summary.kept) == (4, True, 1)
    assert len(row["timeline"][0]["genres"]) == 4
    (row,), _ = results(model, [song], resume=journal, top=1, threshold=0.0)
    assert (len(row["genres"]), row["unsure"]) == (1, False)
    assert "timeline" not in row


def test_a_song_is_no_journal(model: Path, tmp_path: Path) -> None:
    song = write_song(tmp_path / "song.wav", 4)
    before = song.read_bytes()
    with pytest.raises(UsageError, match=r"song\.wav was not made by mgrkit predict"):
        results(model, [song], resume=song)
    assert song.read_bytes() == before


def test_in_order_is_the_order_asked_for(
    model: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = place / "audio" / "waltz" / "waltz-02.wav"
    real = modelling.Model.judged

    def late(self: Any, path: str, **more: Any) -> Any:
        if path == str(first):
            time.sleep(0.3)
        return real(self, path, **more)

    monkeypatch.setattr(modelling.Model, "judged", late)
    rows: list[dict[str, Any]] = []
    paths = [first, place / "none.wav", place / "audio"]
    predict(PredictSettings(str(model)), paths, rows.append, in_order=True)
    songs = sorted(str(path) for path in (place / "audio").rglob("*.wav"))
    songs.remove(str(first))
    assert [row["path"] for row in rows] == [str(first), str(place / "none.wav"), *songs]


def test_the_model_is_loaded_once(
    model: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []
    real = modelling.load_bundle

    def counted(path: Path) -> Any:
        loads.append(path)
        return real(path)

    monkeypatch.setattr(modelling, "load_bundle", counted)
    loaded.cache_clear()
    results(model, [place / "audio"], options=Options(16))
    assert len(loads) == 1


def test_a_damaged_model_is_named_before_anything_is_read(model: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(model.read_bytes()[:-7])
    with pytest.raises(BundleError, match=r"torn\.safetensors"):
        results(torn, [tmp_path / "none.wav"])


def test_a_model_of_other_features_is_refused(model: Path, monkeypatch) -> None:
    from dataclasses import replace

    from mgrkit.inputs.kinds import Features
    from mgrkit.registry import installed

    changed = replace(installed().feature_set("gtzan57"), columns=("a", "b"))
    monkeypatch.setattr(member, "input_of_task", lambda *_, **__: Features(changed))
    with pytest.raises(BundleError, match="trained on other features"):
        mgrkit.load(model)


def test_features_of_a_folder_are_computed_once(place: Path, tmp_path: Path, monkeypatch) -> None:
    audio = place / "audio"
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    train("svm", audio, tmp_path / "a.safetensors")
    calls: list[str] = []
    real = describing.describe
    monkeypatch.setattr(describing, "describe", lambda *a: calls.append(a[0]) or real(*a))
    train("svm", audio, tmp_path / "b.safetensors")
    assert calls == []
    kept = sorted((tmp_path / "cache" / "features").rglob("*.safetensors"))
    assert len(kept) == 24
    kept[0].write_bytes(kept[0].read_bytes()[:-3])
    train("svm", audio, tmp_path / "c.safetensors")
    assert len(calls) == 1
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "c.safetensors").read_bytes()


def test_bad_files_and_duplicates_in_a_folder_are_left_out_and_said(
    place: Path, tmp_path: Path
) -> None:
    audio = tmp_path / "audio"
    write_collection(audio, songs=3, artists=3, seconds=3)
    (audio / "blues" / "pointer.wav").write_text("version https://git-lfs.github.com/spec/v1\n")
    (audio / "waltz" / "words.mp3").write_text("no sound" * 50)
    (audio / "waltz" / "again.wav").write_bytes((audio / "waltz" / "waltz-01.wav").read_bytes())
    (audio / "tracks.csv").unlink()
    trained = train("svm", audio, tmp_path / "m.safetensors")
    notes = "\n".join(trained.notes)
    assert trained.failed == 2
    assert "2 files left out: " in notes
    assert "1 lfs-pointer" in notes
    assert "1 not-audio" in notes
    assert "duplicate" in notes
    assert sum(trained.counts.values()) == 12
    assert "artists unknown" in trained.bundle.metrics["split"] or (
        "random" in trained.bundle.metrics["split"]
    )


def test_a_track_table_names_its_files(place: Path, tmp_path: Path) -> None:
    lines = (place / "audio" / "tracks.csv").read_text().splitlines()
    few = [lines[0], *[line for line in lines if "blues" in line or "waltz" in line]]
    table = place / "audio" / "few.csv"
    table.write_text("\n".join([*few, "waltz/gone.wav,waltz,nobody"]) + "\n")
    trained = train("svm", table, tmp_path / "m.safetensors")
    assert trained.bundle.task.labels == ("blues", "waltz")
    assert any("1 missing" in note for note in trained.notes)
    assert trained.bundle.metrics["split"] == "grouped split"


def test_a_classifier_that_returns_rubbish_is_named(model: Path, tmp_path: Path) -> None:
    one = mgrkit.load(model)
    one.only.classifier.predict_proba = lambda x: [[1.0]]  # type: ignore[method-assign]
    with pytest.raises(RunError, match=r"svm.*author"):
        one.predict(write_song(tmp_path / "s.wav", 3))


def test_a_model_that_was_trained_again_is_loaded_again(
    model: Path, place: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one.safetensors"
    one.write_bytes(model.read_bytes())
    song = write_song(tmp_path / "s.wav", 3)
    assert len(results(one, [song], top=9)[0][0]["genres"]) == 4
    lines = (place / "audio" / "tracks.csv").read_text().splitlines()
    table = place / "audio" / "two.csv"
    kept = [line for line in lines[1:] if "techno" in line or "waltz" in line]
    table.write_text("\n".join([lines[0], *kept]) + "\n")
    train("svm", table, one, replace=True)
    assert len(results(one, [song], top=9)[0][0]["genres"]) == 2


def test_a_cache_that_cannot_be_is_named_before_the_work(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "file"))
    with pytest.raises(RunError, match=r"cannot keep gtzan57 in .*file"):
        train("svm", place / "audio", tmp_path / "m.safetensors")


def cut_song(path: Path) -> Path:
    """60 s of which two thirds are there."""
    content = write_song(path, 60).read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    return path


def test_a_cut_song_gets_a_verdict_with_a_warning(model: Path, tmp_path: Path) -> None:
    song = cut_song(tmp_path / "cut.wav")
    rows, summary = results(model, [song])
    assert rows[0]["genre"] == "techno"
    assert rows[0]["warning"].startswith("truncated: the header promises 60 s")
    assert rows[0]["seconds"] == pytest.approx(40, abs=0.01)
    assert (summary.made, summary.warned, summary.exit_code) == (1, 1, 0)
    assert mgrkit.load(model).predict(song)["warning"]


def test_unless_it_is_refused(model: Path, tmp_path: Path) -> None:
    song = cut_song(tmp_path / "cut.wav")
    rows, summary = results(model, [song], allow_truncated=False)
    assert rows[0]["error"].startswith("truncated: ")
    assert (summary.failed, summary.exit_code) == (1, 1)
    with pytest.raises(ItemError, match="truncated"):
        mgrkit.load(model).predict(song, allow_truncated=False)


def test_a_journal_knows_whether_cut_songs_were_refused(model: Path, tmp_path: Path) -> None:
    song, done = cut_song(tmp_path / "cut.wav"), tmp_path / "done.jsonl"
    results(model, [song], resume=done)
    rows, summary = results(model, [song], resume=done)
    assert rows[0]["warning"]
    assert (summary.kept, summary.warned) == (1, 1)
    with pytest.raises(UsageError, match="allow-truncated"):
        results(model, [song], resume=done, allow_truncated=False)
