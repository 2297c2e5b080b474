"""``mgrkit predict --watch``: what it takes, and what a whole call does."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrkit.cli.app import app
from mgrkit.cli.terminal.errors import guarded
from tests.cli.test_commands import tone

Captured = pytest.CaptureFixture[str]
CALL = [sys.executable, "-m", "mgrkit", "predict", "--watch", "in", "--jsonl", "--model", "svm"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()


@contextlib.contextmanager
def calling(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A call, which ends with the context, however a test ends."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*CALL, *words], **pipes) as call:
        try:
            yield call
        finally:
            call.kill()


def answered(call: subprocess.Popen[str]) -> str:
    """The path in the next line."""
    assert call.stdout
    ready, _, _ = select.select([call.stdout], [], [], 60)
    if not ready:
        call.kill()
    return str(json.loads(call.stdout.readline())["path"])


def stopped(call: subprocess.Popen[str], number: int) -> tuple[str, str]:
    """What else it says once this signal comes."""
    call.send_signal(number)
    return call.communicate(timeout=60)


def test_a_line_a_file_until_ctrl_c_and_none_again_by_the_next_call() -> None:
    tone(Path("in/a.wav"))
    with calling() as call:
        assert answered(call) == "in/a.wav"
        Path("in/b.wav.part").write_bytes(tone(Path("b.wav")).read_bytes()[:1000])
        tone(Path("in/c.wav"), hz=900)
        assert answered(call) == "in/c.wav"
        os.replace("b.wav", "in/b.wav.part")
        os.replace("in/b.wav.part", "in/b.wav")
        assert answered(call) == "in/b.wav"
        out, err = stopped(call, signal.SIGINT)
    assert (call.returncode, out) == (130, "")
    assert "watching in; done: " in err
    assert "predict: stopped: 3 done" in err
    assert "Traceback" not in err
    with calling("-q") as call:
        tone(Path("in/d.wav"), hz=1200)
        assert answered(call) == "in/d.wav"
        out, err = stopped(call, signal.SIGTERM)
    assert (call.returncode, out, err) == (143, "", "")


def test_a_table_that_a_later_call_adds_to_keeps_one_head() -> None:
    """Of whatever call; behind a table of other columns it is there."""
    tone(Path("in/a.wav"))
    Path("other.csv").write_text("path,kind\nb.wav,song\n")
    call = [sys.executable, "-m", "mgrkit", "predict", "in", "--csv", "-q", "--model", "svm"]
    for name in ("songs.csv", "songs.csv", "other.csv"):
        with Path(name).open("ab") as file:
            subprocess.run(call, stdout=file, check=True)
    first = [row.split(",")[0] for row in Path("songs.csv").read_text().splitlines()]
    assert first == ["path", "in/a.wav", "in/a.wav"]
    first = [row.split(",")[0] for row in Path("other.csv").read_text().splitlines()]
    assert first == ["path", "b.wav", "path", "in/a.wav"]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["in", "--json"], 2, "--watch takes no --json (it goes on until Ctrl-C)"),
        (["in", "--csv", "--pieces", "p.csv"], 2, "--watch takes no --pieces"),
        (["in", "--playlists", "lists"], 2, "--watch takes no --playlists"),
        (["in", "--shard", "1/2"], 2, "--watch takes no --shard"),
        (["in", "--dry-run"], 2, "--watch takes no --dry-run"),
        (["in", "--files-from", "list"], 2, "--watch takes no --files-from"),
        (["in/a.wav"], 2, "in/a.wav is no folder on this machine (--watch takes such alone)"),
        (["no"], 2, "no is no folder on this machine"),
        (["s3://bucket/music"], 2, "mgrkit: s3://bucket/music is no folder on this machine"),
        (["in", "--resume", "mine"], 2, "mine was not made by mgrkit predict"),
        (["in", "--resume", "no/done"], 2, "there is no folder no"),
    ],
)
def test_wrong_calls(capfd: Captured, words: list[str], code: int, expected: str) -> None:
    tone(Path("in/a.wav"))
    Path("list").write_text("in/a.wav\n")
    Path("mine").write_text("text\n")
    assert guarded(app, ["predict", "--watch", *words, "--model", "svm", "-q"]) == code
    out, err = capfd.readouterr()
    assert out.strip() in ("", '{"error": ' + json.dumps(err.strip().removeprefix("mgrkit: "))
                           + f', "exit_code": {code}}}')  # fmt: skip
    assert expected in err
    assert not Path("lists").exists()


def test_without_watchfiles_it_says_how_to_get_it(
    capfd: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mgrkit.commands.watching.find_spec", lambda name: None)
    assert guarded(app, ["predict", "--watch", "in"]) == 3
    message = "mgrkit: --watch needs watchfiles, not installed here (pip install 'mgrkit[watch]')\n"
    assert capfd.readouterr().err == message
