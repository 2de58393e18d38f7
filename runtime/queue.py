"""Queues between processes: SAQ on our Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import anyio
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq import Worker
from saq.job import Job, Status
from saq.queue.redis import RedisQueue

from runtime.redis_calls import as_text
from runtime.run_record import now_ms
from runtime.scripts import load_script

log = structlog.get_logger()

_KEEP_DONE_S = 60
_BEGIN_TIMEOUT_S = 10.0
_DELIVERIES = 1_000
"""More than the attempts of any run: the run record counts attempts and gives up, not the queue."""


class RunQueue(RedisQueue):
    """SAQ's queue with a sweep of its own, since here the fence refuses a worker that was only slow.

    SAQ's takes a job out of all lists, waits for its worker, and then puts it back: who ends in between loses
    it, and the jobs of one lost worker wait for each other.
    """

    def __init__(self, client: Redis, heartbeat_s: float, name: str = "runs") -> None:
        super().__init__(client, name=name)
        self._heartbeat_s = max(1, round(heartbeat_s))
        self._taking: set[asyncio.Task[Any]] = set()
        self._takers: WeakValueDictionary[str, asyncio.Task[Any]] = WeakValueDictionary()
        self._closed = False
        self._sweep_script = load_script(client, "queue_sweep")
        self._disowned: set[str] = set()

    @property
    def keys(self) -> tuple[str, str, str]:
        """Incomplete jobs, queued jobs, and the prefix of a job's own key, as SAQ 0.26 names them."""
        return self._incomplete, self._queued, self.job_id("")

    def job_of(self, thread: str, run_id: str) -> bytes:
        """The job that executes a run, as SAQ keeps it; the run's id is its key."""
        job = Job(
            function="execute",
            key=run_id,
            kwargs={"thread": thread, "run_id": run_id},
            queue=self,
            heartbeat=self._heartbeat_s,
            timeout=0,
            retries=_DELIVERIES,
            ttl=_KEEP_DONE_S,
        )
        job.status = "queued"  # type: ignore[assignment]  # as its JSON has it
        return str(self.serialize(job)).encode()

    async def sweep(self, lock: int = 60, abort: float = 0) -> list[str]:
        """Hands the jobs of lost workers on; their ids. Several processes may sweep at once."""
        swept = await self._sweep_script(keys=[self._active, self._incomplete, self._queued], args=[now_ms()])
        return [as_text(job) for job in swept]

    async def workers(self) -> int:
        """How many processes work on this queue, as they say every few seconds."""
        # Not by SAQ's `info`, which takes a worker's id for what follows the last colon.
        alive = await self.redis.zrangebyscore(self._stats, now_ms(), "inf")
        return await self.redis.exists(*alive) if alive else 0

    async def forget_worker(self, worker_id: str) -> None:
        """The worker is gone; one that dies instead is taken for alive for some seconds."""
        key = self.namespace(f"worker_info:{worker_id}")
        try:
            await self.redis.delete(key)
        except (RedisError, OSError) as exc:
            log.warning("worker.not_forgotten", error=type(exc).__name__)

    def disown(self, key: str) -> None:
        """The job is another worker's by now: when this process has done with it, it stays in the queue."""
        self._disowned.add(key)

    async def finish(self, job: Job, status: Status, **kwargs: Any) -> None:
        if job.key in self._disowned:
            self._disowned.discard(job.key)
            return
        await super().finish(job, status, **kwargs)

    async def dequeue(self, timeout: float = 0.0, poll_interval: float = 0.0) -> Job | None:  # noqa: ASYNC109  (SAQ's)
        taker = asyncio.current_task()
        assert taker is not None  # SAQ calls this from a task of its worker.
        if self._closed:
            return None
        self._taking.add(taker)
        try:
            job = await super().dequeue(timeout, poll_interval)
        finally:
            self._taking.discard(taker)
        if job is not None:
            self._takers[job.key] = taker
        return job

    def close(self) -> None:
        """No job is taken from now on; those that were taken go on."""
        self._closed = True
        for taker in list(self._taking):
            taker.cancel()

    def hand_back(self, key: str) -> None:
        """Ends the job of this process at once and puts it before the other workers."""
        self._takers[key].cancel()


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
