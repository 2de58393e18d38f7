"""Auto-pipelining: asyncio calls that come while the connections are busy travel together."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, TypeVar

import anyio
from redis.asyncio import Redis, RedisCluster
from redis.client import NEVER_DECODE
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from runtime.redis_calls import (
    FAILURES,
    SCANNED,
    Command,
    Operation,
    as_text,
    or_raise,
    unanswered,
    unavailable,
)

T = TypeVar("T")
_APART = 8
"""Calls at once when those of a batch are sent again, each by itself."""


class _Caller:
    """One whose commands wait for a lane, or for the replies to the batch they travel in."""

    def __init__(self, commands: Sequence[Command]) -> None:
        self.commands = commands
        self.woken = anyio.Event()
        self.leads = False
        self.has_left = False
        self.replies: list[Any] = []
        self.failure: Exception | None = None


class AsyncCalls:
    """Runs operations on an asyncio client; calls that come while all lanes are busy travel together.

    No background task: whoever finds a free lane sends for all who wait, then passes the lane on. When it is
    cancelled meanwhile, the others are sent again, so every command must be one that may be repeated.
    """

    def __init__(
        self, client: Redis | RedisCluster, *, lanes: int = 2, batch: int = 64, timeout_s: float = 30.0
    ) -> None:
        """At most `lanes` connections in use, `batch` callers in one round trip, `timeout_s` for each."""
        self._client = client
        self._free = lanes
        self._batch = batch
        self._timeout_s = timeout_s
        self._queue: deque[_Caller] = deque()

    async def run(self, operation: Operation[T]) -> T:
        """Raises RedisUnavailable, and what the operation raises."""
        try:
            commands = next(operation)
            while True:
                commands = operation.send(await self._execute(commands))
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def keys(self, pattern: str) -> list[str]:
        """The names of all keys that match, each once. Raises RedisUnavailable. For operators: it scans."""
        try:
            return sorted({as_text(k) async for k in self._client.scan_iter(match=pattern, count=SCANNED)})
        except FAILURES as exc:
            raise unavailable(exc) from exc

    async def _execute(self, commands: Sequence[Command]) -> list[Any]:
        me = _Caller(commands)
        if self._free:
            self._free -= 1
            me.leads = True
        else:
            await self._wait(me)
        if me.leads:
            await self._lead(me)
        if me.failure is not None:
            raise unavailable(me.failure) from me.failure
        return [or_raise(reply) for reply in me.replies]

    async def _wait(self, me: _Caller) -> None:
        self._queue.append(me)
        try:
            await me.woken.wait()
        except anyio.get_cancelled_exc_class():
            me.has_left = True
            if me.leads:
                self._pass_on()
            raise

    async def _lead(self, me: _Caller) -> None:
        batch = [me]
        while len(batch) < self._batch and (following := self._next()):
            batch.append(following)
        try:
            await self._send_batch(batch)
        finally:
            still_waiting = [caller for caller in batch[1:] if not caller.woken.is_set()]
            self._queue.extendleft(reversed(still_waiting))
            self._pass_on()

    def _pass_on(self) -> None:
        following = self._next()
        if following is None:
            self._free += 1
        else:
            following.leads = True
            following.woken.set()

    def _next(self) -> _Caller | None:
        while self._queue:
            caller = self._queue.popleft()
            if not caller.has_left:
                return caller
        return None

    async def _send_batch(self, batch: Sequence[_Caller]) -> None:
        try:
            with anyio.fail_after(self._timeout_s):
                replies = await self._replies([c for caller in batch for c in caller.commands])
        except FAILURES as exc:
            for caller in batch:
                caller.failure = exc
        else:
            for caller in batch:
                size = len(caller.commands)
                caller.replies, replies = replies[:size], replies[size:]
        for caller in batch:
            caller.woken.set()

    async def _replies(self, commands: Sequence[Command]) -> list[Any]:
        replies = await self._send([c.args for c in commands])
        if again := unanswered(commands, replies):
            late = await self._send_apart(list(again.values()))
            for place, reply in zip(again, late, strict=True):
                replies[place] = reply
        return replies

    async def _send(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        if len(calls) == 1:
            return [await self._send_one(calls[0])]
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for args in calls:
                    pipe.execute_command(*args, **{NEVER_DECODE: True})
                replies: list[Any] = await pipe.execute(raise_on_error=False)
                return replies
        except FAILURES as exc:
            if not isinstance(self._client, RedisCluster):
                raise
            return [exc] * len(calls)  # One dead node fails redis-py's pipeline for all; each is sent apart.

    async def _send_apart(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        replies: list[Any] = [None] * len(calls)
        limiter = anyio.CapacityLimiter(_APART)

        async def send(place: int, args: tuple[Any, ...]) -> None:
            async with limiter:
                try:
                    replies[place] = await self._send_one(args)
                except FAILURES as exc:
                    replies[place] = exc

        async with anyio.create_task_group() as tasks:
            for place, args in enumerate(calls):
                tasks.start_soon(send, place, args)
        return replies

    async def _send_one(self, args: tuple[Any, ...]) -> Any:
        # Half of redis-py's time in a small call is the pipeline's.
        try:
            return await self._client.execute_command(*args, **{NEVER_DECODE: True})
        except ResponseError as exc:
            return exc
        except AttributeError as exc:
            # When a node dies, redis-py closes a connection that another task is about to write to.
            raise RedisConnectionError("the connection was closed while it was being used") from exc
