"""The front end: canonical text, strict reading, and what it refuses."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mgrkit.errors import UsageError
from mgrkit.frontend import Decibels, FrontEnd, Mel, Transform, front_end


def test_defaults_are_the_documented_ones() -> None:
    assert json.loads(front_end().to_json()) == {
        "format": 1,
        "kind": "mel",
        "sample_rate": 22050,
        "channels": "mean",
        "resampler": "soxr_hq",
        "transform": {
            "n_fft": 2048,
            "hop_length": 512,
            "window": "hann",
            "centre": True,
            "padding": "constant",
            "power": 2.0,
        },
        "mel": {"n_mels": 128, "fmin": 0.0, "fmax": 11025.0, "scale": "slaney", "norm": "slaney"},
        "decibels": {"amin": 1e-10, "ref": "peak", "top_db": 80.0},
    }
    assert front_end() == FrontEnd()


def test_the_digest_of_the_defaults_does_not_change() -> None:
    # It stands in files: another number here makes them foreign.
    assert front_end().digest == "e4a157449041a52a"
    assert front_end(hop_length=256).digest != front_end().digest


def test_whole_numbers_and_floats_give_one_text() -> None:
    one, other = (
        front_end(fmin=20, fmax=8000, top_db=60),
        front_end(fmin=20.0, fmax=8e3, top_db=60.0),
    )
    assert one.to_json() == other.to_json()
    assert one == other
    assert hash(one) == hash(other)


@given(
    kind=st.sampled_from(["mel", "stft"]),
    sample_rate=st.integers(1000, 384_000),
    n_fft=st.integers(16, 65536),
    hop=st.integers(1, 16),
    top_db=st.floats(1e-3, 200),
)
def test_json_round_trip(kind: str, sample_rate: int, n_fft: int, hop: int, top_db: float) -> None:
    n_mels = 1 if kind == "mel" else None
    front = front_end(
        kind, sample_rate=sample_rate, n_fft=n_fft, hop_length=hop, n_mels=n_mels, top_db=top_db
    )
    again = FrontEnd.from_json(front.to_json())
    assert again == front
    assert again.to_json() == front.to_json()
    assert again.digest == front.digest


def test_survives_pickling() -> None:
    front = front_end("stft")
    assert front.digest == pickle.loads(pickle.dumps(front)).digest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cqtt"}, "kind must be mel, stft, kaggle-images, mfcc"),
        ({"sample_rate": 999}, "sample_rate must be a whole number from 1000 to 384000"),
        ({"sample_rate": 22050.0}, "sample_rate must be a whole number"),
        ({"n_fft": 15}, "n_fft must be a whole number from 16 to 65536"),
        ({"n_fft": True}, "n_fft must be a whole number"),
        ({"hop_length": 0}, "hop_length must be a whole number from 1 to 2048"),
        ({"hop_length": 2049}, "hop_length must be"),
        ({"n_mels": 0}, "n_mels must be a whole number from 1 to 65536"),
        ({"n_mels": 700}, "n_mels 700 is too many for n_fft 2048"),
        ({"n_fft": 256, "hop_length": 64}, "n_mels 128 is too many for n_fft 256"),
        ({"fmin": -1.0}, "0 <= fmin < fmax <= 11025"),
        ({"fmin": 500.0, "fmax": 500.0}, "0 <= fmin < fmax"),
        ({"fmax": 11026.0}, "0 <= fmin < fmax <= 11025"),
        ({"fmax": float("nan")}, "fmax must be a number"),
        ({"top_db": 0}, "top_db must be above 0 and at most 200"),
        ({"top_db": 201}, "top_db must be above 0 and at most 200"),
        ({"top_db": "80"}, "top_db must be a number"),
        ({"kind": "stft", "n_mels": 64}, "belongs to kind mel"),
        ({"kind": "stft", "fmin": 0.0}, "belongs to kind mel"),
    ],
)
def test_a_value_out_of_range_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        front_end(**options)  # type: ignore[arg-type]


def test_what_feature_sets_need_beside_pictures() -> None:
    front = FrontEnd(transform=Transform(padding="reflect"), decibels=Decibels(ref="one"))
    assert FrontEnd.from_json(front.to_json()) == front
    assert front.digest != FrontEnd().digest
    plain = json.loads(front.to_json())
    assert (plain["transform"]["padding"], plain["decibels"]["ref"]) == ("reflect", "one")
    with pytest.raises(UsageError, match="padding must be constant or reflect, not 'edge'"):
        FrontEnd(transform=Transform(padding="edge"))
    with pytest.raises(UsageError, match="ref must be peak or one, not 'max'"):
        FrontEnd(decibels=Decibels(ref="max"))


def test_the_rate_of_the_file_is_for_features_alone() -> None:
    front = FrontEnd(kind="stft", sample_rate=None, mel=None)
    assert FrontEnd.from_json(front.to_json()) == front
    assert json.loads(front.to_json())["sample_rate"] is None
    for wanted in (lambda: front.rate, lambda: front.column_seconds, front.of_pictures):
        with pytest.raises(UsageError, match="at the rate of the file is for features alone"):
            wanted()
    assert front_end().of_pictures() == front_end()
    with pytest.raises(UsageError, match="sample_rate must be given for kind mel"):
        FrontEnd(sample_rate=None)


def test_a_record_cannot_be_invalid() -> None:
    with pytest.raises(
        UsageError,
        match="window must be hann, hamming, blackman, blackmanharris or blackmanharris62",
    ):
        FrontEnd(transform=Transform(window="kaiser"))
    with pytest.raises(UsageError, match="mel must be empty for kind stft"):
        FrontEnd(kind="stft", mel=Mel())
    with pytest.raises(UsageError, match="mel must be a Mel record"):
        FrontEnd(kind="mel", mel=None)
    with pytest.raises(UsageError, match="amin must be 1e-10"):
        FrontEnd(decibels=Decibels(amin=0.0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(format=2), "format 2, this mgrkit reads 1"),
        (lambda p: p.pop("format"), "format None"),
        (lambda p: p.update(colour=1), "unknown field colour"),
        (lambda p: p["mel"].update(htk=True), "unknown field mel.htk"),
        (lambda p: p["transform"].pop("n_fft"), "lacks the field transform.n_fft"),
        (lambda p: p.pop("decibels"), "lacks the field decibels"),
        (lambda p: p.update(mel=3), "mel is not a JSON object"),
        (lambda p: p.update(transform=None), "transform is not a JSON object"),
        (lambda p: p["transform"].update(n_fft="2048"), "n_fft must be a whole number"),
        (lambda p: p["transform"].update(centre=1), "centre must be True"),
        (lambda p: p["mel"].update(fmax=10**400), "fmax"),
    ],
)
def test_other_text_is_refused_by_name(change: object, message: str) -> None:
    plain = json.loads(front_end().to_json())
    change(plain)  # type: ignore[operator]
    with pytest.raises(UsageError, match=message):
        FrontEnd.from_json(json.dumps(plain))


@pytest.mark.parametrize("text", ["", "nothing", "[" * 100_000, "3", "null", "[]"])
def test_text_that_is_no_front_end(text: str) -> None:
    with pytest.raises(UsageError, match="front end is not"):
        FrontEnd.from_json(text)


def test_pure_data_without_numpy() -> None:
    code = "import sys, mgrkit.frontend; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
