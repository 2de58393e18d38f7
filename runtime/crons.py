"""Crons: runs that start by a schedule, through the queue, once for each due time.

A cron's record says when it is due next. Its job is put into SAQ shortly before that, by whoever writes the
record or by `reschedule`, which every worker calls at its start and every minute; the key `cron:{id}:{due}`
makes it one job. `fire` does nothing unless the record is still due then, starts the run under that key, and
moves the record on. So a job that is delivered twice, or put back after it was done, starts nothing twice;
one that was lost is put back; and after a time when nobody worked, a cron fires once and goes on from now.
What is left open: a cron that is deleted in the very moment in which it fires may start that one run.

A cron runs as the user who created it, with the roles of that moment; nobody else may change it.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis
from uuid_utils import uuid7

from runtime.context import User
from runtime.cron_jobs import AHEAD_S, enqueue_firing
from runtime.cron_record import (
    Cron,
    CronChange,
    changed,
    cron_fields,
    has_ended,
    moved_on,
    read_cron,
    run_payload,
)
from runtime.documents import Document, contains, decode, encode, until_taken
from runtime.errors import AppError, InvalidInput, NotFound, PermissionDenied, RedisUnavailable
from runtime.keys import tagged, thread_key
from runtime.queue import RunQueue
from runtime.redis_calls import as_text
from runtime.scripts import load_script

MAX_CRONS = 1_000
"""Of one tenant."""
_PAGE = 500
_DUE = tagged("crons", "due")

Start = Callable[[User, str | None, Mapping[str, Any]], Awaitable[str]]
"""Starts a run on the thread, or on a fresh one, and returns its id; once for each `idempotency_key`."""

log = structlog.get_logger()


class _Read(NamedTuple):
    """A cron as it was read, to be changed."""

    document: Document
    cron: Cron


class Crons:
    """All tenants' crons. `clock` gives seconds since the epoch."""

    def __init__(
        self, client: Redis, queue: RunQueue, start: Start, clock: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._queue = queue
        self._start = start
        self._clock = clock
        self._write = load_script(client, "replace_document", "cron_write")

    async def create(self, user: User, assistant_id: str, thread_id: str | None, change: CronChange) -> Cron:
        """`change` holds at least the schedule. Raises InvalidInput: too many, too large, no schedule."""
        now = self._clock()
        created = round(now * 1000)
        blank = Cron(
            cron_id=str(uuid7()),
            user=user,
            assistant_id=assistant_id,
            thread_id=thread_id,
            schedule="",
            timezone=None,
            end=None,
            enabled=True,
            on_run_completed="delete" if thread_id is None else None,
            metadata={},
            payload={},
            due=None,
            created=created,
            updated=created,
        )
        await self._put(b"", cron := changed(blank, change, now))
        return cron

    async def get(self, user: User, cron_id: str) -> Cron:
        """Raises NotFound, and PermissionDenied for what is another user's."""
        return (await self._read(user, cron_id)).cron

    async def update(self, user: User, cron_id: str, change: CronChange) -> Cron:
        """The cron from now on. Raises as `get` and `create`."""

        async def attempt() -> Cron | None:
            read = await self._read(user, cron_id)
            if read.cron.user.subject != user.subject:
                raise PermissionDenied("this cron belongs to another user, as whom it runs")
            cron = changed(read.cron, change, self._clock())
            return cron if await self._put(read.document, cron) else None

        return await until_taken(attempt)

    async def delete(self, user: User, cron_id: str) -> Cron:
        """What it was. Its owner and admins may; raises as `get`."""

        async def attempt() -> Cron | None:
            read = await self._read(user, cron_id)
            if read.cron.user.subject != user.subject and "admin" not in user.roles:
                raise PermissionDenied("this cron belongs to another user")
            return read.cron if await self._replace(read.cron, read.document, b"", None) else None

        return await until_taken(attempt)

    async def delete_of_assistant(self, tenant: str, assistant_id: str) -> None:
        """Whosever they are: their runs could not start any more."""
        for cron in await self._all(tenant):
            if cron.assistant_id == assistant_id:
                await self._drop(cron)

    async def search(
        self,
        user: User,
        *,
        assistant_id: str | None = None,
        thread_id: str | None = None,
        enabled: bool | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> list[Cron]:
        """Those that the user may see and that match; `metadata`: a subset of it."""
        return [
            cron
            for cron in await self._all(user.tenant)
            if user.may_see(cron.user.subject)
            and assistant_id in (None, cron.assistant_id)
            and thread_id in (None, cron.thread_id)
            and enabled in (None, cron.enabled)
            and contains(cron.metadata, metadata)
        ]

    async def reschedule(self) -> None:
        """Puts back into the queue what is due or soon will be; what is there already stays as it is.

        Every worker calls it at its start and once a minute, or crons do not fire.
        """
        until, at = self._clock() + AHEAD_S, 0
        while entries := await self._client.zrangebyscore(
            _DUE, "-inf", until, start=at, num=_PAGE, withscores=True
        ):
            for entry in entries:
                tenant, _, cron_id = as_text(entry[0]).partition("/")
                await enqueue_firing(self._queue, tenant, cron_id, int(entry[1]))
            at += len(entries)

    async def fire(self, ctx: Mapping[str, Any], *, cron_id: str, tenant: str, due: int) -> None:
        """One delivery of a due time. It may be a second one, or of a cron that is gone or has changed."""
        read = await self._find(tenant, cron_id)
        if read is None or read.cron.due != due:
            return
        if not await self._has_thread(read.cron):
            log.info("cron.deleted", cron_id=cron_id, due=due, thread_id=read.cron.thread_id)
            return await self._drop(read.cron)
        if not has_ended(read.cron, self._clock()):
            await self._start_run(read.cron, due)
        await self._move_on(tenant, cron_id, due)

    async def _has_thread(self, cron: Cron) -> bool:
        """False when it was deleted, and a run would bring it back; also when another user has its id."""
        if cron.thread_id is None:
            return True
        row = tagged(thread_key(cron.user.tenant, cron.thread_id), "thread")
        return as_text(await self._client.hget(row, "owner")) == cron.user.subject

    async def _drop(self, cron: Cron) -> None:
        await self._client.hdel(_key(cron.user.tenant), cron.cron_id)
        await self._client.zrem(_DUE, _name(cron))

    async def _start_run(self, cron: Cron, due: int) -> None:
        try:
            run_id = await self._start(cron.user, cron.thread_id, run_payload(cron, due))
        except RedisUnavailable:
            raise  # The queue delivers it again.
        except AppError as exc:
            # The next time may do: a busy thread, say, or an assistant whose graph is served again.
            log.warning("cron.failed", cron_id=cron.cron_id, due=due, code=exc.code)
        else:
            log.info("cron.fired", cron_id=cron.cron_id, due=due, run_id=run_id)

    async def _move_on(self, tenant: str, cron_id: str, due: int) -> None:
        async def attempt() -> bool | None:
            read = await self._find(tenant, cron_id)
            if read is None or read.cron.due != due:
                return True
            return await self._put(read.document, moved_on(read.cron, max(self._clock(), due))) or None

        await until_taken(attempt)

    async def _put(self, read: Document, cron: Cron) -> bool:
        if not await self._replace(cron, read, encode("the cron", cron_fields(cron)), cron.due):
            return False
        if cron.due is not None and cron.due <= self._clock() + AHEAD_S:
            await enqueue_firing(self._queue, cron.user.tenant, cron.cron_id, cron.due)
        return True

    async def _replace(self, cron: Cron, read: Document, document: Document, due: int | None) -> bool:
        """False when it is not any more what was read."""
        outcome = await self._write(
            keys=[_key(cron.user.tenant), _DUE],
            args=[cron.cron_id, read, document, MAX_CRONS, _name(cron), "" if due is None else due],
        )
        if as_text(outcome) == "full":
            raise InvalidInput(f"there are {MAX_CRONS} crons; that is the most")
        return as_text(outcome) == "done"

    async def _read(self, user: User, cron_id: str) -> _Read:
        read = await self._find(user.tenant, cron_id)
        if read is None:
            raise NotFound(f"no cron {cron_id!r}")
        if not user.may_see(read.cron.user.subject):
            raise PermissionDenied("this cron belongs to another user")
        return read

    async def _find(self, tenant: str, cron_id: str) -> _Read | None:
        document = await self._client.hget(_key(tenant), cron_id)
        return _Read(document, read_cron(decode(document))) if document else None

    async def _all(self, tenant: str) -> list[Cron]:
        ids, found = await self._client.hkeys(_key(tenant)), []
        for at in range(0, len(ids), _PAGE):
            documents = await self._client.hmget(_key(tenant), ids[at : at + _PAGE])
            found += [read_cron(decode(document)) for document in documents if document]
        return found


def _key(tenant: str) -> str:
    return tagged("crons", f"of:{tenant}")


def _name(cron: Cron) -> str:
    """Of a cron among all tenants' due times; a tenant holds no slash."""
    return f"{cron.user.tenant}/{cron.cron_id}"
