"""Search by query: what the store answers, beside LangGraph's InMemoryStore where that is the measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from langgraph.store.base import GetOp, IndexConfig, Item, PutOp, SearchItem, SearchOp
from langgraph.store.memory import InMemoryStore
from redis.asyncio import Redis

from ingestion.memory import Memory
from runtime.errors import InvalidInput
from runtime.store import RedisStore

pytestmark = pytest.mark.anyio

ITEMS: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
    (("acme", "ana", "notes"), "a", {"n": 1, "kind": "x", "text": "deal with maple about price"}),
    (("acme", "ana", "notes"), "b", {"n": 2.5, "kind": "y", "text": "deal deal deal"}),
    (("acme", "ana"), "c", {"n": 3, "kind": "x", "text": "deal on friday", "where": {"city": "Bern"}}),
    (("acme", "anatol"), "d", {"n": 4, "kind": "x", "text": "price of the deal"}),
    (("acme", "{x}", "\x01"), "键", {"n": 5, "kind": "y", "text": "报价 deal 报价"}),
    (("zeta", "ana"), "", {"n": 6, "kind": "x", "text": "deal"}),
]
WORDS = "deal with maple about price on friday of the 报价".split()


@pytest.fixture
async def store(client: Redis, memory: Memory) -> RedisStore:
    store = RedisStore(client, index=memory, fields=["text"])
    await store.abatch([PutOp(*item) for item in ITEMS])
    return store


@pytest.fixture
async def model() -> InMemoryStore:
    def counts(texts: Sequence[str]) -> list[list[float]]:
        return [[float(text.split().count(word)) for word in WORDS] for text in texts]

    model = InMemoryStore(index=IndexConfig(dims=len(WORDS), embed=counts, fields=["text"]))
    await model.abatch([PutOp(*item) for item in ITEMS])
    return model


def names(items: list[SearchItem]) -> list[tuple[tuple[str, ...], str]]:
    return [(item.namespace, item.key) for item in items]


async def test_items_are_ranked_by_the_query(store: RedisStore) -> None:
    """Best first with falling scores, each item as a get returns it; what shares no word is no result."""
    found = await store.asearch(("acme",), query="maple price")
    assert [item.key for item in found] == ["a", "d"]
    scores = [item.score for item in found]
    assert scores == sorted(scores, key=lambda score: -(score or 0)) and None not in scores
    for item in found:
        got = await store.aget(item.namespace, item.key)
        assert got is not None and item.dict() == got.dict() | {"score": item.score}
    assert await store.asearch(("acme",), query="nothing of this") == []


@pytest.mark.parametrize(
    ("prefix", "filter"),
    [
        (("acme",), None),
        (("acme", "ana"), None),
        (("acme", "ana", "notes"), {"kind": "y"}),
        (("zeta",), None),
        (("none",), None),
        (("acme",), {"n": {"$gt": 1, "$lte": 4}}),
        (("acme",), {"where": {"city": "Bern"}}),
        (("acme", "{x}"), {"kind": {"$ne": "x"}}),
    ],
)
async def test_prefix_and_filter_mean_what_they_mean_to_the_model(
    store: RedisStore, model: InMemoryStore, prefix: tuple[str, ...], filter: dict[str, Any] | None
) -> None:
    """All items hold the word, so both find the same ones; in which order is the ranking's business."""
    theirs = await model.asearch(prefix, query="deal", filter=filter)
    assert sorted(names(await store.asearch(prefix, query="deal", filter=filter))) == sorted(names(theirs))


@pytest.mark.parametrize(
    ("prefix", "query", "limit", "offset"),
    [
        (("acme", "ana"), "maple about price", 1, 0),
        (("acme", "ana"), "on friday", 1, 0),
        (("acme",), "deal 报价", 1, 0),
        (("acme", "ana", "notes"), "deal with maple", 1, 1),
        (("acme", "ana", "notes"), "deal with maple", 1, 0),
        (("acme", "ana", "notes"), "deal", 2, 0),
        (("acme", "ana", "notes"), "deal", 2, 2),
        (("acme",), "deal", 0, 0),
    ],
)
async def test_a_clear_ranking_is_that_of_the_model(
    store: RedisStore, model: InMemoryStore, prefix: tuple[str, ...], query: str, limit: int, offset: int
) -> None:
    """Page by page, where any measure of likeness must come to the same order."""
    theirs = await model.asearch(prefix, query=query, limit=limit, offset=offset)
    assert names(await store.asearch(prefix, query=query, limit=limit, offset=offset)) == names(theirs)


