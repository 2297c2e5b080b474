"""Which artist is read from which tag."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from tinytag import TinyTag

from mgrkit.audio.tags.ape import apev2 as read_apev2
from mgrkit.audio.tags.artist import artist_tag
from mgrkit.audio.tags.id3 import id3v2 as read_id3v2
from tests.audio import made_tags as made
from tests.audio.made_tags import MPEG, apev2, chunk, flac, id3v1, id3v2, text_frame, vorbis

MONKEY = b"MAC \x96\x0f\0\0" + bytes(2000)
"""Sound of a format that only its APEv2 tag tells of."""


def artist(folder: Path, content: bytes, name: str = "a.sound") -> str:
    path = folder / name
    path.write_bytes(content)
    return artist_tag(path)


TWO = {
    "flac": flac(("ARTIST", "Art A"), ("artist", "Art B")),
    "ogg": made.ogg_vorbis(("artist", "Art A"), ("artist", "Art B")),
    "opus": made.opus(("Artist", "Art A"), ("ARTIST", "Art B")),
    "speex": made.ogg(b"Speex   " + bytes(72), vorbis(("artist", "Art A"), ("artist", "Art B"))),
    "ogg flac": made.ogg(
        b"\x7fFLAC\x01\0\0\x01" + flac()[:42], b"\x84\0\0\0" + vorbis(("ARTIST", "Art A"))
    ),
    "id3v2.2": id3v2(text_frame("TP1", "Art A\0Art B", 1, 2), version=2) + MPEG,
    "id3v2.3": id3v2(text_frame("TPE1", "Art A\0Art B", 1, 3), version=3) + MPEG,
    "id3v2.4": id3v2(text_frame("TPE1", "Art A\0Art B")) + MPEG,
    "two frames": id3v2(text_frame("TPE1", "Art A"), text_frame("TPE1", "Art B")) + MPEG,
    "m4a": made.m4a((b"\xa9ART", ["Art A", "Art B"])),
    "apev2": MPEG + apev2(("Artist", "Art A\0Art B")),
    "monkey": MONKEY + apev2(("ARTIST", "Art A\0Art B")),
    "wma": made.asf("Art A", ("WM/AlbumTitle", "x"), ("Author", "Art B")),
}


@pytest.mark.parametrize("kind", TWO)
def test_of_two_artists_the_first_counts(tmp_path: Path, kind: str) -> None:
    assert artist(tmp_path, TWO[kind]) == "Art A"


ALBUM = {
    "flac": flac(("artist", "One"), ("album artist", "The  Band")),
    "ogg": made.ogg_vorbis(("ARTIST", "One"), ("ALBUMARTIST", "The Band")),
    "opus": made.opus(("ARTIST", "One"), ("ALBUM_ARTIST", "The Band")),
    "id3v2.2": id3v2(text_frame("TP1", "One", 0, 2), text_frame("TP2", "The Band", 0, 2), version=2)
    + MPEG,
    "id3v2.4": id3v2(text_frame("TPE1", "One"), text_frame("TPE2", "The Band\0")) + MPEG,
    "own field": id3v2(text_frame("TPE1", "One"), text_frame("TXXX", "ALBUM ARTIST\0The Band"))
    + MPEG,
    "m4a": made.m4a((b"\xa9ART", ["One"]), (b"aART", ["The Band"])),
    "apev2": MONKEY + apev2(("Artist", "One"), ("Album Artist", "The Band")),
    "wma": made.asf("One", ("WM/AlbumArtist", "The Band")),
    "two tags": id3v2(text_frame("TPE1", "One")) + MPEG + apev2(("Albumartist", "The Band")),
}


@pytest.mark.parametrize("kind", ALBUM)
def test_the_album_artist_counts_before_the_artist(tmp_path: Path, kind: str) -> None:
    assert artist(tmp_path, ALBUM[kind]) == "The Band"


DISAGREE = {
    "id3v2, apev2": (id3v2(text_frame("TPE1", "Right")) + MPEG + apev2(("Artist", "Wrong"))),
    "id3v2, id3v1": (id3v2(text_frame("TPE1", "Right")) + MPEG + id3v1(b"Wrong")),
    "apev2, id3v1": MPEG + apev2(("Artist", "Right")) + id3v1(b"Wrong"),
    "vorbis, id3v2": id3v2(text_frame("TPE1", "Wrong")) + flac(("artist", "Right")),
    "vorbis, id3v1": flac(("artist", "Right")) + id3v1(b"Wrong"),
    "info, id3": made.wav(
        made.info(b"Right"), chunk(b"id3 ", id3v2(text_frame("TPE1", "Wrong")))
    ),
    "id3, info": made.wav(
        chunk(b"ID3 ", id3v2(text_frame("TPE1", "Right"))), made.info(b"Wrong")
    ),
    "nobody": id3v2(text_frame("TPE1", "VA")) + MPEG + apev2(("Artist", "Unknown\0Right")),
    "nobody's album": flac(("albumartist", "Various  Artists"), ("artist", "Right")),
}  # fmt: skip


@pytest.mark.parametrize("kind", DISAGREE)
def test_of_two_tags_one_counts(tmp_path: Path, kind: str) -> None:
    assert artist(tmp_path, DISAGREE[kind]) == "Right"


def unsynchronised(*frames: bytes, version: int) -> bytes:
    return id3v2(*(f.replace(b"\xff", b"\xff\0") for f in frames), version=version, flags=0x80)


LONG = text_frame("TIT2", "x" * 300, version=3)
ODD_ID3 = {
    "2.3, unsynchronised": unsynchronised(text_frame("TPE1", "Björnar", 1, 3), version=3),
    "2.2, unsynchronised": unsynchronised(text_frame("TP1", "Björnar", 1, 2), version=2),
    "2.4, unsynchronised, with its length": id3v2(
        made.frame("TPE1", bytes(3) + b"\x11\x01\xff\0\xfe" + "Björnar".encode("utf-16-le"), 4, 3)
    ),
    "2.4, all unsynchronised": id3v2(
        made.frame("TPE1", b"\x01\xff\0\xfe" + "Björnar".encode("utf-16-le")), flags=0x80
    ),
    "2.3, extended header": id3v2(
        b"\0\0\0\x06" + bytes(6), text_frame("TPE1", "Björnar", 0, 3), version=3, flags=0x40
    ),
    "2.4, extended header": id3v2(
        b"\0\0\0\x06\x01\0", text_frame("TPE1", "Björnar"), flags=0x40
    ),
    "2.4, footer": id3v2(text_frame("TPE1", "Björnar"), flags=0x10) + b"3DI\4\0\x10" + bytes(4),
    "2.4, sizes as in 2.3": id3v2(LONG, text_frame("TPE1", "Björnar", version=3)),
    "2.3, names of 2.2": id3v2(text_frame("TP1\0", "Björnar", 1, 3), version=3),
    "UTF-16 without mark": id3v2(text_frame("TPE1", "Björnar", 2)),
    "behind a packed frame": id3v2(
        text_frame("TPE1", "Wrong", 0, 3, 0x80), text_frame("TPE1", "Björnar", 0, 3), version=3
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD_ID3)
def test_id3_is_read_as_its_flags_say(tmp_path: Path, kind: str) -> None:
    assert artist(tmp_path, ODD_ID3[kind] + MPEG) == "Björnar"


UNTOLD = {
    "id3v1": (MPEG + id3v1("Björnar".encode("latin-1")), MPEG + id3v1("Björnar".encode())),
    "info": (
        made.wav(made.info("Björnar".encode("latin-1"))),
        made.wav(made.info("Björnar".encode())),
    ),
    "auth": (
        made.aiff(chunk(b"AUTH", "Björnar".encode("latin-1"), ">")),
        made.aiff(chunk(b"AUTH", "Björnar\0".encode(), ">")),
    ),
    "ape": (MPEG + apev2(("Artist", "Björnar"), version=1000), MPEG + apev2(("Artist", "Björnar"))),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNTOLD)
def test_text_of_an_untold_encoding_is_latin_1_where_it_is_not_utf_8(
    tmp_path: Path, kind: str
) -> None:
    latin, utf = UNTOLD[kind]
    assert artist(tmp_path, latin) == artist(tmp_path, utf) == "Björnar"


def test_apev2_is_found_before_what_else_stands_at_the_end(tmp_path: Path) -> None:
    lyrics = b"LYRICSBEGIN" + b"IND0000200" + b"LYRICS200"
    tag = apev2(("Title", "x"), ("Artist", "Ape"))
    assert artist(tmp_path, MPEG + tag + lyrics + id3v1(b"Wrong")) == "Ape"
    assert artist(tmp_path, MPEG + apev2(("Cover", "x" * 100_000), ("Artist", "Ape"))) == "Ape"
    assert artist(tmp_path, MPEG + apev2(("Artist", "bytes"), kind=1)) == ""


def test_chained_files_and_wma_are_read_to_the_end_of_their_tags(tmp_path: Path) -> None:
    joined = made.ogg_vorbis(("artist", "First")) + made.ogg_vorbis(("artist", "Other"), serial=2)
    assert artist(tmp_path, joined) == "First"
    sound = b"\xa5" * 16 + b"\xff" * 6 + b"\x7f\xff" + bytes(100)  # an object of 2^63 bytes
    assert artist(tmp_path, made.asf("Author", behind=sound)) == "Author"


def test_one_text_is_one_artist(tmp_path: Path) -> None:
    assert artist(tmp_path, id3v2(text_frame("TPE1", "AC/DC", 0, 3), version=3) + MPEG) == "AC/DC"
    assert artist(tmp_path, flac(("artist", "Art A; Art B"))) == "Art A; Art B"


def test_files_of_the_cases(data: Path) -> None:
    told = {path.name: artist_tag(path) for path in (data / "cases").glob("*.*")}
    named = {name: told.get(name) for name in told if told[name]}
    assert named == {
        "two_artists.mp3": "Art A",
        "two_artists.ogg": "Art A",
        "two_artists.flac": "Art A",
        "id3v1_latin1.mp3": "Björnar",
        "ape_and_id3.mp3": "Id3 Art",
    }


CLAIMS = {
    "id3": b"ID3\3\0\0\x7f\x7f\x7f\x7fTPE1\x7f\xff\xff\xff\0\0\0Art",
    "ape": MPEG + apev2(("Artist", "Art"))[:-20] + b"\xff\xff\xff\x7f" + bytes(16),
    "flac": b"fLaC\x04\xff\xff\xff\xff\xff\xff\x7f",
    "ogg": made.ogg(b"\x03vorbis\xff\xff\xff\x7f\xff\xff\xff\x7f", bytes(20)),
    "m4a": made.box(b"ftyp", b"M4A ") + b"\x7f\xff\xff\xffmoov" * 20,
    "wav": b"RIFF\xff\xff\xff\xffWAVELIST\xff\xff\xff\xffINFOIART\xff\xff\xff\x7f",
    "wma": made.asf("x")[:40] + b"\xff" * 60,
}


@pytest.mark.parametrize("kind", CLAIMS)
def test_what_a_damaged_header_claims_does_no_harm(tmp_path: Path, kind: str) -> None:
    """Also in a file that is large but empty, where nothing may be read to its end."""
    for size in (0, 1 << 32):
        path = tmp_path / "a"
        path.write_bytes(CLAIMS[kind])
        if size:
            with path.open("r+b") as file:
                file.truncate(size)
        assert artist_tag(path) in ("", "Art")


def test_a_tag_of_zeros_is_not_many_artists() -> None:
    """They would fill the memory."""
    frame = made.frame("TPE1", b"\3" + b"\0" * 100_000)
    assert len(read_id3v2(BytesIO(id3v2(frame)))) <= 16
    assert len(read_id3v2(BytesIO(id3v2(text_frame("TPE1", "x") * 9999)))) <= 1000
    assert len(read_apev2(BytesIO(apev2(("Artist", "\0" * 100_000))))) <= 16


@pytest.mark.parametrize("content", [flac(("artist", "x")), b"no sound" * 9])
def test_a_wrong_call_is_not_taken_for_a_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    from mgrkit.audio import pyav

    def wrong(*given: object, **named: object) -> None:
        raise TypeError("unexpected keyword")

    monkeypatch.setattr(TinyTag, "get", wrong)
    monkeypatch.setattr(pyav, "open_container", wrong)
    with pytest.raises(TypeError):
        artist(tmp_path, content)


def test_no_container_is_opened_where_it_could_tell_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes ten times as long as all else."""
    from mgrkit.audio import pyav

    def never(path: Path) -> None:
        pytest.fail("opened")

    monkeypatch.setattr(pyav, "open_container", never)
    for content in (flac(), MPEG * 9, made.wav(), made.aiff(), made.ogg_vorbis(), made.asf("")):
        assert artist(tmp_path, content) == ""


