"""The store on a real Redis, beside LangGraph's InMemoryStore where that is the measure."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.store.base import GetOp, InvalidNamespaceError, ListNamespacesOp, PutOp, SearchOp
from langgraph.store.memory import InMemoryStore
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from runtime.errors import InvalidInput, RedisUnavailable
from runtime.store import RedisStore

pytestmark = pytest.mark.anyio

ITEMS: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
    (("acme", "ana", "notes"), "a", {"n": 1, "kind": "x", "where": {"city": "Bern", "zip": 3000}}),
    (("acme", "ana", "notes"), "b", {"n": 2.5, "kind": "y", "tags": ["p", "q"]}),
    (("acme", "ana"), "c", {"n": 3, "kind": "x"}),
    (("acme", "anatol"), "d", {"kind": "x", "n": 4}),
    (("acme", "{x}", "\x01"), "键", {"text": "多", "n": 5}),
    (("zeta",), "", {"n": 6}),
]


@pytest.fixture
async def store(client: Redis) -> RedisStore:
    store = RedisStore(client)
    for namespace, key, value in ITEMS:
        await store.aput(namespace, key, value)
    return store


@pytest.fixture
async def model() -> InMemoryStore:
    model = InMemoryStore()
    for namespace, key, value in ITEMS:
        await model.aput(namespace, key, value)
    return model


def names(items: list[Any]) -> list[tuple[tuple[str, ...], str, dict[str, Any]]]:
    return sorted((item.namespace, item.key, item.value) for item in items)


async def test_items_come_back_with_their_times(store: RedisStore) -> None:
    """An update keeps the time of creation; a deleted item is gone."""
    first = await store.aget(("acme", "ana"), "c")
    assert first is not None and first.value == {"n": 3, "kind": "x"} and first.created_at == first.updated_at
    await store.aput(("acme", "ana"), "c", {"n": 30})
    second = await store.aget(("acme", "ana"), "c")
    assert second is not None and second.value == {"n": 30}
    assert first.created_at == second.created_at < second.updated_at
    await store.adelete(("acme", "ana"), "c")
    assert await store.aget(("acme", "ana"), "c") is None
    assert await store.aget(("acme", "ana", "c"), "") is None


@pytest.mark.parametrize(
    ("prefix", "filter"),
    [
        ((), None),
        (("acme",), None),
        (("acme", "ana"), None),
        (("acme", "ana", "notes"), {"kind": "y"}),
        (("none",), None),
        (("acme",), {"n": {"$gt": 1, "$lte": 4}}),
        ((), {"n": {"$gte": 3}}),
        ((), {"n": {"$lt": 3}, "kind": {"$ne": "y"}}),
        (("acme",), {"where": {"city": "Bern"}}),
        (("acme",), {"tags": ["p", "q"]}),
        (("acme",), {"kind": {"$eq": "x"}}),
    ],
)
async def test_search_finds_what_the_model_finds(
    store: RedisStore, model: InMemoryStore, prefix: tuple[str, ...], filter: dict[str, Any] | None
) -> None:
    """Namespaces match by whole labels, filters by value, nested value or comparison."""
    theirs = await model.asearch(prefix, filter=filter, limit=100)
    assert names(await store.asearch(prefix, filter=filter, limit=100)) == names(theirs)


async def test_search_pages_through_more_than_one_reply(client: Redis) -> None:
    """Offset and limit count matches, in one order, each item once."""
    store = RedisStore(client)
    await store.abatch(
        [PutOp(("t", str(i % 3)), f"{i:04}", {"i": i, "even": i % 2 == 0}) for i in range(700)]
    )
    pages = [
        await store.asearch(("t",), filter={"even": True}, limit=100, offset=offset)
        for offset in range(0, 400, 100)
    ]
    found = [item.value["i"] for page in pages for item in page]
    assert [len(page) for page in pages] == [100, 100, 100, 50]
    assert sorted(found) == list(range(0, 700, 2))
    assert await store.asearch(("t",), limit=0) == []


async def test_a_missing_field_matches_no_comparison(store: RedisStore) -> None:
    """It is neither above nor below; an unknown comparison is a mistake to be told."""
    assert names(await store.asearch((), filter={"tags": {"$gt": 0}})) == []
    with pytest.raises(InvalidInput, match="near"):
        await store.asearch((), filter={"n": {"$near": 1}})


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"prefix": ("acme",)},
        {"prefix": ("acme", "*", "notes")},
        {"prefix": ("*", "ana")},
        {"suffix": ("notes",)},
        {"suffix": ("ana", "*")},
        {"max_depth": 2},
        {"prefix": ("acme",), "max_depth": 1},
        {"limit": 2, "offset": 1},
        {"prefix": ("acme", "ana"), "suffix": ("notes",)},
    ],
)
async def test_namespaces_are_listed_as_the_model_does(
    store: RedisStore, model: InMemoryStore, asked: dict[str, Any]
) -> None:
    """Prefix, suffix, wildcards, depth and paging."""
    assert await store.alist_namespaces(**asked) == await model.alist_namespaces(**asked)


async def test_a_batch_reads_before_it_puts(store: RedisStore) -> None:
    """As LangGraph's stores do; of several puts of one item the last one counts."""
    results = await store.abatch(
        [
            PutOp(("acme", "ana"), "c", {"n": 7}),
            GetOp(("acme", "ana"), "c"),
            PutOp(("acme", "ana"), "c", {"n": 8}),
            SearchOp(("zeta",)),
            PutOp(("zeta",), "", None),
            ListNamespacesOp(max_depth=1),
        ]
    )
    assert [results[i] for i in (0, 2, 4)] == [None, None, None]
    assert results[1].value == {"n": 3, "kind": "x"}  # type: ignore[union-attr]  # a get's result
    assert len(results[3]) == 1  # type: ignore[arg-type]  # a search's result
    assert results[5] == [("acme",), ("zeta",)]
    assert await store.aget(("zeta",), "") is None
    changed = await store.aget(("acme", "ana"), "c")
    assert changed is not None and changed.value == {"n": 8}


