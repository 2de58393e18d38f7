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
from runtime.errors import InvalidInput, NoSuchSubscription, NotFound, UnknownCommand
from runtime.events import Logged
from runtime.filters import Filter, parse_filter, parse_since
from runtime.hub import Batch
from runtime.keys import thread_key
from runtime.snapshot import take_snapshot

_RECONNECT_S = 0.5
_MOST_SUBSCRIPTIONS = 100
_WATCHER_PAUSE_S = 0.010
"""Measured: with 3 ms a busy client still lost events to its watcher's head start, with 10 ms none did."""

log = structlog.get_logger()

Send = Callable[[Logged], Awaitable[None]]


class Session:
    """Subscriptions of one connection. A live event is sent once however many of them match."""

    __slots__ = (
        "_created",
        "_engine",
        "_filters",
        "_log",
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
        self._created: int | None = None
        """When the thread came to be that `sent_seq` counts on; None before it has been looked at."""
        self._filters: dict[str, Filter] = {}
        self._turn = anyio.Lock()
        """Held while sending, so that replay and live events never interleave."""

    @property
    def subscribed(self) -> bool:
        return bool(self._filters)

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
        if len(self._filters) >= _MOST_SUBSCRIPTIONS:
            raise InvalidInput(f"at most {_MOST_SUBSCRIPTIONS} subscriptions are allowed on one connection")
        async with self._turn:
            if not self._filters:
                self._created = None  # Nothing was promised of what the thread was before.
            await self._check_thread()
            head = self.sent_seq if self._filters else await self._log.last_seq(self.thread)
            start = since if since is not None else await self._replay_from(wanted)
            gap = await self._gap(since, head) if since is not None else None
            if gap is not None:
                start = await self._rebuild(gap, others=self.subscribed)
                head = max(head, start)
            replayed = await self._replay(wanted, start, head)
            subscription_id = str(params.get("subscription_id") or uuid7())
            self._filters[subscription_id] = wanted
            self.sent_seq = head
        result: dict[str, Any] = {"subscription_id": subscription_id, "replayed_events": replayed}
        return result | ({"resume_gap": {**gap, "seq": start}} if gap else {})

    async def _replay_from(self, wanted: Filter) -> int:
        return await self._engine.threads.replay_from(self.thread, watches_only=wanted.watches_only)

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

    async def _check_thread(self) -> None:
        """Raises NotFound when the thread is not the one any more that was read so far.

        Its id may by now be somebody else's, which raises PermissionDenied.
        """
        row = await self._engine.threads.find(self._user, self._thread_id)
        created = row.created if row else None
        if self._created not in (None, created):
            raise NotFound(f"the thread {self._thread_id!r} was deleted")
        self._created = created

    async def _gap(self, since: int, head: int) -> dict[str, int] | None:
        """What the log cannot give of what comes after `since`; None: it has all of it."""
        if since >= head:
            return None
        first = await self._log.first_seq(self.thread)
        available = head + 1 if first is None else first
        return {"since": since, "min_available_seq": available} if since + 1 < available else None

    async def _rebuild(self, gap: dict[str, int], *, others: bool) -> int:
        """The seq that the state stands for. The `others` subscribed here first get what lies before it."""
        engine = self._engine
        snapshot = await take_snapshot(engine.threads, engine.state, self._user, self._thread_id)
        if others and snapshot.seq > self.sent_seq:
            await self._read_on(snapshot.seq)
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
        """Only what follows on what was sent needs no look at the thread: the rest may be of another one."""
        fresh = [logged for logged in batch if logged.seq > self.sent_seq]
        follows = bool(fresh) and fresh[0].seq == self.sent_seq + 1
        if self._created is None or self.behind or len(fresh) < len(batch) or not follows:
            await self._check_thread()
        if follows:
            await self._send_matching(fresh)
        elif fresh or not batch:
            await self._read_on()

    async def _read_on(self, until: int | None = None) -> None:
        """Sends what the log has after `sent_seq`; first the state, where it does not reach back to there."""
        while True:
            page = await self._log.read(self.thread, self.sent_seq, until)
            if page and page[0].seq == self.sent_seq + 1:
                await self._send_matching(page)
                continue
            head = page[-1].seq if page else until or await self._log.last_seq(self.thread)
            gap = await self._gap(self.sent_seq, head)
            if gap is None:
                return
            self.sent_seq = await self._rebuild(gap, others=False)

    async def _send_matching(self, events: list[Logged]) -> None:
        for logged in events:
            if any(f.matches(logged.event) for f in self._filters.values()):
                if logged.event.method == "input.requested" and self.watches_only:
                    await self._engine.hub.others_sent(self.thread, self, logged.seq)
                    await anyio.sleep(_WATCHER_PAUSE_S)
                await self._send(logged)
            self.sent_seq = logged.seq


@asynccontextmanager
async def open_session(user: User, thread_id: str, engine: Engine, send: Send) -> AsyncIterator[Session]:
    """A session that forwards until the block is left.

    NotFound may come out at any time (the thread was deleted), and PermissionDenied (it is somebody else's).
    """
    session = Session(user, thread_id, engine, send)
    async with engine.hub.follow(session.thread, session) as batches, anyio.create_task_group() as tasks:
        tasks.start_soon(session.run, batches)
        yield session
        tasks.cancel_scope.cancel()
