"""Three kinds as the channels of one picture, and pictures of exactly a size."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest
import soundfile

from mgrkit.errors import ItemError, UsageError
from mgrkit.frontend import FrontEnd, front_end
from mgrkit.inputs.kinds import Pictures
from mgrkit.spectrograms import levels, read_picture, read_png, render, spectrum, write_png
from mgrkit.spectrograms.sizing import resampled
from tests.cli.test_commands import mgrkit

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytest.importorskip("librosa")

RATE = 22050
COLOURS = "rgb:mel,chroma-cqt,chroma-stft"
METHODS = {
    "nearest": PIL.Image.Resampling.NEAREST,
    "bilinear": PIL.Image.Resampling.BILINEAR,
    "area": PIL.Image.Resampling.BOX,
}


def sound(seconds: float = 3.0, seed: int = 0) -> NDArray[np.float32]:
    time = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).standard_normal(len(time)) / 50
    made: NDArray[np.float32] = (0.3 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)
    return made


def test_each_channel_is_its_kind_on_the_grid_of_the_largest() -> None:
    front = front_end(COLOURS, n_mels=96)
    image = render(sound(), front)
    assert image.values.shape == (3, 96, 130)
    planes = [render(sound(), plane) for plane in front.planes]
    assert np.array_equal(image.values[0], planes[0].values)
    for channel, plane in zip(image.values[1:], planes[1:], strict=True):
        assert np.array_equal(channel[4::8], plane.values)  # 12 classes, eight rows each
        assert np.array_equal(channel, np.repeat(plane.values, 8, axis=0))
    assert [own[0] for own in image.planes] == [planes[0].peak_db, None, None]


def test_kinds_of_other_hops_come_onto_one_grid() -> None:
    planes = (front_end(hop_length=256), front_end("stft"), front_end("kaggle-images"))
    front = FrontEnd(
        kind="rgb", transform=planes[0].transform, mel=None, decibels=None, planes=planes
    )
    image = render(sound(), front)
    assert image.values.shape == (3, 1025, 259)
    for channel, plane in zip(image.values, planes, strict=True):
        own = render(sound(), plane).values
        assert np.array_equal(channel, resampled(own, 259, 1025, "nearest"))
    assert front.column_seconds == 256 / RATE
    assert front_end("rgb:mel,stft,kaggle-images").planes[2] == front_end("kaggle-images")


@pytest.mark.parametrize("size", [None, "224x224"])
def test_rgb_comes_back(size: str | None, tmp_path: Path) -> None:
    front = front_end("rgb:cqt,mfcc,tonnetz", size=size, resample="area" if size else None)
    assert FrontEnd.from_json(front.to_json()) == front
    image = render(sound(), front)
    write_png(tmp_path / "a.png", image, front, "a.wav")
    picture = read_png(tmp_path / "a.png")
    assert np.array_equal(picture.values, image.values)
    assert picture.frontend == front
    assert (picture.source, picture.planes) == ("a.wav", image.planes)
    assert len(picture.planes[1][1]) == 20
    with PIL.Image.open(tmp_path / "a.png") as seen:
        assert seen.mode == "RGB"
        assert np.array_equal(np.asarray(seen), np.moveaxis(image.values, 0, -1)[::-1])
    assert np.array_equal(read_picture(tmp_path / "a.png").values, image.values)
    for wrong in (lambda: levels(image, front), lambda: spectrum(sound(), front)):
        with pytest.raises(UsageError, match="planes"):
            wrong()


@pytest.mark.parametrize("resample", ["nearest", "bilinear", "area"])
@pytest.mark.parametrize("size", ["224x224", "64x300", "9x8", "1293x129"])
def test_a_size_is_pillows_of_the_picture_as_it_comes(
    size: str, resample: str, tmp_path: Path
) -> None:
    plain, front = front_end(), front_end(size=size, resample=resample)
    for name, one in (("plain", plain), ("sized", front)):
        write_png(tmp_path / f"{name}.png", render(sound(), one), one, "a", cmap="grey")
    width, height = map(int, size.split("x"))
    with PIL.Image.open(tmp_path / "plain.png") as whole:
        wanted = np.asarray(whole.resize((width, height), METHODS[resample]))
    with PIL.Image.open(tmp_path / "sized.png") as sized:
        assert sized.size == (width, height)
        assert np.array_equal(np.asarray(sized), wanted)
    picture = read_png(tmp_path / "sized.png")
    assert picture.frontend == front == FrontEnd.from_json(front.to_json())
    assert np.array_equal(picture.values, wanted[::-1])
    assert levels(picture, front).max() <= 0


def test_levels_of_sized_pictures_of_either_sign() -> None:
    tonnetz = front_end("tonnetz", size="64x64")
    assert np.abs(levels(render(sound(), tonnetz), tonnetz)).max() <= 1
    mfcc = front_end("mfcc", size="64x64")
    with pytest.raises(UsageError, match="no scale for each row"):
        levels(render(sound(), mfcc), mfcc)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("mel", {"size": "1x1"}, "size must be from 8x8 to 4096x4096 pixels, not 1x1"),
        ("mel", {"size": "224x1"}, "not 224x1"),
        ("mel", {"size": "20000x224"}, "not 20000x224"),
        ("mel", {"size": "20000x20000"}, "not 20000x20000"),
        ("mel", {"size": "224"}, "size must be WxH in pixels"),
        ("mel", {"size": "224x224", "resample": "lanczos"}, "resample must be nearest, bilinear"),
        ("mel", {"resample": "area"}, "resample is for a size"),
        ("rgb", {}, "must name three kinds"),
        ("rgb:mel,stft", {}, "must name three kinds, not 2"),
        ("rgb:mel,stft,cqt,mfcc", {}, "must name three kinds, not 4"),
        ("rgb:mel,stft,rgb", {}, "each kind of rgb must be mel"),
        ("rgb:mel,stft,none", {}, "not 'none'"),
        ("rgb:mel,stft,cqt", {"hop_length": 500}, "hop_length must be a multiple of 64"),
        ("rgb:mel,stft,cqt", {"n_mfcc": 13}, "n_mfcc belongs to none of kind mel, stft, cqt"),
        ("rgb:cqt,tonnetz,stft", {"fmin": 50.0}, "fmin must be a note such as C1, not 50.0"),
        ("rgb:cqt,chroma-stft,mfcc", {"power": 1}, "power must be 2.0 for kind cqt, not 1"),
        ("rgb:cqt,tonnetz,chroma-cqt", {"n_fft": 512}, "n_fft must be 2048 for kind cqt, not 512"),
        (f"rgb:{','.join(['kaggle-images'] * 3)}", {"hop_length": 256}, "hop_length must be 512"),
    ],
)
def test_what_is_refused(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        front_end(kind, **options)


def test_options_go_to_those_that_have_them() -> None:
    front = front_end("rgb:mel,cqt,mfcc", fmin=50.0, n_mels=40, window="blackman", n_fft=1024)
    mel, cqt, mfcc = front.planes
    assert mel == front_end(fmin=50.0, n_mels=40, window="blackman", n_fft=1024)
    assert mfcc == front_end("mfcc", fmin=50.0, n_mels=40, window="blackman", n_fft=1024)
    assert cqt == front_end("cqt")
    assert front_end("rgb:mel,cqt,cqt", fmin="C2").planes[1] == front_end("cqt", fmin="C2")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.update(planes=p["planes"][:2]), "planes are not a list of three"),
        (lambda p: p.update(planes=7), "planes are not a list of three"),
        (lambda p: p.update(planes=[1, 2, 3]), "one of planes is not a JSON object"),
        (lambda p: p["planes"][0].update(kind="rgb"), "decibels must be empty for kind rgb"),
        (lambda p: p["planes"].__setitem__(
            0, {k: v for k, v in json.loads(json.dumps(p)).items() if k != "format"}
        ), "three front ends of one channel"),
        (lambda p: p["planes"][0].update(sample_rate=16000), "fmin and fmax|one sample_rate"),
        (lambda p: p["planes"][1].update(sample_rate=44100), "planes must have one sample_rate"),
        (lambda p: p["planes"][1].update(size={"width": 9, "height": 9, "resample": "area"}),
         "no size"),
        (lambda p: p["transform"].update(hop_length=256), "transform must be that of the first"),
        (lambda p: p.pop("planes"), "planes must be three"),
        (lambda p: p.update(kind="mel", mel=p["planes"][0]["mel"],
                            decibels=p["planes"][0]["decibels"]), "planes must be empty"),
        (lambda p: p.update(size={"width": 9}), "lacks the field size.height"),
    ],
)  # fmt: skip
def test_other_text_is_refused(change: Any, message: str) -> None:
    fields = json.loads(front_end("rgb:mel,stft,mel").to_json())
    change(fields)
    with pytest.raises(UsageError, match=message):
        FrontEnd.from_json(json.dumps(fields))


def test_what_is_too_short_for_one_is_for_all() -> None:
    with pytest.raises(ItemError) as caught:
        render(sound(1.2), front_end(COLOURS))
    assert caught.value.reason == "too-short"
    assert front_end(COLOURS).least_samples == front_end("chroma-cqt").least_samples


def test_a_lie_about_the_size(tmp_path: Path) -> None:
    front = front_end(size="64x32")
    image = render(sound(), front)
    for values in (image.values[:, :-1], image.values[:-1]):
        write_png(tmp_path / "a.png", image._replace(values=values), front, "a")
        with pytest.raises(ItemError, match="do not fit its own description"):
            read_png(tmp_path / "a.png")
    rgb = front_end("rgb:mel,mel,mel")
    write_png(tmp_path / "a.png", render(sound(), front_end()), front_end(), "a")
    grey = (tmp_path / "a.png").read_bytes()
    write_png(tmp_path / "a.png", render(sound(), rgb), rgb, "a")
    colours = (tmp_path / "a.png").read_bytes()
    # The header and pixels of one with the text of the other.
    head, text = grey[: grey.index(b"tEXt") - 4], colours[colours.index(b"tEXt") - 4 :]
    text = text[: text.index(b"IDAT") - 4]
    (tmp_path / "a.png").write_bytes(head + text + grey[grey.index(b"IDAT") - 4 :])
    with pytest.raises(ItemError, match="not-ours"):
        read_png(tmp_path / "a.png")


def test_inputs_of_networks() -> None:
    rgb = Pictures(front_end(COLOURS))
    values = rgb.piece(sound(), RATE)
    assert values.shape == (130, 3, 128)
    assert rgb.breadth == (3, 128)
    fitted = rgb.fitted([50])
    assert fitted.shape == (3, 128, 50)
    cut = fitted.examples(values)
    assert cut.shape == (3, 3, 128, 50)
    assert np.array_equal(cut[0], render(sound(), front_end(COLOURS)).values[..., :50])
    sized = Pictures(front_end(size="100x40"))
    assert sized.piece(sound(), RATE).shape == (100, 40)
    assert sized.name == "mel pictures of 100x40"
    assert rgb.name == f"{COLOURS} pictures"


@pytest.fixture
def audio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(8):
        path = tmp_path / "audio" / ("rock" if number % 2 else "jazz") / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = sound(seed=number)
        if number % 2:
            samples[: len(samples) // 2] *= np.float32(0.05)
        soundfile.write(path, samples, RATE)
    return tmp_path / "audio"


def test_the_command_draws_them(audio: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["spectrograms", "audio", "out", "--kind", COLOURS]
    assert mgrkit(*words, "--dry-run", "-q") == 0
    assert "8 to do" in capfd.readouterr().err
    assert mgrkit(*words) == 0
    with Path("out/tracks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["kind"], row["status"], row["peak_db"]) for row in rows} == {(COLOURS, "ok", "")}
    assert read_png("out/rock/1.png").frontend == front_end(COLOURS)
    assert mgrkit(*words) == 0
    assert "8 kept" in capfd.readouterr().err
    assert mgrkit(*words, "--cmap", "grey") == 2
    assert "--cmap is not for --kind rgb" in capfd.readouterr().err
    assert mgrkit("spectrograms", "audio", "poster", "--kind", COLOURS, "--axes") == 0
    with pytest.raises(ItemError, match="for-people"):
        read_picture("poster/rock/1.png")
    assert mgrkit("spectrograms", "audio", "square", "--size", "64x48") == 0
    assert read_png("square/rock/1.png").frontend == front_end(size="64x48")
    assert mgrkit("spectrograms", "audio", "square", "--size", "64x48", "--resample", "area") == 2
    assert "--resample bilinear instead of area" in capfd.readouterr().err
    assert mgrkit("spectrograms", "audio", "square") == 2
    assert "--size 64x48 instead of none" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--size 1x1", "--size must be from 8x8"),
        ("--size 20000x20000", "--size must be from 8x8 to 4096x4096 pixels, not 20000x20000"),
        ("--size 224", "--size must be WxH in pixels"),
        ("--axes --size 1x1", "--size must be from 320x240"),
        ("--axes --size 20000x20000", "--size must be from 320x240 to 8000x8000 pixels, not 20000"),
        ("--size 64x64 --resample best", "--resample must be nearest, bilinear, area or mat"),
        ("--axes --size 640x480 --resample area", "--resample is for a --size"),
        ("--kind rgb:mel,mel", "--kind rgb must name three kinds"),
    ],
)
def test_the_command_names_what_is_wrong(
    audio: Path, words: str, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mgrkit("spectrograms", "audio", "out", *words.split()) == 2
    assert message in capfd.readouterr().err
    assert not Path("out").exists()


@pytest.mark.torch
@pytest.mark.parametrize("classifier", ["cnn", "crnn", "vit"])
def test_networks_learn_from_them(
    audio: Path, classifier: str, capfd: pytest.CaptureFixture[str]
) -> None:
    small = ["epochs=2", *([] if classifier == "vit" else ["width=2"])]
    params = [word for one in small for word in ("--param", one)]
    for number, words in enumerate((["--kind", COLOURS], ["--size", "64x64"])):
        pictures, bundle = f"pictures-{number}", f"model-{number}.safetensors"
        assert mgrkit("spectrograms", "audio", pictures, *words, "-q") == 0
        assert mgrkit("train", classifier, pictures, "--out", bundle, "-q", *params) == 0
        capfd.readouterr()
        found = []
        for what in ("audio/rock/1.wav", f"{pictures}/rock/1.png"):
            assert mgrkit("predict", what, "--model", bundle, "--json", "-q") == 0
            [song] = json.loads(capfd.readouterr().out)
            found.append(song["probabilities"] if "probabilities" in song else song["genres"])
        assert found[0] == found[1]  # sound is drawn as the pictures were
    assert mgrkit("predict", "pictures-0/rock/1.png", "--model", "model-1.safetensors") == 1
    assert f"{COLOURS} pictures" in capfd.readouterr().err
    assert mgrkit("spectrograms", "audio", "plain", "-q") == 0
    assert mgrkit("predict", "plain/rock/1.png", "--model", "model-0.safetensors") == 1
    said = capfd.readouterr().err
    assert f"these are mel pictures, model-0 was trained on {COLOURS} pictures" in said
    assert f"--kind {COLOURS}" in said


@pytest.mark.torch
def test_pictures_of_planes_are_no_input_of_one_channel() -> None:
    from mgrkit_classical.picture_statistics import PictureStatistics
    from mgrkit_neural.pictures import checked

    from mgrkit.classifiers.base import Task
    from mgrkit.registry import installed, with_parameters

    planes = np.zeros((2, 3, 64, 20), np.uint8)
    with pytest.raises(
        UsageError, match=r"3 channels for a model of 1, not pictures: .* \(n, 64, 20\)"
    ):
        checked(planes, Task(("a", "b"), (64, 20)))
    with pytest.raises(UsageError, match=r"of shape \(n, 3, 64, 20\)"):
        checked(planes[:, 0], Task(("a", "b"), (3, 64, 20)))
    spec = installed().classifier("picture_statistics").spec
    made = PictureStatistics(Task(("a", "b"), (3, 64, 20)), with_parameters(spec, {}))
    with pytest.raises(UsageError, match="pictures of one channel"):
        made.predict_proba(planes)
