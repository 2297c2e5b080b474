"""How far a run is: the bar on terminals of all kinds, the lines without one."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mgrkit.batch import engine
from mgrkit.classifiers import load_bundle, save_bundle
from mgrkit.cli.terminal import bars, console, fitting
from mgrkit.cli.terminal.bars import far, span
from mgrkit.models.choosing import choose
from tests.cli.screens import screen, shown
from tests.cli.test_commands import mgrkit, tone

SONGS = 30


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("progress")
    for number in range(SONGS):
        tone(folder / "music" / f"{number:02}.wav", seconds=10, hz=200 + 40 * number)
    # Of tones it would say that they are narrow.
    shipped = load_bundle(choose("svm")[0])
    save_bundle(folder / "svm.safetensors", replace(shipped, bandwidth=0.0))
    return folder


PREDICT = ("predict", "music", "--model", "svm.safetensors")


def test_what_far_says() -> None:
    assert far(74, None, 74, 5.0) == "74 done"
    assert far(0, 173, 0, 5.0) == "0 of 173"
    assert far(99, 173, 99, 99 * 1.5) == "99 of 173, 2 min left"
    assert far(99, 173, 9, 9.0) == "99 of 173, 74 s left", "what was done before took no time"
    assert far(173, 173, 173, 60.0) == "173 of 173"
    found = [span(seconds) for seconds in (0.1, 40.2, 89, 90, 12000, 360000)]
    assert found == ["1 s", "40 s", "89 s", "2 min", "3 h 20 min", "100 h 0 min"]


def test_the_screens_of_the_tests() -> None:
    assert screen("a\r\nbar\r\x1b[2Krow\r\nbar 2\r\n\x1b[1A\x1b[2Kend\r\n") == [
        "a",
        "row",
        "end",
        "",
    ]


def test_rows_scroll_above_the_bar(place: Path) -> None:
    made = shown(*PREDICT, folder=place)
    assert made.code == 0
    *rows, last, empty = made.screen
    assert sorted(row.partition(":")[0] for row in rows) == sorted(
        f"music/{number:02}.wav" for number in range(SONGS)
    )
    assert all(re.fullmatch(r"\S+ \S+ 0\.\d\d \(.+\)", row) for row in rows)
    assert re.fullmatch(rf"predict: {SONGS} done in .+ s", last)
    assert empty == ""
    assert re.search(rf"predict .*\d of {SONGS}, \d+ s left", "\n".join(made.drawn))


def test_the_bar_is_there_when_stdout_is_a_file(place: Path, tmp_path: Path) -> None:
    made = shown(*PREDICT, "--jsonl", folder=place, into=f"> {tmp_path}/x")
    rows = [json.loads(line) for line in (tmp_path / "x").read_text().splitlines()]
    assert len(rows) == SONGS
    assert made.drawn
    (line, empty) = made.screen
    assert (line.partition(" in ")[0], empty) == (f"predict: {SONGS} done", "")
    assert shown(*PREDICT, "--jsonl", "-q", folder=place, into=f"> {tmp_path}/x").text == ""


@pytest.mark.parametrize("columns", [40, 20])
def test_a_narrow_terminal_has_a_narrow_bar(place: Path, tmp_path: Path, columns: int) -> None:
    made = shown("spectrograms", "music", tmp_path / "o", folder=place, columns=columns)
    assert made.code == 0
    assert made.drawn
    assert max(map(len, made.drawn)) <= columns
    assert len(made.screen) == 2, "each was drawn over the one before"
    if columns == 40:
        assert re.search(rf"\d of {SONGS}, \d+ s left", "\n".join(made.drawn))


def test_no_colour_is_no_colour(place: Path, tmp_path: Path) -> None:
    coloured = re.compile(r"\x1b\[[\d;]*3\dm|\x1b\[9\dm")
    words = ("spectrograms", "music")
    assert coloured.search(shown(*words, tmp_path / "a", folder=place).text)
    made = shown(*words, tmp_path / "b", folder=place, NO_COLOR="1")
    assert made.drawn
    assert not coloured.search(made.text)


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_draws_nothing_gets_lines(place: Path, term: str) -> None:
    made = shown(*PREDICT, folder=place, TERM=term)
    assert made.code == 0
    assert "\x1b" not in made.text
    assert len(made.screen) == SONGS + 2


@pytest.mark.parametrize("into", ["| head -1 > x", "> /dev/full"])
def test_stdout_closed_in_the_middle_leaves_the_terminal_in_order(place: Path, into: str) -> None:
    made = shown(*PREDICT, "--jsonl", folder=place, into=into)
    assert made.code != 0
    assert "Traceback" not in made.text
    assert made.text.count("\x1b[?25l") == made.text.count("\x1b[?25h"), "the cursor is back"
    assert not any(line.startswith("predict ") for line in made.screen), "the bar is away"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line at each tick instead of every ten seconds, and no time between ticks.

    A fast machine is through with all songs before a tick of the usual length.
    """
    monkeypatch.setattr(console, "LINE_EVERY", 0.0)
    monkeypatch.setattr(engine, "_TICK", 0.0)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["augment", "music", "OUT"], "augment"),
        (["spectrograms", "music", "OUT"], "spectrograms"),
        (["features", "music", "OUT.csv"], "features"),
        (["predict", "music", "--model", "svm"], "predict"),
        (["evaluate", "svm", "music"], "preparing"),
        (["train", "svm", "music", "--out", "OUT.safetensors"], "preparing"),
        (["compare", "music", "--classifiers", "svm", "--out", "OUT"], "DATA"),
    ],
    ids=lambda words: words[0] if isinstance(words, list) else "",
)
@pytest.mark.usefixtures("impatient")
def test_every_command_tells_totals_without_a_terminal(
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    words: list[str],
    name: str,
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    mgrkit(*(word.replace("OUT", f"{tmp_path}/out") for word in words))
    lines = capfd.readouterr().err.splitlines()
    assert [line for line in lines if re.fullmatch(rf"{name}: \d+ of {SONGS}, \d+ s left", line)]


@pytest.mark.usefixtures("impatient")
def test_what_was_done_before_takes_no_time(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    shows = console.Shown("predict", quiet=False, table=False)
    clock[0] += 30  # while the model is loaded
    shows.begun()
    shows.total(173)
    for _ in range(90):
        shows.finished([{"status": "ok"}], kept=True)
    for _ in range(9):
        shows.finished([{"status": "ok"}], kept=False)
    clock[0] += 9
    shows.tick()
    shows.finished([{"status": "failed", "source": "x", "reason": "no"}], kept=False)
    shows.close()
    shows.begun()
    shows.tick()
    found = ["predict: 99 of 173, 74 s left", "x: no", "predict: 0 done"]
    assert capfd.readouterr().err.splitlines() == found


def test_a_line_for_each_epoch_and_few_for_other_steps(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    clock = [100.0]
    monkeypatch.setattr(fitting, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    fit = fitting.FitBar(quiet=False)
    for epoch in (5, 6, 7):
        fit.progress(epoch, 20, {"loss": 1 / epoch, "valid_accuracy": 0.5})
        clock[0] += 30
    fit.close()
    assert capfd.readouterr().err.splitlines() == [
        "fit: 5 of 20, loss 0.2, valid_accuracy 0.5",
        "fit: 6 of 20, 7 min left, loss 0.167, valid_accuracy 0.5",
        "fit: 7 of 20, 6 min left, loss 0.143, valid_accuracy 0.5",
    ]
    for tree in range(1, 301):
        fit.progress(tree, 300, {})
        clock[0] += 0.1
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"fit: \d+ of 300, \d+ s left", lines[0])
    silent = fitting.FitBar(quiet=True)
    silent.progress(1, 2, {"loss": 1.0})
    assert capfd.readouterr().err == ""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Moves of bars, as on a terminal."""
    moves: list[Any] = []

    class Noted:
        def __init__(self, name: str) -> None:
            self.name = name

        def move(self, done: int, total: int | None, found: str) -> None:
            moves.append((self.name, done, total, found))

        def close(self) -> None:
            moves.append((self.name, "closed"))

    monkeypatch.setattr(fitting, "wanted", lambda quiet: True)
    monkeypatch.setattr(fitting, "Bar", Noted)
    return moves


def test_each_fit_has_a_bar_of_its_own(terminal: list[Any]) -> None:
    fit = fitting.FitBar(quiet=False)
    fit.progress(1, 2, {})
    fit.close()
    fit.close()
    fit.progress(1, 3, {"loss": 0.5})
    assert terminal == [
        ("fit", 1, 2, "1 of 2"), ("fit", "closed"), ("fit", 1, 3, "1 of 3, loss 0.5"),
    ]  # fmt: skip


def test_a_bar_is_for_terminals_that_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert bars.wanted(quiet=False)
    assert not bars.wanted(quiet=True)
    monkeypatch.setenv("TERM", "dumb")
    assert not bars.wanted(quiet=False)
