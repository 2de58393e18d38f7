"""Runs: records, start, claim, settle and cancel, each one script; only the last claim may write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import orjson
from redis.asyncio import Redis
from uuid_utils import uuid7

from runtime.context import User
from runtime.errors import AppError, NotFound, PermissionDenied, RunCancelled, StaleFence, ThreadBusy
from runtime.events import Event, EventLog, encode_event, flatten
from runtime.keys import fence_key, tagged
from runtime.redis_calls import as_text
from runtime.run_record import InputKind, RunRecord, Status, now_ms, read_record, record_fields
from runtime.scripts import load_script

CANCEL_CHANNEL = "cornerman:cancel"
_TO_HAND_OVER = "cornerman:to-hand-over"
"""Sorted set of threads by time, on no thread's slot: a note too many does no harm."""
Strategy = Literal["reject", "enqueue", "interrupt"]


class Started(NamedTuple):
    run_id: str
    seq_before: int
    """The thread's last seq before the run takes effect."""
    active: str
    """The run to hand over: this one, or the one that it waits for."""


class Claim(NamedTuple):
    """The right to execute a run, until a later claim."""

    thread: str
    run_id: str
    fence: int
    number: int
    """1 for the first claim of the run; more when another worker had it before."""
    attempt: int
    """As `number`, without the claims that were released in order."""
    run: RunRecord


def lifecycle_event(run_id: str, what: str, assistant: str, **more: Any) -> Event:
    """A root lifecycle event; the JS SDK reads its run from the id's form."""
    data = {"event": what, "graph_name": assistant, **more}
    return encode_event("lifecycle", data, event_id=f"synth:{run_id}:lc||{what}")


def failure_event(run_id: str, assistant: str, error: AppError) -> Event:
    """The root `failed` of a run; carries our code and the correlation id, never a stack trace."""
    said = "Run cancelled" if isinstance(error, RunCancelled) else str(error)
    return lifecycle_event(run_id, "failed", assistant, error=said, code=error.code, correlation_id=run_id)


