"""What the server and its Redis hold, looked at every so often."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

from redis.asyncio import Redis

from benchmarks.checkpoints.figures import Spread, spread
from benchmarks.soak.sessions import Played, Record
from benchmarks.stream.processes import rss_bytes

_MIB = 1024 * 1024


class Sample(NamedTuple):
    at_s: float
    """By time.monotonic()."""
    rss_mib: float
    """Of the server's process."""
    redis_mib: float
    """used_memory."""
    files: int
    """Open in the server: its sockets to clients and to Redis among them."""
    redis_connections: int
    keys: int
    live: int
    """Threads that were not deleted."""
    turns: int
    ms: Spread
    """Of the turns since the last sample."""


HEAD = "   time  server MiB  Redis MiB  files  Redis connections    keys  threads  turns   p50 ms   p99 ms"


async def look(server: int, client: Redis, record: Record, since_s: float) -> Sample:
    """`server`: its process id."""
    memory, clients = await client.info("memory"), await client.info("clients")
    recent = [played.ms for played in record.played if played.at_s > since_s]
    return Sample(
        time.monotonic(),
        rss_bytes(server) / _MIB,
        memory["used_memory"] / _MIB,
        len(os.listdir(f"/proc/{server}/fd")),
        clients["connected_clients"],
        await client.dbsize(),
        len(record.live),
        len(recent),
        spread(recent) if recent else Spread(float("nan"), float("nan")),
    )


def text(sample: Sample, began_s: float) -> str:
    """A line under HEAD."""
    minutes, seconds = divmod(round(sample.at_s - began_s), 60)
    return (
        f"{minutes:4}:{seconds:02} {sample.rss_mib:11.1f} {sample.redis_mib:10.2f} {sample.files:6}"
        f" {sample.redis_connections:18} {sample.keys:7} {sample.live:8} {sample.turns:6}"
        f" {sample.ms.p50:8.1f} {sample.ms.p99:8.1f}"
    )


def quarters(played: Sequence[Played], began_s: float, ended_s: float) -> tuple[Spread, Spread] | None:
    """Turn times of the first and the last quarter; None when one of them has no turn."""
    quarter = (ended_s - began_s) / 4
    first = [turn.ms for turn in played if turn.at_s < began_s + quarter]
    last = [turn.ms for turn in played if turn.at_s > ended_s - quarter]
    return (spread(first), spread(last)) if first and last else None
