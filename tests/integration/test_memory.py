"""The index of the store's items: its own promises, on a real shard."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.engines.edge import EdgeIndex
from ingestion.memory import Memory
from ingestion.opening_knowledge import open_memory
from runtime.errors import KnowledgeUnavailable
from runtime.store_index import Entry, IndexedItem

pytestmark = pytest.mark.anyio

ANA = ("acme", "ana")


def item(namespace: tuple[str, ...], key: str, version: int, *texts: str) -> IndexedItem:
    return IndexedItem(Entry(namespace, key, version), texts)


async def found(memory: Memory, prefix: tuple[str, ...], query: str) -> list[Entry]:
    return [candidate.entry for candidate in await memory.search(prefix, query, 10)]


async def test_the_best_come_first_in_english_and_chinese(memory: Memory) -> None:
    """An item that says more of the query, in any of its texts, stands above one that says less."""
    await memory.put(
        [
            item(ANA, "coffee", 1, "likes coffee", "drinks espresso every morning"),
            item(ANA, "espresso", 1, "bought a machine for espresso in the morning", "coffee beans"),
            item(ANA, "tea", 1, "drinks tea"),
            item(ANA, "茶", 1, "他喜欢喝茶。"),
            item(ANA, "价", 1, "报价要在星期五之前给。"),
        ]
    )
    assert [e.key for e in await found(memory, ANA, "coffee espresso drinks")] == [
        "coffee",
        "espresso",
        "tea",
    ]
    assert [e.key for e in await found(memory, ANA, "喜欢茶吗？")] == ["茶"]
    assert await found(memory, ANA, "unheard") == await found(memory, ANA, "the 的") == []


async def test_a_prefix_matches_by_whole_labels(memory: Memory) -> None:
    """Whatever characters labels and keys are made of."""
    places = [ANA, ("acme", "ana", "notes"), ("acme", "anatol"), ('acme", "ana',), ("acme", "安娜\x01")]
    await memory.put([item(place, "k\0'\"", 1, "word") for place in places])
    assert {e.namespace for e in await found(memory, ("acme",), "word")} == set(places) - {('acme", "ana',)}
    assert {e.namespace for e in await found(memory, ANA, "word")} == {ANA, ("acme", "ana", "notes")}
    assert await found(memory, ("acme", "安娜\x01"), "word") == [Entry(("acme", "安娜\x01"), "k\0'\"", 1)]


async def test_what_lies_beside_the_prefix_changes_no_score(memory: Memory) -> None:
    """A score must not tell what another user or tenant has stored."""
    await memory.put([item(ANA, "k", 1, "discount for a renewal"), item(ANA, "l", 1, "renewal in May")])
    before = await memory.search(ANA, "discount renewal", 10)
    others = [("acme", "ben"), ("zeta", "ana")]
    await memory.put([item(other, f"{i}", 1, "discount discount") for other in others for i in range(20)])
    assert await memory.search(ANA, "discount renewal", 10) == before


async def test_an_older_version_overwrites_nothing(memory: Memory) -> None:
    """Calls of several processes may arrive in another order than Redis took the puts in."""
    await memory.put([item(ANA, "k", 7, "newer")])
    await memory.put([item(ANA, "k", 6, "older"), item(ANA, "l", 6, "older")])
    assert sorted(await found(memory, ANA, "newer older")) == [Entry(ANA, "k", 7), Entry(ANA, "l", 6)]
    await memory.drop([Entry(ANA, "k", 6), Entry(ANA, "l", 6), Entry(ANA, "unknown", 9)])
    assert await found(memory, ANA, "newer older") == [Entry(ANA, "k", 7)]
    await memory.put([item(ANA, "k", 8, "newest")])
    assert await found(memory, ANA, "newer") == []
    await memory.drop([Entry(ANA, "k", 9)])
    assert await found(memory, ANA, "newest") == []


async def test_entries_are_there_when_it_is_opened_again(tmp_path: Path) -> None:
    """A server that restarts finds what was put before."""
    async with open_memory(tmp_path, timeout_s=10) as memory:
        await memory.put([item(ANA, "k", 1, "lasting")])
    async with open_memory(tmp_path, timeout_s=10) as memory:
        assert await found(memory, ANA, "lasting") == [Entry(ANA, "k", 1)]


async def test_its_failures_are_told_by_type(tmp_path: Path) -> None:
    """Damaged, closed or busy: the store's caller learns that the index failed, not how the engine put it."""
    async with open_memory(tmp_path / "closed", timeout_s=10) as memory:
        pass
    with pytest.raises(KnowledgeUnavailable, match="failed"):
        await memory.search(ANA, "anything", 10)
    async with open_memory(tmp_path / "busy", timeout_s=0.01) as memory:
        index = await memory._index()
        assert isinstance(index, EdgeIndex)
        await index._write_thread.acquire_on_behalf_of("another")
        with pytest.raises(KnowledgeUnavailable, match="busy"):
            await memory.put([item(ANA, "k", 1, "text")])
    (tmp_path / "damaged" / "index" / "items").mkdir(parents=True)
    with pytest.raises(KnowledgeUnavailable, match="move it away"):
        async with open_memory(tmp_path / "damaged", timeout_s=10):
            pass
