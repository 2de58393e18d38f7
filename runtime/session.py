"""One socket's view of a thread: its subscriptions, replay from the log, and live events without a gap."""

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
from runtime.errors import NotFound, UnknownCommand
from runtime.events import EventLog, Logged
from runtime.filters import Filter, parse_filter, parse_since
from runtime.hub import Batch, Hub
from runtime.keys import thread_key
from runtime.threads import Threads

_RECONNECT_S = 0.5
_POLL_S = 5.0
"""How often the log is asked although nothing was announced: a failover loses announcements."""
_WATCHER_PAUSE_S = 0.010
"""Measured: with 3 ms a busy client still lost events to its watcher's head start, with 10 ms none did."""

log = structlog.get_logger()

Send = Callable[[str], Awaitable[None]]


class Session:
    """Subscriptions of one socket. A live event is sent once however many of them match."""

    def __init__(
        self, user: User, thread_id: str, log: EventLog, hub: Hub, threads: Threads, send: Send
    ) -> None:
        self.thread = thread_key(user.tenant, thread_id)
        self.sent_seq = 0
        self.behind = False
        self._log = log
        self._hub = hub
        self._threads = threads
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
        """`subscription.…`. Raises InvalidInput, NotFound and UnknownCommand."""
        if method in ("subscription.subscribe", "subscription.reconnect"):
            return await self.subscribe(params)
        if method == "subscription.unsubscribe":
            return await self.unsubscribe(params)
        raise UnknownCommand(f"unknown command {method!r}")

    async def subscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Replays from `since`, or else what a client that has just started a run must not miss.

        Raises InvalidInput.
        """
        wanted, since = parse_filter(params), parse_since(params)
        async with self._turn:
            await self._check_owner()
            head = self.sent_seq if self._filters else await self._log.last_seq(self.thread)
            start = since if since is not None else await self._threads.replay_from(self.thread)
            replayed = await self._replay(wanted, start, head)
            subscription_id = str(params.get("subscription_id") or uuid7())
            self._filters[subscription_id] = wanted
            self.sent_seq = head
        return {"subscription_id": subscription_id, "replayed_events": replayed}

    async def unsubscribe(self, params: dict[str, Any]) -> dict[str, Any]:
        """Raises NotFound for an unknown subscription."""
        subscription_id = params.get("subscription_id")
        async with self._turn:
            if self._filters.pop(str(subscription_id), None) is None:
                raise NotFound(f"no subscription {subscription_id!r}")
        return {}

    async def run(self, batches: MemoryObjectReceiveStream[Batch]) -> None:
        """Forwards live events until cancelled."""
        while True:
            batch: Batch = []
            with anyio.move_on_after(_POLL_S):
                batch = await batches.receive()
            try:
                async with self._turn:
                    await self._catch_up(batch, batches)
            except (RedisError, OSError) as exc:
                # Nothing is lost: what was not sent is still behind `sent_seq`, for the next turn.
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
        """A thread that did not exist when the socket opened may by now belong to somebody else."""
        if not self._may_read:
            self._may_read = await self._threads.find(self._user, self._thread_id) is not None

    async def _replay(self, wanted: Filter, start: int, head: int) -> int:
        count = 0
        while start < head and (page := await self._log.read(self.thread, start, head)):
            for logged in page:
                if wanted.matches(logged.event):
                    await self._send(logged.event.wire(logged.seq))
                    count += 1
            start = page[-1].seq
        return count

    async def _forward(self, batch: Batch) -> None:
        fresh = [logged for logged in batch if logged.seq > self.sent_seq]
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
                    await self._hub.others_sent(self.thread, self, logged.seq)
                    await anyio.sleep(_WATCHER_PAUSE_S)
                await self._send(logged.event.wire(logged.seq))
            self.sent_seq = logged.seq


@asynccontextmanager
async def open_session(
    user: User, thread_id: str, log: EventLog, hub: Hub, threads: Threads, send: Send
) -> AsyncIterator[Session]:
    """A session that forwards until the block is left. PermissionDenied may come out at any time."""
    session = Session(user, thread_id, log, hub, threads, send)
    async with hub.follow(session.thread, session) as batches, anyio.create_task_group() as tasks:
        tasks.start_soon(session.run, batches)
        yield session
        tasks.cancel_scope.cancel()
