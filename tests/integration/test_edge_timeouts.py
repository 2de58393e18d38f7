"""The embedded index when its engine is slow: the caller is free in time, and not everything piles up."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any, cast

import anyio
import pytest
import qdrant_edge as edge

from ingestion.engines.edge import EdgeIndex
from ingestion.index import Asked, Put
from ingestion.vectors import Profile, Space, Sparse
from ingestion.within import Within
from runtime.errors import KnowledgeUnavailable

pytestmark = pytest.mark.anyio

PROFILE = Profile("words", {"words": Space("sparse", idf=True)})
ASKED = Asked({"words": Sparse([1], [1.0])}, 5)
MINE = Within("acme")


class Slow:
    """An engine whose calls wait until they are let go."""

    def __init__(self) -> None:
        self.go_on = Event()
        self.ended = 0

    def query(self, request: object) -> list[Any]:
        self.go_on.wait()
        self.ended += 1
        return []

    def update(self, operation: object) -> None:
        self.go_on.wait()
        self.ended += 1

    def flush(self) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[Slow]:
    shard = Slow()
    yield shard
    shard.go_on.set()


def index(shard: Slow) -> EdgeIndex:
    return EdgeIndex(cast(edge.EdgeShard, shard), PROFILE, 0.05)


async def refused(opened: EdgeIndex) -> bool:
    try:
        await opened.search(MINE, ASKED)
    except KnowledgeUnavailable:
        return True
    return False


async def test_a_slow_search_ends_in_time_though_its_thread_goes_on(slow: Slow) -> None:
    """A caller gets its error at the timeout, not when the engine comes back."""
    with anyio.fail_after(5):
        with pytest.raises(KnowledgeUnavailable, match=r"busy for 0\.05 s"):
            await index(slow).search(MINE, ASKED)
    assert slow.ended == 0


async def test_searches_that_nobody_waits_for_do_not_pile_up(slow: Slow) -> None:
    """Each timed-out search leaves a thread; from the eighth on there is none more until one returns."""
    opened = index(slow)
    for _ in range(8):
        with pytest.raises(KnowledgeUnavailable, match="busy"):
            await opened.search(MINE, ASKED)
    with pytest.raises(KnowledgeUnavailable, match="stuck in 8 calls"):
        await opened.search(MINE, ASKED)
    slow.go_on.set()
    with anyio.fail_after(5):
        while await refused(opened):
            await anyio.sleep(0.001)


async def test_a_slow_write_is_waited_for(slow: Slow) -> None:
    """A write that was given up would go on beside the next one; nothing is left half done."""
    opened, failed = index(slow), anyio.Event()

    async def write() -> None:
        try:
            await opened.put("acme", [Put("a", ASKED.vectors, {})])
        except KnowledgeUnavailable:
            failed.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        await anyio.sleep(0.2)
        assert not failed.is_set()
        slow.go_on.set()
    assert slow.ended == 1
