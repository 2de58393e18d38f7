"""Calls at the same time, all or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import anyio

from runtime.errors import leaf

T = TypeVar("T")


async def at_once(calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Results in the order of the calls; the first error cancels the others and is raised as itself."""
    results: dict[int, T] = {}

    async def run(i: int, call: Callable[[], Awaitable[T]]) -> None:
        results[i] = await call()

    failed: BaseException | None = None
    try:
        async with anyio.create_task_group() as tasks:
            for i, call in enumerate(calls):
                tasks.start_soon(run, i, call)
    except BaseExceptionGroup as exc:
        failed = leaf(exc)
    # Out here it keeps its own cause: the group must not become that, since it holds the error itself.
    if failed:
        raise failed
    return [results[i] for i in range(len(calls))]
