"""Objects of a store that speaks S3, through s3fs: each read as one version, written whole.

Where the store is and who asks is said to s3fs and botocore alone, by their files and variables
(AWS_ENDPOINT_URL, AWS_PROFILE, ...). All errors are OSErrors that name the URL.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
from collections.abc import Callable, Coroutine, Iterator
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO, NamedTuple, TypeVar

from mgrkit.errors import RunError

Version = tuple[int, str]
"""Size and ETag of an object: another ETag is another content."""
SCHEME = "s3://"

_BLOCK = 1 << 20
_PART = 16 << 20
"""Larger objects are uploaded in parts of this size; no part of S3's is smaller than 5 MiB."""
_MOST_PARTS = 9_000  # 10,000 by S3
_TRIES = 5
_REFUSALS = {
    "AccessDenied": "access is denied",
    "403": "access is denied",
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret key is not the right one",
    "ExpiredToken": "the credentials have expired",
    "NoSuchBucket": "there is no such bucket",
}
_OTHERWISE = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
_T = TypeVar("_T")


class RefusedError(PermissionError):
    """The store refuses: no such bucket, no right, no credentials. All else there fails, too."""


class OtherVersionError(FileExistsError):
    """The object is not of the version that was asked for, or there where none should be."""


class Entry(NamedTuple):
    """What lies in a folder: an object with its version and when it came, or a folder."""

    name: str
    path: str
    version: Version | None
    modified: float = 0.0

    def is_dir(self) -> bool:
        """As of an `os.DirEntry`."""
        return self.version is None

    def is_symlink(self) -> bool:
        """As of an `os.DirEntry`: a store has none."""
        return False


def is_url(path: str) -> bool:
    """Whether a path is one in a store."""
    return path.startswith(SCHEME)


def entries(folder: str, beginning: str = "") -> Iterator[Entry]:
    """What lies in a folder and has a name that begins so, in the order of names.

    What has no name, as ``b`` of ``a//b``, has ``.`` for one: no path leads there.
    """
    above = folder.rstrip("/") + "/"
    _, prefix = _parted(above)
    more: dict[str, str] = {}
    while True:
        page = _ask(folder, "list_objects_v2", Prefix=prefix + beginning, Delimiter="/", **more)
        for inner in page.get("CommonPrefixes", ()):
            name = inner["Prefix"][len(prefix) : -1] or "."
            yield Entry(name, above + name, None)
        for one in page.get("Contents", ()):
            if name := one["Key"][len(prefix) :]:  # a console marks folders by objects like them
                when = one["LastModified"].timestamp()
                yield Entry(name, above + name, (one["Size"], one["ETag"]), when)
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def version(url: str) -> Version | None:
    """The version that is there now; None where there is no object."""
    try:
        head = _ask(url, "head_object")
    except FileNotFoundError:
        return None
    return head["ContentLength"], head["ETag"]


def fetch(
    url: str, wanted: Version, file: BinaryIO, came: Callable[[], object] = lambda: None
) -> None:
    """Write all bytes of one version to a file, block by block; a broken connection goes on.

    Parameters
    ----------
    came : called after each block, on a thread of the store's.

    Raises
    ------
    OtherVersionError : the object has changed.
    FileNotFoundError : it is not there any more.
    """
    _wait(url, lambda store: _fetch(store, url, wanted, file, came))


async def _fetch(
    store: Any, url: str, wanted: Version, file: BinaryIO, came: Callable[[], object]
) -> None:
    from aiohttp import ClientError
    from botocore.exceptions import BotoCoreError

    bucket, key = _parted(url)
    size, etag = wanted
    done = 0
    for attempt in range(_TRIES):
        rest = {"Range": f"bytes={done}-"} if done else {}
        try:
            got = await store._call_s3("get_object", Bucket=bucket, Key=key, IfMatch=etag, **rest)
            async with got["Body"] as body:
                while block := await body.read(_BLOCK):
                    file.write(block)
                    done += len(block)
                    came()
        except (ClientError, BotoCoreError, TimeoutError):
            if attempt + 1 == _TRIES:
                raise
        if done >= size:
            return
    raise OSError(errno.EIO, f"only {done} of {size} bytes came", url)


