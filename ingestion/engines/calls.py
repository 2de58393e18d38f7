"""Calls of a Qdrant server: bounded in time, tried again where that may help, left alone when it is down."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from json import JSONDecodeError
from typing import TypeVar

import anyio
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from runtime.errors import KnowledgeUnavailable
from runtime.resilience import Breaker

T = TypeVar("T")

_TRIES = 3
_PAUSE_S = 0.1
"""Before the second try; twice as long before each further one."""
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses that say nothing against the request itself."""
_FAILURES = (
    ResponseHandlingException,
    ResourceExhaustedResponse,
    UnexpectedResponse,
    # What the client lets out of an answer that is not Qdrant's: no JSON, no text, no result.
    JSONDecodeError,
    UnicodeDecodeError,
    AssertionError,
)


class Calls:
    """One for each server and process, so that its breaker knows of all that fails."""

    def __init__(self, timeout_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """`timeout_s` bounds a call with all its tries."""
        self._timeout_s = timeout_s
        failed = KnowledgeUnavailable
        self._breaker = Breaker("the Qdrant server", counted=(failed,), error=failed, now=now)

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """`call` must bear to be made again. Raises KnowledgeUnavailable."""
        with self._breaker.call():
            try:
                with anyio.fail_after(self._timeout_s):
                    return await _tried(call)
            except TimeoutError as exc:
                raise KnowledgeUnavailable(
                    f"the Qdrant server did not answer within {self._timeout_s:g} s", limit_s=self._timeout_s
                ) from exc


async def _tried(call: Callable[[], Awaitable[T]]) -> T:
    for attempt in range(1, _TRIES + 1):
        try:
            return await call()
        except _FAILURES as exc:
            if attempt == _TRIES or not _may_pass(exc):
                raise KnowledgeUnavailable(f"the Qdrant server failed: {_said(exc)}") from exc
        await anyio.sleep(_PAUSE_S * 2 ** (attempt - 1))
    raise AssertionError("the last try returns or raises")


def _may_pass(exc: Exception) -> bool:
    return not isinstance(exc, UnexpectedResponse) or exc.status_code in _PASSING


def _said(exc: Exception) -> str:
    # What a server says of a request may quote it; its status does not.
    if isinstance(exc, UnexpectedResponse):
        return f"status {exc.status_code}"
    cause = exc.source if isinstance(exc, ResponseHandlingException) else exc
    return type(cause).__name__
