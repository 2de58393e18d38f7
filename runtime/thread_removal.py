"""Deleting a thread: its checkpoints, runs, events and row."""

from __future__ import annotations

from redis.asyncio import Redis

from runtime.checkpoints import RedisSaver
from runtime.errors import ThreadBusy
from runtime.events import live_channel
from runtime.keys import fence_key, split_thread_key, tagged, tenant_threads
from runtime.redis_calls import as_text
from runtime.scripts import load_script

_REFUSE_STALE_MS = 60_000
"""How long the fence outlives its thread: a worker that wakes up later than this lost its run to nobody."""


class ThreadRemoval:
    """Takes whole threads away, state first; `saver` is also what rolls single runs back."""

    def __init__(self, client: Redis, saver: RedisSaver) -> None:
        self.saver = saver
        self._mark = load_script(client, "thread_mark")
        self._remove = load_script(client, "append_events", "thread_remove")

    async def remove(self, thread: str) -> None:
        """Removes all that the thread is and ends the sessions that follow it; nothing where it is gone.

        Idempotency keys stay for their day. Raises ThreadBusy, having changed nothing, while a run is in
        flight. If it fails half-way, the thread takes no run any more, and can only be deleted again.
        """
        outcome = as_text(await self._mark(keys=[tagged(thread, "thread")]))
        if outcome == "missing":
            return
        if outcome == "busy":
            raise ThreadBusy("a run is in flight on the thread; cancel it first")
        await self.saver.adelete_thread(thread)
        tenant, thread_id = split_thread_key(thread)
        kinds = ("thread", "pending", "runs", "events")
        await self._remove(
            keys=[fence_key(thread), *(tagged(thread, kind) for kind in kinds), tenant_threads(tenant)],
            args=[thread_id, tagged(thread, "run:"), _REFUSE_STALE_MS, live_channel(thread)],
        )
