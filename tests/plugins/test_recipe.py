"""How long a crop is, in the columns of each kind of picture."""

from __future__ import annotations

import pytest
from mgrkit_neural.recipe import Recipe

from mgrkit.classifiers import Task
from mgrkit.frontend import FrontEnd, front_end


@pytest.mark.parametrize(
    ("front", "frames", "columns"),
    [
        (front_end(), 1292, 248),
        (front_end("kaggle-images"), 334, 64),
        (front_end(hop_length=1024), 646, 124),
        (front_end(), 129, 129),
        (None, 334, 64),
        (None, 40, 8),
    ],
)
def test_a_crop_lasts_as_long_in_any_drawing(
    front: FrontEnd | None, frames: int, columns: int
) -> None:
    task = Task(("a", "b"), (128, frames), (), front)
    assert Recipe().columns(task) == columns
    assert Recipe(crop_seconds=0.0).columns(task) == frames
    assert Recipe(crop_seconds=1e-6).columns(task) == 1
