"""Deleting a thread: its checkpoints, runs, events and row."""

from __future__ import annotations

from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.errors import ThreadBusy
from runtime.keys import fence_key, split_thread_key, tagged, tenant_threads
from runtime.redis_calls import as_text
from runtime.scripts import load_script

_REFUSE_STALE_MS = 60_000
"""How long the fence outlives its thread: a worker that wakes up later than this lost its run to nobody."""


class ThreadRemoval:
    def __init__(self, client: Redis, saver: RedisSaver) -> None:
        self.saver = saver
        self._client = client
        self._remove = load_script(client, "thread_remove")

    async def remove(self, thread: str) -> None:
        """Removes all that the thread is, state first. Raises ThreadBusy while a run is in flight."""
        if await self._client.hget(tagged(thread, "thread"), "active"):
            raise ThreadBusy("a run is in flight on the thread; cancel it first")
        await self.saver.adelete_thread(thread)
        tenant, thread_id = split_thread_key(thread)
        owner = as_text(await self._client.hget(tagged(thread, "thread"), "owner"))
        kinds = ("thread", "pending", "runs", "events", "idempotency")
        removed = await self._remove(
            keys=[fence_key(thread), *(tagged(thread, kind) for kind in kinds), tenant_threads(tenant)],
            args=[
                f"{owner}\x00{thread_id}",
                tagged(thread, "run:"),
                _REFUSE_STALE_MS,
            ],
        )
        if not removed:
            raise ThreadBusy("a run began on the thread while it was being deleted")
