"""The event log on a real Redis."""

from __future__ import annotations

import json

import pytest
from redis.asyncio import Redis

from runtime.errors import StaleFence
from runtime.events import EventLog, encode_event
from runtime.keys import fence_key

pytestmark = pytest.mark.anyio

THREAD = "acme/t1"


@pytest.fixture(autouse=True)
async def thread(client: Redis) -> None:
    """The row, without which nobody may write to a thread's log."""
    await client.hset("{acme/t1}:thread", "owner", "ana")


def some(count: int, text: str = "x") -> list:  # type: ignore[type-arg]  # of Event; the tests only pass it on
    return [encode_event("values", {"n": n, "text": text}, event_id=f"{text}{n}") for n in range(count)]


async def test_seqs_are_gap_free_across_writers(client: Redis) -> None:
    """A client's `since` means the same place on every connection and after every restart."""
    log = EventLog(client, 1000, 3600)
    await log.append(THREAD, 1, 1, some(3))
    await EventLog(client, 1000, 3600).append(THREAD, 2, 1, some(2))
    assert [e.seq for e in await log.read(THREAD, 0)] == [1, 2, 3, 4, 5]
    assert [e.seq for e in await log.read(THREAD, 2, 4)] == [3, 4]
    assert await log.last_seq(THREAD) == 5


async def test_a_stale_writer_writes_nothing(client: Redis) -> None:
    """A worker that lost its run cannot speak in it any more."""
    log = EventLog(client, 1000, 3600)
    await client.set(fence_key(THREAD), 5)
    with pytest.raises(StaleFence):
        await log.append(THREAD, 4, 1, some(1))
    assert await log.read(THREAD, 0) == []
    assert await log.append(THREAD, 5, 1, some(1)) == 1


async def test_a_batch_sent_twice_is_written_once(client: Redis) -> None:
    """redis-py sends again when a reply was lost on the way."""
    log = EventLog(client, 1000, 3600)
    assert await log.append(THREAD, 1, 1, some(2)) == 2
    assert await log.append(THREAD, 1, 1, some(2)) == 2
    assert await log.append(THREAD, 1, 2, some(1)) == 3


async def test_the_envelope_is_the_protocols(client: Redis) -> None:
    """What was encoded once comes out whole, Chinese and namespace included."""
    log = EventLog(client, 1000, 3600)
    event = encode_event("custom", {"name": "hint", "text": "“价格”"}, event_id="e1", namespace=["a:1", "b"])
    await log.append(THREAD, 1, 1, [event])
    (logged,) = await log.read(THREAD, 0)
    assert logged.event == event
    envelope = json.loads(logged.event.wire(logged.seq))
    assert envelope["params"].pop("timestamp") > 1_700_000_000_000
    assert envelope == {
        "type": "event",
        "event_id": "e1",
        "seq": 1,
        "method": "custom",
        "params": {"namespace": ["a:1", "b"], "data": {"name": "hint", "text": "“价格”"}},
    }


async def test_old_events_leave_but_seqs_go_on(client: Redis) -> None:
    """The log is bounded; a cursor stays valid."""
    log = EventLog(client, 100, 3600)
    for batch in range(1, 31):
        await log.append(THREAD, 1, batch, some(100))
    kept = await log.read(THREAD, 0)
    assert kept[0].seq > 1
    assert await client.xlen("{acme/t1}:events") < 400
    assert await log.last_seq(THREAD) == 3000


async def test_long_logs_are_read_page_by_page(client: Redis) -> None:
    """No single reply grows with the log."""
    log = EventLog(client, 10_000, 3600)
    await log.append(THREAD, 1, 1, some(1200))
    first = await log.read(THREAD, 0)
    assert len(first) == 500
    assert (await log.read(THREAD, first[-1].seq))[0].seq == 501


async def test_a_deleted_threads_log_stays_gone(client: Redis) -> None:
    """A worker that wakes up late leaves no log without a thread behind."""
    await client.delete("{acme/t1}:thread")
    with pytest.raises(StaleFence):
        await EventLog(client, 100, 3600).append(THREAD, 1, 1, some(1))
    assert await client.keys("*") == []
