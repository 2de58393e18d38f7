"""Reading the records of a thread's runs."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from runtime.keys import tagged
from runtime.redis_calls import as_text
from runtime.run_record import RunRecord, read_record

_FILTERED_PAGE = 200
"""Records read at once when only those of one status are wanted."""


def from_flat(run_id: str, flat: Sequence[bytes]) -> RunRecord:
    """The record from the fields and values that a script returned."""
    return read_record(run_id, {as_text(k): as_text(v) for k, v in zip(flat[::2], flat[1::2], strict=True)})


async def read_runs(client: Redis, thread: str, run_ids: Sequence[str]) -> list[RunRecord]:
    """Their records in that order, without those that are gone; one round trip."""
    async with client.pipeline(transaction=False) as pipe:
        for run_id in run_ids:
            pipe.hgetall(tagged(thread, f"run:{run_id}"))
        replies = await pipe.execute()
    return [
        read_record(run_id, {as_text(k): as_text(v) for k, v in fields.items()})
        for run_id, fields in zip(run_ids, replies, strict=True)
        if fields
    ]


async def newest_runs(
    client: Redis, thread: str, limit: int, offset: int, status: str | None
) -> list[RunRecord]:
    """At most `limit` runs after `offset` others, the newest first; of one status where it is given."""
    found: list[RunRecord] = []
    start, wanted = 0, offset + limit
    size = max(wanted, _FILTERED_PAGE) if status else wanted
    while len(found) < wanted:
        ids = await client.zrange(tagged(thread, "runs"), start, start + size - 1, desc=True)
        records = await read_runs(client, thread, [as_text(run_id) for run_id in ids])
        found += [record for record in records if status in (None, record.status)]
        if len(ids) < size:
            break
        start += size
    return found[offset:wanted]
