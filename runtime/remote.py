"""Calls between the processes of one installation, as jobs of a queue: the embedded index has one owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from redis.asyncio import Redis
from saq import Worker as SaqWorker
from saq.queue import JobError
from saq.queue.redis import RedisQueue

from runtime.errors import AppError, KnowledgeUnavailable, NotSupported
from runtime.failure import as_error, trail
from runtime.queue import GRACE_S, running

log = structlog.get_logger()

QUEUE = "calls"
_CONCURRENCY = 4
_KEEP_RESULT_S = 5
_POLL_S = 0.01
_ABORT_WAIT_S = 0.05
_DELIVERIES = 3
"""SAQ's sweep can take a call from a worker that is only about to begin it. Calls bear to be made twice."""
_ANSWER = "answer"

Function = Callable[..., Awaitable[Any]]
"""Takes and returns JSON values."""


class _CallQueue(RedisQueue):
    """SAQ's queue; a sweep that meets a call just taken from it lets go of it at once, to be taken again."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client, name=QUEUE)

    async def sweep(self, lock: int = 60, abort: float = _ABORT_WAIT_S) -> list[str]:
        return await super().sweep(lock, abort)


@asynccontextmanager
async def answering(client: Redis, functions: Mapping[str, Function]) -> AsyncIterator[None]:
    """Answers calls until the block is left. `client` waits on purpose: no reply timeout."""

    async def answer(ctx: Any, called: str, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            if called not in functions:
                raise NotSupported(f"the process that holds the index does not answer {called!r}")
            return {"result": await functions[called](**arguments)}
        except Exception as exc:  # The edge of the process: SAQ would log the arguments, which hold messages.
            error = as_error(exc)
            if error.code == AppError.code:
                log.error("call.failed", function=called, trail=trail(exc))
            return {"error": error.code, "message": str(error)}

    saq: SaqWorker[Any] = SaqWorker(
        _CallQueue(client),
        functions=[(_ANSWER, answer)],
        concurrency=_CONCURRENCY,
        shutdown_grace_period_s=GRACE_S,  # type: ignore[arg-type]  # it goes to wait_for, which takes fractions
    )
    async with running(saq):
        yield


class Caller:
    """Calls the functions that some process of the installation answers."""

    def __init__(self, client: Redis) -> None:
        """`client` is for queues: no reply timeout."""
        self._queue = _CallQueue(client)

    async def __call__(self, function: str, timeout_s: float, **arguments: Any) -> Any:
        """The function's result in the process that answers.

        Raises KnowledgeUnavailable when nobody answers in time, and the callee's error under its own code.
        """
        try:
            reply = await self._queue.apply(
                _ANSWER,
                timeout=max(1, round(timeout_s)),
                poll_interval=_POLL_S,
                ttl=_KEEP_RESULT_S,
                retries=_DELIVERIES,
                called=function,
                arguments=arguments,
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
