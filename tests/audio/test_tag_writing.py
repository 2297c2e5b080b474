"""A genre in tags of every kind, and all else of the file as it was."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

mutagen = pytest.importorskip("mutagen")

import soundfile
from mutagen import apev2, flac, id3
from tinytag import TinyTag

from mgrkit.audio.packets import packets_digest
from mgrkit.audio.tags.genre import genre_tags
from mgrkit.audio.tags.writing import open_tags, rewritten
from mgrkit.errors import ItemError
from tests.audio import made_tags
from tests.audio.encoded import bare_mp3, encode, tone
from tests.audio.taggable import FORMATS, PICTURE, song, untagged

PROBE = shutil.which("ffprobe")


def write(path: Path, **fields: list[str]) -> Path:
    """What `rewritten` makes of a copy."""
    copy = path.with_name("copy.tmp")
    shutil.copyfile(path, copy)
    rewritten(open_tags(path), copy, fields)
    changed = path.with_name(f"changed-{path.name}")
    copy.rename(changed)
    return changed


def refused(path: Path, reason: str) -> str:
    """How it is refused that a genre is written; the file stays as it was."""
    before = path.read_bytes()
    copy = path.with_name("copy.tmp")
    shutil.copyfile(path, copy)
    with pytest.raises(ItemError) as raised:
        rewritten(open_tags(path), copy, {"genre": ["rock"]})
    assert raised.value.reason == reason
    assert path.read_bytes() == before
    return raised.value.message


def plain(path: Path) -> dict[str, Any]:
    """All that mutagen reads, as it translates it."""
    return {name: repr(value) for name, value in dict(mutagen.File(path).tags or {}).items()}


@pytest.mark.parametrize("form", FORMATS)
def test_the_genre_is_there_and_nothing_else_has_changed(tmp_path: Path, form: str) -> None:
    path = song(tmp_path / f"a.{form}")
    assert open_tags(path).values("genre") == []
    made = write(path, genre=["Hip-Hop"])
    assert open_tags(made).values("genre") == genre_tags(made) == ["Hip-Hop"]
    assert packets_digest(made) == packets_digest(path)
    before, after = plain(path), plain(made)
    assert len(before) >= 3
    added = {name for name in after if after[name] != before.get(name)}
    assert len(added) == 1
    assert {name: after[name] for name in before} == before
    assert PICTURE in made.read_bytes() or form in ("ogg", "opus", "oga", "tta", "wv")


@pytest.mark.parametrize("form", FORMATS)
def test_foreign_readers_read_the_genre(tmp_path: Path, form: str) -> None:
    made = write(song(tmp_path / f"a.{form}"), genre=["Blüs"])
    if form not in ("wv", "tta"):  # formats that tinytag does not know
        assert TinyTag.get(made).genre == "Blüs"
    if not PROBE:
        pytest.skip("ffprobe is not installed")
    entries = "format_tags=genre:stream_tags=genre"
    words = [PROBE, "-v", "error", "-show_entries", entries, "-of", "csv=p=0", str(made)]
    shown = subprocess.run(words, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["Blüs"]


@pytest.mark.parametrize("form", FORMATS)
def test_custom_fields_have_several_values(tmp_path: Path, form: str) -> None:
    path = song(tmp_path / f"a.{form}")
    fields = {"MY_GENRE": ["rock", "Ümläut"], "MY_GENRE_PROBABILITY": ["0.5", "0.25"]}
    made = write(path, **fields)
    tags = open_tags(made)
    assert {name: tags.values(name) for name in fields} == fields
    assert tags.values("genre") == []
    again = write(made, MY_GENRE=["jazz"])
    assert open_tags(again).values("MY_GENRE") == ["jazz"]
    assert open_tags(again).values("MY_GENRE_PROBABILITY") == ["0.5", "0.25"]


@pytest.mark.parametrize("form", FORMATS)
def test_a_custom_field_whose_name_differs_in_letter_case_is_the_same(
    tmp_path: Path, form: str
) -> None:
    path = write(song(tmp_path / f"a.{form}"), mgrkit_genre=["rock"])
    assert open_tags(path).values("MGRKIT_GENRE") == ["rock"]
    made = write(path, MGRKIT_GENRE=["jazz", "pop"])
    assert made.read_bytes().lower().count(b"rock") == 0
    for name in ("mgrkit_genre", "MGRKIT_GENRE", "Mgrkit_Genre"):
        assert open_tags(made).values(name) == ["jazz", "pop"]
    names = mutagen.File(made).tags.keys()
    assert len([name for name in names if "mgrkit" in name.lower()]) == 1


def test_of_fields_that_stand_there_twice_one_is_left(tmp_path: Path) -> None:
    for form, name in (("mp3", "TXXX:{}"), ("m4a", "----:com.apple.iTunes:{}"), ("wma", "{}")):
        path = song(tmp_path / f"a.{form}")
        file = mutagen.File(path)
        for field in ("mgrkit_genre", "MGRKIT_GENRE"):
            text: Any = id3.TXXX(encoding=0, desc=field, text=["old"])
            if form != "mp3":
                text = [b"old"] if form == "m4a" else ["old"]
            file.tags[name.format(field)] = text
        file.save()
        assert path.read_bytes().replace(b"\0", b"").lower().count(b"mgrkit_genre") == 2
        made = write(path, MGRKIT_GENRE=["new"])
        assert made.read_bytes().replace(b"\0", b"").lower().count(b"mgrkit_genre") == 1
        assert open_tags(made).values("MGRKIT_GENRE") == ["new"]


@pytest.mark.parametrize("form", FORMATS)
def test_files_without_any_tag_get_one(tmp_path: Path, form: str) -> None:
    path = untagged(tmp_path / f"a.{form}")
    made = write(path, genre=["rock", "pop"])
    assert open_tags(made).values("genre") == ["rock", "pop"]
    assert packets_digest(made) == packets_digest(path)


@pytest.mark.parametrize("form", ["mp3", "flac", "opus", "m4a", "wma", "wav", "aiff"])
def test_tags_of_ten_megabytes(tmp_path: Path, form: str) -> None:
    path = untagged(tmp_path / f"a.{form}")
    big = bytes(range(256)) * 40_000
    file = mutagen.File(path)
    if file.tags is None:
        file.add_tags()
    if isinstance(file.tags, id3.ID3):
        file.tags.add(id3.APIC(encoding=0, mime="image/png", type=3, desc="", data=big))
    elif form == "flac":
        picture = flac.Picture()
        picture.data = big
        file.add_picture(picture)
    elif form == "m4a":
        file.tags["covr"] = [mutagen.mp4.MP4Cover(big)]
    elif form == "wma":
        file.tags["WM/Picture"] = [mutagen.asf.ASFByteArrayAttribute(big)]
    else:
        file.tags["COVER"] = big.hex()[:10_100_000]
    file.save()
    assert path.stat().st_size > 10_000_000
    made = write(path, genre=["rock"])
    assert open_tags(made).values("genre") == ["rock"]
    assert packets_digest(made) == packets_digest(path)


def mpeg(path: Path, front: bytes = b"", behind: bytes = b"") -> Path:
    bare_mp3(path, tone(1.0, 44_100), 44_100)
    path.write_bytes(front + path.read_bytes() + behind)
    return path


@pytest.mark.parametrize("version", [2, 3, 4])
def test_id3v2_keeps_its_version_and_frames(tmp_path: Path, version: int) -> None:
    names = ("TT2", "TYER"[:3], "TCO") if version == 2 else ("TIT2", "TYER", "TCON")
    front = made_tags.id3v2(
        made_tags.text_frame(names[0], "Tïtle", 1, version),
        made_tags.text_frame(names[1], "1999", 0, version),
        version=version,
    )
    path = mpeg(tmp_path / "a.mp3", front)
    made = write(path, genre=["Rock", "Pop"]).read_bytes()
    assert made[3] == max(3, version)
    assert b"TYER" in made, "it is not made a date of ID3v2.4"
    again = open_tags(tmp_path / "changed-a.mp3")
    assert again.values("genre") == ["Rock", "Pop"]
    assert str(again.tags["TIT2"]) == "Tïtle"


def test_frames_that_nobody_knows_stay(tmp_path: Path) -> None:
    strange = made_tags.frame("XYZW", b"\1\2\3 whatever", 4)
    secret = made_tags.frame("TENC", b"\x07encrypted", 4, 0x04)
    path = mpeg(tmp_path / "a.mp3", made_tags.id3v2(strange, secret))
    made = write(path, genre=["rock"]).read_bytes()
    assert strange in made
    assert secret in made


@pytest.mark.parametrize("name", ["XYZ", "NCO", "CRM"])
@pytest.mark.parametrize("form", ["mp3", "wav", "flac"])
def test_frames_of_2_2_that_have_no_name_in_2_3_are_not_lost(
    tmp_path: Path, form: str, name: str
) -> None:
    """ID3v2.2 is written as 2.3, where mutagen leaves out what it does not know."""
    title = made_tags.text_frame("TT2", "Song", 0, 2)
    for extra in (b"", made_tags.frame(name, b"\0mine\0kept", 2)):
        front = made_tags.id3v2(title, made_tags.text_frame("TCO", "Rock", 0, 2), extra, version=2)
        if form == "wav":
            path = untagged(tmp_path / "a.wav")
            raw = path.read_bytes() + made_tags.chunk(b"id3 ", front)
            path.write_bytes(raw[:4] + (len(raw) - 8).to_bytes(4, "little") + raw[8:])
        elif form == "flac":
            path = song(tmp_path / "a.flac")
            path.write_bytes(front + path.read_bytes())
        else:
            path = mpeg(tmp_path / "a.mp3", front)
        if not extra:
            made = write(path, genre=["Jazz"])
            assert b"Song" in made.read_bytes()
            assert open_tags(made).values("genre") == ["Jazz"]
        else:
            why = refused(path, "damaged-tags")
            assert name == "CRM" or f"a frame {name} in its tags" in why


@pytest.mark.parametrize("old", ["(17)", "17", "Rock"])
def test_genres_by_number_stand(tmp_path: Path, old: str) -> None:
    front = made_tags.id3v2(made_tags.text_frame("TCON", old, 0, 3), version=3)
    assert open_tags(mpeg(tmp_path / "a.mp3", front)).values("genre") == ["Rock"]


@pytest.mark.parametrize("old", ["(255)", "255", "(192)", " ", "()"])
def test_numbers_of_no_genre_do_not_stand(tmp_path: Path, old: str) -> None:
    front = made_tags.id3v2(made_tags.text_frame("TCON", old, 0, 3), version=3)
    path = mpeg(tmp_path / "a.mp3", front)
    assert open_tags(path).values("genre") == genre_tags(path) == []
    assert open_tags(write(path, genre=["Jazz"])).values("genre") == ["Jazz"]


def gnre(path: Path, number: int) -> Path:
    """An M4A that has its genre by number."""
    song(path)
    file = mutagen.File(path)
    file.tags["\xa9gen"] = ["??"]
    file.save()
    raw = path.read_bytes()
    text = b"\0\0\0\1\0\0\0\0??"
    assert raw.count(b"\xa9gen") == raw.count(text) == 1
    raw = raw.replace(b"\xa9gen", b"gnre").replace(text, bytes(8) + number.to_bytes(2, "big"))
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("number", [0, 193, 255, 300, 65_535])
def test_an_mp4_number_of_no_genre_is_none_and_becomes_none(tmp_path: Path, number: int) -> None:
    """mutagen takes 0 for the last of its genres, and 65,535 for the one before."""
    path = gnre(tmp_path / "a.m4a", number)
    assert open_tags(path).values("genre") == genre_tags(path) == []
    made = write(path, MGRKIT_GENRE=["rock"])
    assert open_tags(made).values("genre") == genre_tags(made) == []
    made = write(path, genre=["Jazz"])
    assert open_tags(made).values("genre") == genre_tags(made) == ["Jazz"]


def test_a_genre_by_number_in_mp4_stands(tmp_path: Path) -> None:
    path = gnre(tmp_path / "a.m4a", 18)
    assert open_tags(path).values("genre") == ["Rock"]
    made = write(path, genre=["Jazz"])
    assert open_tags(made).values("genre") == ["Jazz"]
    assert b"gnre" not in made.read_bytes(), "there are not two genres"


def test_of_id3v1_one_byte_changes(tmp_path: Path) -> None:
    old = made_tags.id3v1("Artïst".encode("latin-1"))[:-1]
    for new, genre in ((17, "Rock"), (255, "Polka Metal")):
        path = mpeg(tmp_path / "a.mp3", made_tags.id3v2(), old + b"\xff")
        assert open_tags(path).values("genre") == []
        made = write(path, genre=[genre]).read_bytes()
        assert made[-128:] == old + bytes([new])
    assert open_tags(mpeg(tmp_path / "b.mp3", b"", old + b"\x08")).values("genre") == ["Jazz"]


WORDS = b"LYRICSBEGININD0000200LYR00005Words"


@pytest.mark.parametrize("lyrics", [b"", WORDS + b"%06dLYRICS200" % len(WORDS)])
def test_what_stands_behind_apev2_stays(tmp_path: Path, lyrics: bytes) -> None:
    rest = lyrics + made_tags.id3v1(b"Artist")[:-1] + b"\xff"
    for path in (
        mpeg(tmp_path / "a.mp3", b"", made_tags.apev2(("Title", "Song")) + rest),
        untagged(tmp_path / "a.wv"),
    ):
        if path.suffix == ".wv":
            file = mutagen.File(path)
            file.tags["Title"] = "Song"
            file.save()
            path.write_bytes(path.read_bytes() + rest)
        made = write(path, genre=["Jazz"])
        assert made.read_bytes().endswith(rest[:-1] + b"\x08")
        assert apev2.APEv2(made)["Title"] == "Song"
        assert apev2.APEv2(made)["Genre"] == "Jazz"
        assert packets_digest(made) == packets_digest(path)


def test_of_apev2_and_id3v2_that_disagree_id3v2_counts_and_then_they_agree(tmp_path: Path) -> None:
    front = made_tags.id3v2(made_tags.text_frame("TCON", "Rock"))
    path = mpeg(tmp_path / "a.mp3", front, made_tags.apev2(("genre", "Jazz"), ("Title", "Song")))
    assert open_tags(path).values("genre") == ["Rock"]
    made = write(path, genre=["Pop"])
    assert id3.ID3(made)["TCON"].text == ["Pop"]
    assert dict(apev2.APEv2(made)) == {"Genre": "Pop", "Title": "Song"}
    behind = mpeg(tmp_path / "b.mp3", made_tags.id3v2(), made_tags.apev2(("GENRE", "Jazz")))
    assert open_tags(behind).values("genre") == ["Jazz"], "a genre in either stands"


def test_a_flac_with_id3_around_it(tmp_path: Path) -> None:
    """Comments count first; what else says a genre says the same afterwards."""
    path = song(tmp_path / "a.flac")
    sound = packets_digest(path)
    title = made_tags.text_frame("TIT2", "Song", 0, 3)
    genre = made_tags.text_frame("TCON", "(17)", 0, 3)
    rest = made_tags.id3v1(b"Artist")[:-1]
    raw = path.read_bytes()
    path.write_bytes(made_tags.id3v2(title, genre, version=3) + raw + rest + b"\x07")
    assert genre_tags(path) == ["Rock"]
    made = write(path, genre=["Jazz"])
    assert genre_tags(made) == open_tags(made).values("genre") == ["Jazz"]
    front = id3.ID3(made)
    assert (front.version[:2], front["TCON"].text, front["TIT2"].text) == (
        (2, 3), ["Jazz"], ["Song"],
    )  # fmt: skip
    assert made.read_bytes().endswith(rest + b"\x08")
    assert packets_digest(made) == sound
    path.write_bytes(made_tags.id3v2(title, version=3) + raw)
    assert "TCON" not in id3.ID3(write(path, genre=["Jazz"])), "none is made"
    path.write_bytes(made_tags.id3v2(made_tags.frame("TXXX", b"\x09bad")) + raw)
    refused(path, "damaged-tags")


def test_two_id3v2_tags_are_refused(tmp_path: Path) -> None:
    one = made_tags.id3v2(made_tags.text_frame("TIT2", "Song"))
    assert "programs differ" in refused(mpeg(tmp_path / "a.mp3", 2 * one), "two-tags")
    foot = one + b"3DI" + one[3:10]
    assert "programs differ" in refused(mpeg(tmp_path / "b.mp3", one, foot), "two-tags")


def broken_frame(path: Path) -> None:
    bad = made_tags.frame("TXXX", b"\x09no such encoding\0text", 4)
    mpeg(path, made_tags.id3v2(made_tags.text_frame("TIT2", "Song"), bad))


def endless_id3(path: Path) -> None:
    mpeg(path, b"ID3\4\0\0" + made_tags.synchsafe(100_000_000))


def not_utf8(path: Path) -> None:
    song(path)
    raw = path.read_bytes()
    assert b"MOOD=calm" in raw.upper().replace(b"CALM", b"calm")
    path.write_bytes(raw.replace(b"=calm", b"=c\xe4lm"[:5]))


def cut_comment(path: Path) -> None:
    song(path)
    path.write_bytes(path.read_bytes().replace(b"Mood=calm", b"Mood+calm"))


def bad_items(path: Path) -> None:
    song(path)
    raw = path.read_bytes()
    assert b"Mood\0calm" in raw
    path.write_bytes(raw.replace(b"Mood\0calm", b"M\xe4od\0calm"))


def cut_atoms(path: Path) -> None:
    song(path)
    raw = path.read_bytes()
    at = raw.index(b"ilst") - 4
    path.write_bytes(raw[:at] + b"\xff\xff\xff\xf0" + raw[at + 4 :])


def short_asf(path: Path) -> None:
    song(path)
    path.write_bytes(path.read_bytes()[:200])


def riff_of_no_size(path: Path) -> None:
    song(path)
    raw = path.read_bytes()
    path.write_bytes(raw[:4] + bytes(4) + raw[8:])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("a.mp3", broken_frame),
        ("a.mp3", endless_id3),
        ("a.ogg", not_utf8),
        ("a.opus", cut_comment),
        ("a.flac", cut_comment),
        ("a.wv", bad_items),
        ("a.m4a", cut_atoms),
        ("a.wma", short_asf),
        ("a.wav", riff_of_no_size),
    ],
)
def test_damaged_tags_are_refused_and_nothing_is_lost(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(tmp_path / name)
    refused(tmp_path / name, "damaged-tags")


def test_a_wav_whose_data_is_odd_and_unpadded(tmp_path: Path) -> None:
    """Some writers leave out the byte that RIFF wants behind a chunk of an odd size."""
    path = untagged(tmp_path / "a.wav")
    raw = path.read_bytes()[:-1]
    size = len(raw) - 44
    path.write_bytes(raw[:40] + size.to_bytes(4, "little") + raw[44:])
    made = write(path, genre=["rock"])
    assert open_tags(made).values("genre") == ["rock"]
    assert packets_digest(made) == packets_digest(path)
    assert TinyTag.get(made).genre == "rock"


def test_a_genre_in_the_info_of_a_wav_stands(tmp_path: Path) -> None:
    path = untagged(tmp_path / "a.wav")
    info = b"INFOIGNR\x05\0\0\0Rock\0\0"
    raw = path.read_bytes() + b"LIST" + len(info).to_bytes(4, "little") + info
    path.write_bytes(raw[:4] + (len(raw) - 8).to_bytes(4, "little") + raw[8:])
    assert open_tags(path).values("genre") == ["Rock"]
    made = write(path, genre=["Jazz"])
    assert open_tags(made).values("genre") == ["Jazz"]
    assert info in made.read_bytes()


def test_formats_without_tags_are_named(tmp_path: Path, data: Path) -> None:
    encode(tmp_path / "a.aac", tone(1.0, 44_100, 2), 44_100, "aac", "adts")
    assert "raw AAC" in refused(tmp_path / "a.aac", "no-tags")
    for suffix in ("ac3", "caf", "rf64", "w64", "mka"):
        path = shutil.copyfile(data / "cases" / f"whole.{suffix}", tmp_path / f"a.{suffix}")
        why = refused(path, "no-tags")
        assert "RF64" in why or suffix != "rf64", "FFmpeg calls it WAV, which has tags"


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("suffix", ["mp3", "flac", "wav", "avi", "tta"])
def test_the_content_decides_and_not_the_suffix(tmp_path: Path, form: str, suffix: str) -> None:
    path = song(tmp_path / f"a.{form}").rename(tmp_path / f"b.{suffix}")
    made = write(path, genre=["Hip-Hop"])
    assert open_tags(made).values("genre") == genre_tags(made) == ["Hip-Hop"]
    assert packets_digest(made) == packets_digest(path)


@pytest.mark.parametrize("suffix", ["avi", "mp3", "flac", "wav", "tta", "mpc"])
def test_containers_that_are_not_written_are_named_whatever_their_suffix(
    tmp_path: Path, suffix: str
) -> None:
    for codec, form, called in (
        ("mp2", "avi", "AVI"), ("ac3", "ac3", "AC-3"), ("libopus", "webm", "WebM"),
        ("pcm_s16le", "w64", "Wave64"), ("aac", "flv", "FLV"),
    ):  # fmt: skip
        path = tmp_path / f"{form}.{suffix}"
        encode(path, tone(1.0, 48_000, 2), 48_000, codec, form)
        assert called in refused(path, "no-tags")
    (tmp_path / f"text.{suffix}").write_text("words" * 1000)
    # FFmpeg takes what it does not know for what the suffix says.
    refused(tmp_path / f"text.{suffix}", "no-samples" if suffix == "flac" else "not-audio")


@pytest.mark.parametrize("suffix", ["pvf", "mp3", "wav"])
def test_what_libsndfile_alone_knows_is_not_written(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, tone(1.0, 44_100)[0], 44_100, format="PVF")
    refused(path, "no-tags")


@pytest.mark.parametrize("form", ["ogg", "opus", "oga", "m4a", "wma", "wav", "aiff", "wv"])
def test_id3v2_in_front_of_what_has_none_there_is_named(tmp_path: Path, form: str) -> None:
    path = song(tmp_path / f"a.{form}")
    front = made_tags.id3v2(made_tags.text_frame("TIT2", "Song"))
    path.write_bytes(front + path.read_bytes())
    assert "a tag stands in front of it" in refused(path, "damaged-tags")


def test_an_mp3_behind_zeros_is_one(tmp_path: Path) -> None:
    path = mpeg(tmp_path / "a.wav", bytes(5000))
    made = write(path, genre=["Rock"])
    assert open_tags(made).values("genre") == ["Rock"]
    assert packets_digest(made) == packets_digest(path)


@pytest.mark.skipif(not shutil.which("mpcenc"), reason="mpcenc is not installed")
def test_musepack(tmp_path: Path) -> None:
    wave = untagged(tmp_path / "a.wav")
    path = tmp_path / "a.mpc"
    subprocess.run(["mpcenc", "--silent", str(wave), str(path)], capture_output=True, check=True)
    made = write(path, genre=["Hip-Hop"])
    assert apev2.APEv2(made)["Genre"] == "Hip-Hop"
    assert packets_digest(made) == packets_digest(path)
