"""Chromium without a window, spoken to by its DevTools protocol over a pipe: no driver, no port."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--mute-audio", "--hide-scrollbars", "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
)  # fmt: skip
_TIMEOUT = 60.0
_START = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for number, end in zip((3, 4), ends):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads from descriptor 3 and writes to 4."""


def chromium() -> str | None:
    """The browser of this machine; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab.

    Attributes
    ----------
    problems : errors and warnings on the console, exceptions, and what the policy refused.
    requests : the addresses that were asked for.
    """

    def __init__(self, program: str, profile: Path) -> None:
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._numbers = itertools.count(1)
        self._rest = b""
        read_here, write_there = os.pipe()
        read_there, write_here = os.pipe()
        command = [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        ends = [str(read_there), str(write_there)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *ends, *command], pass_fds=(read_there, write_there),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(read_there)
        os.close(write_there)
        self._in, self._out = read_here, write_here
        self._session = ""
        self._events: list[dict[str, Any]] = []

    def start(self) -> None:
        """Take the first tab, and listen to it."""
        tabs = self._ask("Target.getTargets")["targetInfos"]
        tab = next(one["targetId"] for one in tabs if one["type"] == "page")
        asked = self._ask("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = asked["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")

    def close(self) -> None:
        for end in (self._in, self._out):
            os.close(end)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def open(self, address: str) -> float:
        """Go there; the seconds until the page is loaded and its scripts have run."""
        self._events.clear()
        began = time.perf_counter()
        self._ask("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")
        self.run("1")
        return time.perf_counter() - began

    def run(self, script: str) -> Any:
        """The value of an expression in the page; a promise is waited for."""
        asked = self._ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in asked:
            raise AssertionError(asked["exceptionDetails"])
        return asked["result"].get("value")

    def until(self, script: str) -> Any:
        """The value of an expression as soon as it is true."""
        end = time.monotonic() + _TIMEOUT
        while time.monotonic() < end:
            if found := self.run(script):
                return found
            time.sleep(0.02)
        raise AssertionError(f"never true: {script}")

    def press(self, key: str, code: int = 0, text: str = "") -> None:
        """A key of the keyboard."""
        named: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code}
        self._ask("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        self._ask("Input.dispatchKeyEvent", type="keyUp", **named)

    def write(self, text: str) -> None:
        """Text for what has the focus."""
        self._ask("Input.insertText", text=text)

    def wheel(self, down: int) -> None:
        """Turn the wheel of the mouse in the middle of the window by so many pixels."""
        self._ask(
            "Input.dispatchMouseEvent", type="mouseWheel", x=200, y=400, deltaX=0, deltaY=down
        )

    def look(self, width: int, *, dark: bool = False, height: int = 900) -> None:
        """As wide as a phone or a desktop."""
        self._ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        colours = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self._ask("Emulation.setEmulatedMedia", features=colours)

    def paper(self) -> None:
        """Show the page as it is printed; `look` ends that."""
        self.run("dispatchEvent(new Event('beforeprint'))")
        self._ask("Emulation.setEmulatedMedia", media="print")

    def screenshot(self, path: Path, *, complete: bool = True) -> None:
        found = self._ask("Page.captureScreenshot", captureBeyondViewport=complete)
        path.write_bytes(base64.b64decode(found["data"]))

    def wait_for(self, event: str) -> dict[str, Any]:
        while True:
            for one in self._events:
                if one["method"] == event:
                    return one
            self._read()

    def _ask(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            for answer in self._read():
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    return answer["result"]

    def _read(self) -> Sequence[dict[str, Any]]:
        """Messages that have come; events are noted."""
        ready, _, _ = select.select([self._in], [], [], _TIMEOUT)
        if not ready:
            raise AssertionError("the browser does not answer")
        got = os.read(self._in, 1 << 20)
        if not got:
            raise AssertionError("the browser has ended")
        *whole, self._rest = (self._rest + got).split(b"\0")
        messages = [json.loads(one) for one in whole]
        for message in messages:
            if "method" in message:
                self._note(message["method"], message["params"])
                self._events.append(message)
        return messages

    def _note(self, method: str, about: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(about["exceptionDetails"]))
        elif method == "Log.entryAdded" and about["entry"]["level"] in ("error", "warning"):
            self.problems.append(about["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.problems.append(json.dumps(about["args"]))
        elif method == "Page.javascriptDialogOpening":
            self.problems.append(f"a dialog: {about['message']}")


@contextlib.contextmanager
def opened() -> Iterator[Browser]:
    """A browser with a new profile, which is ended at the end."""
    program = chromium()
    assert program
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, Path(profile))
        try:
            browser.start()
            yield browser
        finally:
            browser.close()
