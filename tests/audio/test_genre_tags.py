"""Which genres are read from which tag."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mgrkit.audio.tags.artist import artist_tag
from mgrkit.audio.tags.every import every_tag
from mgrkit.audio.tags.genre import ID3V1, genre_tags, genres_in
from tests.audio import made_tags as made
from tests.audio.made_tags import MPEG, apev2, chunk, flac, id3v2, text_frame
from tests.audio.test_tags import CLAIMS, MONKEY, tagged


def genres(folder: Path, content: bytes) -> list[str]:
    path = folder / "a.sound"
    path.write_bytes(content)
    return genre_tags(path)


def tcon(text: str, version: int = 3, encoding: int = 1) -> bytes:
    name = "TCO" if version == 2 else "TCON"
    return id3v2(text_frame(name, text, encoding, version), version=version) + MPEG


def id3v1(number: int) -> bytes:
    return MPEG + made.id3v1(b"Art")[:-1] + bytes([number])


def gnre(number: int, *others: bytes) -> bytes:
    data = made.box(b"data", struct.pack(">II", 0, 0), number.to_bytes(2, "big"))
    return mp4(made.box(b"gnre", data), *others)


def mp4(*items: bytes) -> bytes:
    meta = made.box(b"meta", bytes(4), made.box(b"ilst", *items))
    moov = made.box(b"moov", made.box(b"udta", meta))
    return made.box(b"ftyp", b"M4A \0\0\0\0") + moov + made.box(b"mdat", bytes(9))


def gen(text: str) -> bytes:
    return made.box(b"\xa9gen", made.box(b"data", struct.pack(">II", 1, 0), text.encode()))


ARABIC = "\u0634\u0639\u0628\u064a"
FORMS = {
    "id3v1": (id3v1(17), ["Rock"]),
    "id3v1, the first": (id3v1(0), ["Blues"]),
    "id3v1, the last": (id3v1(191), ["Psybient"]),
    "id3v1, none": (id3v1(255), []),
    "id3v1, out of range": (id3v1(192), []),
    "2.2": (tcon("(8)", 2), ["Jazz"]),
    "2.3, a number": (tcon("(17)"), ["Rock"]),
    "2.3, a number and its name": (tcon("(17)Rock"), ["Rock"]),
    "2.3, a number and what it is nearer": (tcon("(4)Eurodisco"), ["Disco", "Eurodisco"]),
    "2.3, two numbers": (tcon("(51)(39)"), ["Techno-Industrial", "Noise"]),
    "2.3, a remix": (tcon("(3)(RX)"), ["Dance", "Remix"]),
    "2.3, a bracket": (tcon("((Odd) Pop"), ["(Odd) Pop"]),
    "2.3, none": (tcon("(255)"), []),
    "2.3, out of range": (tcon("(999)"), []),
    "2.3, out of range with text": (tcon("(999)Polka"), ["Polka"]),
    "2.4, several": (tcon("Post-Rock\0Rock\0Folk", 4, 3), ["Post-Rock", "Rock", "Folk"]),
    "2.4, numbers": (tcon("17\0CR\0" + "21", 4, 3), ["Rock", "Cover", "Ska"]),
    "2.4, UTF-16": (tcon(ARABIC, 4, 1), [ARABIC]),
    "vorbis": (flac(("GENRE", "Rock"), ("genre", "Folk")), ["Rock", "Folk"]),
    "ogg": (made.ogg_vorbis(("Genre", "Rock"), ("GENRE", "Folk")), ["Rock", "Folk"]),
    "opus": (made.opus(("GENRE", "Rock; Folk")), ["Rock", "Folk"]),
    "apev2": (MONKEY + apev2(("Genre", "Rock\0Folk")), ["Rock", "Folk"]),
    "apev2 behind mp3": (MPEG + apev2(("GENRE", "Rock")), ["Rock"]),
    "wma": (made.asf("x", ("WM/Genre", "Rock"), ("WM/Genre", "Folk")), ["Rock", "Folk"]),
    "wma, a number": (made.asf("x", ("WM/Genre", "(17)")), ["Rock"]),
    "info": (made.wav(chunk(b"LIST", b"INFO" + chunk(b"IGNR", b"Rock\0"))), ["Rock"]),
    "id3 in wav": (made.wav(chunk(b"id3 ", tcon("(17)"))), ["Rock"]),
    "id3 in aiff": (made.aiff(chunk(b"ID3 ", tcon("Folk"), ">")), ["Folk"]),
    "gnre": (gnre(18), ["Rock"]),
    "gnre, the first": (gnre(1), ["Blues"]),
    "gnre, above 139": (gnre(145), ["Thrash Metal"]),
    "gnre, the last": (gnre(192), ["Psybient"]),
    "gnre, none": (gnre(0), []),
    "gnre, out of range": (gnre(300), []),
    "gen": (mp4(gen("Rock")), ["Rock"]),
    "gen, several": (made.m4a((b"\xa9gen", ["Rock", "Folk"])), ["Rock", "Folk"]),
    "gen before gnre": (gnre(9, gen("Rock")), ["Rock"]),
    "no tag": (flac(("artist", "Rock")), []),
    "of two tags the format's own first": (
        id3v2(text_frame("TCON", "Folk")) + flac(("genre", "Rock")), ["Rock", "Folk"],
    ),
    "no number where there is a word": (
        id3v2(text_frame("TCON", "Chamber Pop")) + id3v1(0), ["Chamber Pop"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_genre_is_read(tmp_path: Path, form: str) -> None:
    content, wanted = FORMS[form]
    assert genres(tmp_path, content) == wanted


NUMBERS = {
    79: "Hard Rock", 80: "Folk", 85: "Bebop", 129: "Hardcore", 131: "Indie", 132: "Britpop",
    139: "Crossover", 147: "Synthpop", 164: "Global", 165: "IDM", 191: "Psybient",
}  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_80_and_more_come_right_everywhere(tmp_path: Path, number: int) -> None:
    """tinytag 2.3.2 lacks three of the names, so that all behind them are others."""
    path = tmp_path / "a.mp3"
    contents = (
        id3v1(number), tcon(f"({number})"), tcon(str(number), 4, 3), gnre(number + 1),
        flac(("genre", f"({number})")), MPEG + apev2(("Genre", str(number))),
        made.asf("x", ("WM/Genre", f"({number})")),
    )  # fmt: skip
    for content in contents:
        path.write_bytes(content)
        assert genre_tags(path) == [NUMBERS[number]]
        assert every_tag(path)["genre"] == NUMBERS[number]


def test_every_tag_has_all_genres_and_none_where_none_is(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    for content, expected in ((tcon("Rock\0Folk", 4, 3), "Rock; Folk"), (id3v1(255), None)):
        path.write_bytes(content)
        assert every_tag(path).get("genre") == expected


def test_a_genre_of_id3_counts_before_one_of_info(tmp_path: Path) -> None:
    """mgrkit tag writes the one and leaves the other."""
    info = chunk(b"LIST", b"INFO" + chunk(b"IGNR", b"Rock\0"))
    wav = made.wav(info, chunk(b"id3 ", tcon("Jazz")[: -len(MPEG)]))
    assert genres(tmp_path, wav) == ["Jazz", "Rock"]


ODD = {
    "empty": "",
    "spaces": " \t \u00a0 ",
    "control characters": "\x01\x02\x1b",
    "101 characters": "x" * 101,
    "10,000 characters": "x" * 10_000,
    "10,000 digits": "1" * 10_000,
    "another script's number": "\u0661\u0667",
    "raised": "\u00b2",
    "unknown": "<Unknown>",
    "none": "None",
    "semicolons": ";;; ;",
    "brackets": "()",
}


@pytest.mark.parametrize("kind", ODD)
def test_what_names_no_genre_is_none(tmp_path: Path, kind: str) -> None:
    assert genres_in(ODD[kind]) == []
    assert genres(tmp_path, flac(("genre", ODD[kind]))) == []
    assert genres(tmp_path, flac(("genre", ODD[kind]), ("genre", "Rock"))) == ["Rock"]


def test_a_name_is_cleaned_and_kept_in_one_form() -> None:
    assert genres_in("\x07 Hard\n\t Rock \r\n") == ["Hard Rock"]
    assert genres_in("\ufeffCafe\u0301") == ["Caf\u00e9"]
    assert genres_in("x" * 100) == ["x" * 100]
    assert genres_in("Rock/Pop, Folk") == ["Rock/Pop, Folk"]
    assert genres_in("80s") == ["80s"]


def test_no_more_than_16_count(tmp_path: Path) -> None:
    many = [("genre", f"g{number}") for number in range(100)]
    assert genres(tmp_path, flac(*many)) == [f"g{number}" for number in range(16)]
    assert len(genres(tmp_path, tcon("\0".join(f"g{n}" for n in range(99)), 4))) <= 16


@pytest.mark.parametrize("kind", CLAIMS)
def test_what_a_damaged_header_claims_does_no_harm(tmp_path: Path, kind: str) -> None:
    assert genres(tmp_path, CLAIMS[kind]) == []
    broken = made.box(b"ftyp", b"M4A ") + b"\0\0\0\0moov\0\0\0\1udta" + b"\xff" * 40
    assert genres(tmp_path, broken) == []


def test_a_file_that_cannot_be_read_is_no_file_without_a_genre(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.mp3", tmp_path, "nul\0byte.mp3"):
        with pytest.raises(OSError, match="no file"):
            genre_tags(path)


@pytest.mark.parametrize("name", ["a.flac", "a.m4a", "a.mka"])
def test_what_ffmpeg_writes_is_read(tmp_path: Path, name: str) -> None:
    assert genre_tags(tagged(tmp_path / name, genre="Trip-Hop")) == ["Trip-Hop"]
    assert genre_tags(tagged(tmp_path / name, genre="Rock;Folk")) == ["Rock", "Folk"]


def test_the_numbers_are_those_that_others_have() -> None:
    constants = pytest.importorskip("mutagen._constants")

    def key(name: str) -> str:
        return "".join(filter(str.isalnum, name.replace("Alt.", "Alternative").casefold()))

    assert list(map(key, ID3V1)) == list(map(key, constants.GENRES))


def encoded(path: Path, codec: str) -> Path:
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, 44_100)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "stereo"
        stream.bit_rate = 128_000
        part = np.zeros((2, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(part, "fltp", "stereo")
        frame.rate = 44_100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def by_mutagen(folder: Path, name: str, values: list[str]) -> Path:
    """A file of this name whose genres mutagen has written."""
    mutagen = pytest.importorskip("mutagen")
    id3 = pytest.importorskip("mutagen.id3")
    path = folder / name
    codecs = {".mp3": "libmp3lame", ".m4a": "aac", ".wma": "wmav2"}
    if path.suffix in codecs:
        encoded(path, codecs[path.suffix])
    else:
        kinds = {".ogg": "VORBIS", ".opus": "OPUS"}
        form = "OGG" if path.suffix in kinds else None
        noise = np.random.default_rng(0).normal(0, 0.1, 48_000)
        soundfile.write(path, noise, 48_000, kinds.get(path.suffix), format=form)
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, id3.ID3):
        file.tags.add(id3.TCON(encoding=3, text=values))
    else:
        names = {".m4a": "\xa9gen", ".wma": "WM/Genre"}
        file.tags[names.get(path.suffix, "genre")] = values
    file.save()
    return path


@pytest.mark.parametrize("suffix", ["mp3", "m4a", "wma", "flac", "ogg", "opus", "wav", "aiff"])
def test_what_mutagen_writes_is_read(tmp_path: Path, suffix: str) -> None:
    several = by_mutagen(tmp_path, f"a.{suffix}", ["Post-Rock", "Folk", "Disco"])
    assert genre_tags(several) == ["Post-Rock", "Folk", "Disco"]
    assert every_tag(several)["genre"] == "Post-Rock; Folk; Disco"


def test_of_several_artists_in_a_wma_the_first_counts(tmp_path: Path) -> None:
    """All but the first of several values stand in a part of the header that comes before."""
    mutagen = pytest.importorskip("mutagen")
    path = encoded(tmp_path / "a.wma", "wmav2")
    for name in ("Author", "WM/AlbumArtist"):
        file = mutagen.File(path)
        file.tags[name] = [f"{name} 1", f"{name} 2", f"{name} 3"]
        file.save()
        assert artist_tag(path) == f"{name} 1"


def test_an_asf_header_that_is_cut_anywhere_does_no_harm(tmp_path: Path) -> None:
    whole = made.asf("Art", ("WM/Genre", "Rock"), ("WM/Genre", "Folk"))
    for size in range(16, len(whole)):
        found = genres(tmp_path, whole[:size])
        assert found == ["Rock", "Folk"][: len(found)]
