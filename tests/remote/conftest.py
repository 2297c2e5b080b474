"""The store of these tests; they are skipped where moto or s3fs is not installed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from mgrkit.files import objects
from tests.remote.stores import BUCKET, Deny, Line, Store, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Store]:
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with serving() as store:
        yield store


@pytest.fixture
def store(server: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty bucket, which s3fs finds by the environment alone; tmp_path is the folder here."""
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")  # not five times, with their waits
    monkeypatch.setenv("MGRKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    objects._store.cache_clear()
    yield server
    objects._store.cache_clear()
    server.empty()


@pytest.fixture
def line(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """What s3fs goes through to the store; whole until a test cuts it."""
    line = Line(int(store.url.rpartition(":")[2]))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{line.port}")
    yield line
    line.close()


@pytest.fixture
def denied(store: Store) -> Iterator[Deny]:
    """Lets the store forbid an operation on keys of a pattern, by a policy of the bucket."""

    def deny(operation: str, keys: str) -> None:
        statement = {
            "Effect": "Deny", "Principal": "*", "Action": f"s3:{operation}",
            "Resource": f"arn:aws:s3:::{BUCKET}/{keys}",
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        store.client.put_bucket_policy(Bucket=BUCKET, Policy=policy)

    yield deny
    store.client.delete_bucket_policy(Bucket=BUCKET)
