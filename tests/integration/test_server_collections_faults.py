"""A Qdrant server that is down, hangs or answers nonsense: a clear error in time, and then it works again."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import get_args

import anyio
import pytest

from ingestion.engines.calls import Calls
from ingestion.engines.server import open_client
from ingestion.engines.server_collections import ServerCollections, open_server_collections
from ingestion.index import Asked, Put
from ingestion.vectors import Profile, Space, Sparse
from ingestion.within import Within
from runtime.errors import KnowledgeUnavailable
from tests.loopback import serving
from tests.qdrant_server import Answers, QdrantServer, qdrant_server

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
]

PROFILE = Profile("test", {"words": Space("sparse", idf=True)})
WORDS = Sparse([1], [1.0])
POINT = Put("p", {"words": WORDS}, {"document_id": "d", "version": "v", "ordinal": 0, "chunks": 1})
TIMEOUT_S = 10
SHORT_S = 1.5
"""For a server that never answers; one that does may be slow on a busy machine."""
FAR_LONGER_S = 60
BAD = [one for one in get_args(Answers) if one != "well"]


@pytest.fixture
async def server() -> AsyncIterator[QdrantServer]:
    async with qdrant_server() as one:
        yield one


@asynccontextmanager
async def opened(
    url: str,
    now: Callable[[], float] = lambda: 0.0,
    remembered: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> AsyncIterator[ServerCollections]:
    """Looks up the current collection before each use, unless it is `remembered`."""
    ticks: Iterator[float] = iter(range(0, 1_000_000, 10))
    async with open_client(url, None, timeout_s) as client:
        known = (lambda: 0.0) if remembered else (lambda: next(ticks))
        yield ServerCollections(client, Calls(timeout_s, now), "p-", "first", PROFILE, known)


async def search(collections: ServerCollections) -> int:
    here = await collections.current()
    return len(await here.index.search(Within("acme"), Asked({"words": WORDS}, 5)))


async def put(collections: ServerCollections) -> int:
    here = await collections.current()
    await here.index.put("acme", [POINT])
    return await here.index.count(Within("acme"))


async def publish(collections: ServerCollections) -> int:
    versions = (await collections.current(fresh=True)).versions
    await versions.stage("acme", "v", [POINT], "w")
    await versions.publish("acme", "d", "v", 1, False, "")
    return 1


USES = [search, put, publish]
Use = Callable[[ServerCollections], Awaitable[int]]


async def unavailable(collections: ServerCollections, use: Use) -> str:
    """What the error says; nothing else may come, and not much later than the time-out."""
    with anyio.fail_after(FAR_LONGER_S), pytest.raises(KnowledgeUnavailable) as caught:
        await use(collections)
    return str(caught.value)


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("answers", BAD)
async def test_every_failure_is_unavailable(
    server: QdrantServer, answers: Answers, use: Use, remembered: bool
) -> None:
    """Whatever a server or its gateway answers, callers catch it by one name; then it works again."""
    timeout_s = SHORT_S if answers == "never" else TIMEOUT_S
    async with opened(server.url, remembered=remembered, timeout_s=timeout_s) as collections:
        await put(collections)
        server.answers = answers
        assert "Qdrant server" in await unavailable(collections, use)
        server.answers = "well"
        assert await use(collections) == 1


async def test_a_start_without_a_server() -> None:
    """Opening does not ask; the first use fails, and the first one after the server came finds it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with open_server_collections(url, None, "p-", "first", PROFILE, TIMEOUT_S) as collections:
            assert "ConnectError" in await unavailable(collections, search)
            listener.listen()
            async with serving(listener, QdrantServer("1.20.0").routes()):
                assert await put(collections) == 1


async def test_the_breaker_opens_and_closes(server: QdrantServer) -> None:
    """A server that is down is left alone for a while: callers fail at once. Then it is tried again."""
    time = 0.0
    async with opened(server.url, now=lambda: time) as collections:
        await put(collections)
        server.answers = "503"
        for _ in range(5):
            assert "503" in await unavailable(collections, search)
        asked, server.answers = server.asked, "well"
        assert "left alone" in await unavailable(collections, search)
        assert "left alone" in await unavailable(collections, put)
        assert server.asked == asked
        time = 31.0
        assert await search(collections) == 1
        assert server.asked > asked


async def test_a_hanging_server_stops_many_at_once(server: QdrantServer) -> None:
    """Callers do not wait for each other's time-outs."""
    async with opened(server.url, timeout_s=SHORT_S) as collections:
        await put(collections)
        server.answers = "never"
        async with anyio.create_task_group() as tasks:
            for _ in range(60):
                tasks.start_soon(unavailable, collections, search)
        server.answers = "well"


@pytest.mark.parametrize("version", ["1.18.4", "1.9.0", "0.11", "nonsense"])
async def test_an_old_server_is_refused(server: QdrantServer, version: str) -> None:
    """It would silently weigh words by all tenants' documents; the error names it, and an upgrade is seen."""
    server.version = version
    async with opened(server.url) as collections:
        for use in USES:
            assert repr(version) in await unavailable(collections, use)
        assert not await collections.names()
        server.version = "1.19.0"
        assert await put(collections) == 1
