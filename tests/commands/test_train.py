"""From a table to a bundle and to scores: what is fit, what is kept apart, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands.evaluate import evaluate
from mgrkit.commands.train import TrainSettings, train
from mgrkit.errors import BundleError, RunError, UsageError
from mgrkit.models.model import Model
from mgrkit.tracks.collections.lookup import known
from tests.datasets.made_tables import GENRES, rows, write


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("table") / "features.csv", rows())


@pytest.fixture(scope="module")
def bundle(table: Path) -> Path:
    out = table.parent / "svm.safetensors"
    train("svm", table, out)
    return out


def test_a_bundle_says_what_it_was_made_from(table: Path, bundle: Path) -> None:
    made = load_bundle(bundle)
    assert (made.classifier, made.distribution, made.eats) == ("svm", "mgrkit", "features:gtzan57")
    assert made.task.labels == GENRES
    assert made.metrics["split"] == "grouped split"
    assert made.metrics["part"] == "valid"
    assert made.metrics["accuracy"] > 0.9
    assert 0 <= made.metrics["accuracy_low"] <= made.metrics["accuracy_high"] <= 1
    assert made.metrics["refit"] is False
    assert "features.csv" in made.card["data"]


def test_the_same_seed_gives_the_same_bytes_and_another_another_split(
    table: Path, bundle: Path, tmp_path: Path
) -> None:
    train("svm", table, tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == bundle.read_bytes()
    train("svm", table, tmp_path / "other.safetensors", TrainSettings(seed=1))
    assert load_bundle(tmp_path / "other.safetensors").seen != load_bundle(bundle).seen


def test_evaluate_counts_only_tracks_that_were_not_seen(table: Path, bundle: Path) -> None:
    result = evaluate(str(bundle), table)
    seen = Model(bundle).known_tracks
    assert result["dropped_as_seen"] == len(seen)
    assert result["tracks"] == len(rows()) - len(seen)
    assert result["accuracy"] > 0.9
    assert "grouped split" in result["split"]
    assert np.array(result["confusion"]).sum() == result["tracks"]
    wanted = {
        "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "ece", "per_genre",
        "confusion", "labels", "split", "tracks", "dropped_as_seen",
    }  # fmt: skip
    assert wanted <= set(result)


def test_nothing_unseen_is_an_error_unless_seen_is_asked_for(
    table: Path, bundle: Path, tmp_path: Path
) -> None:
    seen = Model(bundle).known_tracks
    known = [row for row in rows() if f"name:{Path(str(row['path'])).name}" in seen]
    only = write(tmp_path / "seen.csv", known)
    with pytest.raises(UsageError, match=r"has seen all .*\(other DATA, or --seen to count"):
        evaluate(str(bundle), only)
    result = evaluate(str(bundle), only, seen=True)
    assert result["tracks"] == len(known)
    assert f"{len(known)} tracks included that it was fit or chosen on" in result["split"]


def test_tracks_that_only_chose_a_model_are_not_said_to_be_learnt_from(tmp_path: Path) -> None:
    """Nor their artists: a bundle knows its tracks, and not which of them it was fit on."""
    made = rows()
    for row in made:
        row["split"] = "valid" if str(row["group"]).endswith(" 0") else "train"
    table = write(tmp_path / "t.csv", made)
    train("svm", table, tmp_path / "m.safetensors")
    result = evaluate(str(tmp_path / "m.safetensors"), table, part="valid", seen=True)
    said = f"{result['tracks']} tracks included that it was fit or chosen on"
    assert said in result["split"]
    assert "in training" not in result["split"]


def test_published_parts_decide_where_the_table_has_them(tmp_path: Path) -> None:
    parts = {0: "train", 1: "train", 2: "valid", 3: "test"}
    made = [{**row, "split": parts[int(str(row["path"])[-7])]} for row in rows()]
    table = write(tmp_path / "t.csv", made)
    out = tmp_path / "m.safetensors"
    trained = train("random_forest", table, out, TrainSettings(parameters={"trees": "20"}))
    assert trained.bundle.metrics["split"] == "given split"
    assert (trained.counts["train"], trained.counts["valid"], trained.counts["test"]) == (
        32,
        16,
        16,
    )
    result = evaluate(str(out), table)
    assert (result["tracks"], result["dropped_as_seen"]) == (16, 0)
    assert "the part test of a given split" in result["split"]
    with pytest.raises(
        UsageError, match=r"all 16 tracks of the part valid of a given split \(--part all has 16"
    ):
        evaluate(str(out), table, part="valid")
    assert evaluate(str(out), table, part="valid", seen=True)["tracks"] == 16
    assert evaluate(str(out), table, part="all")["tracks"] == 16


def test_without_a_test_part_the_error_names_the_way_to_judge_by_valid(tmp_path: Path) -> None:
    parts = {0: "train", 1: "train", 2: "valid", 3: "train"}
    made = [{**row, "split": parts[int(str(row["path"])[-7])]} for row in rows()]
    table, out = write(tmp_path / "t.csv", made), tmp_path / "m.safetensors"
    train("random_forest", table, out, TrainSettings(parameters={"trees": "20"}))
    with pytest.raises(UsageError, match=r"\(other DATA, or --seen --part valid to count"):
        evaluate(str(out), table)
    assert evaluate(str(out), table, part="valid", seen=True)["tracks"] == 16
    with pytest.raises(UsageError, match=r"or --seen to count"):
        evaluate(str(out), table, part="valid")


def test_refit_learns_from_valid_too_and_keeps_the_metrics_from_before(
    table: Path, bundle: Path, tmp_path: Path
) -> None:
    trained = train("svm", table, tmp_path / "r.safetensors", TrainSettings(refit=True))
    before = load_bundle(bundle)
    after = trained.bundle
    # The folds are fit with valid, too, and calibrate: that decides what is measured but ranks.
    kept = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "top3", "tracks", "part")
    assert after.metrics["refit"]
    assert [after.metrics[n] for n in kept] == [before.metrics[n] for n in kept]
    assert "train and valid" in after.card["fit"]
    assert after.seen == before.seen
    assert any(
        after.state[name].shape != array.shape or not np.array_equal(after.state[name], array)
        for name, array in before.state.items()
    )


def test_noisy_copies_are_learnt_from_but_never_judged(tmp_path: Path) -> None:
    made = [{**row, "parent": row["path"]} for row in rows()]
    copies = [
        {**row, "path": str(row["path"]).replace(".wav", ".white_10dB_1.wav")} for row in made
    ]
    table = write(tmp_path / "t.csv", [*made, *copies])
    out = tmp_path / "m.safetensors"
    trained = train("svm", table, out)
    plain = train("svm", write(tmp_path / "p.csv", made), tmp_path / "p.safetensors")
    assert trained.counts["train"] == 2 * plain.counts["train"]
    assert trained.counts["valid"] == plain.counts["valid"]
    assert trained.counts["none"] == plain.counts["valid"] + plain.counts["test"]
    assert trained.bundle.seen == plain.bundle.seen
    assert evaluate(str(out), table)["tracks"] == plain.counts["test"]


def test_random_splits_and_unknown_artists_carry_the_words(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows(artists=1, songs=12))
    out = tmp_path / "m.safetensors"
    trained = train("svm", table, out, TrainSettings(split="random"))
    assert "random split" in trained.bundle.metrics["split"]
    result = evaluate(str(out), table)
    assert "random split" in result["split"]
    assert "artists unknown" in result["split"]


def test_two_genres_do(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows(GENRES[:2]))
    trained = train("random_forest", table, tmp_path / "m.safetensors")
    assert trained.bundle.task.labels == GENRES[:2]


def test_a_genre_with_one_track_does_and_is_said(tmp_path: Path) -> None:
    lonely = {**rows()[0], "path": "polka/polka.wav", "genre": "polka", "group": "one"}
    table = write(tmp_path / "t.csv", [*rows(), lonely])
    trained = train("svm", table, tmp_path / "m.safetensors")
    assert "polka" in trained.bundle.task.labels
    assert any("polka" in note for note in trained.notes)


@pytest.mark.parametrize("genres", [GENRES[:1], ("",)])
def test_one_genre_or_none_is_refused(tmp_path: Path, genres: tuple[str, ...]) -> None:
    table = write(tmp_path / "t.csv", rows(genres))
    with pytest.raises((UsageError, RunError), match="genre"):
        train("svm", table, tmp_path / "m.safetensors")
    assert not (tmp_path / "m.safetensors").exists()


def test_constant_columns_and_huge_values_are_learnt_around(tmp_path: Path) -> None:
    made = [{**row, "tempo": 120.0, "rms_mean": 1e30} for row in rows()]
    trained = train("svm", write(tmp_path / "t.csv", made), tmp_path / "m.safetensors")
    assert trained.bundle.metrics["accuracy"] > 0.9
    assert any("same value in every row" in note for note in trained.notes)


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("swm", TrainSettings(), "swm"),
        ("svm", TrainSettings(parameters={"kernal": "rbf"}), "did you mean kernel"),
        ("svm", TrainSettings(parameters={"C": "-1"}), "from"),
        ("svm", TrainSettings(parameters={"kernel": "cubic"}), "kernel"),
        ("svm", TrainSettings(split="sorted"), "sorted"),
        ("svm", TrainSettings(device="tpu"), "no device 'tpu'"),
        ("svm", TrainSettings(device="mps"), "mps cannot be used"),
        ("svm", TrainSettings(split="published"), "part"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_fit(
    table: Path, tmp_path: Path, name: str, settings: TrainSettings, expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        train(name, table, tmp_path / "m.safetensors", settings)
    assert list(tmp_path.iterdir()) == []


def test_cuda_where_there_is_none_is_refused(table: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("mgrkit.compute.device.os.path.exists", lambda _: False)
    with pytest.raises(UsageError, match="no device cuda here"):
        train("svm", table, tmp_path / "m.safetensors", TrainSettings(device="cuda"))


def test_an_existing_bundle_is_not_written_over_unless_asked(table: Path, bundle: Path) -> None:
    before = bundle.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        train("svm", table, bundle, TrainSettings(seed=3))
    assert bundle.read_bytes() == before
    with pytest.raises(UsageError, match=r"must end in \.safetensors"):
        train("svm", table, table.parent / "svm.pkl")
    with pytest.raises(UsageError, match="no folder"):
        train("svm", table, table.parent / "none" / "svm.safetensors")


def test_tracks_of_genres_that_the_model_does_not_know_are_said(
    bundle: Path, tmp_path: Path
) -> None:
    others = [{**row, "genre": "polka"} for row in rows()[:3]]
    mixed = write(tmp_path / "t.csv", [*others, *rows()[3:]])
    result = evaluate(str(bundle), mixed)
    assert any("polka" in note for note in result["notes"])
    with pytest.raises(UsageError, match="none of the model's genres"):
        evaluate(str(bundle), write(tmp_path / "o.csv", others))


def test_evaluate_refuses_what_it_cannot_measure(table: Path, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--part"):
        evaluate(str(bundle), table, part="train")
    with pytest.raises(UsageError, match="no tracks of a part valid"):
        evaluate(str(bundle), table, part="valid")
    with pytest.raises(UsageError, match="there is no model"):
        evaluate("svmm", table)
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(bundle.read_bytes()[:-1])
    with pytest.raises(BundleError):
        evaluate(str(torn), table)


def test_a_stop_ends_the_fit_and_writes_nothing(table: Path, tmp_path: Path) -> None:
    import os
    import signal

    from mgrkit.errors import Stopped

    def press(step: int, total: int, metrics: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped) as stopped:
        train("random_forest", table, tmp_path / "m.safetensors", progress=press)
    assert stopped.value.exit_code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []


def test_a_noisy_copy_stays_with_its_recording_wherever_both_lie(tmp_path: Path) -> None:
    made = [
        {
            **row,
            "path": f"all/audio/{row['path']}",
            "parent": f"all/audio/{row['path']}",
            "group": "",
        }
        for row in rows()
    ]
    copies = [
        {**row, "path": f"all/noisy/{number}.wav", "parent": str(row["path"])[10:]}
        for number, row in enumerate(made)
    ]
    table = write(tmp_path / "t.csv", [*made, *copies])
    for split in ("grouped", "random"):
        trained = train("svm", table, tmp_path / f"{split}.safetensors", TrainSettings(split=split))
        # 64 recordings: their copies double train, and none of the others' copies is used
        assert trained.counts["train"] % 2 == 0
        used = trained.counts["train"] // 2 + trained.counts["valid"] + trained.counts["test"]
        assert used == len(made)
        assert (
            len(Model(trained.path).known_tracks)
            == trained.counts["train"] // 2 + trained.counts["valid"]
        )


def test_tracks_in_no_published_part_are_no_stand_in_for_the_test(tmp_path: Path) -> None:
    parts = {0: "train", 1: "train", 2: "valid", 3: ""}
    made = [{**row, "split": parts[int(str(row["path"])[-7])]} for row in rows()]
    table = write(tmp_path / "t.csv", made)
    out = tmp_path / "m.safetensors"
    train("svm", table, out)
    with pytest.raises(UsageError, match=r"has seen all 48 .* \(--part all has 16 more, or"):
        evaluate(str(out), table)
    result = evaluate(str(out), table, seen=True)
    assert result["tracks"] == 48
    assert any("in no part of the split: 16 tracks" in note for note in result["notes"])
    everything = evaluate(str(out), table, part="all")
    assert everything["tracks"] == 16


def test_artists_heard_in_training_are_said(tmp_path: Path) -> None:
    halves = [[row for row in rows() if int(str(row["path"])[-5]) % 2 == k] for k in (0, 1)]
    first, second = (write(tmp_path / f"{k}.csv", half) for k, half in enumerate(halves))
    out = tmp_path / "m.safetensors"
    train("svm", first, out)
    result = evaluate(str(out), second)
    assert result["tracks"] == 32
    assert "24 of 32 tracks by artists that it was fit or chosen on" in result["split"]


def test_the_words_of_a_random_split_go_with_every_number(tmp_path: Path) -> None:
    parts = {0: "train", 1: "train", 2: "valid", 3: "test"}
    made = [{**row, "split": parts[int(str(row["path"])[-7])]} for row in rows()]
    table = write(tmp_path / "t.csv", made)
    out = tmp_path / "m.safetensors"
    train("svm", table, out, TrainSettings(split="random"))
    for part in ("valid", "test", "all"):
        words = evaluate(str(out), table, part=part)["split"]
        assert "random split, artists not separated" in words


def test_an_artist_column_is_a_group(tmp_path: Path) -> None:
    made = [{**row, "artist": row["group"]} for row in rows()]
    for row in made:
        del row["group"]
    trained = train("svm", write(tmp_path / "t.csv", made), tmp_path / "m.safetensors")
    assert trained.bundle.metrics["split"] == "grouped split"


def test_what_cannot_be_calibrated_is_said(tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", rows(artists=2))
    trained = train("svm", table, tmp_path / "m.safetensors")
    assert any("not calibrated" in note for note in trained.notes)


def test_a_few_names_of_a_collection_do_not_make_a_published_split(tmp_path: Path) -> None:
    made = rows()
    for number, row in enumerate(made[:3]):
        row["path"] = f"blues/blues.0000{number}.wav" if number else "blues/blues.00029.wav"
    trained = train("svm", write(tmp_path / "t.csv", made), tmp_path / "m.safetensors")
    assert trained.bundle.metrics["split"] == "grouped split"


def test_an_odd_name_of_the_table_is_kept_in_plain_letters(tmp_path: Path) -> None:
    table = write(tmp_path / "a\x1b\nb.csv", rows())
    train("svm", table, tmp_path / "m.safetensors")
    card = load_bundle(tmp_path / "m.safetensors").card
    assert card["data"].startswith(r"a\x1b\x0ab.csv: ")


@pytest.mark.parametrize("genre", ["blu\x1bes", "b" * 501])
def test_a_genre_that_no_model_can_keep_is_refused_before_the_fit(
    tmp_path: Path, genre: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [{**row, "genre": genre} if row["genre"] == "blues" else row for row in rows()]
    fits = "mgrkit.experiments.training.fit_classifier"
    monkeypatch.setattr(fits, lambda *_: pytest.fail("it fits"))
    with pytest.raises(UsageError, match=r"no model can keep the genre 'b.*\(give it a short name"):
        train("svm", write(tmp_path / "t.csv", made), tmp_path / "m.safetensors")


def test_replace_writes_over_bundles_only(table: Path, bundle: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.safetensors"
    mine.write_text("words of mine, not a model")
    with pytest.raises(UsageError, match="no bundle of mgrkit's"):
        train("svm", table, mine, replace=True)
    assert mine.read_text() == "words of mine, not a model"
    mine.write_bytes(bundle.read_bytes()[:-9])
    train("svm", table, mine, replace=True)
    assert mine.read_bytes() == bundle.read_bytes()


def test_a_collection_s_left_out_tracks_alone_are_no_test_either(
    bundle: Path, tmp_path: Path
) -> None:
    # In no part of GTZAN's published split.
    left_out = [
        {**row, "path": f"{name}.wav", "group": ""}
        for name, row in zip(("classical.00042", "country.00008"), rows(), strict=False)
    ]
    alone = write(tmp_path / "alone.csv", left_out)
    assert all(known(str(row["path"])).part == "" for row in left_out)
    with pytest.raises(UsageError, match=r"leaves out all 2 tracks.*--part all"):
        evaluate(str(bundle), alone)
    assert evaluate(str(bundle), alone, part="all")["tracks"] == 2
    mixed = write(tmp_path / "mixed.csv", [*left_out, *rows()[-3:]])
    result = evaluate(str(bundle), mixed, seen=True)
    assert result["tracks"] == 3
    assert any("2 tracks" in note for note in result["notes"])


def test_a_copy_has_the_genre_of_its_recording(tmp_path: Path) -> None:
    made = [{**row, "parent": row["path"]} for row in rows()]
    stale = [{**row, "path": f"{row['path']}.copy", "genre": "polka"} for row in made]
    trained = train("svm", write(tmp_path / "t.csv", [*made, *stale]), tmp_path / "m.safetensors")
    assert trained.bundle.task.labels == GENRES


def test_folders_below_the_genres_are_artists_where_nothing_else_is_known(tmp_path: Path) -> None:
    made = [
        {**row, "path": f"{row['genre']}/artist {str(row['path'])[-7]}/{number}.wav", "group": ""}
        for number, row in enumerate(rows())
    ]
    trained = train("svm", write(tmp_path / "t.csv", made), tmp_path / "m.safetensors")
    assert trained.bundle.metrics["split"] == "grouped split"
    assert any("taken from the folders" in note for note in trained.notes)
    flat = [{**row, "path": f"{row['genre']}/wav/{n}.wav"} for n, row in enumerate(made)]
    trained = train("svm", write(tmp_path / "f.csv", flat), tmp_path / "f.safetensors")
    assert "random split" in trained.bundle.metrics["split"]
