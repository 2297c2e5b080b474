"""What an undo file remembers, whatever has become of it and of the files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mgrkit.errors import RunError, UsageError
from mgrkit.files.delta import edits
from mgrkit.files.undo import Step, UndoFile, read_undo, steps_back


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def step(path: str, old: bytes, new: bytes) -> Step:
    return Step(path, digest(old), digest(new), 1, edits(old, new), {"was": []})


def noted(path: Path, *steps: Step) -> None:
    undo = UndoFile(path)
    for one in steps:
        undo.add(one)
    undo.close()


def test_it_is_added_to_and_never_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    noted(path, step("a", b"1", b"2"))
    first = path.read_bytes()
    noted(path, step("a", b"2", b"3"), step("b", b"x", b"y"))
    assert path.read_bytes().startswith(first)
    (tmp_path / "a").touch()
    found, torn = read_undo(path)
    assert {one.name: len(steps) for one, steps in found.items()} == {"a": 2, "b": 1}
    assert not torn


def test_nothing_noted_is_no_file(tmp_path: Path) -> None:
    noted(tmp_path / "u.jsonl")
    assert not (tmp_path / "u.jsonl").exists()


def test_what_is_no_file_is_refused_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "u.jsonl"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(UsageError, match="is no file that an undo file can be"):
            UndoFile(path)
        assert path.exists()


def test_an_empty_file_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "u.jsonl").touch()
    noted(tmp_path / "u.jsonl")
    assert (tmp_path / "u.jsonl").exists()


def test_one_of_damaged_lines_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    noted(path, step("a", b"1", b"2"))
    head = path.read_bytes().partition(b"\n")[0]
    path.write_bytes(head + b"\nnothing\nnothing\n")
    with pytest.raises(RunError, match="none of its 2 lines can be read"):
        read_undo(path)


def test_a_line_that_a_kill_cut_off_is_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "u.jsonl"
    noted(path, step("a", b"1", b"2"), step("b", b"1", b"2"))
    path.write_bytes(path.read_bytes()[:-20])
    noted(path, step("c", b"1", b"2"))
    (tmp_path / "a").touch()
    found, torn = read_undo(path)
    assert [one.name for one in found] == ["a", "c"]
    assert torn == 1


def test_files_are_named_from_its_folder_or_in_full(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    undo = UndoFile(tmp_path / "in" / "u.jsonl")
    assert undo.name_of(tmp_path / "in" / "music" / "a.mp3") == "music/a.mp3"
    assert undo.name_of(tmp_path / "b.mp3") == (tmp_path / "b.mp3").as_posix()
    undo.close()


def test_two_runs_do_not_share_it(tmp_path: Path) -> None:
    first = UndoFile(tmp_path / "u.jsonl")
    with pytest.raises(RunError, match="another run writes"):
        UndoFile(tmp_path / "u.jsonl")
    first.close()


@pytest.mark.parametrize("content", [b"my notes\n", b"{}\n", b"\xff\xfe", b'{"run": {}}\n'])
def test_other_files_are_neither_added_to_nor_believed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(content)
    for use in (UndoFile, read_undo):
        with pytest.raises(UsageError, match="is no undo file of mgrkit"):
            use(path)
    assert path.read_bytes() == content


def test_one_of_a_later_release_is_not_understood(tmp_path: Path) -> None:
    (tmp_path / "u").write_text('{"mgrkit": "undo", "format": 2}\n')
    with pytest.raises(UsageError, match="of another release"):
        read_undo(tmp_path / "u")


def test_one_of_another_folder_is_refused(tmp_path: Path) -> None:
    noted(tmp_path / "u.jsonl", step("a", b"1", b"2"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "u.jsonl").rename(tmp_path / "elsewhere" / "u.jsonl")
    with pytest.raises(RunError, match="is of another folder: none of its 1 files is there"):
        read_undo(tmp_path / "elsewhere" / "u.jsonl")


def test_the_way_back() -> None:
    one, two, three = step("a", b"1", b"2"), step("a", b"2", b"3"), step("a", b"2", b"4")
    assert steps_back([one, two], digest(b"3")) == [two, one]
    assert steps_back([one, two], digest(b"2")) == [one], "the second was not made"
    assert steps_back([one, two, three], digest(b"4")) == [three, one]
    assert steps_back([one, two], digest(b"1")) == []
    assert steps_back([one, two], digest(b"other")) is None
    between = step("a", b"2, changed", b"5")
    assert steps_back([one, between], digest(b"5")) == [between], "as far as they go"
