"""Kinds of examples in words that a person can act on."""

from __future__ import annotations

import pytest

from mgrkit.frontend import front_end
from mgrkit.inputs.kinds import Features, Input, Pictures, Samples
from mgrkit.inputs.wording import distinct_name, how_to_get
from mgrkit.registry import installed

MEL = Pictures(front_end())
SUCH = "give sound, or make such by mgrkit spectrograms SRC OUT --kind mel"


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Pictures(front_end("stft")), "stft pictures"),
        (Pictures(None, 40, 60), "foreign pictures of 60 bands"),
        (
            Pictures(front_end(sample_rate=16000)),
            "mel pictures with --sample-rate 16000 instead of 22050, --fmax 8000 instead of 11025",
        ),
    ],
)
def test_the_options_that_differ_are_told_where_the_kind_does_not(
    own: Pictures, expected: str
) -> None:
    assert distinct_name(own, MEL) == expected
    assert not any(one.digest in distinct_name(own, MEL) for one in (own, MEL))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (MEL, SUCH),
        (
            Pictures(front_end(sample_rate=16000, n_mels=64)),
            f"{SUCH} --sample-rate 16000 --n-mels 64",
        ),
        (Samples(front_end()), "give sound"),
        (
            Features(installed().feature_set("gtzan57")),
            "give sound, or make such by mgrkit features SRC OUT.csv --set gtzan57",
        ),
        (Pictures(None, 40, 60), "give pictures that are drawn as those that it learnt from"),
    ],
)
def test_the_command_names_what_is_not_usual(wanted: Input, expected: str) -> None:
    assert how_to_get(wanted) == expected
