"""What is left behind by runs that never came back: after what time, and how often it is looked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import structlog

from runtime.errors import AppError

log = structlog.get_logger()

STALE_S = 86_400
"""What no run has touched for a day is taken for abandoned: a run ends long before, by its own time-out."""
SWEEP_S = 3_600.0
AT_ONCE = 1_000
"""Leftovers that one sweep takes away; the next one goes on."""


async def sweep_hourly(sweep: Callable[[], Awaitable[None]]) -> None:
    """Sweeps every SWEEP_S seconds; ends only by being cancelled. What fails is tried again the next time."""
    while True:
        await anyio.sleep(SWEEP_S)
        try:
            await sweep()
        except (AppError, OSError) as exc:
            log.warning("leftovers.not_swept", error=type(exc).__name__)