async def test_pages_agree_with_each_other(client: Redis, memory: Memory) -> None:
    """Offset and limit count matches of the filter; equal scores make no page repeat or miss an item."""
    store = RedisStore(client, index=memory)
    puts = [PutOp(("t", str(i % 3)), f"{i:04}", {"even": i % 2 == 0, "text": "alike"}) for i in range(700)]
    await store.abatch(puts)
    pages = [
        await store.asearch(("t",), query="alike", filter={"even": True}, limit=60, offset=offset)
        for offset in range(0, 420, 60)
    ]
    assert [len(page) for page in pages] == [60, 60, 60, 60, 60, 50, 0]
    assert sorted(item.key for page in pages for item in page) == [f"{i:04}" for i in range(0, 700, 2)]


async def test_tenants_and_namespaces_never_meet(store: RedisStore) -> None:
    """A search stays under its prefix, and there is none over all tenants."""
    assert names(await store.asearch(("zeta",), query="deal price maple 报价")) == [(("zeta", "ana"), "")]
    found = names(await store.asearch(("acme", "ana"), query="deal price maple 报价"))
    assert {namespace[:2] for namespace, _ in found} == {("acme", "ana")}
    assert await store.asearch(("ana",), query="deal") == []
    with pytest.raises(InvalidInput, match="namespace"):
        await store.asearch((), query="deal")
    assert len(await store.asearch((), query="")) == len(ITEMS)


async def test_only_the_fields_chosen_are_searched(client: Redis, memory: Memory, store: RedisStore) -> None:
    """By the put, else by the store, else the whole value; `index=False` leaves an item out."""
    value = {"text": "apple", "more": [{"say": "pear"}, {"say": "plum"}], "n": 7}
    await store.aput(("t",), "stores", value)
    await store.aput(("t",), "puts", value, index=["more[*].say", "missing"])
    await store.aput(("t",), "none", value, index=False)
    await store.aput(("t",), "no text", value, index=["missing"])
    await RedisStore(client, index=memory).aput(("t",), "whole", value)
    await store.aput(("t",), "json", value, index=["$"])

    async def keys(query: str) -> set[str]:
        return {item.key for item in await store.asearch(("t",), query=query)}

    assert await keys("apple") == {"stores", "whole", "json"}
    assert await keys("plum") == {"puts", "whole", "json"}
    assert len(await store.asearch(("t",))) == 6


async def test_a_batch_ranks_before_it_puts(store: RedisStore) -> None:
    """Results stand in their places; of several puts of one item the last one is found."""
    results = await store.abatch(
        [
            PutOp(("acme", "ana"), "c", {"text": "birch"}),
            SearchOp(("acme", "ana"), query="friday"),
            GetOp(("acme", "ana"), "c"),
            SearchOp(("zeta",)),
            PutOp(("acme", "ana"), "c", {"text": "walnut"}),
            SearchOp(("acme",), query="walnut birch"),
        ]
    )
    ranked, got, plain, nothing = results[1], results[2], results[3], results[5]
    assert isinstance(ranked, list) and isinstance(plain, list) and isinstance(got, Item)
    assert [ranked[0], len(ranked), len(plain), nothing] == [got, 1, 1, []]
    assert await store.asearch(("acme",), query="birch friday") == []
    assert [item.value["text"] for item in await store.asearch(("acme",), query="walnut")] == ["walnut"]


async def test_a_ranked_search_puts_the_deadlines_off(client: Redis, store: RedisStore) -> None:
    """Of the items it returns, as every read does unless told not to."""
    for key in ("far", "near"):
        await store.aput(("t",), key, {"text": "word word" if key == "near" else "word and others"}, ttl=60)
    deadlines = "{store/t}:deadlines"

    async def moved(**asked: Any) -> list[float]:
        before: list[Any] = await client.zmscore(deadlines, ["t\0\0far", "t\0\0near"])
        for member in ("t\0\0far", "t\0\0near"):
            await client.zincrby(deadlines, -600_000, member)
        await store.asearch(("t",), query="word", limit=1, **asked)
        after: list[Any] = await client.zmscore(deadlines, ["t\0\0far", "t\0\0near"])
        return [now >= then for then, now in zip(before, after, strict=True)]

    assert await moved() == [False, True]
    assert await moved(refresh_ttl=False) == [False, False]
