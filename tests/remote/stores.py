"""A store on this machine that speaks S3, and a line to it that can be cut."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BUCKET = "music"
Deny = Callable[[str, str], None]


class Store:
    """A bucket of a server of moto, looked at by a client of its own."""

    def __init__(self, url: str) -> None:
        import botocore.session

        self.url = url
        self.client: Any = botocore.session.get_session().create_client(
            "s3", "us-east-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b"
        )
        with contextlib.suppress(Exception):
            self.client.create_bucket(Bucket=BUCKET)

    def upload(self, folder: Path, prefix: str) -> None:
        """Put all files of a folder below a prefix."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def keys(self, prefix: str = "") -> list[str]:
        """Of all objects below a prefix, without it."""
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [one["Key"][len(prefix) :] for one in found]

    def tree(self, prefix: str) -> dict[str, bytes]:
        """What lies below a prefix, but for what a run keeps for itself."""
        keys = self.keys(f"{prefix}/")
        return {k: self.get(f"{prefix}/{k}") for k in keys if not k.startswith(".mgrkit/")}

    def times(self, prefix: str) -> dict[str, Any]:
        """When each object of a tree was written."""
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/")["Contents"]
        return {one["Key"]: one["LastModified"] for one in found if ".mgrkit/" not in one["Key"]}

    def uploads(self) -> list[str]:
        """The keys of uploads in parts that are neither complete nor aborted."""
        found = self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [one["Key"] for one in found]

    def empty(self) -> None:
        for key in self.keys():
            self.client.delete_object(Bucket=BUCKET, Key=key)
        for one in self.client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            self.client.abort_multipart_upload(
                Bucket=BUCKET, Key=one["Key"], UploadId=one["UploadId"]
            )


class Line:
    """A TCP line to a server: each connection breaks after so many bytes in a direction.

    ``breaks`` is how many connections still do.
    """

    def __init__(self, port: int) -> None:
        self.up = self.down = 1 << 60
        self.breaks = 0
        self._to = port
        self._ears = socket.create_server(("127.0.0.1", 0))
        self.port = self._ears.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._ears.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                for ends in ((near, far, "up"), (far, near, "down")):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, way: str) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 14):
                passed += len(data)
                if self.breaks > 0 and passed > getattr(self, way):
                    self.breaks -= 1
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # which wakes the other thread, as close does not
            end.close()

    def close(self) -> None:
        self._ears.close()


@contextlib.contextmanager
def serving() -> Iterator[Store]:
    """A server in a thread, which ends with the context."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Store(f"http://{host}:{port}")
    finally:
        server.stop()
