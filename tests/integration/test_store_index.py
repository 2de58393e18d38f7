"""The store and an index that lags, fails or belongs to another process."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from compose import open_installation
from ingestion.memory import Memory
from ingestion.remote_memory import RemoteMemory, memory_functions
from runtime.errors import KnowledgeUnavailable, NotSupported
from runtime.redis import connect
from runtime.remote import Caller, answering
from runtime.settings import load
from runtime.store import RedisStore
from tests.knowledge import put, written

pytestmark = pytest.mark.anyio

ANA = ("acme", "ana")


@pytest.fixture
async def calls(redis_url: str) -> AsyncIterator[Redis]:
    async with connect(redis_url, timeout_s=None) as client:
        yield client


@pytest.fixture
async def store(client: Redis, memory: Memory) -> RedisStore:
    return RedisStore(client, index=memory)


@pytest.fixture
async def dying(client: Redis) -> RedisStore:
    """A process that never gets to tell the index."""
    return RedisStore(client)


async def keys(store: RedisStore, query: str) -> list[str]:
    return [item.key for item in await store.asearch(ANA, query=query)]


async def test_what_is_gone_is_found_no_more(store: RedisStore, memory: Memory) -> None:
    """Deleted, put with other words, or put to be left out: the index forgets it at once."""
    for key in ("deleted", "overwritten", "left out"):
        await store.aput(ANA, key, {"text": "maple"})
    await store.adelete(ANA, "deleted")
    await store.aput(ANA, "overwritten", {"text": "birch"})
    await store.aput(ANA, "left out", {"text": "maple"}, index=False)
    assert await keys(store, "maple") == [] and await keys(store, "birch") == ["overwritten"]
    assert await memory.search(ANA, "maple", 10) == []


async def test_a_stale_entry_is_no_answer(
    client: Redis, store: RedisStore, dying: RedisStore, memory: Memory
) -> None:
    """Redis is the truth: an entry of what was changed, deleted or has expired is dropped when it is met."""
    for key in ("deleted", "overwritten", "same again", "expired", "as it was"):
        await store.aput(ANA, key, {"text": "maple"}, ttl=60)
    await dying.adelete(ANA, "deleted")
    await dying.aput(ANA, "overwritten", {"text": "birch"})
    await dying.aput(ANA, "same again", {"text": "maple"}, index=False)
    await client.zadd("{store/acme}:deadlines", {b"acme\0ana\0\0expired": 1})
    assert len(await memory.search(ANA, "maple", 10)) == 5
    assert await keys(store, "maple") == ["as it was"] and await keys(store, "birch") == []
    assert [c.entry.key for c in await memory.search(ANA, "maple", 10)] == ["as it was"]


async def test_a_missing_entry_comes_with_the_next_put(store: RedisStore, dying: RedisStore) -> None:
    """Of a new item, and of one whose old entry is stale."""
    await store.aput(ANA, "old", {"text": "maple"})
    for key in ("old", "new"):
        await dying.aput(ANA, key, {"text": "birch"})
    assert await keys(store, "maple birch") == []
    for key in ("old", "new"):
        await store.aput(ANA, key, {"text": "birch"})
    assert sorted(await keys(store, "maple birch")) == ["new", "old"]


async def test_versions_grow_though_the_clock_goes_back(client: Redis, store: RedisStore) -> None:
    """Else the index would take a newer put for an older one, and the item would not be found."""
    await store.aput(ANA, "k", {"text": "maple"})
    items, member = "{store/acme}:items", "acme\0ana\0\0k"
    record = await client.hget(items, member)
    assert isinstance(record, bytes)
    created, updated, ttl_ms = struct.unpack_from(">ddd", record)
    await client.hset(items, member, struct.pack(">ddd", created, updated + 1e9, ttl_ms) + record[24:])
    assert await keys(store, "maple") == []
    await store.aput(ANA, "k", {"text": "birch"})
    got = await store.aget(ANA, "k")
    assert got is not None and got.updated_at.timestamp() * 1e6 > updated + 1e9
    assert await keys(store, "birch") == ["k"]
    await store.adelete(ANA, "k")
    await store.aput(ANA, "k", {"text": "willow"})
    assert await keys(store, "willow") == ["k"]


async def test_without_its_owner_only_what_needs_the_index_fails(
    client: Redis, calls: Redis, memory: Memory
) -> None:
    """With a type; what Redis has done stays done, and the index hears of it late or at the next put."""
    remote = RemoteMemory(Caller(calls), timeout_s=1)
    store = RedisStore(client, index=remote)
    with pytest.raises(KnowledgeUnavailable, match="cornerman serve"):
        await store.aput(ANA, "k", {"text": "maple"})
    with pytest.raises(KnowledgeUnavailable):
        await keys(store, "maple")
    got = await store.aget(ANA, "k")
    assert got is not None and await store.asearch(ANA) == [got]
    assert await store.alist_namespaces() == [ANA]
    with pytest.raises(KnowledgeUnavailable):
        await store.adelete(ANA, "k")
    assert await store.aget(ANA, "k") is None
    async with answering(calls, memory_functions(memory)):
        await store.aput(ANA, "k", {"text": "birch"})
        assert await keys(store, "birch maple") == ["k"]
        assert await keys(store, "maple") == []


async def test_the_owner_answers_for_others(client: Redis, calls: Redis, memory: Memory) -> None:
    """A worker's store puts, finds and forgets as the owner's does, each seeing what the other put."""
    owner, other = RedisStore(client, index=memory), RedisStore(client, index=RemoteMemory(Caller(calls), 10))
    async with answering(calls, memory_functions(memory)):
        await other.aput(ANA, "他", {"text": "红茶 茶", "n": 1})
        await owner.aput(ANA, "k", {"text": "likes tea 茶", "n": 2})
        found = await other.asearch(ANA, query="茶", filter={"n": {"$gte": 1}})
        assert found == await owner.asearch(ANA, query="茶")
        assert [item.score for item in found] == [i.score for i in await owner.asearch(ANA, query="茶")]
        assert {item.key for item in found} == {"他", "k"}
        assert await other.asearch(("zeta", "ana"), query="茶") == []
        await other.adelete(ANA, "k")
        assert await keys(owner, "茶") == ["他"]


async def test_the_sync_methods_say_what_they_cannot_do(store: RedisStore) -> None:
    """Rather than put an item that is never found; nothing is done then."""
    with pytest.raises(NotSupported, match="aput"):
        store.put(ANA, "k", {"text": "maple"})
    assert store.get(ANA, "k") is None
    with pytest.raises(NotSupported, match="asearch"):
        store.search(ANA, query="maple")
    await store.aput(ANA, "k", {"text": "maple"})
    await store.aput(ANA, "l", {"text": "maple"})
    store.delete(ANA, "k")
    store.put(ANA, "l", {"text": "maple"}, index=False)
    assert [item.key for item in store.search(ANA)] == ["l"]
    assert await keys(store, "maple") == []
    store.close()


async def test_an_installation_searches_its_store_where_that_is_on(tmp_path: Path, redis_url: str) -> None:
    """In the owner and beside it, and apart from documents: neither finds or counts what is the other's."""
    trees = written("trees.md", "# Trees", "The maple is a tree.")
    settings = load(data_dir=tmp_path / "data", redis_url=redis_url, store_search=True)
    async with (
        open_installation(settings, own_index=True, work=False) as owner,
        open_installation(settings, own_index=False, work=False) as other,
    ):
        await owner.engine.store.aput(ANA, "k", {"text": "maple syrup"})
        assert (await owner.knowledge.current.stats("acme")).documents == 0
        assert await owner.knowledge.current.search("acme", "maple") == []
        assert owner.knowledge.owned is not None
        await put(owner.knowledge.owned, "acme", trees)
        for place in (owner, other):
            assert [item.key for item in await place.engine.store.asearch(("acme",), query="maple tree")] == [
                "k"
            ]
            assert [p.document for p in await place.knowledge.current.search("acme", "maple syrup")] == [
                "trees.md"
            ]
        assert (await owner.knowledge.current.stats("acme")).documents == 1
    off = load(data_dir=tmp_path / "data", redis_url=redis_url)
    async with open_installation(off, own_index=True, work=False) as place:
        items = await place.engine.store.asearch(("acme",), query="not ranked")
        assert [(item.key, item.score) for item in items] == [("k", None)]


async def test_a_damaged_index_of_items_leaves_the_documents_served(tmp_path: Path, redis_url: str) -> None:
    """Only what needs it fails, with an error that has a type."""
    trees = written("trees.md", "# Trees", "The maple is a tree.")
    damaged = tmp_path / "data" / "index" / "items"
    damaged.mkdir(parents=True)
    (damaged / "junk").write_text("no shard")
    settings = load(data_dir=tmp_path / "data", redis_url=redis_url, store_search=True)
    async with open_installation(settings, own_index=True, work=False) as place:
        assert place.knowledge.owned is not None
        await put(place.knowledge.owned, "acme", trees)
        assert await place.knowledge.current.search("acme", "maple")
        with pytest.raises(NotSupported):
            await place.engine.store.asearch(("acme",), query="maple")
