"""What names tell of tracks, and what tracks are called."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mgrkit.audio import open_sound
from mgrkit.audio.hashing import SoundDigest
from mgrkit.tracks.collections.base import Known
from mgrkit.tracks.collections.lookup import known
from mgrkit.tracks.identity import track_id

GENRES = [
    "blues", "classical", "country", "disco", "hiphop",
    "jazz", "metal", "pop", "reggae", "rock",
]  # fmt: skip


def gtzan() -> list[Known]:
    found = [known(f"genres/{genre}/{genre}.{n:05d}.au") for genre in GENRES for n in range(100)]
    assert None not in found
    return [one for one in found if one]


@pytest.mark.parametrize(
    "path",
    [
        "blues.00000.au",
        "genres/blues/blues.00000.wav",
        "images_original/blues/blues00000.png",
        "clips/blues.00000.flac",
        "blues.00000",
    ],
)
def test_every_layout_of_gtzan_is_known(path: str) -> None:
    title = "One Bourbon, One Scotch And One Beer"
    assert known(path) == Known(
        "gtzan:blues.00000", "John Lee Hooker", "valid", genre="blues", title=title
    )


@pytest.mark.parametrize(
    "path",
    [
        "blues.00100.wav",  # GTZAN has a hundred of each
        "blues.000001.wav",
        "folk.00001.wav",
        "my-blues.00000.wav",
        "blues.00000.au/song.wav",
        "blues.00000/song.wav",
        "rock/000002.mp3",  # six digits in anybody's folder
        "001/000002.mp3",
        "000002.wav",
        "000/0000002.mp3",
        "200412_01.mp3",  # a date: FMA's numbers end at 155320
        "000/000002_live.mp3",
        "",
    ],
)
def test_other_names_are_not_known(path: str) -> None:
    assert known(path) is None


@pytest.mark.parametrize(
    "tail",
    [
        ".0", ".001", "_0", "-0", "(3)", " 3", ".part2", "_part_02", "_segment_3", "_seg3",
        "-chunk7", ".slice.4", "_clip1", "_0.0_3.0", "_3s-6s", "part2", ".white_10dB_1",
        "_pitch_up", "[0]", "#0", "_s0", "_p0", "Part0", "_sample0", "_0s-3s", "_0-3000ms",
        "_0.5",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["blues/blues.00006{}.wav", "blues.00006{}", "x/blues00006{}.png"])
def test_a_slice_of_gtzan_is_known_as_its_recording(name: str, tail: str) -> None:
    whole = known(name.format(""))
    assert whole
    assert known(name.format(tail)) == replace(whole, piece=tail)
    assert track_id(name.format(tail), "ab" * 32) == "gtzan:blues.00006"


@pytest.mark.parametrize(
    "path",
    [
        "000002_003.mp3", "000/000002_003.mp3", "000/000002.part3.wav",
        "fma/000/000002-0.0-3.0.png", "000/000002/003.mp3", "000/000002/chunk3.wav",
        "000/000002_s3.wav", "000/000002[3].wav", "000/000002_0-3000ms.wav", "000/000002Part3.wav",
        "000/000002_start0.5.mp3", "000/000002/0.0-3.0.wav",
    ],
)  # fmt: skip
def test_a_slice_of_fma_is_known_as_its_recording(path: str) -> None:
    found = known(path)
    assert found
    assert found.id == "fma:000002"
    assert found.piece


def test_numbers_in_the_folder_of_a_known_recording_are_its_slices() -> None:
    for name in ("0.wav", "chunk0.wav", "part_02.flac"):
        found = known(f"blues/blues.00006/{name}")
        assert found
        assert (found.id, found.piece) == ("gtzan:blues.00006", f"/{Path(name).stem}")
    assert known("blues/0.wav") is None


@pytest.mark.parametrize(
    "path", ["000/000002.mp3", "000/000002.wav", "fma_small/000/000002.mp3", "000002.mp3"]
)
def test_fma_is_known_by_its_folders(path: str) -> None:
    assert known(path) == Known("fma:000002")


def test_no_named_artist_is_in_two_parts_of_the_published_split() -> None:
    tracks = gtzan()
    assert Counter(one.part for one in tracks) == {"train": 443, "valid": 197, "test": 290, "": 70}
    assert sum(not one.artist for one in tracks) == 81
    assert len({one.id for one in tracks}) == 1000
    where: dict[str, set[str]] = {}
    for one in tracks:
        if one.artist and one.part:
            where.setdefault(one.artist, set()).add(one.part)
    assert not [artist for artist, parts in where.items() if len(parts) > 1]


def test_the_shipped_lists_are_the_published_ones(data: Path) -> None:
    folder = data / "gtzan"
    with (folder / "artists.csv").open(newline="") as file:
        named = {row["track"]: (row["artist"], row["title"]) for row in csv.DictReader(file)}
    assert len(named) == 1000
    listed = {
        Path(line.strip()).stem: part
        for part in ("train", "valid", "test")
        for line in (folder / "splits" / f"{part}_filtered.txt").read_text().splitlines()
    }
    for track, (artist, title) in named.items():
        genre = track.partition(".")[0]
        expected = Known(f"gtzan:{track}", artist, listed.get(track, ""), "", genre, title)
        assert known(f"{track}.wav") == expected


def digest(samples: np.ndarray, rate: int = 22_050, cut: int = 100) -> str:
    made = SoundDigest(rate, len(samples))
    for first in range(0, samples.shape[1], cut):
        made.update(samples[:, first : first + cut])
    return made.hexdigest()


def test_the_digest_of_sound_depends_on_the_sound_and_nothing_else() -> None:
    samples = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    plain = digest(samples)
    assert digest(samples, cut=7) == plain == digest(np.asfortranarray(samples))
    assert digest(samples.astype(">f4")) == plain
    others = [
        digest(samples, 44_100),
        digest(samples[::-1]),
        digest(samples[:, :-1]),
        digest(samples.reshape(1, -1)),
        digest(samples.T.reshape(1, -1)),  # the same bytes, as one channel
        digest(np.nextafter(samples, np.float32(9))),
    ]
    assert len({plain, *others}) == 7


def test_flac_and_its_samples_have_one_digest(data: Path) -> None:
    clip = sorted((data / "gtzan" / "clips").glob("*.flac"))[0]
    with open_sound(clip) as sound:
        blocks = list(sound.blocks())
        made = SoundDigest(sound.rate, sound.channels)
        for block in blocks:
            made.update(block)
    assert made.hexdigest() == digest(np.concatenate(blocks, axis=1), cut=12_345)


def test_a_track_is_called_by_its_collection_then_its_sound_then_its_name() -> None:
    assert track_id("x/blues.00000.au", "ab" * 32) == "gtzan:blues.00000"
    assert track_id("x/song.mp3", "ab" * 32) == "sha256:" + "ab" * 16
    assert track_id("x/song.mp3") == "name:song.mp3"
    assert track_id("x/lied_ä.mp3") == "name:lied_ä.mp3"
    for odd in ("a\nb.mp3", "a\udcff.mp3", "a\u2028.mp3"):
        kept = track_id(f"x/{odd}")
        assert kept.isprintable()
        assert kept.encode("utf-8")


def test_names_are_known_without_numpy() -> None:
    code = (
        "import sys; from mgrkit.tracks.collections import lookup\n"
        "lookup.known('blues.00000.au'); print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
