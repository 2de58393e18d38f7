"""Two workers with one thread: the one that was replaced writes nothing any more."""

from __future__ import annotations

import random

import anyio
import anyio.lowlevel
import pytest
from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.errors import StaleFence
from runtime.keys import fence_key
from tests.checkpointing import Steps, T, at

pytestmark = pytest.mark.anyio

_INTERLEAVINGS, _AT_ONCE = 1000, 50


@pytest.fixture
def client(any_client: Redis) -> Redis:
    return any_client


async def stored(saver: RedisSaver, thread: str) -> set[tuple[str, int]]:
    """Each checkpoint and how many writes it has."""
    return {(one.checkpoint["id"], len(one.pending_writes or ())) async for one in saver.alist(at(thread))}


async def work_until_refused(steps: Steps) -> None:
    """Checkpoints and writes, one after the other."""
    for turn in range(1000):
        await steps.put(x="x" * 100, turn=turn)
        await steps.saver.aput_writes(steps.config, [("x", "y" * 100)], f"task-{turn}")


async def interleave(saver: RedisSaver, client: Redis, thread: str, ticks: int) -> bool:
    """True when the old worker was refused and left nothing after the new one's claim."""
    await client.incr(fence_key(thread))
    old, new = Steps(saver, thread, __fence=1), Steps(saver, thread, __fence=2)
    refused = False

    async def work() -> None:
        nonlocal refused
        try:
            await work_until_refused(old)
        except StaleFence:
            refused = True

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        for _ in range(ticks):
            await anyio.lowlevel.checkpoint()
        await client.incr(fence_key(thread))
        at_claim = await stored(saver, thread)
    await new.put(x="new")
    return refused and await stored(saver, thread) == at_claim | {
        (new.config["configurable"]["checkpoint_id"], 0)
    }


async def test_the_stale_worker_is_refused_in_every_interleaving(client: Redis) -> None:
    """The claim may fall before, between and in the middle of the old worker's calls."""
    saver, chance = RedisSaver(client), random.Random(3)
    results: list[bool] = []

    async def one(number: int) -> None:
        results.append(await interleave(saver, client, f"acme/{number}", chance.randrange(60)))

    for first in range(0, _INTERLEAVINGS, _AT_ONCE):
        async with anyio.create_task_group() as tasks:
            for number in range(first, first + _AT_ONCE):
                tasks.start_soon(one, number)
    assert results.count(True) == _INTERLEAVINGS


async def test_a_refused_writer_leaves_no_trace(client: Redis) -> None:
    """Not a value, not a block: the script looks at the fence before it writes."""
    saver = RedisSaver(client)
    await client.set(fence_key(T), 5)
    stale = Steps(saver, __fence=4)
    with pytest.raises(StaleFence):
        await stale.put(x="x" * 1000)
    with pytest.raises(StaleFence):
        await saver.aput_writes(at(checkpoint_id="c", __fence=4), [("x", "x" * 1000)], "task")
    assert await client.keys() == [fence_key(T).encode()]


async def test_equal_and_newer_fences_and_none_may_write(client: Redis) -> None:
    """The counter is the claim in force; a writer outside of runs carries no number."""
    saver = RedisSaver(client)
    await client.set(fence_key(T), 5)
    for steps in (Steps(saver, __fence=5), Steps(saver, __fence=6), Steps(saver)):
        await steps.put(x=1)
    assert len(await stored(saver, T)) == 3
    assert await client.get(fence_key(T)) == b"5"
