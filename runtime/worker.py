"""A worker: claims runs from the queue, executes them, settles them, and hands the next ones over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq import Worker as SaqWorker
from saq.job import Job

from runtime.context import Context, User
from runtime.errors import (
    RUN_ID,
    AppError,
    AttemptsExhausted,
    NotFound,
    RunCancelled,
    RunTimeout,
    StaleFence,
)
from runtime.events import EventLog
from runtime.execution import Graph, Outcome, Stop, execute
from runtime.failure import as_error, trail
from runtime.queue import GRACE_S, RunQueue, hand_over, running
from runtime.redis_calls import as_text
from runtime.run_record import Status
from runtime.runs import CANCEL_CHANNEL, Claim, Runs, failure_event

log = structlog.get_logger()

_RECONNECT_S = 0.5
_OVERDUE_MS = 3_000
"""Handing over takes milliseconds; what takes this long has lost its process."""


@dataclass(frozen=True)
class Limits:
    concurrency: int
    heartbeat_s: float
    """Silence after which a run is handed to another worker."""
    run_timeout_s: float
    attempts: int
    recursion: int


class Worker:
    """Executes the runs of one process. `graphs` are compiled with the saver, by assistant name."""

    def __init__(
        self,
        worker_id: str,
        runs: Runs,
        events: EventLog,
        queue: RunQueue,
        graphs: Mapping[str, Graph],
        context_for: Callable[[User], Context],
        limits: Limits,
    ) -> None:
        self.id = worker_id
        self._runs = runs
        self._events = events
        self._queue = queue
        self._graphs = graphs
        self._context_for = context_for
        self._limits = limits
        self._stops: dict[str, Stop] = {}

    async def execute(self, ctx: Mapping[str, Any], *, thread: str, run_id: str) -> None:
        """One delivery of the queue. It may be a second one: the claim decides, and the fence settles it."""
        claim = await self._runs.claim(thread, run_id, self.id)
        if claim is None:
            await self._hand_over(thread, await self._runs.active(thread))
            return
        RUN_ID.set(run_id)
        with structlog.contextvars.bound_contextvars(run_id=run_id, thread=thread, attempt=claim.attempt):
            following = await self._run(ctx["job"], claim)
        await self._hand_over(thread, following)

    async def stop_when_told(self, client: Redis) -> None:
        """Stops running runs by the cancel signal; ends only by being cancelled."""
        while True:
            try:
                async with client.pubsub() as signals:
                    await signals.subscribe(CANCEL_CHANNEL)
                    async for message in signals.listen():
                        self._heed(message)
            except (RedisError, OSError) as exc:
                # A signal that gets lost meanwhile is found by the heartbeat.
                log.warning("worker.disconnected", error=type(exc).__name__)
                await anyio.sleep(_RECONNECT_S)

    def _heed(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "message" and (stop := self._stops.get(as_text(message["data"]))):
            stop.request(RunCancelled())

    async def recover_lost(self) -> None:
        """Hands over what a process recorded and died before it could; ends only by being cancelled."""
        while True:
            await anyio.sleep(self._limits.heartbeat_s)
            try:
                for thread in await self._runs.not_handed_over(_OVERDUE_MS):
                    log.warning("run.recovered", thread=thread)
                    await self._hand_over(thread, await self._runs.active(thread))
                    await self._runs.handed_over(thread)
            except (RedisError, OSError) as exc:
                log.warning("worker.disconnected", error=type(exc).__name__)

    async def _run(self, job: Job, claim: Claim) -> str:
        """The run to hand over next; '' also when another worker has taken this one."""
        stop = self._stops[claim.run_id] = Stop(self._limits.run_timeout_s)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_alive, job, claim, stop)
                outcome, error = await self._attempt(claim, stop)
                tasks.cancel_scope.cancel()
            if isinstance(error, StaleFence):
                raise error
            following = await self._runs.settle(claim, outcome.status, outcome.events, error)
        except StaleFence:
            log.warning("run.taken_over", fence=claim.fence)
            return ""
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._runs.release(claim)  # This worker ends; the queue hands the run to another.
            raise
        finally:
            del self._stops[claim.run_id]
        log.info("run.settled", status=outcome.status, code=error.code if error else None)
        return following

    async def _attempt(self, claim: Claim, stop: Stop) -> tuple[Outcome, AppError | None]:
        try:
            return await self._execute(claim, stop), None
        except Exception as exc:  # The one broad catch: the unknown becomes `internal`.
            error = as_error(exc)
            unforeseen = error.code == AppError.code
            log.warning("run.failed", code=error.code, trail=trail(exc) if unforeseen else None)
        return Outcome(_status(error), [failure_event(claim.run_id, claim.run.assistant, error)]), error

    async def _execute(self, claim: Claim, stop: Stop) -> Outcome:
        limits = self._limits
        if claim.attempt > limits.attempts:
            raise AttemptsExhausted(f"the run was lost with {limits.attempts} workers", limit=limits.attempts)
        if claim.run.cancel:
            raise RunCancelled()
        graph = self._graphs.get(claim.run.assistant)
        if graph is None:
            raise NotFound(f"this worker has no graph {claim.run.assistant!r}; it has {sorted(self._graphs)}")
        context = self._context_for(claim.run.user)
        return await execute(graph, claim, context, self._events, stop, limits.recursion)

    async def _keep_alive(self, job: Job, claim: Claim, stop: Stop) -> None:
        while True:
            await anyio.sleep(self._limits.heartbeat_s / 3)
            await job.update()
            if await self._runs.cancel_requested(claim.thread, claim.run_id):
                stop.request(RunCancelled())  # The signal may have been missed.

    async def _hand_over(self, thread: str, run_id: str) -> None:
        await hand_over(self._queue, thread, run_id, self._limits.heartbeat_s)


def _status(error: AppError) -> Status:
    if isinstance(error, RunCancelled):
        return "interrupted"
    return "timeout" if isinstance(error, RunTimeout) else "error"


@asynccontextmanager
async def serve_queue(worker: Worker, queue: RunQueue, client: Redis, limits: Limits) -> AsyncIterator[None]:
    """Works until the block is left; then lets running runs go, which other workers take on.

    `client` waits on purpose, so it has no reply timeout.
    """
    saq: SaqWorker[Any] = SaqWorker(
        queue,
        functions=[("execute", worker.execute)],
        id=worker.id,
        concurrency=limits.concurrency,
        shutdown_grace_period_s=GRACE_S,  # type: ignore[arg-type]  # it goes to wait_for, which takes fractions
        timers={"sweep": max(1, round(limits.heartbeat_s / 3)), "schedule": 1, "abort": 1, "worker_info": 5},
    )
    async with running(saq), anyio.create_task_group() as tasks:
        tasks.start_soon(worker.stop_when_told, client)
        tasks.start_soon(worker.recover_lost)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()
