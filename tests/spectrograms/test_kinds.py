"""The kinds beside mel and stft: their laws, their files, what is refused, and the command."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import CENTRED, DECIBELS, KINDS, SHARES, FrontEnd, front_end
from mgrkit.frontend.notes import hertz_of, midi
from mgrkit.spectrograms import (
    Image,
    decibels,
    encode_png,
    levels,
    read_png,
    render,
    spectrum,
    write_png,
)
from tests.cli.test_commands import mgrkit

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytest.importorskip("librosa")

RATE = 22050
NEW = ["mfcc", "chroma-stft", "chroma-cqt", "chroma-cens", "cqt", "tempogram", "tonnetz"]
every_new_kind = pytest.mark.parametrize("kind", NEW)


def chord(seconds: float = 10.0, level: float = 0.2) -> NDArray[np.float32]:
    """C major, struck twice a second, with a little noise."""
    time = np.arange(int(seconds * RATE)) / RATE
    notes = sum(np.sin(2 * np.pi * hertz_of(note) * time) for note in ("C3", "E4", "G4"))
    noise = np.random.default_rng(0).standard_normal(len(time)) / 100
    sound: NDArray[np.float32] = (level * (notes + noise) * np.exp(-6 * (time % 0.5))).astype("f4")
    return sound


def test_front_ends_of_before_are_as_they_were() -> None:
    """They stand in files: another digest makes those foreign."""
    assert front_end("stft").digest == "a9b20bfa7bc51621"
    assert front_end("kaggle-images").digest == "41f1cfdabc849bdb"
    texts = front_end().to_json() + front_end("stft").to_json()
    for later in ("cepstrum", "constant_q", "autocorrelation", "logarithm"):
        assert later not in texts


@every_new_kind
def test_front_ends_come_back(kind: str) -> None:
    front = front_end(kind)
    assert FrontEnd.from_json(front.to_json()) == front
    assert front.bands == {"mfcc": 20, "cqt": 84, "tempogram": 384, "tonnetz": 6}.get(kind, 12)
    with pytest.raises(UsageError, match="unknown field"):
        FrontEnd.from_json(front.to_json().replace('"format"', '"odd":1,"format"'))


@pytest.mark.parametrize("log", ["db", "ln", "log10"])
@pytest.mark.parametrize("ref", ["peak", 1.0])
def test_front_ends_of_other_laws_come_back(log: str, ref: str | float) -> None:
    front = front_end(log=log, ref=ref, window="hamming", power=1)
    assert FrontEnd.from_json(front.to_json()) == front
    told = {"kind": "mel", "window": "hamming", "power": 1}
    told |= {} if log == "db" else {"log": log}
    told |= {} if ref == "peak" else {"ref": "1.0"}
    assert told.items() <= front.options().items()
    again = {"window": "hamming", "power": 1, "log": log, "ref": str(ref)}
    assert front_end("mel", **again) == front  # type: ignore[arg-type]


@every_new_kind
def test_pictures_follow_the_law_and_come_back(kind: str, tmp_path: Path) -> None:
    front, law = front_end(kind), KINDS[kind].law
    image = render(chord(), front)
    write_png(tmp_path / "a.png", image, front, "a.wav")
    picture = read_png(tmp_path / "a.png")
    assert picture.frontend == front
    assert picture.source == "a.wav"
    assert np.array_equal(picture.values, image.values)
    assert (picture.peak_db, picture.scale) == (image.peak_db, image.scale)
    assert (image.peak_db is None) == (law != DECIBELS)
    shown = levels(picture, front)
    if law == DECIBELS:
        wanted, step = decibels(chord(), front)[0], 80 / 255
    else:
        wanted = spectrum(chord(), front)
        step = 1 / 255
    if law == CENTRED:
        step = 2 / 255 * np.array(image.scale)[:, None]  # type: ignore[assignment]
        assert (np.abs(wanted).max(axis=1) <= np.array(image.scale) * (1 + 1e-6)).all()
    assert (np.abs(shown - wanted) <= step * 0.51).all()
    if law == SHARES and kind != "chroma-cens":
        assert (image.values.max(axis=0) == 255).all()


def test_what_the_kinds_show() -> None:
    """Which rows a chord of C, E and G, struck twice a second, lights up."""
    sound = chord()
    for kind in ("chroma-stft", "chroma-cqt", "chroma-cens"):
        mean = render(sound, front_end(kind)).values.mean(axis=1)
        assert set(np.argsort(mean)[-3:]) == {0, 4, 7}, kind
    cqt = render(sound, front_end("cqt", fmin="C2", octaves=5)).values.mean(axis=1)
    assert {12, 28, 31} <= set(np.argsort(cqt)[-8:])
    repeats = render(sound, front_end("tempogram")).values[:, 200].astype(int)
    lag = round(0.5 * RATE / 512)
    assert repeats[lag - 3 : lag + 4].max() > 150 > repeats[lag // 2]
    quieter = [render(sound * np.float32(f), front_end("mfcc")).scale for f in (1, 0.5)]
    np.testing.assert_allclose(*[scale[1:] for scale in quieter], rtol=0.05)


def test_a_constant_coefficient_has_no_scale() -> None:
    from mgrkit.spectrograms.image import _centred

    image = _centred(np.zeros((20, 9), np.float32), front_end("mfcc"))
    assert image.scale == (0.0,) * 20
    assert (levels(image, front_end("mfcc")) == 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "cqt", "fmin": 32.7}, "fmin must be a note such as C1"),
        ({"kind": "cqt", "fmin": "H2"}, "'H2' is no note"),
        ({"kind": "cqt", "fmin": "C9"}, "octaves 7 from fmin C9 .* half the sample rate is 11025"),
        ({"kind": "cqt", "fmin": "C9", "octaves": 1}, "reach .* half the sample rate"),
        ({"kind": "cqt", "fmin": "G9", "octaves": 1}, r"\(12543.9 Hz\) reach"),
        ({"kind": "chroma-cqt", "octaves": 9}, "reach .* half the sample rate"),
        ({"kind": "tonnetz", "sample_rate": 8000}, "reach .* half the sample rate"),
        ({"kind": "cqt", "hop_length": 500}, "hop_length must be a multiple of 64 for octaves 7"),
        ({"kind": "chroma-cens", "hop_length": 100}, "hop_length must be a multiple of 64"),
        ({"kind": "cqt", "n_fft": 4096}, "n_fft must be 2048 for kind cqt"),
        ({"kind": "cqt", "window": "hamming"}, "window must be hann for kind cqt"),
        ({"kind": "cqt", "bins_per_octave": 0}, "bins_per_octave must be a whole number from 1"),
        ({"kind": "cqt", "octaves": 0}, "octaves must be a whole number from 1"),
        ({"kind": "cqt", "n_mels": 64}, "n_mels belongs to kind mel"),
        ({"kind": "chroma-cqt", "bins_per_octave": 20}, "bins_per_octave must be a multiple of 12"),
        ({"kind": "mfcc", "n_mfcc": 129}, "n_mfcc must be at most n_mels, 128, not 129"),
        ({"kind": "mfcc", "dct_type": 4}, "dct_type must be 1, 2 or 3, not 4"),
        ({"kind": "mfcc", "lifter": -1.0}, "lifter must be from 0 to 1e6"),
        ({"kind": "mfcc", "ref": 1.0}, "ref belongs to kind mel, stft and cqt, not to mfcc"),
        ({"kind": "mfcc", "power": 1}, "power must be 2.0 for kind mfcc"),
        ({"kind": "mel", "n_mfcc": 13}, "n_mfcc belongs to kind mfcc, not to mel"),
        ({"kind": "chroma-stft", "top_db": 60.0}, "top_db belongs to kind"),
        ({"kind": "tempogram", "lags": 1}, "lags must be a whole number from 2"),
        ({"kind": "tempogram", "log": "ln"}, "log belongs to kind mel, stft and cqt"),
        ({"log": "log2"}, "log must be db, log10 or ln, not 'log2'"),
        ({"log": "ln", "top_db": 60.0}, "top_db belongs to log db, not to ln"),
        ({"ref": 2.0}, "ref must be peak or 1.0, not 2.0"),
        (
            {"window": "kaiser"},
            "window must be hann, hamming, blackman, blackmanharris or blackman",
        ),
        ({"power": 3}, "power must be 2.0 or 1.0"),
        ({"kind": "kaggle-images", "window": "blackman"}, "window must be hann for kind kaggle"),
        ({"kind": "kaggle-images", "log": "ln"}, "log belongs to kind"),
    ],
)
def test_what_a_kind_does_not_have_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        front_end(**options)


def test_names_of_notes() -> None:
    assert [midi(note) for note in ("C4", "A4", "C#1", "Db1", "b0", "C-1")] == [
        60, 69, 25, 25, 23, 0,
    ]  # fmt: skip
    assert hertz_of("A3") == 220
    for wrong in ("", "C", "4", "C44", "H1", "C##1", "c 1"):
        with pytest.raises(UsageError, match="is no note"):
            midi(wrong)


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("cqt", 0.5), ("chroma-cqt", 1.5), ("tonnetz", 1.5), ("tempogram", 1.0), ("mfcc", 0.05)],
)
def test_sound_shorter_than_its_filter_or_window(kind: str, seconds: float) -> None:
    with pytest.raises(ItemError, match="needs") as caught:
        render(chord(seconds), front_end(kind))
    assert caught.value.reason == "too-short"
    least = front_end(kind).least_samples
    assert render(chord()[:least], front_end(kind)).values.size


@every_new_kind
def test_silence_is_refused_and_noise_is_not(kind: str) -> None:
    with pytest.raises(ItemError) as caught:
        render(np.zeros(10 * RATE, np.float32), front_end(kind))
    assert caught.value.reason == "silent"
    noise = np.random.default_rng(0).standard_normal(10 * RATE).astype(np.float32) / 10
    assert np.ptp(render(noise, front_end(kind)).values) > 10


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("mfcc", {"scale": [1.0]}),
        ("mfcc", {"scale": [float("nan")] * 20}),
        ("mfcc", {"scale": [-1.0] * 20}),
        ("mfcc", {"scale": None}),
        ("tonnetz", {"scale": "123456"}),
        ("cqt", {"peak_db": None}),
    ],
)
def test_a_text_that_does_not_fit_its_kind(
    kind: str, change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    front = front_end(kind)
    image = render(chord(3), front)
    fields = {"frontend": json.loads(front.to_json()), "source": "a"}
    fields |= {"peak_db": image.peak_db} if kind == "cqt" else {"scale": image.scale}
    assert (b'"scale": [' in encode_png(image, front, "a")) == (kind != "cqt")
    monkeypatch.setattr("mgrkit.spectrograms.png._described", lambda *_: fields | change)
    write_png(tmp_path / "a.png", image, front, "a")
    with pytest.raises(ItemError, match="damaged"):
        read_png(tmp_path / "a.png")


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for genre, seconds in (("rock", 10), ("jazz", 12)):
        folder = tmp_path / "audio" / genre
        folder.mkdir(parents=True)
        soundfile.write(folder / "a.wav", chord(seconds), RATE)
    return tmp_path / "audio"


@every_new_kind
def test_the_command_draws_it(audio: Path, kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    words = ("spectrograms", "audio", "out", "--kind", kind)
    assert mgrkit(*words, "--dry-run", "-q") == 0
    assert "2 to do" in capfd.readouterr().err
    assert not Path("out").exists()
    assert mgrkit(*words, "--workers", 2) == 0
    with Path("out/tracks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["status"]) for row in rows] == [(kind, "ok")] * 2
    assert all((row["peak_db"] != "") == (kind == "cqt") for row in rows)
    samples = soundfile.read("audio/rock/a.wav", dtype="float32")[0]
    drawn = render(samples, front_end(kind))
    assert np.array_equal(read_png("out/rock/a.png").values, drawn.values)
    assert mgrkit(*words) == 0
    assert "2 kept" in capfd.readouterr().err
    assert mgrkit(*words, "--axes", "--replace") == 0
    assert Path("out/rock/a.png").stat().st_size > 10_000
    has_notes = kind == "cqt"
    found = mgrkit("spectrograms", "audio", "notes", "--kind", kind, "--notes")
    assert found == (0 if has_notes else 2)
    if not has_notes:
        assert f"--kind {kind} has no frequencies for --notes" in capfd.readouterr().err


def test_options_reach_the_pictures(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["--kind", "mel", "--window", "blackman", "--power", 1, "--log", "log10"]
    assert mgrkit("spectrograms", "audio", "out", *words, "--ref", "1.0", "--fmin", "A1") == 0
    wanted = front_end(window="blackman", power=1, log="log10", ref=1.0, fmin="A1")
    assert read_png("out/rock/a.png").frontend == wanted
    assert mgrkit("spectrograms", "audio", "out", *words, "--fmin", "55") == 2
    assert "--ref 1.0 instead of none" in capfd.readouterr().err
    words = ["--kind", "cqt", "--bins-per-octave", 24, "--octaves", 4, "--fmin", "c2"]
    assert mgrkit("spectrograms", "audio", "cqt", *words) == 0
    assert read_png("cqt/rock/a.png").values.shape[0] == 96
    words = ["--kind", "mfcc", "--n-mfcc", 13, "--dct-type", 3, "--lifter", 22]
    assert mgrkit("spectrograms", "audio", "mfcc", *words) == 0
    wanted = front_end("mfcc", n_mfcc=13, dct_type=3, lifter=22.0)
    assert read_png("mfcc/rock/a.png").frontend == wanted
    assert mgrkit("spectrograms", "audio", "tempo", "--kind", "tempogram", "--lags", 50) == 0
    assert read_png("tempo/rock/a.png").values.shape[0] == 50


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--kind cqt --fmin C9", "--octaves 7 from --fmin C9 on"),
        ("--kind cqt --hop-length 500", "--hop-length must be a multiple of 64 for --octaves 7"),
        ("--kind cqt --n-mels 5", "--n-mels belongs to --kind mel"),
        ("--kind mfcc --ref 1.0", "--ref belongs to --kind mel"),
        ("--fmin X", "'X' is no note"),
        ("--kind cqt --piece-seconds 0.4", "--piece-seconds must be from 0.53"),
    ],
)
def test_the_command_names_what_is_wrong(
    audio: Path, words: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mgrkit("spectrograms", "audio", "out", *words.split()) == 2
    assert message in capfd.readouterr().err
    assert not Path("out").exists()


def test_short_and_silent_pieces_fail_alone(audio: Path) -> None:
    soundfile.write("audio/jazz/short.wav", chord(0.3), RATE)
    soundfile.write("audio/jazz/silent.wav", np.zeros(RATE * 3, np.float32), RATE)
    assert mgrkit("spectrograms", "audio", "out", "--kind", "cqt") == 1
    with Path("out/tracks.csv").open() as file:
        reasons = {row["path"]: row["reason"].partition(":")[0] for row in csv.DictReader(file)}
    assert reasons == {
        "jazz/a.png": "", "jazz/short.png": "too-short", "jazz/silent.png": "silent",
        "rock/a.png": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("front", "message"),
    [
        (front_end("mfcc"), "mfcc has no levels"),
        (front_end("tempogram"), "tempogram has no levels"),
        (front_end("tonnetz"), "gives no decibels"),
        (front_end(log="ln"), "gives no decibels"),
    ],
)
def test_what_has_no_decibels(front: FrontEnd, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        decibels(chord(), front)


def test_an_image_of_levels_needs_nothing_else() -> None:
    image = Image(np.array([[0, 255]], np.uint8), 3.0)
    assert levels(image, front_end(ref=1.0)).tolist() == [[-77, 3]]
