"""Several classifiers on the same tracks: what counts, what is kept, what is told apart."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mgrkit.classifiers import load_bundle
from mgrkit.commands import compare as comparing
from mgrkit.commands.compare import Asked, compare
from mgrkit.errors import RunError, Stopped, UsageError
from mgrkit.experiments import trials
from mgrkit.experiments.standings import Comparison
from mgrkit.learning.comparing import Difference
from mgrkit.registry import loader
from mgrkit.reports.comparison import NAMES, RECORD, short, write_report
from tests.datasets.made_tables import rows, write

BOTH = ("svm", "random_forest")
SMALL = {"random_forest": {"trees": 5}}


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = rows(artists=5, songs=3, spread=4.0)
    return write(tmp_path_factory.mktemp("compare") / "features.csv", made)


@pytest.fixture(scope="module")
def done(table: Path) -> tuple[Path, Comparison]:
    out = table.parent / "out"
    return out, compare([table], out, Asked(BOTH, seeds=2, parameters=SMALL))


def test_without_names_all_are_compared_but_those_that_a_plugin_keeps_out() -> None:
    every = {one.name for one in comparing._configurations(Asked())}
    assert {"svm", "random_forest", "cnn"} <= every
    assert not every & {"short_chunk", "sample_cnn"}
    asked = comparing._configurations(Asked(("svm", "short_chunk")))
    assert [one.name for one in asked] == ["svm", "short_chunk"]


class Trains:
    """Counts the fits, and may end the nth."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.ends: dict[str, BaseException] = {}
        self.real = trials.fit_model
        monkeypatch.setattr(trials, "fit_model", self)

    def __call__(self, dataset: Any, split: Any, recipe: Any, out: Path, **named: Any) -> Any:
        self.names.append(out.stem)
        if out.stem in self.ends:
            raise self.ends[out.stem]
        return self.real(dataset, split, recipe, out, **named)


@pytest.fixture
def trains(monkeypatch: pytest.MonkeyPatch) -> Trains:
    return Trains(monkeypatch)


def again(table: Path, out: Path, **more: Any) -> Comparison:
    return compare([table], out, Asked(**({"classifiers": BOTH, "seeds": 1} | more)))


def test_all_are_fit_and_judged_on_one_split(done: tuple[Path, Comparison]) -> None:
    out, found = done
    bundles = [load_bundle(out / f"{name}-{seed}.safetensors") for name in BOTH for seed in (0, 1)]
    assert len({bundle.seen for bundle in bundles}) == 1
    assert [bundle.seed for bundle in bundles] == [0, 1, 0, 1]
    assert {row.classifier for row in found.rows} == set(BOTH)
    for row in found.rows:
        assert not row.reason
        assert 0 <= row.low <= row.accuracy <= row.high <= 1
        assert row.seeds.low <= row.accuracy <= row.seeds.high
        assert row.parameters > 0
        assert row.training_seconds > 0
        assert row.prediction_ms > 0
        assert row.bytes == pytest.approx(
            np.mean([(out / f"{row.classifier}-{s}.safetensors").stat().st_size for s in (0, 1)]),
            abs=1,
        )
        assert not row.chose
    assert (found.part, found.split, found.exit_code) == ("valid", "grouped split", 0)
    assert found.tracks == 12
    assert found.artists == 4


def test_the_numbers_are_those_of_the_bundle(done: tuple[Path, Comparison]) -> None:
    """On valid, which a classical model is neither fit nor calibrated on."""
    out, found = done
    for row in found.rows:
        shown = [
            load_bundle(out / f"{row.classifier}-{seed}.safetensors").metrics for seed in (0, 1)
        ]
        for name, value in (
            ("accuracy", row.accuracy),
            ("macro_f1", row.macro_f1),
            ("ece", row.ece),
        ):
            assert value == pytest.approx(np.mean([one[name] for one in shown]), abs=1e-6)


