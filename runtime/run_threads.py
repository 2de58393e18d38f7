"""Threads that know whose work they do, so that a stopped run is waited for until it really stands still."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import anyio

from runtime.errors import RUN_ID

_POLL_S = 0.01


class RunThreads(ThreadPoolExecutor):
    """To be the event loop's default executor, in which LangGraph runs synchronous nodes and tools.

    Cancelling a run lets go of its threads at once, while they go on working.
    """

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="node")
        self._working: dict[str, set[Future[Any]]] = {}

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        if run_id := RUN_ID.get():
            self._working.setdefault(run_id, set()).add(future)
            future.add_done_callback(lambda done: self._done(run_id, done))
        return future

    def _done(self, run_id: str, future: Future[Any]) -> None:
        working = self._working.get(run_id, set())
        working.discard(future)
        if not working:
            self._working.pop(run_id, None)

    async def idle(self, run_id: str, within_s: float) -> bool:
        """Waits until no thread works for the run; False when one still does after `within_s` seconds."""
        with anyio.move_on_after(within_s):
            while run_id in self._working:  # noqa: ASYNC110  (threads set no event of ours)
                await anyio.sleep(_POLL_S)
            return True
        return False
