"""A tenant's threads by last use, read page by page while they are in use and so change their places."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple, cast

from redis.asyncio import Redis

from runtime.keys import tenant_threads
from runtime.redis_calls import as_text

_PAGE = 200
_PASSES = 10
"""One that finds nothing new ends the listing; it takes more only while threads come without end."""
_CLOCKS_MS = 5_000
"""How far the clocks of the machines that use threads may differ."""
_Entries = list[tuple[bytes, float]]


class Member(NamedTuple):
    owner: str
    thread_id: str


async def members(client: Redis, tenant: str) -> AsyncGenerator[list[Member]]:
    """Every thread once, the most recently used first; those that are used meanwhile may come last.

    A place in the list is a time of last use and not a rank: ranks shift. What moved up from below the place
    is found by another pass, over all that is as new as the listing itself.
    """
    seen: set[str] = set()
    floor = float("-inf")
    for _ in range(_PASSES):
        found, newest = len(seen), floor
        async for page in _pages(client, tenant_threads(tenant), floor):
            newest = max(newest, page[0][1])
            fresh = [name for name, _ in page if name not in seen]
            seen.update(fresh)
            yield [_member(name) for name in fresh]
        if len(seen) == found:
            return
        floor = newest - _CLOCKS_MS


async def _pages(client: Redis, key: str, floor: float) -> AsyncGenerator[list[tuple[str, float]]]:
    """Names and times down to `floor`; a page begins with the time at which the last one ended."""
    place, skipped = float("inf"), 0
    while True:
        entries = await client.zrange(
            key, place, floor, desc=True, byscore=True, offset=skipped, num=_PAGE, withscores=True
        )
        page = [(as_text(name), float(time)) for name, time in cast(_Entries, entries)]
        if page:
            yield page
        if len(page) < _PAGE:
            return
        last = page[-1][1]
        # Only within a millisecond in which more threads than a page were used does its time not lead on.
        skipped = skipped + _PAGE if last == place else 0
        place = last


def _member(name: str) -> Member:
    owner, _, thread_id = name.partition("\x00")
    return Member(owner, thread_id)
