"""A beat of 10 ms on the event loop, and how late each one comes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

_EVERY_S = 0.01


@asynccontextmanager
async def ticking() -> AsyncIterator[list[float]]:
    """Milliseconds by which each beat came late; the list grows until the block ends."""
    late: list[float] = []

    async def tick() -> None:
        while True:
            began = time.perf_counter()
            await anyio.sleep(_EVERY_S)
            late.append((time.perf_counter() - began - _EVERY_S) * 1e3)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        yield late
        tasks.cancel_scope.cancel()
