"""The database against the threads that live: what speaks of others was left behind."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple, cast

from redis.asyncio import Redis

from runtime.redis_calls import as_text

_TAG = re.compile(r"\{[^/{}]+/([^{}]+)\}")
"""A thread's keys carry `{tenant/thread}`."""
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORK = re.compile(r"saq:(job:|[^:]+:(queued|active|incomplete)$)")
"""Jobs, and the lists of those that wait or run; when nothing runs there are none."""
_READ = 100_000


class Size(NamedTuple):
    keys: int
    bytes: int


class Leaks(NamedTuple):
    of_the_dead: list[str]
    """Keys of threads that do not live."""
    jobs: list[str]
    """Keys of the queue's work, though no run is under way."""
    mentions: list[str]
    """Keys of no thread that name deleted ones, with how many."""
    others: dict[str, Size]
    """Keys of no thread, by name with every id as `…`: no leaks for sure, but to be looked at."""


async def find_leaks(client: Redis, live: Collection[str], ended: Collection[str]) -> Leaks:
    """Walks through the whole database; runs should be over, and the queue's done jobs expired."""
    leaks = Leaks([], [], [], {})
    async for raw in client.scan_iter(count=1000):
        key = as_text(raw)
        if tag := _TAG.search(key):
            if tag[1] not in live:
                leaks.of_the_dead.append(key)
            continue
        if _WORK.match(key):
            leaks.jobs.append(key)
        if dead := set(_UUID.findall(await _contents(client, key))) & set(ended):
            leaks.mentions.append(f"{key} names {len(dead)}")
        kind = _UUID.sub("…", key)
        keys, size = leaks.others.get(kind, (0, 0))
        leaks.others[kind] = Size(keys + 1, size + int(await client.memory_usage(key, samples=0) or 0))
    return leaks


async def _contents(client: Redis, key: str) -> str:
    match as_text(await client.type(key)):
        case "string":
            return as_text(await client.get(key) or b"")
        case "hash":
            pairs = await client.hgetall(key)
            return _joined([*pairs, *pairs.values()])
        case "list":
            return _joined(await client.lrange(key, 0, _READ))
        case "set":
            return _joined(list(await client.smembers(key)))
        case "zset":
            return _joined(cast("list[bytes]", await client.zrange(key, 0, _READ)))
    return ""


def _joined(parts: Sequence[bytes | str]) -> str:
    return "\n".join(as_text(part) for part in parts)
