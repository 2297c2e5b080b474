"""Who writes to a place in an object store: an object that says so, as long as it is renewed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import Any

from mgrkit.errors import RunError
from mgrkit.files import objects
from mgrkit.files.lock import lock
from mgrkit.files.replacing import replacing

RENEWED = 20.0
"""Seconds after which a claim is renewed."""
EXPIRES = 120.0
"""Seconds after which one that was not may be taken by another machine, by the store's clock."""


class Claim:
    """The right to write as ``name`` to what lies at ``url``; one process has it at a time.

    Here that is held by a lock on a file, in the store by an object, which is written only where
    none is there, or just the one that has expired (If-None-Match, If-Match).

    Parameters
    ----------
    url : the folder of the claims.
    state : a folder here for what knows this machine again: what a killed process of it had
        claimed need not expire.
    """

    def __init__(self, url: str, state: Path, name: str) -> None:
        self._folder, self._state, self.name = url, state, name
        self._url = f"{url}/{name}"
        self._fd = -1
        self._etag = ""
        self._renewals = 0
        self._over = threading.Event()
        self.lost = False

    def take(self) -> None:
        """Take it, and renew it from now on.

        Raises
        ------
        RunError : another process has it, or the store knows no conditions.
        OSError : the store cannot be written to.
        """
        self._state.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self._file(self.name), os.O_RDWR | os.O_CREAT, 0o666)
        if not lock(self._fd):
            raise _busy("here")
        try:
            self._etag = self._put()
        except FileExistsError:
            self._etag = self._take_over()
        try:
            self._put()
        except FileExistsError:
            pass
        else:
            raise RunError(
                f"the store at {self._folder} does not keep to If-None-Match",
                "so nothing would be safe there: give another OUT",
            )
        threading.Thread(target=self._renew, daemon=True).start()

    def _take_over(self) -> str:
        try:
            claim, etag, age = objects.read(self._url)
            their = _parsed(claim)
            if their.get("machine") != self._machine() and age < EXPIRES:
                raise _busy(f"on {their.get('host', 'another machine')}")
            return self._put(over=etag)
        except (FileNotFoundError, FileExistsError):
            raise _busy("as of now") from None

    def others(self) -> list[str]:
        """The names of those that are claimed beside this one."""
        found = []
        for entry in objects.entries(self._folder):
            if entry.name == self.name or entry.is_dir():
                continue
            with contextlib.suppress(FileNotFoundError):
                claim, _, age = objects.read(entry.path)
                here = _parsed(claim).get("machine") == self._machine()
                if self._is_locked(entry.name) if here else age < EXPIRES:
                    found.append(entry.name)
        return found

    def _is_locked(self, name: str) -> bool:
        fd = os.open(self._file(name), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            return not lock(fd)
        finally:
            os.close(fd)

    def _renew(self) -> None:
        while not self._over.wait(RENEWED):
            try:
                self._etag = self._put(over=self._etag)
            except FileExistsError:
                self.lost = True
                return
            except OSError:  # a line that is down now may be up again in time
                continue

    def release(self) -> None:
        """Give it back, if it was taken."""
        self._over.set()
        if self._etag and not self.lost:
            with contextlib.suppress(OSError):
                objects.delete(self._url)
        self._etag = ""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _put(self, over: str = "") -> str:
        self._renewals += 1
        claim: dict[str, Any] = {
            "machine": self._machine(), "host": socket.gethostname(), "process": os.getpid(),
            "renewals": self._renewals,
        }  # fmt: skip
        file = self._file(f"{self.name}.claim")
        file.write_text(json.dumps(claim))
        return objects.put(os.fspath(file), self._url, over=over)[1]

    def _machine(self) -> str:
        file = self._state / "machine"
        if not file.exists():
            with replacing(file) as temp:
                temp.write_text(secrets.token_hex(8))
        return file.read_text()

    def _file(self, name: str) -> Path:
        return self._state / name


def _parsed(claim: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        if isinstance(parsed := json.loads(claim), dict):
            return parsed
    return {}


def _busy(where: str) -> RunError:
    return RunError(
        f"another mgrkit is writing there ({where})",
        f"wait for it; after a crash on another machine, for {EXPIRES:g} s",
    )
