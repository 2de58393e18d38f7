"""Redis calls as operations, which yield commands and receive replies, so that async and sync share them."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Generator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import anyio
import redis
from redis.asyncio import Redis
from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError, RedisError, ResponseError

from runtime.errors import RedisUnavailable

T = TypeVar("T")
_LUA = Path(__file__).parent / "lua"


class Command(NamedTuple):
    """One Redis command."""

    args: tuple[Any, ...]
    in_full: tuple[Any, ...] = ()
    """What to send instead when the server does not know the script."""


Operation = Generator[list[Command], list[Any], T]
"""Yields commands that may go out in one round trip, receives their replies, returns its result."""


def command(*args: Any) -> Command:
    return Command(args)


def script(names: Sequence[str], keys: Sequence[str], *args: Any) -> Command:
    """A call of `lua/<name>.lua`: the last of `names`, after those it builds on."""
    text, digest = _source(tuple(names))
    rest = (len(keys), *keys, *args)
    return Command(("EVALSHA", digest, *rest), ("EVAL", text, *rest))


def ask(call: Command) -> Operation[Any]:
    """The reply to one command."""
    (reply,) = yield [call]
    return reply


@cache
def _source(names: tuple[str, ...]) -> tuple[str, str]:
    text = "\n".join((_LUA / f"{name}.lua").read_text() for name in names)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class SyncCalls:
    """Runs operations on a client of redis-py's sync API."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def close(self) -> None:
        self._client.close()

    def run(self, operation: Operation[T]) -> T:
        """Raises RedisUnavailable, and what the operation raises."""
        try:
            commands = next(operation)
            while True:
                commands = operation.send(self._execute(commands))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _execute(self, commands: Sequence[Command]) -> list[Any]:
        replies = self._send([c.args for c in commands])
        unknown = _unknown(replies)
        if unknown:
            _merge(replies, unknown, self._send([commands[i].in_full for i in unknown]))
        return [_checked(reply) for reply in replies]

    def _send(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        try:
            with self._client.pipeline(transaction=False) as pipe:
                for args in calls:
                    # redis-py leaves this method without types.
                    pipe.execute_command(*args, **{NEVER_DECODE: True})  # type: ignore[no-untyped-call]
                replies: list[Any] = pipe.execute(raise_on_error=False)
                return replies
        except (RedisError, OSError) as exc:
            raise _unavailable(exc) from exc


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

    def __init__(self, client: Redis, *, lanes: int = 2, batch: int = 64, timeout_s: float = 30.0) -> None:
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
            raise _unavailable(me.failure) from me.failure
        return [_checked(reply) for reply in me.replies]

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
            unanswered = [caller for caller in batch[1:] if not caller.woken.is_set()]
            self._queue.extendleft(reversed(unanswered))
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
        except (RedisError, OSError) as exc:
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
        unknown = _unknown(replies)
        if unknown:
            _merge(replies, unknown, await self._send([commands[i].in_full for i in unknown]))
        return replies

    async def _send(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        if len(calls) == 1:
            return [await self._send_one(calls[0])]
        async with self._client.pipeline(transaction=False) as pipe:
            for args in calls:
                pipe.execute_command(*args, **{NEVER_DECODE: True})
            replies: list[Any] = await pipe.execute(raise_on_error=False)
            return replies

    async def _send_one(self, args: tuple[Any, ...]) -> Any:
        # Half of redis-py's time in a small call is the pipeline's.
        try:
            # redis-py leaves this method without types.
            return await self._client.execute_command(*args, **{NEVER_DECODE: True})  # type: ignore[no-untyped-call]
        except ResponseError as exc:
            return exc


def _unknown(replies: Sequence[Any]) -> list[int]:
    return [i for i, reply in enumerate(replies) if isinstance(reply, NoScriptError)]


def _merge(replies: list[Any], places: Sequence[int], late: Sequence[Any]) -> None:
    for place, reply in zip(places, late, strict=True):
        replies[place] = reply


def _checked(reply: Any) -> Any:
    if isinstance(reply, Exception):
        raise _unavailable(reply) from reply
    return reply


def _unavailable(exc: Exception) -> RedisUnavailable:
    return RedisUnavailable(f"Redis did not do what it was asked ({type(exc).__name__}: {exc})")
