"""Archives are taken apart whole, and those that would do harm not at all."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import stat
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mgrkit.errors import RunError, Stopped
from mgrkit.files import archives, downloads
from mgrkit.files.archives import Member, extract, is_archive, without_suffix
from tests.files.made_archives import entry, tar_of, write, zip_of

FILES = {
    "genres/blues/blues.00000.au": b".snd" * 1000,
    "genres/blues/blues.00001.au": b"dns." * 5000,
    "genres/jazz/jazz.00000.au": b"",
    "readme": b"about",
}
KINDS = (".zip", ".tar", ".tar.gz", ".tgz")


def found(folder: Path) -> dict[str, bytes]:
    """All that lies in a folder, hidden or not."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def refused(archive: Path, folder: Path) -> str:
    """Why an archive is not extracted; nothing at all is written."""
    with pytest.raises(RunError) as caught:
        extract(archive, folder)
    assert not folder.exists()
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_all_files_come_out_as_they_were(tmp_path: Path, kind: str) -> None:
    archive = write(tmp_path / f"music{kind}", FILES)
    seen: list[tuple[str, int, int]] = []
    members = extract(archive, tmp_path / "out", lambda *step: seen.append(step))
    assert found(tmp_path / "out") == FILES
    assert members == tuple(Member(path, len(content)) for path, content in FILES.items())
    size = sum(map(len, FILES.values()))
    assert seen[-1] == (f"extracting music{kind}", size, size)
    umask = os.umask(0)
    os.umask(umask)
    mode = (tmp_path / "out" / "readme").stat().st_mode
    assert stat.S_IMODE(mode) == 0o666 & ~umask  # not as the archive says


def test_names_of_archives() -> None:
    assert all(is_archive(Path(f"a{kind}")) for kind in (*KINDS, ".ZIP"))
    assert not is_archive(Path("a.gz"))
    assert without_suffix("genres.tar.gz") == "genres"
    assert without_suffix("fma_small.zip") == "fma_small"
    assert without_suffix("song.mp3") == "song.mp3"


def test_other_ways_to_write_the_same_path(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"./x//a.wav": b"1", "y\\b.wav": b"2", "z/": b""}))
    extract(tmp_path / "a.zip", tmp_path / "out")
    assert found(tmp_path / "out") == {"x/a.wav": b"1", "y/b.wav": b"2"}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
def test_methods_of_zip(tmp_path: Path, method: int) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of(FILES, method))
    extract(tmp_path / "a.zip", tmp_path / "out")
    assert found(tmp_path / "out") == FILES


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_kept_and_the_rest_added(tmp_path: Path, kind: str) -> None:
    archive = write(tmp_path / f"music{kind}", FILES)
    extract(archive, tmp_path / "out")
    kept = tmp_path / "out" / "genres" / "blues" / "blues.00001.au"
    before = kept.stat().st_ino, kept.stat().st_mtime_ns
    (tmp_path / "out" / "readme").unlink()
    seen: list[int] = []
    extract(archive, tmp_path / "out", lambda step, done, total: seen.append(total - done))
    assert found(tmp_path / "out") == FILES
    assert seen == [0]  # what is there counts as done
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == before


BAD_NAMES = {
    "/etc/passwd": "is no relative path",
    "//server/share/a.wav": "is no relative path",
    "C:/a.wav": "is no relative path",
    "c:a.wav": "is no relative path",
    "\\a.wav": "is no relative path",
    "../a.wav": "leads out of its folder",
    "a/../../b.wav": "leads out of its folder",
    "a\\..\\..\\b.wav": "leads out of its folder",
    "a/..": "leads out of its folder",
}


