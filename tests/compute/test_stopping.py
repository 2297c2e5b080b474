"""A stop that a person asked for, whatever else happens on the way out."""

from __future__ import annotations

import os
import signal

import pytest

from mgrkit.compute.stopping import stop_signals, stopped_by
from mgrkit.errors import RunError, Stopped


def fail(*signals: int) -> None:
    for number in signals:
        os.kill(os.getpid(), number)
    raise RunError("the disk is full")


def test_what_fails_after_a_stop_does_not_hide_it() -> None:
    with pytest.raises(Stopped, match="stopped, but the disk is full") as caught, stop_signals():
        fail(signal.SIGTERM)
    assert caught.value.exit_code == 143


def test_what_fails_without_a_stop_is_what_it_is() -> None:
    with pytest.raises(RunError, match="the disk is full"), stop_signals():
        fail()


def test_a_stop_gets_the_exit_code_of_the_signal() -> None:
    def stop() -> None:
        with stop_signals() as asked:
            os.kill(os.getpid(), signal.SIGTERM)
            assert asked()
            raise Stopped("stopped after 3")

    with pytest.raises(Stopped, match=r"^stopped after 3$") as caught:
        stop()
    assert caught.value.exit_code == 143


def test_who_gives_work_to_a_thread_can_stop_it() -> None:
    asked = []
    with stopped_by(lambda: bool(asked)), stop_signals() as stopped:
        assert not stopped()
        asked.append(1)
        assert stopped()
    with stop_signals() as stopped:
        assert not stopped()


def test_the_second_signal_does_what_it_is_told_to() -> None:
    heard = []
    with stop_signals(lambda: heard.append(1)) as stopped:
        os.kill(os.getpid(), signal.SIGINT)
        assert (stopped(), heard) == (True, [])
        os.kill(os.getpid(), signal.SIGINT)
        assert heard == [1]
    with stop_signals():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
