"""A limit for tests that wait: those of a client may hang where the server is wrong."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from typing import Any

import anyio

LIMIT_S = 20.0


def bounded(test: Callable[..., Any]) -> Callable[..., Any]:
    """The test, which fails after LIMIT_S; a blocking one is left behind in a daemon thread."""
    return _asynchronous(test) if inspect.iscoroutinefunction(test) else _blocking(test)


def _asynchronous(test: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(test)
    async def limited(*args: Any, **kwargs: Any) -> None:
        with anyio.fail_after(LIMIT_S):
            await test(*args, **kwargs)

    return limited


def _blocking(test: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(test)
    def limited(*args: Any, **kwargs: Any) -> None:
        outcome: Future[None] = Future()

        def run() -> None:
            try:
                outcome.set_result(test(*args, **kwargs))
            except BaseException as exc:  # Raised again where pytest sees it.
                outcome.set_exception(exc)

        threading.Thread(target=run, daemon=True, name=test.__name__).start()
        outcome.result(LIMIT_S)

    return limited