def read(url: str) -> tuple[bytes, str, float]:
    """A small object, its ETag, and how many seconds ago it came, by the store's clock."""

    async def ask(store: Any) -> tuple[bytes, str, float]:
        bucket, key = _parted(url)
        got = await store._call_s3("get_object", Bucket=bucket, Key=key)
        async with got["Body"] as body:
            content = await body.read()
        now = parsedate_to_datetime(got["ResponseMetadata"]["HTTPHeaders"]["date"])
        return content, got["ETag"], (now - got["LastModified"]).total_seconds()

    return _wait(url, ask)


def put(path: str, url: str, over: str = "", *, always: bool = False) -> Version:
    """Upload a file, which is there whole or not at all, and the version that it is there.

    Parameters
    ----------
    over : the ETag of the object whose place it takes; where '', none may be there.
    always : whatever is there.

    Raises
    ------
    OtherVersionError : another object is there, or, after a broken connection, this one.
    FileNotFoundError : none is there that is ``over``.
    """
    condition = {"IfMatch": over} if over else {"IfNoneMatch": "*"}
    condition = {} if always else condition
    return os.path.getsize(path), _wait(url, lambda store: _put(store, path, url, condition))


async def _put(store: Any, path: str, url: str, condition: dict[str, str]) -> str:
    bucket, key = _parted(url)
    ask = functools.partial(store._call_s3, Bucket=bucket, Key=key)
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        if size <= _PART:
            return str((await ask("put_object", Body=file.read(), **condition))["ETag"])
        upload = (await ask("create_multipart_upload"))["UploadId"]
        ask = functools.partial(ask, UploadId=upload)
        try:
            parts: list[dict[str, Any]] = []
            while data := file.read(max(_PART, size // _MOST_PARTS)):
                number = len(parts) + 1
                got = await ask("upload_part", PartNumber=number, Body=data)
                parts.append({"PartNumber": number, "ETag": got["ETag"]})
            whole = {"Parts": parts}
            got = await ask("complete_multipart_upload", MultipartUpload=whole, **condition)
            return str(got["ETag"])
        except BaseException:
            with contextlib.suppress(Exception):
                await ask("abort_multipart_upload")
            raise


def delete(url: str) -> None:
    """Delete an object, if it is there."""
    _ask(url, "delete_object")


def _parted(url: str) -> tuple[str, str]:
    """The bucket and the key of a URL."""
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    return bucket, key


def _ask(url: str, operation: str, **asked: Any) -> Any:
    bucket, key = _parted(url)
    if operation != "list_objects_v2":
        asked["Key"] = key
    return _wait(url, lambda store: store._call_s3(operation, Bucket=bucket, **asked))


@functools.lru_cache(maxsize=1)
def _store() -> Any:
    try:
        import fsspec
        import s3fs  # noqa: F401
    except ImportError:
        raise RunError(
            f"{SCHEME} needs s3fs, not installed here", "pip install 'mgrkit[remote]'"
        ) from None
    return fsspec.filesystem("s3", skip_instance_cache=True)


def _wait(url: str, asks: Callable[[Any], Coroutine[Any, Any, _T]]) -> _T:
    """What a store answers; whatever it raises as an OSError."""
    store = _store()
    from aiohttp import ClientError
    from botocore.exceptions import BotoCoreError
    from fsspec.asyn import sync

    try:
        answer: _T = sync(store.loop, asks, store)
    except (OSError, ClientError, BotoCoreError) as error:
        raise _explained(error, url) from error
    return answer


def _explained(error: Exception, url: str) -> OSError:
    from botocore.exceptions import ClientError, NoCredentialsError

    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return error  # of the disk here
    cause = error.__cause__
    code = str(cause.response["Error"]["Code"]) if isinstance(cause, ClientError) else ""
    if code in _OTHERWISE:
        return OtherVersionError(errno.EEXIST, "another object is there", url)
    if code in _REFUSALS:
        return RefusedError(errno.EACCES, _REFUSALS[code], url)
    if isinstance(error, NoCredentialsError):
        return RefusedError(errno.EACCES, "there are no credentials (see AWS_PROFILE)", url)
    if isinstance(error, FileNotFoundError):
        return FileNotFoundError(errno.ENOENT, "there is no such object", url)
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return OSError(errno.EIO, text.partition("\n")[0].rstrip("."), url)
