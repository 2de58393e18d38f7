"""A worker: claims runs from the queue, executes them and settles them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError
from saq.job import Job

from runtime.catalog import Catalog, accepts_our_context
from runtime.context import Context, User
from runtime.errors import (
    RUN_ID,
    AppError,
    AttemptsExhausted,
    RunCancelled,
    RunReplaced,
    RunRolledBack,
    StaleFence,
    ThreadBusy,
    leaf,
)
from runtime.events import EventLog
from runtime.execution import Execution, Outcome, RunLimits
from runtime.failure import log_unforeseen
from runtime.forgetting import FORGET_AFTER_S, forget_later, put_off
from runtime.queue import RunQueue
from runtime.redis_calls import as_text
from runtime.run_events import failure_event
from runtime.run_input import run_config
from runtime.run_record import Claim, now_ms
from runtime.run_threads import RunThreads
from runtime.runs import CANCEL_CHANNEL, Runs
from runtime.stopping import Stop
from runtime.thread_removal import ThreadRemoval

log = structlog.get_logger()

_RECONNECT_S = 0.5
_ROLLBACK_TRIES = 50
_ROLLBACK_PAUSE_S = 0.2
"""A thread that is being pruned or copied refuses meanwhile."""
_CANCELLED: Mapping[str, type[RunCancelled]] = {
    "interrupt": RunCancelled,
    "replace": RunReplaced,
    "rollback": RunRolledBack,
}


class Worker:
    """Executes the runs of one process."""

    def __init__(
        self,
        worker_id: str,
        runs: Runs,
        removal: ThreadRemoval,
        events: EventLog,
        queue: RunQueue,
        catalog: Catalog,
        context_for: Callable[[User], Context],
        limits: RunLimits,
        *,
        heartbeat_s: float,
        attempts: int,
    ) -> None:
        """`heartbeat_s`: silence after which a run is handed to another worker, `attempts` times at most."""
        self.id = worker_id
        self._runs = runs
        self._removal = removal
        self._events = events
        self._queue = queue
        self._catalog = catalog
        self._context_for = context_for
        self._limits = limits
        self._heartbeat_s = heartbeat_s
        self._attempts = attempts
        self._stops: dict[str, Stop] = {}
        self._draining = False
        self.node_threads = RunThreads()

    async def execute(self, ctx: Mapping[str, Any], *, thread: str, run_id: str) -> None:
        """One delivery of the queue. It may be a second one: the claim decides, and the fence settles it."""
        claim = await self._runs.claim(thread, run_id, self.id)
        if claim is None:
            return
        RUN_ID.set(run_id)
        with structlog.contextvars.bound_contextvars(run_id=run_id, thread=thread, attempt=claim.attempt):
            await self._run(ctx["job"], claim)

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
        if message["type"] == "message":
            action, _, run_id = as_text(message["data"]).partition(" ")
            if stop := self._stops.get(run_id):
                stop.request(_CANCELLED[action]())

    async def drain(self, within_s: float) -> None:
        """Takes no more runs; those that work stop at their next checkpoint, or go on after `within_s`.

        What stopped is handed to other workers at once.
        """
        self._draining = True
        self._queue.close()
        for stop in self._stops.values():
            stop.drain()
        with anyio.move_on_after(within_s):
            while self._stops:  # noqa: ASYNC110  (the last of many runs may be any)
                await anyio.sleep(0.01)

    async def _run(self, job: Job, claim: Claim) -> None:
        stop = self._stops[claim.run_id] = Stop(self._limits.run_s(claim.request.graph))
        if self._draining:
            stop.drain()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_alive, job, claim, stop)
                outcome = await self._attempt(claim, stop)
                tasks.cancel_scope.cancel()
            if outcome.drained:
                del self._stops[claim.run_id]
                self._queue.hand_back(job.key)
                await anyio.sleep_forever()
            await self._settle(claim, outcome)
        except anyio.get_cancelled_exc_class():
            with anyio.CancelScope(shield=True):
                await self._runs.release(claim)  # This worker ends; the queue hands the run to another.
            raise
        except Exception as exc:
            if not isinstance(leaf(exc), StaleFence):
                raise
            log.warning("run.taken_over", fence=claim.fence)
            self._queue.disown(job.key)
        finally:
            self._stops.pop(claim.run_id, None)

    async def _attempt(self, claim: Claim, stop: Stop) -> Outcome:
        if claim.attempt > self._attempts:
            stop.request(
                AttemptsExhausted(f"the run was lost with {self._attempts} workers", limit=self._attempts)
            )
        if claim.run.cancel:
            stop.request(_CANCELLED[claim.run.cancel]())
        request, user = claim.request, claim.run.user
        config = run_config(claim, self._limits.recursion)
        try:
            async with self._catalog.open(
                request.graph, "threads.create_run", user, config, request.context
            ) as graph:
                ours = accepts_our_context(graph)
                context = self._context_for(user) if ours else request.context
                execution = Execution(
                    graph, claim, context, self._events, stop, self._limits, self.node_threads, ours
                )
                return await execution.run()
        except AppError as error:  # The graph cannot be had; a failure within it is the execution's outcome.
            log_unforeseen(error)
            return Outcome("error", [failure_event(claim.run_id, request.graph, error)], error)

    async def _settle(self, claim: Claim, outcome: Outcome) -> None:
        if claim.request.forget:
            await forget_later(self._queue, claim.thread, FORGET_AFTER_S)
        rolled_back = isinstance(outcome.error, RunRolledBack)
        if rolled_back:
            await self._forget_checkpoints(claim.run_id)
        try:
            await self._record(claim, outcome, forget=rolled_back)
        except RunRolledBack as told:  # When its graph had ended by itself.
            await self._settle(claim, Outcome("interrupted", [], told))
            return
        code = outcome.error.code if outcome.error else None
        log.info("run.settled", status=outcome.status, code=code)

    async def _record(self, claim: Claim, outcome: Outcome, *, forget: bool) -> None:
        await self._runs.settle(
            claim,
            outcome.status,
            outcome.events,
            outcome.error,
            usage=outcome.usage,
            asked=outcome.asked,
            forget=forget,
        )

    async def forget(self, ctx: Mapping[str, Any], *, thread: str) -> None:
        """The queue's function that removes a stateless run's thread, later where it is in use again."""
        job: Job = ctx["job"]
        try:
            if not await self._is_asked_for(thread, job):
                await self._removal.remove(thread)
                return
        except ThreadBusy:
            # Nothing is wrong; by an error SAQ would say so.
            log.debug("thread.busy", thread=thread)
        await put_off(self._queue, job)

    async def _is_asked_for(self, thread: str, job: Job) -> bool:
        """Whether a run that began since `job` was enqueued has ended only now."""
        newest = await self._runs.newest(thread, 1)
        lately = now_ms() - FORGET_AFTER_S * 1_000
        return bool(newest) and newest[0].created > job.queued and newest[0].ended > lately

    async def _forget_checkpoints(self, run_id: str) -> None:
        for left in reversed(range(_ROLLBACK_TRIES)):
            try:
                await self._removal.saver.adelete_for_runs([run_id])
                return
            except ThreadBusy:
                if not left:
                    raise
                await anyio.sleep(_ROLLBACK_PAUSE_S)

    async def _keep_alive(self, job: Job, claim: Claim, stop: Stop) -> None:
        while True:
            await anyio.sleep(self._heartbeat_s / 3)
            action = await self._runs.told(claim)  # The signal may have been missed.
            await job.update()
            if action:
                stop.request(_CANCELLED[action]())
