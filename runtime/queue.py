"""Queues between processes: SAQ on our Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from redis.asyncio import Redis
from saq import Worker
from saq.queue.redis import RedisQueue

_ABORT_WAIT_S = 1.0
_KEEP_DONE_S = 60
_BEGIN_TIMEOUT_S = 10.0
_DELIVERIES = 20
"""More than the attempts of any run: the run record counts attempts and gives up, not the queue."""


class RunQueue(RedisQueue):
    """SAQ's queue with a sweep that hands a lost worker's runs on after one second instead of five.

    Waiting longer is for jobs that must not run twice at once; here the fence refuses the elder.
    """

    def __init__(self, client: Redis, name: str = "runs") -> None:
        super().__init__(client, name=name)

    async def sweep(self, lock: int = 60, abort: float = _ABORT_WAIT_S) -> list[str]:
        return await super().sweep(lock, abort)


async def hand_over(queue: RunQueue, thread: str, run_id: str, heartbeat_s: float) -> None:
    """Puts a run before the workers; once more does no harm, since its id is the job's key."""
    if run_id:
        await queue.enqueue(
            "execute",
            key=run_id,
            thread=thread,
            run_id=run_id,
            heartbeat=max(1, round(heartbeat_s)),
            timeout=0,
            retries=_DELIVERIES,
            ttl=_KEEP_DONE_S,
        )


GRACE_S = 0.05
"""Time that a worker's jobs have to end by themselves; zero would leave SAQ's own gather() unawaited, and
asyncio would complain at exit."""


@asynccontextmanager
async def running(worker: Worker[Any]) -> AsyncIterator[None]:
    """Works until the block is left; then lets running jobs go, which other workers take on."""
    worker.SIGNALS = []  # The process's signals belong to the command, which ends this block.
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(worker.start)
        # A worker that is stopped before it has begun would begin afterwards, inside a cancelled scope.
        with anyio.fail_after(_BEGIN_TIMEOUT_S):
            while not worker.tasks:  # noqa: ASYNC110  (SAQ offers no event)
                await anyio.sleep(0.001)
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await worker.stop()
            tasks.cancel_scope.cancel()
