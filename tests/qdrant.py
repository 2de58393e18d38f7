"""Qdrant for tests: its client's in-memory mode, made to behave like one that answers over a network."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, cast

from anyio import get_current_task
from anyio.lowlevel import checkpoint
from httpx import Headers
from qdrant_client import AsyncQdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse


class _FarAway:
    def __init__(self, client: AsyncQdrantClient, random: Random, lost: float) -> None:
        self._client = client
        self._random = random
        self._lost = lost
        self._losers: set[int] = set()
        """Tasks whose last answer was lost; the next one is not, or they would run out of tries."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._wait()
            try:
                answer = await method(*args, **kwargs)
            except ValueError as exc:
                # A server would say so in its answer.
                raise UnexpectedResponse(400, "Bad Request", str(exc).encode(), Headers()) from exc
            await self._wait()
            task = get_current_task().id
            if task in self._losers:
                self._losers.remove(task)
            elif self._random.random() < self._lost:
                self._losers.add(task)
                raise ResponseHandlingException(ConnectionError("the answer was lost"))
            return answer

        return call

    async def _wait(self) -> None:
        for _ in range(self._random.randrange(4)):
            await checkpoint()


def far_away(client: AsyncQdrantClient, random: Random | None = None, lost: float = 0) -> AsyncQdrantClient:
    """Lets other tasks run around each call, which in memory never waits, and loses some of the answers."""
    return cast(AsyncQdrantClient, _FarAway(client, random or Random(0), lost))
