"""Threads: their rows, whose they are, and where a replay of their events begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from uuid_utils import uuid7

from runtime.context import User
from runtime.errors import NotFound, PermissionDenied
from runtime.keys import tagged, thread_key
from runtime.redis_calls import as_text
from runtime.run_record import iso, now_ms

_JUST_ENDED_MS = 1_000
"""A client subscribes after `run.start` returned, when a short run may be over already."""


@dataclass(frozen=True)
class ThreadRow:
    thread_id: str
    owner: str
    assistant: str
    """The assistant of the latest run."""
    status: str
    """idle, busy, interrupted or error."""
    active: str
    """The run that is pending or running, or ''."""
    created: int
    updated: int
    """ms since the epoch."""
    error: str
    error_message: str


class Threads:
    """Reads the thread records that the runs' scripts write, and keeps each tenant's list of them."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def touch(self, user: User, thread_id: str, assistant: str) -> None:
        """Puts the thread on top of its owner's list."""
        await self._client.hset(tagged(thread_key(user.tenant, thread_id), "thread"), "assistant", assistant)
        await self._list(user, thread_id)

    async def _list(self, user: User, thread_id: str) -> None:
        await self._client.zadd(_list_key(user.tenant), {f"{user.subject}\x00{thread_id}": now_ms()})

    async def create(self, user: User, thread_id: str | None) -> tuple[ThreadRow, bool]:
        """The row, and whether it is new. Raises PermissionDenied when somebody else has that id."""
        thread_id = thread_id or str(uuid7())
        key = tagged(thread_key(user.tenant, thread_id), "thread")
        created = bool(await self._client.hsetnx(key, "owner", user.subject))
        if created:
            await self._client.hset(key, mapping={"created": now_ms(), "updated": now_ms()})
            await self._list(user, thread_id)
        return await self.get(user, thread_id), created

    async def find(self, user: User, thread_id: str) -> ThreadRow | None:
        """None when nothing ever ran on it. Raises PermissionDenied for a thread of somebody else."""
        key = tagged(thread_key(user.tenant, thread_id), "thread")
        fields = {as_text(k): as_text(v) for k, v in (await self._client.hgetall(key)).items()}
        if "owner" not in fields:
            return None
        if not user.may_see(fields["owner"]):
            raise PermissionDenied("this thread belongs to another user")
        return _row(thread_id, fields)

    async def get(self, user: User, thread_id: str) -> ThreadRow:
        """Raises NotFound and PermissionDenied."""
        row = await self.find(user, thread_id)
        if row is None:
            raise NotFound(f"no thread {thread_id!r}")
        return row

    async def newest(self, user: User, limit: int, offset: int = 0) -> list[ThreadRow]:
        """Threads that the user may see, most recently used first: at most `limit` after `offset` others."""
        rows: list[ThreadRow] = []
        start, wanted = 0, offset + limit
        while len(rows) < wanted:
            entries = await self._client.zrange(_list_key(user.tenant), start, start + wanted - 1, desc=True)
            if not entries:
                break
            for owner, _, thread_id in (as_text(e).partition("\x00") for e in entries):
                if user.may_see(owner) and (row := await self.find(user, thread_id)):
                    rows.append(row)
            start += wanted
        return rows[offset:wanted]

    async def replay_from(self, thread: str) -> int:
        """The seq after which a client without `since` is shown the log.

        The latest run from its start while it is active, waits for an answer, or has just ended; otherwise
        only what comes: older runs would end a Python client's iterators at once.
        """
        fields = ("active", "status", "ended", "run_seq", "seq")
        values = await self._client.hmget(tagged(thread, "thread"), fields)
        active, status, ended, run_seq, seq = (as_text(value) for value in values)
        recent = active or status == "interrupted" or now_ms() - int(ended or 0) < _JUST_ENDED_MS
        return int(run_seq or 0) if recent else int(seq or 0)


def _list_key(tenant: str) -> str:
    return f"tenant:{tenant}:threads"


def _row(thread_id: str, fields: dict[str, str]) -> ThreadRow:
    return ThreadRow(
        thread_id=thread_id,
        owner=fields["owner"],
        assistant=fields.get("assistant", ""),
        status=fields.get("status", "idle"),
        active=fields.get("active", ""),
        created=int(fields.get("created", 0)),
        updated=int(fields.get("updated", 0)),
        error=fields.get("error", ""),
        error_message=fields.get("error_message", ""),
    )


def row_json(row: ThreadRow) -> dict[str, Any]:
    """The row in the wire's form."""
    failed = {"error": row.error, "message": row.error_message} if row.status == "error" else None
    return {
        "thread_id": row.thread_id,
        "status": row.status,
        "created_at": iso(row.created),
        "updated_at": iso(row.updated),
        "metadata": {"owner": row.owner, "graph_id": row.assistant, "assistant_id": row.assistant},
        "error": failed,
    }
