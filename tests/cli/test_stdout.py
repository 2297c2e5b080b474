"""Standard output is for results, whatever plugins print."""

from __future__ import annotations

import sys
import threading

import pytest

from mgrkit.cli.stdout import results, results_only


def test_prints_of_all_threads_go_to_stderr_and_results_to_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert results() is sys.stdout
    with results_only(), results_only():
        thread = threading.Thread(target=print, args=("from a thread",))
        thread.start()
        thread.join()
        print("chatter", flush=True)
        print("{}", file=results())
    print("after")
    shown = capsys.readouterr()
    assert shown.out == "{}\nafter\n"
    assert shown.err == "from a thread\nchatter\n"


def test_stdout_comes_back_after_an_error() -> None:
    before = sys.stdout
    with pytest.raises(KeyError), results_only():
        raise KeyError
    assert sys.stdout is before
    assert results() is before


def test_it_follows_a_stderr_that_is_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with results_only():
        assert sys.stdout.encoding == sys.stderr.encoding
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", None)
            print("nowhere", flush=True)
        print("here")
    assert capsys.readouterr().err == "here\n"


def test_closed_stdout_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with results_only():
        print("chatter")
        assert results() is None