def test_the_device_is_that_of_the_feature_sets_too(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = comparing.read_common

    def read(data: Any, wanted: Any, how: Any, device: str, *more: Any) -> Any:
        asked.append(device)
        return real(data, wanted, how, device, *more)

    monkeypatch.setattr(comparing, "read_common", read)
    again(table, tmp_path / "out", classifiers=["svm"], device="cpu")
    assert asked == ["cpu"]


def test_another_set_makes_the_usual_one_needless(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A classifier whose own set nobody provides is fit on the one that is asked for."""
    real = loader.Registry.classifier

    def foreign(self: Any, name: str) -> Any:
        entry = real(self, name)
        return replace(entry, spec=replace(entry.spec, eats="features:of-others"))

    monkeypatch.setattr(loader.Registry, "classifier", foreign)
    found = again(table, tmp_path / "out", classifiers=["svm"], feature_set="gtzan57")
    assert not found.rows[0].reason
    assert load_bundle(tmp_path / "out" / "svm-0.safetensors").eats == "features:gtzan57"


def test_the_second_call_trains_nothing_and_says_the_same(
    table: Path, done: tuple[Path, Comparison], trains: Trains
) -> None:
    out, found = done
    shown: list[str] = []
    asked = Asked(BOTH, seeds=2, parameters=SMALL)
    assert compare([table], out, asked, say=shown.append) == found
    assert trains.names == []
    assert len(shown) == 4
    assert all(line.endswith("kept") for line in shown)


def test_more_seeds_and_classifiers_can_come_later(
    table: Path, tmp_path: Path, trains: Trains
) -> None:
    out = tmp_path / "out"
    again(table, out, classifiers=["svm"])
    found = again(table, out, seeds=2, parameters=SMALL)
    assert trains.names == ["svm-0", "svm-1", "random_forest-0", "random_forest-1"]
    assert found.seeds == 2


def test_a_stopped_comparison_goes_on(table: Path, tmp_path: Path, trains: Trains) -> None:
    out = tmp_path / "out"
    trains.ends["svm-1"] = Stopped("stopped", code=143)
    with pytest.raises(Stopped, match="stopped after 1 of 2 runs; the same command") as caught:
        again(table, out, classifiers=["svm"], seeds=2)
    assert caught.value.exit_code == 143
    trains.ends.clear()
    found = again(table, out, classifiers=["svm"], seeds=2)
    assert trains.names == ["svm-0", "svm-1", "svm-1"]
    assert found.exit_code == 0


def test_a_kill_between_bundle_and_record_costs_that_run_only(
    table: Path, tmp_path: Path, trains: Trains
) -> None:
    out = tmp_path / "out"
    first = again(table, out, classifiers=["svm"])
    (out / "runs" / "svm-0.json").unlink()
    second = again(table, out, classifiers=["svm"])
    assert trains.names == ["svm-0", "svm-0"]
    assert second.rows[0].accuracy == first.rows[0].accuracy


def test_a_model_that_is_gone_or_damaged_is_made_again(
    table: Path, tmp_path: Path, trains: Trains
) -> None:
    again(table, tmp_path / "out", classifiers=("svm",), seeds=3)
    first, second = (tmp_path / "out" / f"svm-{seed}.safetensors" for seed in (0, 1))
    whole = first.read_bytes()
    first.unlink()
    second.write_bytes(second.read_bytes() + b"x")
    trains.names.clear()
    again(table, tmp_path / "out", classifiers=("svm",), seeds=3)
    assert trains.names == ["svm-0", "svm-1"]
    assert first.read_bytes() == whole
    assert load_bundle(second).seed == 1


def test_what_cannot_be_compared_is_said_before_the_first_fit(table: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    compare([table], tmp_path / "out", Asked(("cnn", "svm"), seeds=1), say=lines.append)
    assert lines[0].startswith("cnn is left out: ")
    assert "holds numbers" in lines[0]
    assert lines[1] == "1 of 1: svm, seed 0"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"parameters": {"svm": {"C": "17"}}}, r"svm-0\.json was made .*: --param C=.* 17"),
        ({"part": "test"}, "was made with other settings: --part valid instead of test"),
        ({"split": "random"}, "was made with other settings: grouped split instead of random"),
    ],
)
def test_other_settings_are_refused_with_the_difference(
    table: Path, done: tuple[Path, Comparison], trains: Trains, more: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        again(table, done[0], **({"classifiers": ["svm"]} | more))
    assert trains.names == []


def test_what_was_found_is_read_back_from_its_record(done: tuple[Path, Comparison]) -> None:
    out, found = done
    write_report(found, out)
    record = json.loads((out / RECORD).read_text())
    assert record == json.loads(json.dumps(found.as_json()))
    assert Comparison.from_json(record) == found
    with pytest.raises(KeyError):
        Comparison.from_json({name: record[name] for name in record if name != "pairs"})


def test_runs_are_read_back_without_their_bundles(done: tuple[Path, Comparison]) -> None:
    out, found = done
    runs = trials.kept_runs(out)
    assert [(run.classifier, run.seed, run.fold) for run in runs] == [
        (name, seed, 0) for name in sorted(BOTH) for seed in (0, 1)
    ]
    for run in runs:
        assert run.settings["seed"] == run.seed
        assert len(run.judged.ids) == len(set(run.judged.ids)) == found.tracks
        assert run.outcome.probabilities.sum(1) == pytest.approx(1, abs=1e-4)
    right = [run.outcome.probabilities.argmax(1) == run.judged.y for run in runs[2:]]
    row = next(row for row in found.rows if row.classifier == "svm")
    assert np.mean(right) == pytest.approx(row.accuracy)


@pytest.mark.parametrize("text", ["track,genre,artist\n", "track,genre,artist,p:a\nt,b,x,1\n", ""])
def test_runs_that_are_damaged_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "runs").mkdir()
    record = {"finished": True, "settings": {"seed": 0}, "training_seconds": 1.0}
    record |= {"prediction_ms": 1.0, "numbers": 1, "bytes": 1}
    (tmp_path / "runs" / "svm-0.json").write_text(json.dumps(record))
    (tmp_path / "runs" / "svm-0.csv").write_text(text)
    with pytest.raises(RunError, match=r"svm-0\.json is damaged"):
        trials.kept_runs(tmp_path)


def test_other_data_is_refused(tmp_path: Path, done: tuple[Path, Comparison]) -> None:
    made = rows(artists=5, songs=3, spread=4.0)
    with pytest.raises(UsageError, match="was made with other settings: tracks"):
        again(write(tmp_path / "less.csv", made[:-1]), done[0])
    column = list(made[0])[-1]
    for row in made:
        row[column] = float(str(row[column])) + 1
    with pytest.raises(UsageError, match="was made with other settings: other examples of DATA"):
        again(write(tmp_path / "other.csv", made), done[0], classifiers=["svm"])


def test_a_failure_is_a_row_and_the_others_go_on(
    table: Path, tmp_path: Path, trains: Trains
) -> None:
    trains.ends["svm-0"] = RunError("it fell over", "mend it")
    shown: list[str] = []
    asked = Asked(BOTH, seeds=2, parameters=SMALL)
    found = compare([table], tmp_path / "out", asked, say=shown.append)
    assert [row.classifier for row in found.rows] == ["random_forest", "svm"]
    assert found.rows[1].reason == "it fell over (mend it)"
    assert (found.exit_code, found.pairs) == (1, ())
    assert trains.names == ["svm-0", "random_forest-0", "random_forest-1"]
    assert any("failed: it fell over" in line for line in shown)
    trains.ends.clear()
    mended = compare([table], tmp_path / "out", asked)
    assert mended.exit_code == 0


def test_what_no_data_can_feed_is_a_row(table: Path, tmp_path: Path) -> None:
    found = again(table, tmp_path / "out", classifiers=["cnn", "svm"])
    assert [(row.classifier, bool(row.reason)) for row in found.rows] == [
        ("svm", False),
        ("cnn", True),
    ]
    with pytest.raises(UsageError):
        again(table, tmp_path / "none", classifiers=["cnn"])
    assert not (tmp_path / "none").exists()


def test_all_failing_still_gives_files(table: Path, tmp_path: Path, trains: Trains) -> None:
    trains.ends["svm-0"] = RunError("it fell over")
    found = again(table, tmp_path / "out", classifiers=["svm"])
    for path in write_report(found, tmp_path / "out"):
        assert path.stat().st_size
    assert "svm failed: it fell over" in (tmp_path / "out" / "compare.md").read_text()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"classifiers": ["swm"]}, "did you mean svm"),
        ({"seeds": 0}, "--seeds must be at least 1"),
        ({"part": "train"}, "--part must be valid or test"),
        ({"parameters": {"svm": {"c": 1}}}, "did you mean C"),
        ({"parameters": {"cnn": {"epochs": 1}}}, "--param names cnn, which is not compared"),
        ({"device": "tpu"}, "there is no device 'tpu'"),
        ({"split": "groped"}, "did you mean grouped"),
        ({"split": "published"}, "no track has a part"),
    ],
)
def test_a_wrong_call_trains_nothing(
    table: Path, tmp_path: Path, trains: Trains, more: dict[str, Any], expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        again(table, tmp_path / "out", **more)
    assert trains.names == []
    assert not (tmp_path / "out").exists()


def test_several_processes_would_write_over_each_other(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="without torchrun"):
        again(table, tmp_path / "out")


def test_a_folder_of_others_is_left_alone(table: Path, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"volume": 11}')
    with pytest.raises(UsageError, match="holds something else"):
        again(table, tmp_path)
    with pytest.raises(UsageError, match="there is no folder"):
        again(table, tmp_path / "no" / "out")
    with pytest.raises(RunError, match="there is no "):
        again(tmp_path / "no.csv", tmp_path / "out")


@pytest.mark.parametrize("name", ["svm-0.json", "svm-0.csv"])
@pytest.mark.parametrize("content", ["", "[1, 2]", '{"a": 1, "finished": true}'])
def test_damaged_runs_are_named(table: Path, tmp_path: Path, name: str, content: str) -> None:
    out = tmp_path / "out"
    again(table, out, classifiers=["svm"])
    (out / "runs" / name).write_text(content)
    with pytest.raises((RunError, UsageError), match=name.replace(".", r"\.")):
        again(table, out, classifiers=["svm"])


def test_files_hold_what_was_found(done: tuple[Path, Comparison]) -> None:
    out, found = done
    paths = write_report(found, out)
    before = [path.read_bytes() for path in paths]
    assert [path.name for path in paths] == list(NAMES)
    assert [path.read_bytes() for path in write_report(found, out)] == before
    with paths[0].open(newline="") as file:
        shown = list(csv.DictReader(file))
    for line, row in zip(shown, found.rows, strict=True):
        assert line["classifier"] == row.classifier
        assert float(line["accuracy"]) == pytest.approx(row.accuracy, abs=1e-6)
        assert (line["status"], line["seeds"], line["ties"]) == ("ok", "2", row.ties)
        assert line["bytes"] == str(row.bytes)
    text = paths[1].read_text()
    assert "| random\\_forest |" in text
    assert f"{found.pairs[0].difference:.3f}" in text
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    assert not list(out.rglob(".*.tmp"))
    json.dumps(found.as_json())


def test_what_the_first_row_is_not_told_apart_from_is_named(
    done: tuple[Path, Comparison],
) -> None:
    _, found = done

    def pair(second: str, low: float, first: str = "a") -> Difference:
        return Difference(first, second, 0.1, low, 0.3, 0.1)

    for pairs, expected in (
        ((), ""),
        ((pair("b", 0.05),), "a is better than b."),
        ((pair("b", 0.05), pair("c", 0.06), pair("c", -1, "b")), "a is better than all others."),
        ((pair("b", -0.1), pair("c", -0.1)), "a is not told apart from any other."),
        ((pair("b", -0.1),), "a is not told apart from b."),
        (
            (*(pair(name, -0.1) for name in "bcdefg"), pair("h", 0.01)),
            "a is not told apart from 6 of the 7 others: b, c, d, e and 2 more.",
        ),
    ):
        assert replace(found, pairs=pairs).lead == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0"), (999, "999"), (9960, "10k"), (1234, "1.2k"), (3.2e12, "3200G")],
)
def test_short_numbers(number: float, expected: str) -> None:
    assert short(number) == expected
