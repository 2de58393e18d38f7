"""Redis calls as operations, which yield commands and receive replies, so that async and sync share them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar

import redis
from redis.client import NEVER_DECODE
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,
)

from runtime.errors import InvalidInput, RedisUnavailable

T = TypeVar("T")
FAILURES = (RedisError, RedisClusterException, OSError)
"""What a call that did not go through raises; a cluster's own failures are no RedisError."""
SCANNED = 1000
"""Keys that one step of a scan looks at."""
_LOST = (ConnectionError, TimeoutError, ClusterDownError, RedisClusterException, OSError)
_LUA = Path(__file__).parent / "lua"


class Command(NamedTuple):
    """One Redis command."""

    args: tuple[Any, ...]
    in_full: tuple[Any, ...] = ()
    """What to send instead when the server does not know the script."""


Operation = Generator[list[Command], list[Any], T]
"""Yields commands that may go out in one round trip, receives their replies, returns its result."""


def command(name: str, *args: Any) -> Command:
    """Raises InvalidInput for text that is no Unicode."""
    return Command((name, *map(_encoded, args)))


def script(names: Sequence[str], keys: Sequence[str], *args: Any) -> Command:
    """A call of `lua/<name>.lua`: the last of `names`, after those it builds on. Raises as `command`."""
    text, digest = _source(tuple(names))
    rest = (len(keys), *map(_encoded, keys), *map(_encoded, args))
    return Command(("EVALSHA", digest, *rest), ("EVAL", text, *rest))


def ask(call: Command) -> Operation[Any]:
    """The reply to one command."""
    (reply,) = yield [call]
    return reply


def _encoded(arg: Any) -> Any:
    # Here, since in a pipeline it would be the error of all who travel with it.
    if not isinstance(arg, str):
        return arg
    try:
        return arg.encode()
    except UnicodeEncodeError as exc:
        raise InvalidInput(f"{arg[:80]!r} cannot be stored: it is no Unicode text") from exc


@cache
def _source(names: tuple[str, ...]) -> tuple[str, str]:
    text = "\n".join((_LUA / f"{name}.lua").read_text() for name in names)
    return text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class SyncCalls:
    """Runs operations on a client of redis-py's sync API, opened when it is first used."""

    def __init__(self, open_client: Callable[[], redis.Redis | redis.RedisCluster]) -> None:
        self._open = open_client
        self._client: redis.Redis | redis.RedisCluster | None = None
        self._lock = Lock()  # The sync API is used from several threads.

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def run(self, operation: Operation[T]) -> T:
        """Raises RedisUnavailable, and what the operation raises."""
        try:
            commands = next(operation)
            while True:
                commands = operation.send(self._execute(commands))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def keys(self, pattern: str) -> list[str]:
        """As `AsyncCalls.keys`."""
        try:
            return sorted({as_text(key) for key in self._opened().scan_iter(match=pattern, count=SCANNED)})
        except FAILURES as exc:
            raise unavailable(exc) from exc

    def _opened(self) -> redis.Redis | redis.RedisCluster:
        with self._lock:
            if self._client is None:
                self._client = self._open()
            return self._client

    def _execute(self, commands: Sequence[Command]) -> list[Any]:
        try:
            replies = self._send([c.args for c in commands])
            for place, args in unanswered(commands, replies).items():
                replies[place] = self._send_one(args)
        except FAILURES as exc:
            raise unavailable(exc) from exc
        return [or_raise(reply) for reply in replies]

    def _send(self, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        if len(calls) == 1:
            return [self._send_one(calls[0])]
        with self._opened().pipeline(transaction=False) as pipe:
            for args in calls:
                pipe.execute_command(*args, **{NEVER_DECODE: True})
            replies: list[Any] = pipe.execute(raise_on_error=False)
            return replies

    def _send_one(self, args: tuple[Any, ...]) -> Any:
        try:
            execute: Any = self._opened().execute_command  # redis-py leaves it without types.
            return execute(*args, **{NEVER_DECODE: True})
        except ResponseError as exc:
            return exc


def unanswered(commands: Sequence[Command], replies: Sequence[Any]) -> dict[int, tuple[Any, ...]]:
    """By place, what to send again: scripts that the server does not know, and what a cluster's node lost.

    On one server a lost connection fails the whole call; the nodes of a cluster fail apart from each other.
    """
    again = {}
    for place, (call, reply) in enumerate(zip(commands, replies, strict=True)):
        if isinstance(reply, NoScriptError):
            again[place] = call.in_full
        elif isinstance(reply, _LOST):
            again[place] = call.in_full or call.args
    return again


def or_raise(reply: Any) -> Any:
    """The reply. Raises RedisUnavailable for an error that the server answered."""
    if isinstance(reply, Exception):
        raise unavailable(reply) from reply
    return reply


def unavailable(exc: Exception) -> RedisUnavailable:
    # What redis-py itself says of a cluster can quote a command, and with it the conversation.
    said = "" if isinstance(exc, RedisClusterException) else f": {exc}"
    return RedisUnavailable(f"Redis did not do what it was asked ({type(exc).__name__}{said})")


def as_text(value: object) -> str:
    """The text of a reply; '' for None. redis-py types replies as bytes or str, by a client's settings."""
    if value is None:
        return ""
    return value.decode() if isinstance(value, bytes) else str(value)
