"""SIGKILL while tags are written: every file is the old one or the new one, and none is lost."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("mutagen")

from mgrkit.audio.packets import packets_digest
from mgrkit.audio.tags.writing import open_tags
from mgrkit.files.undo import read_undo
from tests.audio.taggable import FORMATS, song
from tests.crash.harness import ROOT, BrokenPromiseError

COPIES = 4


def library(folder: Path) -> Path:
    """Songs of all formats, each several times."""
    for form in FORMATS:
        first = song(folder / f"0.{form}")
        for number in range(1, COPIES):
            shutil.copy(first, folder / f"{number}.{form}")
    return folder


def digests(folder: Path) -> dict[Path, str]:
    """The SHA-256 of each song; copies that a kill left are not songs."""
    songs = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in songs}


def start(music: Path, undo: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "mgrkit", "tag", str(music), "--model", "svm", "--device", "cpu",
        "--even-unsure", "--quiet", "--undo-file", str(undo), *words,
    ]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def look(music: Path, undo: Path, old: dict[Path, str]) -> int:
    """Check all files after a kill; returns how many are new."""
    new = {}
    if undo.exists() and undo.stat().st_size:
        for path, steps in read_undo(undo)[0].items():
            new[path] = {step.after for step in steps}
    now = digests(music)
    if set(now) != set(old):
        raise BrokenPromiseError(f"lost or left over: {set(now) ^ set(old)}")
    for path, digest in now.items():
        if digest != old[path] and digest not in new.get(path.resolve(), ()):
            raise BrokenPromiseError(f"neither old nor new: {path}")
    return sum(digest != old[path] for path, digest in now.items())


def torture(music: Path, undo: Path, kills: int, seed: int, *words: str) -> dict[str, int]:
    """Kill the writer so often, undoing all when all is written; then finish, and undo.

    Returns
    -------
    How many ``kills`` there were, of them how many ``within`` a run that had written some files
    and not all, and how often all was ``undone`` meanwhile.
    """
    rng = random.Random(seed)
    old = digests(music)
    packets = {path: packets_digest(path) for path in old}
    told = {"kills": 0, "within": 0, "undone": 0}
    while told["kills"] < kills:
        noted = undo.stat().st_size if undo.exists() else 0
        process = start(music, undo, *words)
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < 60:
            if undo.exists() and undo.stat().st_size > noted:
                break
            time.sleep(0.002)
        time.sleep(rng.uniform(0, 0.1))
        if process.poll() is None:
            process.kill()
            told["kills"] += 1
        process.wait()
        new = look(music, undo, old)
        told["within"] += 0 < new < len(old)
        if new == len(old):
            untagged(music, undo, old)
            told["undone"] += 1
    if start(music, undo, *words).wait(600) not in (0, 1):
        raise BrokenPromiseError("it did not finish after the last kill")
    if look(music, undo, old) != len(old):
        raise BrokenPromiseError("not all are written in the end")
    for path in old:
        if packets_digest(path) != packets[path] or not open_tags(path).values("genre"):
            raise BrokenPromiseError(f"other sound, or no genre: {path}")
    untagged(music, undo, old)
    if left := [path for path in music.rglob(".*") if path.is_file()]:
        raise BrokenPromiseError(f"left over: {left}")
    return told


def untagged(music: Path, undo: Path, old: dict[Path, str]) -> None:
    """Undo all, and see that it is."""
    command = [sys.executable, "-m", "mgrkit", "tag", "--undo", str(undo), "--quiet"]
    if subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode:
        raise BrokenPromiseError("it could not be undone")
    if digests(music) != old:
        raise BrokenPromiseError("what is undone is not what it was")


def test_killed_again_and_again_every_file_is_old_or_new(tmp_path: Path) -> None:
    music = library(tmp_path / "music")
    kills = min(100, int(os.environ.get("MGRKIT_KILLS", "8")))
    told = torture(music, tmp_path / "undo.jsonl", kills, seed=26)
    assert told["kills"] == kills
    assert told["within"] >= kills // 4, "most kills came while files were written"


def test_the_harness_sees_a_writer_that_writes_in_place(tmp_path: Path) -> None:
    """The negative control: what mutagen does by itself, cut off in the middle."""
    music = tmp_path / "music"
    path = song(music / "a.mp3")
    old = digests(music)
    whole = path.read_bytes()
    path.write_bytes(b"ID3\4\0\0\0\0\x7f\x76" + whole[10 : len(whole) // 2])
    with pytest.raises(BrokenPromiseError, match="neither old nor new"):
        look(music, tmp_path / "undo.jsonl", old)
    (tmp_path / "undo.jsonl").write_text(json.dumps({"mgrkit": "undo", "format": 1}) + "\n")
    path.unlink()
    with pytest.raises(BrokenPromiseError, match="lost"):
        look(music, tmp_path / "undo.jsonl", old)
