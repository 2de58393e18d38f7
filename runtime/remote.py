"""Calls between the processes of one installation, as jobs of a queue: the embedded index has one owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import Redis
from saq import Worker as SaqWorker
from saq.queue import JobError
from saq.queue.redis import RedisQueue

from runtime.errors import AppError, KnowledgeUnavailable
from runtime.queue import GRACE_S, running

QUEUE = "calls"
_CONCURRENCY = 4
_KEEP_RESULT_S = 5
_POLL_S = 0.01

Function = Callable[..., Awaitable[Any]]
"""Takes and returns JSON values."""


@asynccontextmanager
async def answering(client: Redis, functions: Mapping[str, Function]) -> AsyncIterator[None]:
    """Answers calls until the block is left. `client` waits on purpose: no reply timeout."""

    def job(function: Function) -> Function:
        async def run(ctx: Any, **arguments: Any) -> Any:
            try:
                return {"result": await function(**arguments)}
            except AppError as exc:
                return {"error": exc.code, "message": str(exc)}

        return run

    saq: SaqWorker[Any] = SaqWorker(
        RedisQueue(client, name=QUEUE),
        functions=[(name, job(function)) for name, function in functions.items()],
        concurrency=_CONCURRENCY,
        shutdown_grace_period_s=GRACE_S,  # type: ignore[arg-type]  # it goes to wait_for, which takes fractions
    )
    async with running(saq):
        yield


class Caller:
    """Calls the functions that some process of the installation answers."""

    def __init__(self, client: Redis) -> None:
        """`client` is for queues: no reply timeout."""
        self._queue = RedisQueue(client, name=QUEUE)

    async def __call__(self, function: str, timeout_s: float, **arguments: Any) -> Any:
        """The function's result in the process that answers.

        Raises KnowledgeUnavailable when nobody answers in time, and the callee's error under its own code.
        """
        try:
            reply = await self._queue.apply(
                function,
                timeout=max(1, round(timeout_s)),
                poll_interval=_POLL_S,
                ttl=_KEEP_RESULT_S,
                **arguments,
            )
        except (TimeoutError, JobError) as exc:
            raise KnowledgeUnavailable(
                f"no process answered {function!r} in {timeout_s:g} s; `cornerman serve` holds the index"
            ) from exc
        if "error" in reply:
            raise _callee_error(reply["error"], reply["message"])
        return reply["result"]


def _callee_error(code: str, message: str) -> AppError:
    kinds = {kind.code: kind for kind in _kinds(AppError)}
    return kinds.get(code, AppError)(message)


def _kinds(kind: type[AppError]) -> list[type[AppError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _kinds(child))]
