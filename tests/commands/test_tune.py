"""``mgrkit tune``: what it searches, what it never looks at, and how it goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("optuna")

from mgrkit.classifiers import load_bundle
from mgrkit.commands import tune as module
from mgrkit.commands.tune import TuneSettings, read_space, tune
from mgrkit.errors import RunError, Stopped, UsageError
from mgrkit.experiments import search as one_search
from mgrkit.experiments import searches, tuning
from mgrkit.experiments.searches import Tuned
from tests.datasets.made_tables import rows, write
from tests.experiments.toy_tuned import CODE, made
from tests.registry.fakes import installed_site


@pytest.fixture(autouse=True)
def _plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "site").mkdir()
    with installed_site(tmp_path / "site", monkeypatch) as site:
        site.install("toys", CODE)
        yield


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", made())


def search(table: Path, out: Path, name: str = "quick", **more: Any) -> Tuned:
    settings: dict[str, Any] = {"trials": 14, "outer": 0, "folds": 3, **more}
    watch = settings.pop("watch", module.unwatched)
    return tune(name, table, out, TuneSettings(**settings), watch=watch)


def told(found: Tuned) -> list[Mapping[str, Any]]:
    """What was tried and what came of it, without times."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in found.rows]


def test_the_same_seed_is_the_same_search_and_another_is_another(
    table: Path, tmp_path: Path
) -> None:
    one, two = search(table, tmp_path / "1"), search(table, tmp_path / "2")
    assert told(one) == told(two)
    assert len(one.rows) == 14
    assert (tmp_path / "1/quick.safetensors").read_bytes() == two.path.read_bytes()
    assert told(search(table, tmp_path / "3", seed=1)) != told(one)


def test_the_defaults_are_tried_first_and_the_best_is_kept(table: Path, tmp_path: Path) -> None:
    found = search(table, tmp_path / "out")
    first, inner = found.rows[0], found.result["inner"]
    usual = {"sharpness": 1.0, "steps": 8, "columns": 8, "kind": "a"}
    assert {name: first[name] for name in usual} == usual
    assert inner["defaults"] == first["accuracy"]
    scored = [row for row in found.rows if row["status"] == "ok"]
    assert inner["accuracy"] == max(row["accuracy"] for row in scored) > inner["defaults"]
    best = next(row for row in scored if row["accuracy"] == inner["accuracy"])
    bundle = load_bundle(found.path)
    assert {name: best[name] for name in usual} == found.result["parameters"]
    assert {**found.result["parameters"], "flip": False} == bundle.parameters


def test_a_score_is_that_of_the_folds_of_train(table: Path, tmp_path: Path) -> None:
    found = search(table, tmp_path / "out", folds=5, trials=3)
    held = load_bundle(found.path).held_out
    assert held
    right = (held.probabilities.argmax(1) == held.y).mean()
    assert found.result["inner"]["accuracy"] == pytest.approx(right, abs=1e-9)
    assert found.result["inner"]["tracks"] == len(held.y) == 4 * 4 * 3


def test_neither_valid_nor_test_is_looked_at(table: Path, tmp_path: Path) -> None:
    other = [
        {name: -5.0 if isinstance(value, float) else value for name, value in row.items()}
        if row["split"] != "train"
        else row
        for row in made()
    ]
    one = search(table, tmp_path / "1", outer=2)
    two = search(write(tmp_path / "other.csv", other), tmp_path / "2", outer=2)
    assert told(one) == told(two)
    assert one.result["nested"] == two.result["nested"]
    assert one.result["metrics"]["accuracy"] != two.result["metrics"]["accuracy"]


def test_outer_folds_are_judged_by_artists_that_their_search_has_not_seen(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[int]] = []
    own = searches.Searches._right

    def right(self: Any, number: int, one: Any) -> list[int]:
        held = self.nesting.outer.tracks.groups[self.nesting.outer.held(number)]
        assert not set(held.tolist()) & set(one.folded.train.groups.tolist())
        seen.append(set(held.tolist()))
        return own(self, number, one)

    monkeypatch.setattr(searches.Searches, "_right", right)
    found = search(table, tmp_path / "out", outer=3, trials=6)
    nested = found.result["nested"]
    assert len(seen) == nested["folds"] == 3
    assert len(set.union(*seen)) == sum(map(len, seen)) == 16
    assert nested["tracks"] == 48
    assert nested["accuracy_low"] < nested["accuracy"] < nested["accuracy_high"]
    names = [row["search"] for row in found.rows]
    assert {name: names.count(name) for name in names} == {
        "search": 6, **{f"outer fold {k} of 3": 6 for k in (1, 2, 3)}
    }  # fmt: skip