async def expire(client: Redis, root: str, key: str) -> None:
    """Moves an item's deadline into the past."""
    deadlines = f"{{store/{root}}}:deadlines"
    members: list[Any] = await client.zrange(deadlines, 0, -1)
    for member in members:
        if member.endswith(key.encode()):
            await client.zadd(deadlines, {member: 1})


async def test_expired_items_are_never_returned(client: Redis) -> None:
    """Not by get, search or in the namespaces; the next put sweeps them out, and nothing is left of them."""
    store = RedisStore(client, ttl={"default_ttl": 60})
    for key in ("get", "search", "sweep", "again"):
        await store.aput(("t", key), key, {"k": 1})
        await expire(client, "t", key)
    await store.aput(("t", "lasting"), "l", {"k": 1}, ttl=None)
    for key in ("get", "search", "again"):
        await store.aput(("t", key), key, {"k": 1})
        await expire(client, "t", key)
    assert await store.aget(("t", "get"), "get") is None
    assert [item.key for item in await store.asearch(("t",))] == ["l"]
    assert await store.alist_namespaces() == [("t", "lasting")]
    assert await client.hlen("{store/t}:items") == await client.zcard("{store/t}:index") == 1
    assert await client.zcard("{store/t}:deadlines") == 0


async def test_reading_puts_the_deadline_off_unless_told_not_to(client: Redis) -> None:
    """The time to live counts from the last access."""
    store = RedisStore(client)
    await store.aput(("t",), "k", {"v": 1}, ttl=60)
    deadlines = "{store/t}:deadlines"

    async def after(read: Any) -> float:
        await client.zincrby(deadlines, -600_000, b"t\0\0k")
        before = await client.zscore(deadlines, b"t\0\0k")
        await read
        now = await client.zscore(deadlines, b"t\0\0k")
        assert before is not None and now is not None
        return float(now) - float(before)

    assert await after(store.aget(("t",), "k")) >= 600_000
    assert await after(store.asearch(("t",))) >= 600_000
    assert await after(store.aget(("t",), "k", refresh_ttl=False)) == 0
    assert await after(store.asearch(("t",), refresh_ttl=False)) == 0
    await store.aput(("t",), "k", {"v": 2}, ttl=None)
    assert await client.zcard(deadlines) == 0


async def test_values_that_are_no_json_are_refused(store: RedisStore) -> None:
    """Rather than come back as something else."""
    for value in ({"when": object()}, {"set": {1}}, {1: "key"}):
        with pytest.raises(InvalidInput):
            await store.aput(("acme",), "k", value)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(InvalidNamespaceError):
        await store.abatch([PutOp(("a.b",), "k", {})])


async def test_the_sync_methods_do_the_same(store: RedisStore) -> None:
    """They share all but the connection with the async ones."""
    store.put(("acme", "sync"), "k", {"v": 1})
    assert store.get(("acme", "sync"), "k") == await store.aget(("acme", "sync"), "k")
    assert [item.key for item in store.search(("acme", "sync"))] == ["k"]
    assert ("acme", "sync") in store.list_namespaces()
    store.delete(("acme", "sync"), "k")
    assert store.get(("acme", "sync"), "k") is None
    store.close()


async def test_a_store_without_redis_raises(tmp_path: Any) -> None:
    """A memory that cannot be read is no empty memory."""
    async with Redis(unix_socket_path=f"{tmp_path}/none.sock", retry=Retry(NoBackoff(), 0)) as client:
        with pytest.raises(RedisUnavailable):
            await RedisStore(client).aget(("t",), "k")