@pytest.mark.parametrize("name", BAD_NAMES)
@pytest.mark.parametrize("kind", KINDS[:3])
def test_no_path_leads_out(tmp_path: Path, name: str, kind: str) -> None:
    archive = write(tmp_path / f"a{kind}", {"good.wav": b"1", name: b"2"})
    assert BAD_NAMES[name] in refused(archive, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {archive.name}


LINKS = [
    entry("a", kind=tarfile.SYMTYPE, link="/etc/passwd"),
    entry("a", kind=tarfile.SYMTYPE, link="good.wav"),
    entry("a", kind=tarfile.LNKTYPE, link="good.wav"),
    entry("a", kind=tarfile.CHRTYPE),
    entry("a", kind=tarfile.BLKTYPE),
    entry("a", kind=tarfile.FIFOTYPE),
]


@pytest.mark.parametrize("info", LINKS, ids=lambda info: str(info.type))
def test_a_tar_has_no_links_and_no_devices(tmp_path: Path, info: tarfile.TarInfo) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of({"good.wav": b"1"}, [info]))
    assert "is no plain file, but a link or a device" in refused(tmp_path / "a.tar", tmp_path / "o")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_nor_has_a_zip(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("a")
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert "'a' is a link or a device" in refused(tmp_path / "a.zip", tmp_path / "out")


def test_a_path_is_of_one_file(tmp_path: Path) -> None:
    twice = tar_of({"a.wav": b"1", "./a.wav": b"2"})
    (tmp_path / "a.tar").write_bytes(twice)
    assert "'a.wav' is there twice" in refused(tmp_path / "a.tar", tmp_path / "out")
    (tmp_path / "b.zip").write_bytes(zip_of({"a": b"1", "a/b": b"2"}))
    assert "'a' is a file and a folder" in refused(tmp_path / "b.zip", tmp_path / "out")


def test_bombs_are_not_lit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_ALWAYS_ALLOWED", 1 << 16)
    zeros = {"a.wav": bytes(1 << 20)}
    (tmp_path / "a.zip").write_bytes(zip_of(zeros))
    assert "it holds 1,048,576 bytes or more" in refused(tmp_path / "a.zip", tmp_path / "out")
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(tar_of(zeros)))
    assert "it holds 1,048,576 bytes or more" in refused(tmp_path / "a.tar.gz", tmp_path / "out")
    monkeypatch.setattr(archives, "_ALWAYS_ALLOWED", 1 << 20)
    extract(tmp_path / "a.zip", tmp_path / "out")


def test_nor_is_one_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_FILES", 3)
    for kind in KINDS:
        archive = write(tmp_path / f"a{kind}", FILES)
        assert "it holds 3 files or more" in refused(archive, tmp_path / "out")


def test_a_header_of_a_tar_is_short(tmp_path: Path) -> None:
    """tarfile would read it into memory, whatever size it states."""
    for kind in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
        header = entry("long", 1 << 32, kind).tobuf(tarfile.USTAR_FORMAT)
        (tmp_path / "a.tar").write_bytes(header + bytes(4096))
        text = refused(tmp_path / "a.tar", tmp_path / "out")
        assert "it has a header of 4,294,967,296 bytes" in text


