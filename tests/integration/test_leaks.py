"""What the soak takes for a leak, in a real Redis."""

from __future__ import annotations

from uuid import uuid4

import pytest
from redis.asyncio import Redis

from benchmarks.soak.leaks import find_leaks

pytestmark = pytest.mark.anyio


async def test_what_speaks_of_dead_threads_is_found(client: Redis) -> None:
    """Its keys, and what names it in keys of no thread; a live thread's keys are where they belong."""
    live, dead = str(uuid4()), str(uuid4())
    await client.set(f"{{acme/{live}}}:fence", 1)
    await client.set(f"{{acme/{dead}}}:fence", 1)
    await client.zadd("tenant:acme:threads", {f"ana\x00{live}": 1, f"ana\x00{dead}": 2})
    await client.rpush("saq:runs:queued", "saq:job:runs:1")
    leaks = await find_leaks(client, {live}, {dead})
    assert leaks.of_the_dead == [f"{{acme/{dead}}}:fence"]
    assert leaks.mentions == ["tenant:acme:threads names 1"]
    assert leaks.jobs == ["saq:runs:queued"]
    assert leaks.others.keys() == {"tenant:acme:threads", "saq:runs:queued"}
