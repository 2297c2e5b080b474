"""Where a cluster is, what stands there instead, and what is left of one of our own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from mgrkit.compute import cluster as module
from mgrkit.compute.cluster import Cluster
from mgrkit.errors import RunError, UsageError
from tests.compute.foreign_cluster import ROOT, foreign


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with foreign(tmp_path_factory.mktemp("theirs"), 1) as (address, _):
        yield address


def connect(cluster: Cluster, then: Callable[[Any], Any] = lambda client: None) -> Any:
    """What a function of the client gives."""

    async def going() -> Any:
        async with cluster.connected() as client:
            found = then(client)
            return await found if asyncio.iscoroutine(found) else found

    return asyncio.run(going())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp://10.0.0.1:8786", Cluster(address="tcp://10.0.0.1:8786")),
        ("tls://head.example:8786", Cluster(address="tls://head.example:8786")),
        ("local:2", Cluster(processes=2)),
        ("local:256", Cluster(processes=256)),
    ],
)
def test_a_cluster_is_an_address_or_a_number_of_processes(text: str, expected: Cluster) -> None:
    assert Cluster.of(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    ["", "local", "local:", "local:-1", "local:two", "10.0.0.1:8786", "tcp://10.0.0.1",
     "tcp://:8786", "tcp://10.0.0.1:0", "tcp://10.0.0.1:99999", "tcp://a b:8786",
     "http://10.0.0.1:8787", "none.json"],
)  # fmt: skip
def test_what_is_no_cluster_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--cluster must be tcp://HOST:PORT, or tls://"):
        Cluster.of(text)


@pytest.mark.parametrize("text", ["local:0", "local:257"])
def test_too_few_and_too_many_processes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="local:N takes 1 to 256, not"):
        Cluster.of(text)


def test_without_dask_a_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(RunError, match=r"needs Dask, .*pip install 'mgrkit\[cluster\]'"):
        connect(Cluster.of("local:1"))


@contextlib.contextmanager
def server(says: bytes) -> Iterator[int]:
    """Something that accepts connections, says something at once, and listens for ever."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        kept = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    kept.append(own.accept()[0])
                    kept[-1].sendall(says)

        threading.Thread(target=serve, daemon=True).start()
        yield own.getsockname()[1]
        for one in kept:
            one.close()


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"\0" * 64]
)
def test_what_is_no_scheduler_is_said_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, says: bytes
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.3)
    with server(says) as port, pytest.raises(RunError, match="no Dask scheduler answers at tcp"):
        connect(Cluster.of(f"tcp://127.0.0.1:{port}"))


def test_nobody_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
    with pytest.raises(RunError, match=rf"no Dask scheduler answers at tcp://127.0.0.1:{port} \("):
        connect(Cluster.of(f"tcp://127.0.0.1:{port}"))


@pytest.mark.parametrize("text", ["", "no", "[1]", "{}", '{"address": 3}', '{"address": "x"}'])
def test_a_file_that_no_scheduler_wrote_is_said_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(RunError, match=r"s\.json is no scheduler file"):
        connect(Cluster.of(str(tmp_path / "s.json")))


def test_a_file_that_is_gone_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text("{}")
    cluster = Cluster.of(str(tmp_path / "s.json"))
    (tmp_path / "s.json").unlink()
    with pytest.raises(RunError, match=r"cannot read .*s\.json: No such file"):
        connect(cluster)


def test_the_cluster_of_others_stays_up(theirs: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"address": theirs, "workers": {}}))
    processes = set()
    for where in (theirs, str(tmp_path / "s.json"), theirs):
        found = connect(Cluster.of(where), lambda client: client.run(os.getpid))
        processes |= set(found.values())
    assert len(processes) == 1, "the same worker each time"


def test_a_scheduler_of_another_version_is_refused(
    theirs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import distributed

    async def versions(self: Any) -> Any:
        return {"scheduler": {"packages": {"distributed": "2020.1.0"}}, "workers": {}}

    monkeypatch.setattr(distributed.Client, "get_versions", versions)
    with pytest.raises(RunError, match=r"runs distributed 2020\.1\.0, here is .*the same version"):
        connect(Cluster.of(theirs))

    async def strange(self: Any) -> Any:
        return {"host": "x"}

    monkeypatch.setattr(distributed.Client, "get_versions", strange)
    with pytest.raises(RunError, match=r"runs distributed something else \(KeyError\)"):
        connect(Cluster.of(theirs))


CHILD = """
import asyncio, os, sys, time
from mgrkit.compute.cluster import Cluster

def busy():
    time.sleep(600)

async def main():
    async with Cluster.of("local:2").connected() as client:
        print(*(await client.run(os.getpid)).values(), flush=True)
        await client.run(print, "spoken by a worker")
        at_work = [client.submit(busy, pure=False) for _ in range(2)]
        await asyncio.sleep(0.2)
        if sys.argv[1] == "fails":
            raise ValueError("oh")
        if sys.argv[1] == "waits":
            print("waiting", flush=True)
            await asyncio.sleep(600)
        if sys.argv[1] == "exits":
            os._exit(5)

if __name__ == "__main__":
    asyncio.run(main())
"""


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", ["ends", "fails", "exits", "waits", "killed"])
def test_nothing_is_left_of_a_cluster_of_our_own(tmp_path: Path, how: str) -> None:
    """Whatever ends its client: the end, an error, Ctrl-C of the whole group, or SIGKILL."""
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    child = subprocess.Popen(
        [sys.executable, str(script), "waits" if how == "killed" else how], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert child.stdout
    workers = [int(word) for word in child.stdout.readline().split()]
    assert len(workers) == 2
    if how in ("waits", "killed"):
        assert child.stdout.readline() == "waiting\n", "what a worker prints is no result"
        number = signal.SIGINT if how == "waits" else signal.SIGKILL
        (os.killpg if how == "waits" else os.kill)(child.pid, number)
    out, _ = child.communicate(timeout=30)
    assert not out
    assert child.returncode == {"ends": 0, "fails": 1, "exits": 5, "waits": -2, "killed": -9}[how]
    end = time.monotonic() + 10
    while not all(map(gone, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert all(map(gone, workers))
