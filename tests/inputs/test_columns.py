"""Columns by name, family and pattern, and what a part of a feature set is."""

from __future__ import annotations

import numpy as np
import pytest

from mgrkit.classifiers import Task
from mgrkit.errors import UsageError
from mgrkit.frontend import FrontEnd
from mgrkit.inputs.columns import ALL, Columns, TableChoice, check_choice
from mgrkit.inputs.kinds import Features, input_of, input_of_task
from mgrkit.registry import FeatureSetSpec
from mgrkit.registry.checks import fault

NAMES = ("chroma_stft_mean", "mfcc1_mean", "mfcc1_var", "mfcc2_mean", "rms_mean", "rmse", "tempo")


@pytest.mark.parametrize(
    ("columns", "drop", "expected"),
    [
        ("tempo,mfcc1_mean", "", "mfcc1_mean tempo"),
        ("mfcc", "", "mfcc1_mean mfcc1_var mfcc2_mean"),
        ("mfcc1", "", "mfcc1_mean mfcc1_var"),
        ("chroma,rms", "", "chroma_stft_mean rms_mean"),
        ("mfcc*_mean,t?mpo", "", "mfcc1_mean mfcc2_mean tempo"),
        ("mfcc[2-9]*", "", "mfcc2_mean"),
        ("mfcc", "*_var", "mfcc1_mean mfcc2_mean"),
        ("", "mfcc,chroma", "rms_mean rmse tempo"),
    ],
)
def test_columns_are_meant_by_name_by_family_and_by_pattern(
    columns: str, drop: str, expected: str
) -> None:
    choice = TableChoice(*(tuple(filter(None, text.split(","))) for text in (columns, drop)))
    assert choice.of(NAMES, "it") == tuple(expected.split())


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (TableChoice(("mfc",)), r"--columns: it has no column mfc \(did you mean mfcc\?\)"),
        (TableChoice(("tempi",)), r"did you mean tempo\?"),
        (TableChoice(("Tempo",)), r"did you mean tempo\?"),
        (TableChoice(("zzz",)), r"it has chroma, mfcc, rms, rmse, tempo\)"),
        (TableChoice(("mfcc",), ("mfcc", "q*")), r"--drop: it has no column q\*"),
        (TableChoice(("mfcc",), ("mfcc",)), "--drop leaves no column of it"),
    ],
)
def test_what_is_no_column_is_refused_with_the_nearest(choice: TableChoice, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choice.of(NAMES, "it")


def test_a_part_of_a_feature_set_is_cut_out_of_what_sound_becomes() -> None:
    spec = FeatureSetSpec("three", "Three numbers.", "nowhere:at_all", FrontEnd(), ("a", "b", "c"))
    part = Features(spec).of(("a", "c"))
    assert (part.columns, part.shape, part.breadth) == (("a", "c"), (2,), (3,))
    assert part.examples(np.array([[1, 2, 3], [4, 5, 6]])).tolist() == [[1, 3], [4, 6]]
    assert part.kept_under == Features(spec).kept_under
    assert part.digest != Features(spec).digest != Features(spec).of(("a", "b")).digest
    assert Features(spec).of(spec.columns).digest == Features(spec).digest
    assert part.name == "2 of the 3 columns of three"


def test_what_a_trained_classifier_eats_is_known_by_its_task() -> None:
    task = Task(("x", "y"), (2,), ("mfcc1_mean", "tempo"))
    assert input_of_task("features:gtzan57", task, fills=True).columns == task.columns
    assert len(input_of_task("features:gtzan57", task).columns) == 57
    own = input_of_task("features:table", task)
    assert isinstance(own, Columns)
    assert (own.columns, own.frontend) == (task.columns, None)
    with pytest.raises(UsageError, match="gtzan57 has no column valence"):
        input_of_task("features:gtzan57", Task(("x", "y"), (1,), ("valence",)), fills=True)


def test_no_feature_set_is_called_as_columns_of_tables_are() -> None:
    spec = FeatureSetSpec("table", "No set.", "nowhere:at_all", FrontEnd(), ("a",))
    assert "name is 'table', not another than table" in fault(spec)


def test_columns_are_refused_for_what_eats_none() -> None:
    check_choice(TableChoice(("mfcc",)), "features:gtzan57", "svm")
    check_choice(ALL, "image", "cnn")
    with pytest.raises(UsageError, match="cnn eats image, no columns"):
        check_choice(TableChoice(label="style"), "image", "cnn")


def test_sound_is_no_table() -> None:
    wanted = input_of("features:gtzan57", "svm")
    assert not wanted.fills
    with pytest.raises(UsageError, match=r"2 columns of a table \(x, y\) cannot be made of sound"):
        Columns(("x", "y")).piece(np.zeros(9, np.float32), 22050)
