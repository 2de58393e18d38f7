"""The knowledge of a process that does not own the index."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest
from redis.asyncio import Redis

from compose import open_installation
from compose_knowledge import open_index
from ingestion.knowledge import Knowledge
from ingestion.record import document_id_of
from ingestion.remote import RemoteKnowledge, functions
from ingestion.report import Labels
from runtime.errors import AppError, DocumentMissing, KnowledgeUnavailable
from runtime.redis import connect
from runtime.remote import Caller, answering
from runtime.settings import load
from tests.knowledge import HERE, open_bm25, points_of, put, written

pytestmark = pytest.mark.anyio
P = document_id_of("p.md")

PRICES = written(
    "p.md", "# Prices", "The Team plan costs 39 dollars.", "# 价格", "团队版每个席位三十九美元。"
)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url, timeout_s=None) as client:
        yield client


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[Knowledge]:
    async with open_bm25(tmp_path / "data") as knowledge:
        yield knowledge


async def test_the_owner_answers_for_others(client: Redis, owner: Knowledge) -> None:
    """What a worker process writes and finds is what the owner would write and find itself."""
    remote = RemoteKnowledge(Caller(client), timeout_s=5)
    async with answering(client, functions(owner)):
        points = await points_of(PRICES, "v1")
        await remote.stage("acme", "v1", points, writer="a", collection=HERE)
        assert await remote.count("acme", "v1") == len(points)
        assert await remote.shown("acme", P) is None
        await remote.publish("acme", P, "v1", points=len(points), collection=HERE)
        assert await remote.shown("acme", P) == await owner.shown("acme", P) is not None
        assert await remote.named("acme", "p.md") == await owner.named("acme", "p.md") != []
        assert await remote.versions("acme", P) == await owner.versions("acme", P) != []
        assert await remote.documents("acme") == await owner.documents("acme")
        assert await remote.stats("acme") == await owner.stats("acme")
        for query in ("What does the Team plan cost?", "团队版多少钱？"):
            found = await remote.search("acme", query, limit=3)
            assert found and found == await owner.search("acme", query, limit=3)
        assert await remote.search("other", "Team plan") == []
        await remote.stage("acme", "v2", points, writer="a", collection=HERE)
        await remote.discard("acme", "v2", writer="a")
        assert await remote.count("acme", "v2") == 0
        later = await put(owner, "acme", written("p.md", "Team costs 41 dollars."), keep=True)
        await remote.restore("acme", P, "v1")
        await remote.relabel("acme", P, Labels(name="q.md"))
        shown = await owner.shown("acme", P)
        assert (
            shown and (shown.version, shown.document) == ("v1", "q.md") and await owner.count("acme", later)
        )
        assert [await remote.remove("acme", P) for _ in range(2)] == [True, False]


async def test_an_error_of_the_callee_keeps_its_code(client: Redis) -> None:
    """The caller can tell what happened by type."""

    async def search(**arguments: object) -> None:
        raise DocumentMissing("gone")

    async with answering(client, {"search": search}):
        with pytest.raises(DocumentMissing, match="gone"):
            await Caller(client)("search", 5, query="x")


async def test_a_fault_in_the_owner_says_nothing_of_what_was_asked(
    client: Redis, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Questions and items are message text: neither the queue nor the owner may log them."""

    async def search(**arguments: object) -> None:
        raise ValueError(f"cannot read {arguments}")

    async with answering(client, {"search": search}):
        for function, code in (("search", "internal"), ("find", "not_supported")):
            with pytest.raises(AppError) as raised:
                await Caller(client)(function, 5, query="confidential")
            assert raised.value.code == code and "confidential" not in str(raised.value)
    assert "confidential" not in caplog.text + "".join(capsys.readouterr())


async def test_calls_in_the_moment_that_an_owner_begins_are_answered(client: Redis) -> None:
    """The queue's sweep, which runs then, takes them for lost ones."""

    async def search(query: int) -> int:
        return query

    call, answers = Caller(client), []

    async def ask(query: int) -> None:
        answers.append(await call("search", 5, query=query))

    for _ in range(40):
        async with answering(client, {"search": search}), anyio.create_task_group() as tasks:
            for query in range(3):
                tasks.start_soon(ask, query)
    assert sorted(answers) == sorted([0, 1, 2] * 40)


async def test_without_an_owner_the_error_says_who_it_would_be(client: Redis) -> None:
    """In the time given, not for ever."""
    with pytest.raises(KnowledgeUnavailable, match="cornerman serve"):
        await RemoteKnowledge(Caller(client), timeout_s=1).search("acme", "anything")


async def test_ingestion_outlasts_a_restart_of_the_owner(client: Redis, owner: Knowledge) -> None:
    """The run of a document of an hour must not fail for the seconds in which the server starts again."""
    remote, points = RemoteKnowledge(Caller(client), timeout_s=1), await points_of(PRICES, "v1")

    async def ingest() -> None:
        await remote.stage("acme", "v1", points, writer="a", collection=HERE)
        await remote.publish("acme", P, "v1", points=len(points), collection=HERE)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ingest)
        with pytest.raises(KnowledgeUnavailable):
            await remote.search("acme", "Team plan")
        async with answering(client, functions(owner)):
            with anyio.fail_after(10):
                while not await owner.shown("acme", P):
                    await anyio.sleep(0.02)


async def test_a_second_owner_is_refused_by_name(owner: Knowledge, tmp_path: Path) -> None:
    """Two engines on one folder would spoil it."""
    import os

    with pytest.raises(KnowledgeUnavailable, match=str(os.getpid())):
        async with open_bm25(tmp_path / "data"):
            pass


async def test_a_server_takes_the_index_over_from_a_command(tmp_path: Path) -> None:
    """An `ingest` that happened to run when the server started does not leave it without an index."""
    async with AsyncExitStack() as stack:
        settings = load(data_dir=tmp_path / "server")
        command = await stack.enter_async_context(AsyncExitStack())
        await command.enter_async_context(open_index(settings))
        place = await stack.enter_async_context(open_installation(settings, own_index=True, work=False))
        assert place.knowledge.owned is None
        await command.aclose()
        with anyio.fail_after(10):
            while place.knowledge.owned is None:
                await anyio.sleep(0.05)
        await put(place.knowledge.owned, "local", PRICES)
        assert await place.knowledge.current.search("local", "Team plan")


async def test_answering_can_end_as_soon_as_it_began(client: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """A command that fails at once leaves no complaint of asyncio on the terminal."""
    for _ in range(20):
        with pytest.RaisesGroup(DocumentMissing):
            async with answering(client, {}):
                raise DocumentMissing("at once")
    gc.collect()
    assert "never retrieved" not in caplog.text