def stopping(at: int) -> Callable[[Any], None]:
    """What Ctrl-C does in the middle of the trial after so many."""

    def watch(step: Any) -> None:
        if step.done == at:
            os.kill(os.getpid(), signal.SIGINT)

    return watch


@pytest.mark.parametrize("at", [0, 5, 17])
def test_what_was_stopped_goes_on_as_if_it_had_not_been(
    table: Path, tmp_path: Path, at: int
) -> None:
    out = tmp_path / "out"
    words = rf"stopped after {at} of 42 trials; the same command goes on from there"
    with pytest.raises(Stopped, match=words) as stop:
        search(table, out, outer=2, watch=stopping(at))
    assert stop.value.exit_code == 130
    assert not (out / "quick.safetensors").exists()
    assert not list((out / ".workers").iterdir())
    found, whole = search(table, out, outer=2), search(table, tmp_path / "whole", outer=2)
    assert told(found) == told(whole)
    assert found.result["nested"] == whole.result["nested"]
    assert found.path.read_bytes() == whole.path.read_bytes()


def test_who_stops_it_at_the_last_fit_goes_on_there(table: Path, tmp_path: Path) -> None:
    def last(step: int, total: int, metrics: Mapping[str, float]) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    settings = TuneSettings(3, outer=0)
    with pytest.raises(Stopped, match="stopped at the last fit; the same command goes on") as stop:
        tune("quick", table, tmp_path / "out", settings, progress=last)
    assert stop.value.exit_code == 143
    assert not (tmp_path / "out" / "tune.json").exists()
    assert len(tune("quick", table, tmp_path / "out", settings).rows) == 3


