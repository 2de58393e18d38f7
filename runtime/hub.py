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

from runtime.events import Logged, live_channel, unflatten
from runtime.redis_calls import as_text

log = structlog.get_logger()

_BATCHES = 64
"""Batches kept for one slow follower; past that it reads the log, which has them all."""
_RECONNECT_S = 0.5
_IDLE_CHANNEL = "cornerman:idle"
"""Subscribed always: redis-py's reader needs one channel to wait on."""

Batch = list[Logged]


class Follower(Protocol):
    """Who follows a thread: a socket's session."""

    sent_seq: int
    """Everything up to here was sent or filtered."""
    behind: bool
    """Set when a batch found its queue full: once it has caught up, it is to look into the log."""

    @property
    def watches_only(self) -> bool:
        """True for a client's watcher, which wants `lifecycle` and `input` alone."""
        ...


class Hub:
    """Fans batches out to followers. A batch may be lost; the seq tells, and the log has it."""

    def __init__(self, client: Redis) -> None:
        self._pubsub = client.pubsub()
        self._followers: dict[str, dict[Follower, MemoryObjectSendStream[Batch]]] = {}
        self._subscribed: dict[str, anyio.Event] = {}
        self._changing = anyio.Lock()
        """Held while (un)subscribing, so that the two reach Redis in the order in which they were decided."""

    @asynccontextmanager
    async def follow(
        self, thread: str, follower: Follower
    ) -> AsyncIterator[MemoryObjectReceiveStream[Batch]]:
        """The thread's batches: what is appended from now on will arrive, or leave a gap."""
        send, receive = anyio.create_memory_object_stream[Batch](_BATCHES)
        channel = live_channel(thread)
        self._followers.setdefault(channel, {})[follower] = send
        try:
            await self._subscribe(channel)
            with send, receive:
                yield receive
        finally:
            del self._followers[channel][follower]
            with anyio.CancelScope(shield=True):
                await self._unsubscribe(channel)

    async def others_sent(self, thread: str, follower: Follower, seq: int) -> None:
        """Waits until the thread's other sockets here were sent all up to `seq`; a quarter second at most.

        Python's SDK ends its iterators when its watcher hears of an interrupt, and drops what the data socket
        has not brought by then.
        """
        with anyio.move_on_after(0.25):
            while any(  # noqa: ASYNC110  (any of many sockets may be the last)
                other.sent_seq < seq
                for other in self._followers.get(live_channel(thread), {})
                if other is not follower and not other.watches_only
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

    def _receive(self, message: dict[str, Any]) -> None:
        channel = as_text(message["channel"])
        if message["type"] == "subscribe":
            if event := self._subscribed.get(channel):
                event.set()
            self._hand_out(channel, [])  # After a lost connection too: whoever missed something looks.
        elif message["type"] == "message":
            first_seq, parts = ormsgpack.unpackb(message["data"])
            self._hand_out(channel, unflatten(int(first_seq), parts))

    def _hand_out(self, channel: str, batch: Batch) -> None:
        for follower, stream in self._followers.get(channel, {}).items():
            try:
                stream.send_nowait(batch)
            except anyio.WouldBlock:
                follower.behind = True
            except anyio.BrokenResourceError:
                pass  # It is just leaving.

    async def _subscribe(self, channel: str) -> None:
        """Returns once Redis confirmed; else an event between would be missed without a trace."""
        async with self._changing:
            if channel not in self._subscribed:
                self._subscribed[channel] = anyio.Event()
                await self._pubsub.subscribe(channel)
            confirmed = self._subscribed[channel]
        with anyio.fail_after(5):
            await confirmed.wait()

    async def _unsubscribe(self, channel: str) -> None:
        async with self._changing:
            if not self._followers.get(channel):
                self._followers.pop(channel, None)
                self._subscribed.pop(channel, None)
                await self._pubsub.unsubscribe(channel)


@asynccontextmanager
async def open_hub(client: Redis) -> AsyncIterator[Hub]:
    """A hub that receives until the block is left. `client` waits on purpose: no reply timeout."""
    hub = Hub(client)
    async with anyio.create_task_group() as tasks:
        await tasks.start(hub.run)
        yield hub
        tasks.cancel_scope.cancel()