class Runs:
    """All state changes of runs; each is one script on the thread's slot."""

    def __init__(self, client: Redis, log: EventLog) -> None:
        self._client = client
        self._log = log
        self._start = load_script(client, "append_events", "run_start")
        self._claim = load_script(client, "append_events", "run_claim")
        self._release = load_script(client, "run_release")
        self._settle = load_script(client, "append_events", "settle_run", "run_settle")
        self._cancel = load_script(client, "append_events", "settle_run", "run_cancel")

    async def start(
        self,
        thread: str,
        user: User,
        assistant: str,
        payload: Any,
        *,
        kind: InputKind = "input",
        strategy: Strategy = "enqueue",
        checkpoint_id: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Started:
        """Records a run; the caller hands `active` to the queue.

        `interrupt` cancels the active run and takes its place. Raises ThreadBusy (strategy `reject`) and
        PermissionDenied (another user's thread).
        """
        run_id = str(uuid7())
        await self._note(thread)
        fields = {
            **record_fields(user, assistant, kind, payload),
            "checkpoint_id": checkpoint_id or "",
            "metadata": orjson.dumps(metadata or {}),
            "created": now_ms(),
        }
        pairs: list[str | bytes | int] = [part for pair in fields.items() for part in pair]
        outcome, seq, active = await self._start(
            keys=[tagged(thread, k) for k in ("thread", f"run:{run_id}", "pending", "runs")],
            args=[user.subject, run_id, strategy, now_ms(), *pairs],
        )
        active = as_text(active)
        if outcome == b"forbidden":
            raise PermissionDenied("this thread belongs to another user")
        if outcome == b"busy":
            raise ThreadBusy("Thread is already running a task", run_id=active)
        if strategy == "interrupt" and active != run_id:
            _, active = await self.cancel(thread, active)
        return Started(run_id, int(seq), active)

    async def claim(self, thread: str, run_id: str, worker: str) -> Claim | None:
        """The claim, the first logged as `running`; None when the run is over or not the active one."""
        record = await self.find(thread, run_id)
        running = lifecycle_event(run_id, "running", record.assistant)
        fence, number, attempt = await self._claim(
            keys=[fence_key(thread), *(tagged(thread, k) for k in ("thread", f"run:{run_id}", "events"))],
            args=[run_id, worker, now_ms(), *self._log.target(thread), *flatten([running])],
        )
        return Claim(thread, run_id, int(fence), int(number), int(attempt), record) if fence else None

    async def release(self, claim: Claim) -> None:
        """Gives the run back in order, for another worker to claim: this claim is no lost attempt."""
        await self._release(
            keys=[fence_key(claim.thread), tagged(claim.thread, f"run:{claim.run_id}")], args=[claim.fence]
        )

    async def settle(
        self,
        claim: Claim,
        status: Status,
        events: Sequence[Event],
        error: AppError | None = None,
    ) -> str:
        """Ends the run and logs its last events; returns the run to hand over next, or ''.

        Raises StaleFence, having changed nothing, when a newer claim exists. A repeat changes nothing.
        """
        thread_status = {"success": "idle", "interrupted": "idle" if error else "interrupted"}.get(
            status, "error"
        )
        reply = await self._settle(
            keys=self._keys(claim.thread, claim.run_id),
            args=[
                claim.fence,
                now_ms(),
                status,
                thread_status,
                *_error_fields(error),
                *self._log.target(claim.thread),
                *flatten(events),
            ],
        )
        if reply is None:
            raise StaleFence(fence=claim.fence)
        return as_text(reply)

    async def cancel(self, thread: str, run_id: str) -> tuple[bool, str]:
        """Whether there was anything to cancel, and the run that is active on the thread now.

        A run that never began is settled at once; a running one is told to stop and settles by itself.
        Raises NotFound.
        """
        record = await self.find(thread, run_id)
        error = RunCancelled()
        failed = failure_event(run_id, record.assistant, error)
        await self._note(thread)
        outcome, active = await self._cancel(
            keys=self._keys(thread, run_id),
            args=[
                run_id,
                now_ms(),
                CANCEL_CHANNEL,
                run_id,
                *_error_fields(error),
                *self._log.target(thread),
                *flatten([failed]),
            ],
        )
        return outcome in (b"settled", b"signalled"), as_text(active)

    async def cancel_requested(self, thread: str, run_id: str) -> bool:
        return bool(await self._client.hexists(tagged(thread, f"run:{run_id}"), "cancel"))

    async def _note(self, thread: str) -> None:
        """Before a script makes a run active: whoever dies before handing it over leaves this note."""
        await self._client.zadd(_TO_HAND_OVER, {thread: now_ms()})

    async def handed_over(self, thread: str) -> None:
        """The thread's active run is before the workers; its note goes."""
        await self._client.zrem(_TO_HAND_OVER, thread)

    async def not_handed_over(self, age_ms: int) -> list[str]:
        """Threads whose note is older than that: their process died in between."""
        notes = await self._client.zrange(_TO_HAND_OVER, "-inf", now_ms() - age_ms, byscore=True)
        return [as_text(thread) for thread in notes]

    async def active(self, thread: str) -> str:
        """The run that is pending or running on the thread, or ''."""
        return as_text(await self._client.hget(tagged(thread, "thread"), "active"))

    async def find(self, thread: str, run_id: str) -> RunRecord:
        """Raises NotFound."""
        fields = await self._client.hgetall(tagged(thread, f"run:{run_id}"))
        if not fields:
            raise NotFound(f"no run {run_id!r} on this thread")
        return read_record(run_id, {as_text(k): as_text(v) for k, v in fields.items()})

    async def newest(self, thread: str, limit: int) -> list[RunRecord]:
        """At most `limit` runs, the newest first."""
        ids = await self._client.zrange(tagged(thread, "runs"), 0, limit - 1, desc=True)
        return [await self.find(thread, as_text(run_id)) for run_id in ids]

    def _keys(self, thread: str, run_id: str) -> list[str]:
        return [
            fence_key(thread),
            *(tagged(thread, k) for k in ("thread", f"run:{run_id}", "pending", "events")),
        ]


def _error_fields(error: AppError | None) -> list[str]:
    return [error.code, str(error)] if error else ["", ""]
