"""A stop that a person asked for, whatever else happens on the way out."""

from __future__ import annotations

import os
import signal

import pytest

from mgrkit.compute.stopping import stop_signals
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
