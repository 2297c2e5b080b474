"""What is said of a name that nobody knows, and how a run ends that a person stopped."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mgrkit.errors import Stopped, nearest


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pnik", "did you mean Pink?"),
        ("BLUE", "did you mean blue?"),
        ("country", "there are Pink, blue"),
    ],
)
def test_the_nearest_name_is_named_else_all_are(name: str, hint: str) -> None:
    assert nearest(name, {"blue": 1, "Pink": 2}, "there are") == hint


def test_where_there_is_no_name_the_hint_says_so() -> None:
    assert nearest("svm", [], "there are") == "there are none"


def test_names_are_compared_by_what_is_loaded_then_only() -> None:
    code = (
        "import sys, mgrkit.errors as e; before = 'difflib' in sys.modules\n"
        "e.nearest('a', ['b'], ''); print(before, 'difflib' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False", "True"]


def test_a_stop_has_the_exit_code_of_its_signal() -> None:
    assert Stopped("stopped").exit_code == 130
    assert Stopped("stopped", code=143).exit_code == 143
