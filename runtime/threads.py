"""Threads: their rows, whose they are, and where a replay of their events begins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from redis.asyncio import Redis
from uuid_utils import uuid7

from runtime.context import User
from runtime.documents import until_taken
from runtime.errors import InvalidInput, NotFound, PermissionDenied
from runtime.keys import tagged, tenant_threads, thread_key
from runtime.redis_calls import as_text
from runtime.run_record import iso, now_ms
from runtime.scripts import load_script
from runtime.thread_listing import members

_JUST_ENDED_MS = 30_000
"""A client subscribes after `run.start` returned, when a short run may be over; and JavaScript's SDK names
no `since` when it comes back after a drop, which may take it this long.
"""
_JUST_ENDED_WATCHER_MS = 1_000
"""A Python client's watcher ends its session at an old `completed`."""


@dataclass(frozen=True)
class ThreadRow:
    thread_id: str
    owner: str
    graph: str
    """That of the latest run, or ''."""
    status: str
    """idle, busy, interrupted or error."""
    active: str
    """The run that is pending or running, or ''."""
    seq: int
    """Of the last event."""
    run_seq: int
    """Of the last event before the latest run."""
    created: int
    updated: int
    """ms since the epoch."""
    error: str
    error_message: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, list[str] | None] = field(default_factory=dict)
    """Namespaces by id of the interrupts with which the latest run ended."""


class Threads:
    """Reads the thread records that the runs' scripts write, and keeps each tenant's list of them."""

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._create = load_script(client, "thread_create")
        self._patch = load_script(client, "thread_patch")
        self._set_status = load_script(client, "thread_status")

    async def create(
        self, user: User, thread_id: str | None, metadata: Mapping[str, Any] | None = None, graph: str = ""
    ) -> tuple[ThreadRow, bool]:
        """The row, and whether it is new.

        Raises PermissionDenied when somebody else has that id, and InvalidInput as `patch`.
        """
        thread_id = thread_id or str(uuid7())
        now, about = now_ms(), _encoded(metadata or {})
        created = await self._create(keys=[_key(user, thread_id)], args=[user.subject, now, about, graph])
        if created:
            await self._client.zadd(tenant_threads(user.tenant), {f"{user.subject}\x00{thread_id}": now})
        return await self.get(user, thread_id), bool(created)

    async def patch(self, user: User, thread_id: str, metadata: Mapping[str, Any]) -> ThreadRow:
        """Adds to the thread's metadata, losing nothing that others add meanwhile.

        Raises NotFound, PermissionDenied, and InvalidInput for what JSON cannot carry.
        """
        key = _key(user, thread_id)

        async def attempt() -> ThreadRow | None:
            await self.get(user, thread_id)
            known = as_text(await self._client.hget(key, "metadata"))
            merged = _encoded({**orjson.loads(known or "{}"), **metadata})
            outcome = await self._patch(keys=[key], args=[known, merged, now_ms()])
            return None if as_text(outcome) == "changed" else await self.get(user, thread_id)

        return await until_taken(attempt)

    async def set_status(
        self, user: User, thread_id: str, status: str, asked: Mapping[str, Sequence[str] | None] | None = None
    ) -> bool:
        """After the state was changed from outside: what the thread waits for now.

        False, and nothing is written, for a thread that is gone or has a run in flight.
        """
        asked_now = "" if asked is None else orjson.dumps(asked)
        return bool(await self._set_status(keys=[_key(user, thread_id)], args=[status, now_ms(), asked_now]))

    async def find(self, user: User, thread_id: str) -> ThreadRow | None:
        """None when there is no such thread. Raises PermissionDenied for a thread of somebody else."""
        fields = await self._client.hgetall(_key(user, thread_id))
        row = _row(thread_id, fields)
        if row is not None and not user.may_see(row.owner):
            raise PermissionDenied("this thread belongs to another user")
        return row

    async def get(self, user: User, thread_id: str) -> ThreadRow:
        """Raises NotFound and PermissionDenied."""
        row = await self.find(user, thread_id)
        if row is None:
            raise NotFound(f"no thread {thread_id!r}")
        return row

    async def own(self, user: User, thread_id: str) -> ThreadRow:
        """A thread that the user may change. Raises NotFound and PermissionDenied."""
        row = await self.get(user, thread_id)
        if row.owner != user.subject:
            raise PermissionDenied("this thread belongs to another user")
        return row

    async def all(self, user: User) -> AsyncIterator[ThreadRow]:
        """Every thread that the user may see, once, the most recently used first; read page by page."""
        async for page in members(self._client, user.tenant):
            ids = [thread_id for owner, thread_id in page if user.may_see(owner)]
            async with self._client.pipeline(transaction=False) as pipe:
                for thread_id in ids:
                    pipe.hgetall(_key(user, thread_id))
                replies = await pipe.execute()
            for thread_id, fields in zip(ids, replies, strict=True):
                if row := _row(thread_id, fields):
                    yield row

    async def replay_from(self, thread: str, *, watches_only: bool) -> int:
        """The seq after which a client without `since` is shown the log; `watches_only`: as in `Filter`.

        The latest run from its start while it is active, waits for an answer, or has just ended; otherwise
        only what comes: older runs would end a Python client's iterators at once.
        """
        fields = ("active", "status", "ended", "run_seq", "seq")
        values = await self._client.hmget(tagged(thread, "thread"), fields)
        active, status, ended, run_seq, seq = (as_text(value) for value in values)
        window = _JUST_ENDED_WATCHER_MS if watches_only else _JUST_ENDED_MS
        recent = active or status == "interrupted" or now_ms() - int(ended or 0) < window
        return int(run_seq or 0) if recent else int(seq or 0)


def _key(user: User, thread_id: str) -> str:
    return tagged(thread_key(user.tenant, thread_id), "thread")


def _encoded(metadata: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(metadata)
    except orjson.JSONEncodeError as exc:
        raise InvalidInput(f"metadata cannot be kept as JSON: {exc}") from exc


def _row(thread_id: str, raw: Mapping[Any, Any]) -> ThreadRow | None:
    fields = {as_text(k): as_text(v) for k, v in raw.items()}
    if "owner" not in fields:
        return None
    return ThreadRow(
        thread_id=thread_id,
        owner=fields["owner"],
        graph=fields.get("assistant", ""),
        status=fields.get("status", "idle"),
        active=fields.get("active", ""),
        seq=int(fields.get("seq", 0)),
        run_seq=int(fields.get("run_seq", 0)),
        created=int(fields.get("created", 0)),
        updated=int(fields.get("updated", 0)),
        error=fields.get("error", ""),
        error_message=fields.get("error_message", ""),
        metadata=orjson.loads(fields.get("metadata") or "{}"),
        asked=orjson.loads(fields.get("asked") or "{}"),
    )


def row_json(row: ThreadRow, state: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The row in the wire's form; `state` is that of `state_view`, for the values and what is asked."""
    failed = {"error": row.error, "message": row.error_message} if row.status == "error" else None
    tasks = state["tasks"] if state else []
    return {
        "thread_id": row.thread_id,
        "status": row.status,
        "created_at": iso(row.created),
        "updated_at": iso(row.updated),
        "state_updated_at": iso(row.updated),
        "metadata": {
            **row.metadata,
            "owner": row.owner,
            **({"graph_id": row.graph, "assistant_id": row.graph} if row.graph else {}),
        },
        "config": {},
        "values": (state["values"] or None) if state else None,
        "interrupts": {task["id"]: task["interrupts"] for task in tasks if task["interrupts"]},
        "error": failed,
    }