def tagged(path: Path, **tags: str) -> Path:
    import av

    with av.open(str(path), "w") as container:
        container.metadata.update(tags)
        stream = container.add_stream("flac" if path.suffix == ".flac" else "aac", 44_100)
        flac = path.suffix == ".flac"
        part = np.zeros((1, 2048), np.int16) if flac else np.zeros((2, 1024), np.float32)
        frame = av.AudioFrame.from_ndarray(part, "s16" if flac else "fltp", "stereo")
        frame.rate = 44_100
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


@pytest.mark.parametrize("name", ["a.flac", "a.m4a", "a.mka", "concat:a.flac"])
def test_what_ffmpeg_writes_is_read(tmp_path: Path, name: str) -> None:
    path = tagged(tmp_path / name, artist="The Singer", album_artist="The  Band")
    assert artist_tag(path) == artist_tag(str(path)) == "The Band"
    assert artist_tag(tagged(tmp_path / name, artist="The Singer")) == "The Singer"


def test_tags_of_quicktime_are_read(tmp_path: Path) -> None:
    assert artist_tag(tagged(tmp_path / "a.mov", artist="The Singer")) == "The Singer"


def test_various_artists_are_nobody(tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.flac", artist="The Singer", album_artist="Various Artists")
    assert artist_tag(path) == "The Singer"
    assert artist_tag(tagged(tmp_path / "b.flac", artist="Unknown Artist")) == ""
    assert artist_tag(tagged(tmp_path / "c.flac", artist="N/A")) == ""


def test_a_file_without_tags_or_not_readable_has_no_artist(tmp_path: Path) -> None:
    (tmp_path / "noise.mp3").write_bytes(bytes(range(256)) * 10)
    assert artist_tag(tmp_path / "noise.mp3") == ""
    assert artist_tag(tmp_path / "missing.mp3") == ""
    assert artist_tag(tmp_path) == ""
    assert artist_tag("nul\0byte.mp3") == ""
    assert artist_tag(tagged(tmp_path / "a.flac")) == ""


def test_tags_of_real_and_hostile_files(data: Path) -> None:
    assert artist_tag(data / "fma" / "clips" / "000010.mp3") == "Kurt Vile"
    assert artist_tag(data / "songs" / "vibe_ace.ogg") == "Kevin MacLeod"
    for path in sorted((data / "hostile").iterdir()):
        assert isinstance(artist_tag(path), str)
