"""One connection's view of a thread: subscriptions, replay from the log, live events without a gap."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import structlog
from anyio.streams.memory import MemoryObjectReceiveStream
from redis.exceptions import RedisError
from uuid_utils import uuid7

from runtime.context import User
from runtime.engine import Engine
from runtime.errors import NoSuchSubscription, UnknownCommand
from runtime.events import Logged
from runtime.filters import Filter, parse_filter, parse_since
from runtime.hub import Batch
from runtime.keys import thread_key
from runtime.snapshot import take_snapshot

_RECONNECT_S = 0.5
_WATCHER_PAUSE_S = 0.010
"""Measured: with 3 ms a busy client still lost events to its watcher's head start, with 10 ms none did."""

log = structlog.get_logger()

Send = Callable[[Logged], Awaitable[None]]


class Session:
    """Subscriptions of one connection. A live event is sent once however many of them match."""

    __slots__ = (
        "_engine",
        "_filters",
        "_log",
        "_may_read",
        "_send",
        "_thread_id",
        "_turn",
        "_user",
        "behind",
        "sent_seq",
        "thread",
    )

    def __init__(self, user: User, thread_id: str, engine: Engine, send: Send) -> None:
        self.thread = thread_key(user.tenant, thread_id)
        self.sent_seq = 0
        self.behind = False
        self._engine = engine
        self._log = engine.events
        self._send = send
        self._user, self._thread_id = user, thread_id
        self._may_read = False
        self._filters: dict[str, Filter] = {}
        self._turn = anyio.Lock()
        """Held while sending, so that replay and live events never interleave."""

    @property
    def watches_only(self) -> bool:
        return all(f.watches_only for f in self._filters.values())

    async def command(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """`subscription.…`. Raises InvalidInput, NoSuchSubscription and UnknownCommand."""
        if method in ("subscription.subscribe", "subscription.reconnect"):
            return await self.subscribe(params)
        if method == "subscription.unsubscribe":
            return await self.unsubscribe(params)
        raise UnknownCommand(f"unknown command {method!r}")

    async def subscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Replays from `since`, or else what a client that has just started a run must not miss.

        Where the log does not reach back to `since`, the state comes first, as a `values` event with the seq
        that it stands for, and the result says so in `resume_gap`. Raises InvalidInput.
        """
        wanted, since = parse_filter(params), parse_since(params)
        async with self._turn:
            await self._check_owner()
            head = self.sent_seq if self._filters else await self._log.last_seq(self.thread)
            start = since if since is not None else await self._engine.threads.replay_from(self.thread)
            gap = await self._gap(since, head) if since is not None else None
            if gap is not None:
                start = await self._rebuild(gap)
                head = max(head, start)
            replayed = await self._replay(wanted, start, head)
            subscription_id = str(params.get("subscription_id") or uuid7())
            self._filters[subscription_id] = wanted
            self.sent_seq = head
        result: dict[str, Any] = {"subscription_id": subscription_id, "replayed_events": replayed}
        return result | ({"resume_gap": {**gap, "seq": start}} if gap else {})

    async def unsubscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Raises NoSuchSubscription."""
        subscription_id = params.get("subscription_id")
        async with self._turn:
            if self._filters.pop(str(subscription_id), None) is None:
                raise NoSuchSubscription(f"no subscription {subscription_id!r}")
        return {}

    async def run(self, batches: MemoryObjectReceiveStream[Batch]) -> None:
        """Forwards live events until cancelled."""
        async for batch in batches:
            try:
                async with self._turn:
                    await self._catch_up(batch, batches)
            except (RedisError, OSError) as exc:
                # Nothing is lost: what was not sent is still behind `sent_seq`, for the hub's next look.
                log.warning("session.disconnected", error=type(exc).__name__)
                self.behind = True
                await anyio.sleep(_RECONNECT_S)

    async def _catch_up(self, batch: Batch, batches: MemoryObjectReceiveStream[Batch]) -> None:
        if not self._filters:
            return
        await self._forward(batch)
        if self.behind and not batches.statistics().current_buffer_used:
            self.behind = False
            await self._forward([])

    async def _check_owner(self) -> None:
        """A thread that did not exist when the connection opened may by now belong to somebody else."""
        if not self._may_read:
            found = await self._engine.threads.find(self._user, self._thread_id)
            self._may_read = found is not None

    async def _gap(self, since: int, head: int) -> dict[str, int] | None:
        """What the log cannot give of what comes after `since`; None: it has all of it."""
        if since >= head:
            return None
        first = await self._log.first_seq(self.thread)
        available = head + 1 if first is None else first
        return {"since": since, "min_available_seq": available} if since + 1 < available else None

    async def _rebuild(self, gap: dict[str, int]) -> int:
        engine = self._engine
        snapshot = await take_snapshot(engine.threads, engine.state, self._user, self._thread_id)
        await self._send(Logged(snapshot.seq, snapshot.event(gap)))
        return snapshot.seq

    async def _replay(self, wanted: Filter, start: int, head: int) -> int:
        count = 0
        while start < head and (page := await self._log.read(self.thread, start, head)):
            for logged in page:
                if wanted.matches(logged.event):
                    await self._send(logged)
                    count += 1
            start = page[-1].seq
        return count

    async def _forward(self, batch: Batch) -> None:
        fresh = [logged for logged in batch if logged.seq > self.sent_seq]
        if batch and not fresh:
            return
        if fresh and fresh[0].seq == self.sent_seq + 1:
            await self._send_matching(fresh)
            return
        while page := await self._log.read(self.thread, self.sent_seq):
            await self._send_matching(page)

    async def _send_matching(self, events: list[Logged]) -> None:
        await self._check_owner()
        for logged in events:
            if any(f.matches(logged.event) for f in self._filters.values()):
                if logged.event.method == "input.requested" and self.watches_only:
                    await self._engine.hub.others_sent(self.thread, self, logged.seq)
                    await anyio.sleep(_WATCHER_PAUSE_S)
                await self._send(logged)
            self.sent_seq = logged.seq


@asynccontextmanager
async def open_session(user: User, thread_id: str, engine: Engine, send: Send) -> AsyncIterator[Session]:
    """A session that forwards until the block is left. PermissionDenied may come out at any time."""
    session = Session(user, thread_id, engine, send)
    async with engine.hub.follow(session.thread, session) as batches, anyio.create_task_group() as tasks:
        tasks.start_soon(session.run, batches)
        yield session
        tasks.cancel_scope.cancel()