def test_a_negative_size_ends_it(tmp_path: Path) -> None:
    """tarfile of some Pythons goes round in circles there."""
    header = bytearray(entry("a.wav", 0).tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfe\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    first = tar_of({"b.wav": b"1"})[:1024]
    (tmp_path / "a.tar").write_bytes(first + bytes(header) + bytes(1024))
    assert "'a.wav' is no plain file" in refused(tmp_path / "a.tar", tmp_path / "out")


def test_sizes_are_those_that_are_stated(tmp_path: Path) -> None:
    """A zip whose directory states more or less than comes."""
    for stated in (3, 5):
        content = bytearray(zip_of({"a.wav": b"1234"}, zipfile.ZIP_DEFLATED))
        directory = content.index(b"PK\1\2")
        content[directory + 24 : directory + 28] = struct.pack("<I", stated)
        (tmp_path / "a.zip").write_bytes(content)
        with pytest.raises(RunError, match=r"damaged: a\.wav has not|cannot be read: Bad CRC"):
            extract(tmp_path / "a.zip", tmp_path / "out")
        assert found(tmp_path / "out") == {}


def test_an_encrypted_zip(tmp_path: Path) -> None:
    content = bytearray(zip_of({"a.wav": b"1"}))
    content[content.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    assert "'a.wav' is encrypted" in refused(tmp_path / "a.zip", tmp_path / "out")


def test_an_unknown_method_of_zip(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"a.wav": b"1" * 99}, zipfile.ZIP_LZMA))
    assert "compressed by method 14" in refused(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("content", [b"", b"<html>please login</html>", b"\x1f\x8bno gzip"])
def test_what_is_no_archive(tmp_path: Path, kind: str, content: bytes) -> None:
    (tmp_path / f"a{kind}").write_bytes(content)
    assert "cannot be read: " in refused(tmp_path / f"a{kind}", tmp_path / "out")


@pytest.mark.parametrize("kind", KINDS[:3])
@pytest.mark.parametrize("left", [0.3, 0.7, 0.99])
def test_archives_that_are_cut_off(tmp_path: Path, kind: str, left: float) -> None:
    big = {f"{name}.wav": os.urandom(20_000) for name in "abcdef"}
    archive = write(tmp_path / f"a{kind}", big)
    content = archive.read_bytes()
    end = int(len(content) * left)
    if kind == ".tar":  # its end is 10 kB of zeros, of which one block is enough
        end = min(end, content.index(b"f.wav") + 600)
    archive.write_bytes(content[:end])
    assert "cannot be read: " in refused(archive, tmp_path / "out")


def test_a_tar_that_is_cut_between_two_files(tmp_path: Path) -> None:
    content = tar_of({"a.wav": bytes(512), "b.wav": bytes(512)})
    (tmp_path / "a.tar").write_bytes(content[:1024])
    assert "it is cut off" in refused(tmp_path / "a.tar", tmp_path / "out")


def test_a_damaged_header_in_the_middle_of_a_tar(tmp_path: Path) -> None:
    """tarfile takes it for the end."""
    content = bytearray(tar_of({"a.wav": b"1", "b.wav": b"2"}))
    content[1024] = 0xFF
    (tmp_path / "a.tar").write_bytes(content)
    assert "it is cut off, or damaged" in refused(tmp_path / "a.tar", tmp_path / "out")


@pytest.mark.parametrize("kind", KINDS[:3:2])
def test_a_flipped_bit_is_seen_by_the_sum(tmp_path: Path, kind: str) -> None:
    big = {"a.wav": os.urandom(50_000)}  # is stored: a bit flips in the sound and nowhere else
    archive = write(tmp_path / f"a{kind}", big)
    content = bytearray(archive.read_bytes())
    content[30_000] ^= 1
    archive.write_bytes(content)
    with pytest.raises(RunError, match=r"cannot be read: .*CRC"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists() or found(tmp_path / "out") == {}


def test_what_is_in_the_way_stays(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.zip", FILES)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "readme").write_text("my own notes")
    with pytest.raises(RunError, match=r"readme is there, and not as a\.zip holds it"):
        extract(archive, tmp_path / "out")
    assert found(tmp_path / "out") == {"readme": b"my own notes"}
    (tmp_path / "out" / "readme").unlink()
    (tmp_path / "out" / "readme").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="readme is there"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "elsewhere").exists()


def test_room_is_looked_for_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write(tmp_path / "a.zip", FILES)
    size = sum(map(len, FILES.values()))
    free = [size - 1]
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=free[0]))
    assert "a.zip needs 0.0 GB more" in refused(archive, tmp_path / "deep" / "out")
    assert not (tmp_path / "deep").exists()
    free[0] = size
    extract(archive, tmp_path / "deep" / "out")
    free[0] = 0
    extract(archive, tmp_path / "deep" / "out")  # nothing is missing


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_disk_that_is_full_in_the_middle_leaves_nothing_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    archive = write(tmp_path / f"a{kind}", FILES)
    opened = Path.open

    def full(path: Path, mode: str = "r", *more: Any, **options: Any) -> Any:
        file = opened(path, mode, *more, **options)
        if mode == "wb" and path.is_relative_to(tmp_path / "out"):
            write_all, left = file.write, [6000]

            class Full:
                def __enter__(self) -> Full:
                    return self

                def __exit__(self, *_: object) -> None:
                    file.close()

                def write(self, data: bytes) -> None:
                    write_all(data[: left[0]])
                    left[0] -= len(data)
                    if left[0] < 0:
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            return Full()
        return file

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(RunError, match=r"cannot write .*blues.00001.au: No space left") as caught:
        extract(archive, tmp_path / "out")
    assert caught.value.hint == "make room; the same command goes on from there"
    first = "genres/blues/blues.00000.au"
    assert found(tmp_path / "out") == {first: FILES[first]}
    monkeypatch.undo()
    extract(archive, tmp_path / "out")
    assert found(tmp_path / "out") == FILES


def test_a_person_who_ends_it_leaves_nothing_half(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.zip", FILES)

    def stop(step: str, done: int, total: int) -> None:
        if done > 5000:
            raise Stopped("stopped")

    with pytest.raises(Stopped):
        extract(archive, tmp_path / "out", stop)
    first = "genres/blues/blues.00000.au"
    assert found(tmp_path / "out") == {first: FILES[first]}


def test_what_a_killed_process_left_is_used_up(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.zip", FILES)
    place = tmp_path / "out" / ".a.zip.part"
    place.mkdir(parents=True)
    (place / "member").write_bytes(b"half")
    (place / "lock").touch()
    extract(archive, tmp_path / "out")
    assert found(tmp_path / "out") == FILES
    assert not place.exists()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    archive = write(tmp_path / "a.zip", FILES)
    with (
        archives._workplace(archive, tmp_path / "out"),
        pytest.raises(RunError, match=r"another process extracts a\.zip"),
    ):
        extract(archive, tmp_path / "out")
