"""The queue that carries runs to workers: SAQ on our Redis."""

from __future__ import annotations

from redis.asyncio import Redis
from saq.queue.redis import RedisQueue

_ABORT_WAIT_S = 1.0
_KEEP_DONE_S = 60
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
