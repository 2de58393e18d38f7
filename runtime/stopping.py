"""Stopping an execution from outside, until nothing of it works."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import anyio
from langgraph.runtime import RunControl

from runtime.errors import AppError, RunTimeout


class Stop:
    """The ways to stop one execution: by request, by time, or at its next checkpoint."""

    def __init__(self, timeout_s: float) -> None:
        self.control = RunControl()
        self.error: AppError = RunTimeout(f"the run took longer than {timeout_s:g} s", limit_s=timeout_s)
        """Why it was stopped, once it was."""
        self.stopped = False
        """Nothing that its nodes still do goes into checkpoints: a cancelled task's writes would, and with
        them an answer that its run has not used.
        """
        self.hangs = False
        """Its nodes did not let go in time."""
        self._scope = anyio.CancelScope(deadline=anyio.current_time() + timeout_s)

    def request(self, error: AppError) -> None:
        """The run ends with `error` as soon as its nodes let go."""
        self.error = error
        self._scope.cancel()

    def drain(self) -> None:
        """The run stops where the superstep that works now has brought it to a checkpoint."""
        self.control.request_drain()

    async def carry(self, work: Coroutine[Any, Any, None], grace_s: float) -> None:
        """Returns when the work is done, or was stopped and its nodes have let go, or the grace is over.

        Raises what the work raises, unless it was stopped. A task of its own: LangGraph cancels its nodes and
        waits for them only when cancelled once, and a cancel scope cancels again at each turn of the event
        loop, so that they would work on unseen.
        """
        task = asyncio.ensure_future(work)
        try:
            with self._scope:
                await asyncio.wait({task})
        finally:
            if not task.done():
                self.stopped = True
                task.cancel()
                with anyio.CancelScope(shield=True), anyio.move_on_after(grace_s):
                    await asyncio.wait({task})
                # Read, or asyncio would complain that nobody did.
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.hangs = not task.done()
        if not self.stopped:
            task.result()
