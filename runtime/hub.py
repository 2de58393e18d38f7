"""One pub/sub connection per process brings the live events of all threads that its sockets follow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import anyio
import ormsgpack
import structlog
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.embedded_redis import parse_version
from runtime.events import EventLog, Logged, live_channel, unflatten
from runtime.redis_calls import as_text

log = structlog.get_logger()

_BATCHES = 64
"""Batches kept for one slow follower; past that it reads the log, which has them all."""
_RECONNECT_S = 0.5
_IDLE_CHANNEL = "cornerman:idle"
"""Subscribed always: redis-py's reader needs one channel to wait on."""
_LOOK_S = 5.0
"""How often the logs are asked although nothing was announced: a failover loses announcements."""
_SHARDED = (7, 0)
"""The Redis that brought sharded channels, which stay on one node of a cluster."""

Batch = list[Logged]


class Follower(Protocol):
    """Who follows a thread: a socket's session."""

    sent_seq: int
    """Everything up to here was sent or filtered."""
    behind: bool
    """Set when a batch found its queue full: once it has caught up, it is to look into the log."""

    @property
    def subscribed(self) -> bool:
        """Whether it wants any events; `sent_seq` says nothing otherwise."""
        ...

    @property
    def watches_only(self) -> bool:
        """True for a client's watcher, which wants `lifecycle` and `input` alone."""
        ...


class Hub:
    """Fans batches out to followers. A batch may be lost; the seq tells, and the log has it."""

    def __init__(self, client: Redis, log: EventLog, *, sharded: bool) -> None:
        """`sharded`: as the scripts publish (`append_events.lua`)."""
        self._pubsub = client.pubsub()
        self._log = log
        self._sharded = sharded
        self._followers: dict[str, dict[Follower, MemoryObjectSendStream[Batch]]] = {}
        """By thread; `_receive` knows a thread by its channel."""
        self._channels: dict[str, str] = {}
        self._subscribed: dict[str, anyio.Event | None] = {}
        """Set at Redis' confirmation, and then None: an event for each of many idle threads is memory."""
        self._changing = anyio.Lock()
        """Held while (un)subscribing, so that the two reach Redis in the order in which they were decided."""

    @asynccontextmanager
    async def follow(
        self, thread: str, follower: Follower
    ) -> AsyncIterator[MemoryObjectReceiveStream[Batch]]:
        """The thread's batches: what is appended from now on will arrive, or leave a gap."""
        send, receive = anyio.create_memory_object_stream[Batch](_BATCHES)
        self._followers.setdefault(thread, {})[follower] = send
        try:
            await self._subscribe(thread)
            with send, receive:
                yield receive
        finally:
            del self._followers[thread][follower]
            with anyio.CancelScope(shield=True):
                await self._unsubscribe(thread)

    async def others_sent(self, thread: str, follower: Follower, seq: int) -> None:
        """Waits until the thread's other sockets here were sent all up to `seq`; a quarter second at most.

        Python's SDK ends its iterators when its watcher hears of an interrupt, and drops what the data socket
        has not brought by then.
        """
        with anyio.move_on_after(0.25):
            while any(  # noqa: ASYNC110  (any of many sockets may be the last)
                other.sent_seq < seq
                for other in self._followers.get(thread, {})
                if other is not follower and not other.watches_only
            ):
                await anyio.sleep(0.002)

    async def all_sent(self, thread: str, seq: int) -> None:
        """Waits until every subscribed socket of the thread here was sent all up to `seq`; limit its time."""
        while any(  # noqa: ASYNC110  (as above)
            other.subscribed and other.sent_seq < seq for other in self._followers.get(thread, {})
        ):
            await anyio.sleep(0.002)

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Receives until cancelled; connects again when Redis went away."""
        await self._pubsub.subscribe(_IDLE_CHANNEL)  # From now on there is one connection, and only one.
        task_status.started()
        while True:
            try:
                async for message in self._pubsub.listen():
                    self._receive(message)
            except (RedisError, OSError) as exc:
                log.warning("hub.disconnected", error=type(exc).__name__)
                await anyio.sleep(_RECONNECT_S)

    async def look(self) -> None:
        """Tells followers to look where the log is not where they are; ends only by being cancelled.

        It is behind them when the thread is gone, or another one has its id.
        """
        while True:
            await anyio.sleep(_LOOK_S)
            threads = list(self._followers)
            try:
                seqs = await self._log.last_seqs(threads)
            except (RedisError, OSError) as exc:
                log.warning("hub.disconnected", error=type(exc).__name__)
                continue
            for thread, seq in zip(threads, seqs, strict=True):
                if any(f.subscribed and f.sent_seq != seq for f in self._followers.get(thread, {})):
                    self._hand_out(thread, [])

    def _receive(self, message: dict[str, Any]) -> None:
        channel = as_text(message["channel"])
        thread = self._channels.get(channel, "")
        if message["type"] in ("subscribe", "ssubscribe"):
            if event := self._subscribed.get(thread):
                event.set()
                self._subscribed[thread] = None
            self._hand_out(thread, [])  # After a lost connection too: whoever missed something looks.
        elif message["type"] in ("message", "smessage"):
            first_seq, parts = ormsgpack.unpackb(message["data"])
            self._hand_out(thread, unflatten(int(first_seq), parts))

    def _hand_out(self, thread: str, batch: Batch) -> None:
        for follower, stream in self._followers.get(thread, {}).items():
            try:
                stream.send_nowait(batch)
            except anyio.WouldBlock:
                follower.behind = True
            except anyio.BrokenResourceError:
                pass  # It is just leaving.

    async def _subscribe(self, thread: str) -> None:
        """Returns once Redis confirmed; else an event between would be missed without a trace."""
        async with self._changing:
            if thread not in self._subscribed:
                self._subscribed[thread] = anyio.Event()
                self._channels[live_channel(thread)] = thread
                subscribe = self._pubsub.ssubscribe if self._sharded else self._pubsub.subscribe
                await subscribe(live_channel(thread))
            confirmed = self._subscribed[thread]
        if confirmed is not None:
            with anyio.fail_after(5):
                await confirmed.wait()

    async def _unsubscribe(self, thread: str) -> None:
        async with self._changing:
            if not self._followers.get(thread):
                self._followers.pop(thread, None)
                self._subscribed.pop(thread, None)
                self._channels.pop(live_channel(thread), None)
                leave = self._pubsub.sunsubscribe if self._sharded else self._pubsub.unsubscribe
                await leave(live_channel(thread))


@asynccontextmanager
async def open_hub(client: Redis, log: EventLog) -> AsyncIterator[Hub]:
    """A hub that receives until the block is left. `client` waits on purpose: no reply timeout."""
    version = parse_version(str((await client.info("server"))["redis_version"]))
    hub = Hub(client, log, sharded=version >= _SHARDED)
    async with anyio.create_task_group() as tasks:
        await tasks.start(hub.run)
        tasks.start_soon(hub.look)
        yield hub
        tasks.cancel_scope.cancel()
