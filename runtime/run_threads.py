"""Threads that know whose work they do, so that a stopped run is waited for until it really stands still."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
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
        self._noting = Lock()
        """A thread itself says that it has done."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        if run_id := RUN_ID.get():
            with self._noting:
                self._working.setdefault(run_id, set()).add(future)
            future.add_done_callback(lambda done: self._forget(run_id, done))
        return future

    async def idle(self, run_id: str, within_s: float) -> bool:
        """Waits until no thread works for the run; False when one still does after `within_s` seconds."""
        with anyio.move_on_after(within_s):
            while self._working.get(run_id):  # noqa: ASYNC110  (threads set no event of ours)
                await anyio.sleep(_POLL_S)
            return True
        return False

    def _forget(self, run_id: str, done: Future[Any]) -> None:
        with self._noting:
            working = self._working.get(run_id, set())
            working.discard(done)
            if not working:
                self._working.pop(run_id, None)
