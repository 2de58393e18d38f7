"""Snapshots of a Qdrant server's collections, by its REST interface: made, fetched, given back, deleted.

Its client for Python cannot fetch one, and would give up after the time that a search may take.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, TypeVar
from urllib.parse import quote, urlsplit
from uuid import uuid4

import anyio
import httpx
from anyio import to_thread
from pydantic import BaseModel, ConfigDict, ValidationError

from runtime.errors import InvalidInput, KnowledgeUnavailable

A = TypeVar("A", bound=BaseModel)

_PORT = 6333
"""The one that qdrant-client takes where the URL names none."""
_CHUNK = 1 << 20
_CONNECT_S = 10.0


class Snapshot(BaseModel):
    """What the server says of one that it holds."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    name: str
    size: int
    """Bytes."""
    checksum: str | None = None
    """SHA-256, in hexadecimal."""


class _Made(BaseModel):
    result: Snapshot


class _Held(BaseModel):
    result: list[Snapshot]


class _Done(BaseModel):
    result: bool


class _Shard(BaseModel):
    shard_id: int


class _Shards(BaseModel):
    shard_count: int
    local_shards: list[_Shard]


class _Spread(BaseModel):
    result: _Shards


class Snapshots:
    """Opened by `open_snapshots`. Collections are named as the server names them.

    Nothing is tried again: a snapshot that is made twice is there twice. All methods raise
    KnowledgeUnavailable; its message holds no word of the server's, which may quote the request.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def check_whole(self, collection: str) -> None:
        """Raises InvalidInput for a collection whose snapshot would lack what other nodes hold."""
        spread = (await self._asked(_Spread, "GET", f"{_path(collection)}/cluster")).result
        here = len({shard.shard_id for shard in spread.local_shards})
        if here < spread.shard_count:
            raise InvalidInput(
                f"the node that was asked holds {here} of the collection's {spread.shard_count} shards, and a"
                " snapshot is of one node; back a cluster up with its own tools"
            )

    async def make(self, collection: str) -> Snapshot:
        """The server keeps it until `delete`."""
        url = f"{_path(collection)}/snapshots"
        return (await self._asked(_Made, "POST", url, params={"wait": "true"})).result

    async def held(self, collection: str) -> list[Snapshot]:
        return (await self._asked(_Held, "GET", f"{_path(collection)}/snapshots")).result

    async def fetch(self, collection: str, snapshot: Snapshot, to: Path) -> str:
        """Writes it to a new file; its SHA-256. Raises InvalidInput where that cannot be written."""
        seen, size = sha256(), 0
        async with self._streamed(_path(collection, snapshot.name)) as response:
            with await to_thread.run_sync(_new_file, to) as file:
                async for chunk in response.aiter_bytes(_CHUNK):
                    size += len(chunk)
                    if size > snapshot.size:
                        break
                    await to_thread.run_sync(_write, file, chunk, to)
                    seen.update(chunk)
        if size != snapshot.size or snapshot.checksum not in (None, seen.hexdigest()):
            raise KnowledgeUnavailable("the Qdrant server sent another file than the snapshot that it made")
        return seen.hexdigest()

    async def recover(self, collection: str, file: Path, digest: str) -> None:
        """Makes the collection of a snapshot whose SHA-256 is `digest`; what was in it is overwritten.

        Cancelled or out of time, the server may still go on with it.
        """
        boundary = uuid4().hex
        head, tail = _frame(boundary)
        length = len(head) + (await to_thread.run_sync(file.stat)).st_size + len(tail)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(length)}
        # Where there are replicas, what was uploaded counts, and not their emptiness.
        params = {"wait": "true", "priority": "snapshot", "checksum": digest}
        async with aclosing(_form(head, file, tail)) as form:
            url = f"{_path(collection)}/snapshots/upload"
            done = await self._asked(_Done, "POST", url, params=params, content=form, headers=headers)
        if not done.result:
            raise KnowledgeUnavailable("the Qdrant server did not recover the snapshot")

    async def delete(self, collection: str, name: str) -> None:
        await self._asked(_Done, "DELETE", _path(collection, name), params={"wait": "true"})

    async def _asked(
        self,
        form: type[A],
        method: str,
        url: str,
        *,
        params: dict[str, str] | None = None,
        content: AsyncIterator[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> A:
        with _failing():
            response = await self._http.request(method, url, params=params, content=content, headers=headers)
            _check(response)
            return form.model_validate_json(response.content)

    @asynccontextmanager
    async def _streamed(self, url: str) -> AsyncIterator[httpx.Response]:
        with _failing():
            async with self._http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response:
                _check(response)
                yield response


@asynccontextmanager
async def open_snapshots(url: str, api_key: str | None, timeout_s: float) -> AsyncIterator[Snapshots]:
    """`timeout_s` bounds each wait for the server: to take or send a piece, or to have made a snapshot."""
    headers = {} if api_key is None else {b"api-key": api_key.encode()}
    timeout = httpx.Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s))
    async with httpx.AsyncClient(base_url=_base(url), headers=headers, timeout=timeout) as http:
        yield Snapshots(http)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except httpx.LocalProtocolError:
        # Its text quotes the header that it is about, which may be the key.
        raise KnowledgeUnavailable("a request to the Qdrant server is not valid; is its API key?") from None
    except (httpx.HTTPError, ValidationError) as exc:
        raise KnowledgeUnavailable(f"the Qdrant server failed: {type(exc).__name__}") from exc


def _check(response: httpx.Response) -> None:
    # 202 too: it was only begun, though it was asked to wait.
    if response.status_code != httpx.codes.OK:
        raise KnowledgeUnavailable(f"the Qdrant server failed: status {response.status_code}")


def _base(url: str) -> str:
    named = urlsplit(url)
    port = "" if named.port else f":{_PORT}"
    return f"{named.scheme}://{named.netloc}{port}{named.path.rstrip('/')}"


def _path(collection: str, snapshot: str | None = None) -> str:
    path = f"/collections/{quote(collection, safe='')}"
    return path if snapshot is None else f"{path}/snapshots/{quote(snapshot, safe='')}"


def _frame(boundary: str) -> tuple[bytes, bytes]:
    """What stands before and after the file in a form, by RFC 7578, section 4."""
    about = 'Content-Disposition: form-data; name="snapshot"; filename="collection.snapshot"'
    head = f"--{boundary}\r\n{about}\r\nContent-Type: application/octet-stream\r\n\r\n"
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


async def _form(head: bytes, file: Path, tail: bytes) -> AsyncGenerator[bytes, None]:
    yield head
    async with await anyio.open_file(file, "rb") as opened:
        while chunk := await opened.read(_CHUNK):
            yield chunk
    yield tail


def _new_file(path: Path) -> BinaryIO:
    try:
        return path.open("xb")
    except OSError as exc:
        raise InvalidInput(f"{str(path)!r} cannot be written ({exc.strerror})") from exc


def _write(file: BinaryIO, chunk: bytes, path: Path) -> None:
    try:
        file.write(chunk)
    except OSError as exc:
        raise InvalidInput(f"{str(path)!r} cannot be written ({exc.strerror})") from exc
