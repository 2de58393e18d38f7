"""A worker at its queue, until it is told to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq import Worker as SaqWorker

from runtime.cron_jobs import FIRE
from runtime.crons import Crons
from runtime.forgetting import FORGET
from runtime.queue import GRACE_S, RunQueue, running
from runtime.worker import Worker

log = structlog.get_logger()

_CRON_CHECK_S = 60


@asynccontextmanager
async def serve_queue(
    worker: Worker,
    queue: RunQueue,
    client: Redis,
    crons: Crons,
    *,
    concurrency: int,
    heartbeat_s: float,
    grace_s: float,
) -> AsyncIterator[None]:
    """Works until the block is left; then drains for `grace_s` seconds and lets the rest go to other workers.

    `client` waits on purpose, so it has no reply timeout.
    """
    asyncio.get_running_loop().set_default_executor(worker.node_threads)
    saq: SaqWorker[Any] = SaqWorker(
        queue,
        functions=[("execute", worker.execute), (FORGET, worker.forget), (FIRE, crons.fire)],
        id=worker.id,
        concurrency=concurrency,
        shutdown_grace_period_s=GRACE_S,  # type: ignore[arg-type]  # it goes to wait_for, which takes fractions
        timers={"sweep": max(1, round(heartbeat_s / 3)), "schedule": 1, "abort": 1, "worker_info": 5},
    )
    try:
        async with running(saq), anyio.create_task_group() as tasks:
            tasks.start_soon(worker.stop_when_told, client)
            tasks.start_soon(_keep_crons, crons)
            try:
                yield
            finally:
                with anyio.CancelScope(shield=True):
                    await worker.drain(grace_s)
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await queue.forget_worker(worker.id)


async def _keep_crons(crons: Crons) -> None:
    while True:
        try:
            await crons.reschedule()
        except (RedisError, OSError) as exc:
            log.warning("worker.disconnected", error=type(exc).__name__)
        await anyio.sleep(_CRON_CHECK_S)
