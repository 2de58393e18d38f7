"""Runs: records, start, claim, settle and cancel, each one script; only the last claim may write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import orjson
from redis.asyncio import Redis
from uuid_utils import uuid7

from runtime.context import User
from runtime.errors import (
    AppError,
    IdempotencyConflict,
    NotFound,
    PermissionDenied,
    RunCancelled,
    RunRolledBack,
    StaleFence,
    ThreadBusy,
)
from runtime.events import Event, EventLog, flatten
from runtime.forgetting import FORGET_AFTER_S, forget_later
from runtime.idempotency import REMEMBERED_MS, digest, stored_under
from runtime.keys import fence_key, split_thread_key, tagged, tenant_threads
from runtime.queue import RunQueue
from runtime.redis_calls import as_text
from runtime.run_events import failure_event, lifecycle_event
from runtime.run_reading import from_flat, newest_runs, read_runs
from runtime.run_record import Claim, RunRecord, RunRequest, Status, now_ms, record_fields
from runtime.scripts import load_script

CANCEL_CHANNEL = "cornerman:cancel"
CancelAction = Literal["interrupt", "rollback"]


class Started(NamedTuple):
    run_id: str
    seq_before: int
    """The thread's last seq before the run takes effect."""


class Runs:
    """All state changes of runs; each is one script on the thread's slot and the queue."""

    def __init__(self, client: Redis, log: EventLog, queue: RunQueue) -> None:
        self._client = client
        self._log = log
        self._queue = queue
        self._start = load_script(client, "append_events", "run_common", "run_start")
        self._claim = load_script(client, "append_events", "run_common", "run_claim")
        self._release = load_script(client, "append_events", "run_common", "run_release")
        self._settle = load_script(client, "append_events", "run_common", "run_settle")
        self._cancel = load_script(client, "append_events", "run_common", "run_cancel")

    async def start(
        self, thread: str, user: User, request: RunRequest, *, idempotency_key: str = ""
    ) -> Started:
        """Records a run, applies its multitask strategy, and puts it before the workers.

        `reject` refuses it while another is in flight; `enqueue` lets it wait; `interrupt` stops those in
        flight where they are and goes on from there; `rollback` undoes them first. A key that was used for
        the same request within a day gives that run again, unless it was deleted or undone. Raises
        ThreadBusy (`reject`, or the thread is being deleted), IdempotencyConflict (the key was used for
        another request) and PermissionDenied (another user's thread).
        """
        run_id = str(uuid7())
        fields = self._fields(thread, run_id, user, request)
        tenant, thread_id = split_thread_key(thread)
        outcome, seq, run = await self._start(
            keys=[
                *self._keys(thread, run_id),
                stored_under(thread, idempotency_key),
                tenant_threads(tenant),
            ],
            args=[
                *self._args(thread, run_id),
                user.subject,
                request.strategy,
                digest(record_fields(user, request)["request"]) if idempotency_key else "",
                REMEMBERED_MS,
                "" if request.forget else f"{user.subject}\x00{thread_id}",
                request.graph,
                *(part for pair in fields.items() for part in pair),
            ],
        )
        _check_outcome(as_text(outcome), as_text(run))
        return Started(as_text(run), int(seq))

    def _fields(self, thread: str, run_id: str, user: User, request: RunRequest) -> dict[str, bytes | str]:
        return {
            **record_fields(user, request),
            "job": self._queue.job_of(thread, run_id),
            "running": lifecycle_event(run_id, "running", request.graph, at_ms=0).body,
            "replaced": lifecycle_event(run_id, "interrupted", request.graph, at_ms=0, replaced=True).body,
        }

    async def claim(self, thread: str, run_id: str, worker: str) -> Claim | None:
        """The claim, the first logged as `running`; None when the run is over or not the active one."""
        fence, *rest = await self._claim(
            keys=self._keys(thread, run_id), args=[*self._args(thread, run_id), worker]
        )
        if not fence:
            return None
        number, attempt, flat = rest
        return Claim(thread, run_id, int(fence), int(number), int(attempt), from_flat(run_id, flat))

    async def release(self, claim: Claim) -> None:
        """Gives the run back in order, for another worker to claim: this claim is no lost attempt."""
        await self._release(
            keys=self._keys(claim.thread, claim.run_id),
            args=[*self._args(claim.thread, claim.run_id), claim.fence],
        )

    async def settle(
        self,
        claim: Claim,
        status: Status,
        events: Sequence[Event],
        error: AppError | None = None,
        *,
        usage: Mapping[str, Any] | None = None,
        asked: Mapping[str, Sequence[str] | None] | None = None,
        forget: bool = False,
    ) -> None:
        """Ends the run, logs its last events, and puts the next one before the workers.

        `asked`: namespaces of its interrupts by id. `forget` leaves no record of it: it was rolled back.
        Raises, having changed nothing, StaleFence when a newer claim exists, and RunRolledBack when the run
        was told to undo itself. A repeat changes nothing.
        """
        waits = asked or not error
        thread_status = {"success": "idle", "interrupted": "interrupted" if waits else "idle"}.get(
            status, "error"
        )
        reply = await self._settle(
            keys=self._keys(claim.thread, claim.run_id),
            args=[
                *self._args(claim.thread, claim.run_id),
                claim.fence,
                status,
                thread_status,
                *_error_fields(error),
                orjson.dumps(usage or {}),
                orjson.dumps(asked or {}),
                int(forget),
                *flatten(events),
            ],
        )
        if reply is None:
            raise StaleFence(fence=claim.fence)
        if as_text(reply) == "undo":
            raise RunRolledBack()

    async def cancel(self, thread: str, run_id: str, action: CancelAction = "interrupt") -> bool:
        """Whether there was anything to cancel.

        A run that never began is settled at once; a running one is told to stop and settles by itself.
        Raises NotFound.
        """
        record = await self.find(thread, run_id)
        if record.request.forget and record.status == "pending":
            await forget_later(self._queue, thread, FORGET_AFTER_S)  # No worker will have it to settle.
        error = RunCancelled()
        settled = {"status": "interrupted", "partial_text": "", "checkpoint": None}
        outcome = await self._cancel(
            keys=self._keys(thread, run_id),
            args=[
                *self._args(thread, run_id),
                action,
                *_error_fields(error),
                *flatten([failure_event(run_id, record.request.graph, error, settled=settled)]),
            ],
        )
        return as_text(outcome) in ("settled", "signalled")

    async def told(self, claim: Claim) -> str:
        """How the run is to stop, or ''. Raises StaleFence when a newer claim exists."""
        run = tagged(claim.thread, f"run:{claim.run_id}")
        fence, action = await self._client.hmget(run, ["fence", "cancel"])
        if int(fence or 0) != claim.fence:
            raise StaleFence(fence=claim.fence)
        return as_text(action)

    async def find(self, thread: str, run_id: str) -> RunRecord:
        """Raises NotFound."""
        for record in await read_runs(self._client, thread, [run_id]):
            return record
        raise NotFound(f"no run {run_id!r} on this thread")

    async def newest(
        self, thread: str, limit: int, offset: int = 0, status: str | None = None
    ) -> list[RunRecord]:
        """At most `limit` runs after `offset` others, the newest first; of one status where it is given."""
        return await newest_runs(self._client, thread, limit, offset, status)

    async def delete(self, thread: str, run_id: str) -> None:
        """Forgets a run that is over; its checkpoints stay. Raises NotFound and ThreadBusy."""
        record = await self.find(thread, run_id)
        if record.status in ("pending", "running"):
            raise ThreadBusy(f"run {run_id!r} is {record.status}; cancel it first")
        await self._client.zrem(tagged(thread, "runs"), run_id)
        await self._client.delete(tagged(thread, f"run:{run_id}"))

    def _keys(self, thread: str, run_id: str) -> list[str]:
        incomplete, queued, _ = self._queue.keys
        own = (tagged(thread, kind) for kind in ("thread", f"run:{run_id}", "pending", "runs", "events"))
        return [fence_key(thread), *own, incomplete, queued]

    def _args(self, thread: str, run_id: str) -> list[str | int]:
        _, _, job_prefix = self._queue.keys
        live, kept, age_ms = self._log.target(thread)
        return [now_ms(), run_id, tagged(thread, "run:"), job_prefix, live, kept, age_ms, CANCEL_CHANNEL]


def _check_outcome(outcome: str, run_id: str) -> None:
    if outcome == "forbidden":
        raise PermissionDenied("this thread belongs to another user")
    if outcome == "busy":
        raise ThreadBusy("Thread is already running a task", run_id=run_id)
    if outcome == "deleting":
        raise ThreadBusy("the thread is being deleted")
    if outcome == "conflict":
        raise IdempotencyConflict(run_id=run_id)


def _error_fields(error: AppError | None) -> list[str]:
    return [error.code, str(error)] if error else ["", ""]