def test_more_trials_can_be_added_and_none_is_done_twice(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    few = search(table, out, trials=5)
    more = search(table, out, trials=9)
    assert told(more)[:5] == told(few)
    assert len(more.rows) == 9
    journal = (out / "study.jsonl").read_bytes()
    assert search(table, out, trials=7).rows == more.rows
    assert search(table, out, trials=9).result == more.result
    assert (out / "study.jsonl").read_bytes() == journal


def test_a_trial_whose_process_is_gone_is_done_again(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, taken = tmp_path / "out", []

    def dies(self: Any, trial: Any, over: Any, tick: Any) -> None:
        taken.append(trial.params)
        raise RuntimeError("as if by SIGKILL: nothing is tidied up")

    with monkeypatch.context() as patch:
        patch.setattr(one_search.Search, "run", dies)
        patch.setattr(tuning.StudyFolder, "close", lambda self: self._lease.close())
        with pytest.raises(RuntimeError):
            search(table, out)
    [left] = (out / ".workers").iterdir()
    found = search(table, out)
    assert not left.exists()
    assert told(found) == told(search(table, tmp_path / "whole"))
    assert {name: found.rows[0][name] for name in taken[0]} == taken[0]
    assert len(found.rows) == 14


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "other"}, "classifier quick instead of other"),
        ({"seed": 1}, "--seed 0 instead of 1"),
        ({"folds": 4}, "--folds 3 instead of 4"),
        ({"split": "random"}, "given split instead of random split"),
        ({"parameters": {"kind": "a"}}, "--param kind=none instead of a"),
        ({"space": {"columns": [1, 2]}}, "search of columns 1 to 57 instead of 1, 2"),
        ({"table": 5.0}, "other DATA"),
        ({"version": "2.0"}, "another version of the plugin"),
    ],
)
def test_a_study_of_something_else_is_refused_with_the_difference(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, words: str
) -> None:
    out = tmp_path / "out"
    search(table, out, trials=2)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    if spread := change.pop("table", None):
        table = write(tmp_path / "t.csv", made(spread))
    if version := change.pop("version", None):
        info = tmp_path / "site" / "toys-1.0.dist-info" / "METADATA"
        info.write_text(info.read_text().replace("Version: 1.0", f"Version: {version}"))
        module.installed.cache_clear()
    with pytest.raises(UsageError, match=words):
        search(table, out, **{"trials": 2, **change})
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_folder_of_something_else_is_refused(table: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("all of it")
    with pytest.raises(UsageError, match="holds something else"):
        search(table, tmp_path / "out")
    with pytest.raises(UsageError, match="is no folder"):
        search(table, table)
    with pytest.raises(UsageError, match="there is no folder"):
        search(table, tmp_path / "none" / "out")


def test_a_journal_that_is_damaged_is_said_so(table: Path, tmp_path: Path) -> None:
    search(table, tmp_path / "out", trials=2)
    journal = tmp_path / "out" / "study.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join([*lines[:3], "{oh\n", *lines[3:]]))
    with pytest.raises(RunError, match=r"study.jsonl is damaged"):
        search(table, tmp_path / "out", trials=3)


def test_a_line_that_a_killed_process_left_half_written_counts_as_none(
    table: Path, tmp_path: Path
) -> None:
    few = search(table, tmp_path / "out", trials=4)
    with (tmp_path / "out" / "study.jsonl").open("ab") as file:
        file.write(b'{"op_code":4,"worker_')
    found = search(table, tmp_path / "out", trials=6)
    assert told(found)[:4] == told(few)
    assert len(search(table, tmp_path / "out", trials=6).rows) == 6


def test_a_trial_that_fails_is_told_and_the_others_go_on(table: Path, tmp_path: Path) -> None:
    found = search(table, tmp_path / "out", "picky")
    failed = [row for row in found.rows if row["status"] == "failed"]
    assert {row["kind"] for row in failed} == {"b"}
    assert {row["kind"] for row in found.rows if row["status"] == "ok"} == {"a"}
    assert len(found.rows) == 14
    assert found.result["inner"]["failed"] == len(failed) > 0
    assert f"{len(failed)} trials failed: no kind b today" in found.result["notes"]


def test_a_classifier_that_always_fails_ends_it(table: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="the classifier never failed: ValueError: oh"):
        search(table, tmp_path / "out", "never")


def test_without_room_it_ends_and_then_goes_on(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = tmp_path / "full"
    monkeypatch.setenv("TOY_FULL", str(full))

    def watch(step: Any) -> None:
        if step.done == 4:
            full.touch()

    with pytest.raises(RunError, match=r"the disk is full: .*out \(make room"):
        search(table, tmp_path / "out", "greedy", watch=watch)
    full.unlink()
    found = search(table, tmp_path / "out", "greedy")
    assert told(found) == told(search(table, tmp_path / "whole", "greedy"))


def test_when_the_time_is_up_the_best_so_far_is_kept(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def watch(step: Any) -> None:
        done.append(step.done)

    monkeypatch.setattr(searches.Limit, "late", lambda self: bool(done) and done[-1] >= 3)
    found = search(table, tmp_path / "out", outer=2, timeout=60.0, watch=watch)
    assert len(found.rows) == 3
    assert found.result["nested"] is None
    assert "the time was up after 3 of 42 trials; the same command goes on" in found.result["notes"]
    monkeypatch.undo()
    whole = search(table, tmp_path / "whole", outer=2)
    assert told(search(table, tmp_path / "out", outer=2)) == told(whole)


def test_no_trial_in_time_is_an_error(table: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no trial was finished in 0\.1 s"):
        search(table, tmp_path / "out", "slow", timeout=0.1)


def test_a_network_that_lags_behind_is_ended_in_the_middle_of_its_epochs(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOY_LOG", str(tmp_path / "log"))
    found = search(table, tmp_path / "out", "net", trials=30)
    early = [row for row in found.rows if row["status"] == "ended early"]
    assert early
    assert found.result["inner"]["ended_early"] == len(early)
    epochs = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    of_trials, bundle = epochs[:-10], epochs[-10:]
    assert len(of_trials) < 30 * 3 * 10
    # Not in the first third of the epochs of the first fold.
    assert len(of_trials) > 30 * 3
    assert all(valid == "True" for _, _, valid in (*of_trials, *bundle))
    ok = [row["columns"] for row in found.rows if row["status"] == "ok"]
    assert max(row["columns"] for row in early) < max(ok)


def test_networks_have_no_outer_folds_unless_they_are_asked_for(
    table: Path, tmp_path: Path
) -> None:
    cheap, dear = (
        tune(name, table, tmp_path / name, TuneSettings(2, folds=2)) for name in ("quick", "net")
    )
    assert (cheap.result["outer"], dear.result["outer"]) == (3, 0)


SPACE = """
sharpness = {high = 10.0}
steps = [4, 8]
columns = 40
"""


def test_a_space_file_narrows_what_is_declared(table: Path, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(SPACE)
    given = read_space(tmp_path / "space.toml")
    found = search(table, tmp_path / "out", space=given, parameters={"kind": "c"}, trials=20)
    assert found.result["searched"] == ["sharpness", "steps"]
    assert {row["steps"] for row in found.rows} == {4, 8}
    assert {(row["columns"], row["kind"]) for row in found.rows} == {(40, "c")}
    values = [row["sharpness"] for row in found.rows]
    assert 0.01 <= min(values) < 0.3 < 3 < max(values) <= 10, "by factors, as declared"
    assert all(float(f"{value:.4g}") == value for value in values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sharpnes = 1.0", "quick has no parameter 'sharpnes' .did you mean sharpness"),
        ("columns = {low = 9, high = 9}", "columns is empty: from 9 to 9"),
        ("columns = {low = 9, high = 3}", "columns is empty: from 9 to 3"),
        ("columns = {low = 1.5, high = 3}", "columns must be of whole numbers, not from 1.5"),
        ("columns = {low = 1, high = 99}", "refused: quick: columns must be from 1 to 57"),
        ("columns = {low = 'a', high = 3}", "columns has an end that is no number: 'a'"),
        ("columns = {lo = 1}", "a range has no 'lo': columns .did you mean low"),
        ("kind = {low = 1, high = 2}", "kind is a range, which only a number has"),
        ("kind = ['a', 'z']", "refused: quick: kind must be a, b, c, not 'z'"),
        ("kind = ['a']", "kind must have two different values or more"),
        ("kind = []", "kind must have two different values or more"),
        ("kind = [1, 2]", "kind must be of the type str, not 1"),
        ("kind = [['a'], ['b']]", "kind is a list of other things than values"),
        ("flip = [true, 1]", "flip must be of the type bool, not 1"),
        ("sharpness = {low = 0, high = 1, log = true}", "sharpness is by factors"),
        ("sharpness = {low = 1, high = 2, log = 1}", "log that is neither true nor false"),
        ("sharpness = 'much'", "sharpness must be a number, not 'much'"),
        ("flip = {low = 1}", "--space: flip has no high"),
        ("sharpness = nan", "sharpness must be a number, not nan"),
        ("kind = 'a'\nsteps = 2\ncolumns = 3\nsharpness = 1.0", "nothing is left to search"),
    ],
)
def test_a_space_that_cannot_be_is_refused_before_anything_is_read(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "space.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        search(tmp_path / "none.csv", tmp_path / "out", space=read_space(tmp_path / "space.toml"))
    assert not (tmp_path / "out").exists()


def test_a_space_file_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text("C = = 3")
    with pytest.raises(UsageError, match=r"space.toml is no TOML: .*as in C = {low"):
        read_space(tmp_path / "space.toml")
    with pytest.raises(RunError, match=r"cannot read .*none.toml: No such file"):
        read_space(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("plain", {}, "plain declares nothing to search .say by --space FILE"),
        ("quick", {"parameters": {"C": 1}}, "quick has no parameter 'C'"),
        ("quick", {"parameters": {"steps": 0}}, "steps must be from 1 to 1000"),
        ("quick", {"parameters": {"steps": 2}, "space": {"steps": 3}}, "--space and --param both"),
        ("quick", {"trials": 0}, "--trials must be from 1"),
        ("quick", {"folds": 1}, "--folds must be from 2 to 20"),
        ("quick", {"outer": 1}, "--outer must be 0 or from 2 to 20"),
        ("quick", {"timeout": 0.0}, "--timeout must be above 0"),
        ("quick", {"split": "none"}, "none"),
        ("nobody", {}, "nobody"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_read(
    tmp_path: Path, name: str, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        search(tmp_path / "none.csv", tmp_path / "out", name, **more)


def test_a_classifier_that_declares_nothing_is_searched_by_a_space_file(
    table: Path, tmp_path: Path
) -> None:
    space = {"sharpness": {"low": 0.5, "high": 2.0}}
    found = search(table, tmp_path / "out", "plain", space=space, trials=3)
    assert found.result["searched"] == ["sharpness"]


def test_genres_of_one_artist_each_are_refused(tmp_path: Path) -> None:
    alone = [{**row, "split": "train"} for row in rows(artists=2, songs=3)]
    one = [{**row, "group": row["genre"]} for row in alone]
    with pytest.raises(UsageError, match="no genre has two artists in train"):
        search(write(tmp_path / "t.csv", one), tmp_path / "out")


def test_too_few_artists_for_outer_folds_are_refused_before_any_trial(tmp_path: Path) -> None:
    two = [{**row, "split": "train"} for row in rows(artists=2, songs=3)]
    table = write(tmp_path / "t.csv", two)
    with pytest.raises(UsageError, match=r"too few artists for 2 outer folds .--outer 0"):
        search(table, tmp_path / "out", folds=2, outer=2, split="random")
    assert not (tmp_path / "out").exists()


def test_without_optuna_a_line_says_how_to_get_it(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "missing", lambda names: list(names))
    with pytest.raises(RunError, match=r"needs Optuna, .*pip install 'mgrkit\[tune\]'"):
        search(table, tmp_path / "out")
