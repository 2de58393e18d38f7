"""The knowledge of a process that does not own the embedded index: every call is answered by the owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from ingestion.knowledge import Knowledge
from ingestion.report import Ingested, Progress, Stats
from runtime.passage import Passage

_INGEST_TIMEOUT_S = 600.0


class Call(Protocol):
    """Calls a function of the owner, with JSON values in and out; raises KnowledgeUnavailable without one."""

    async def __call__(self, function: str, timeout_s: float, **arguments: Any) -> Any: ...


class RemoteKnowledge:
    """The part of `Knowledge` that other processes use."""

    def __init__(self, call: Call, timeout_s: float) -> None:
        self._call = call
        self._timeout_s = timeout_s

    async def search(self, tenant: str, query: str, *, limit: int = 5) -> list[Passage]:
        rows = await self._call("search", self._timeout_s, tenant=tenant, query=query, limit=limit)
        return [Passage(**row) for row in rows]

    async def ingest(
        self,
        tenant: str,
        path: Path,
        *,
        name: str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Ingested:
        """As the owner's, without progress on the way; the path must mean the same file there."""
        place = {"path": str(path.resolve()), "name": name or path.name}
        return Ingested(**await self._call("ingest", _INGEST_TIMEOUT_S, tenant=tenant, **place))

    async def stats(self, tenant: str) -> Stats:
        return Stats(**await self._call("stats", self._timeout_s, tenant=tenant))


class SharedKnowledge:
    """The index itself while this process owns it, the way to its owner otherwise."""

    def __init__(self, remote: RemoteKnowledge) -> None:
        self._remote = remote
        self.owned: Knowledge | None = None
        """Set by the composition root when this process becomes the owner."""

    @property
    def _current(self) -> Knowledge | RemoteKnowledge:
        return self.owned or self._remote

    async def search(self, tenant: str, query: str, *, limit: int = 5) -> list[Passage]:
        return await self._current.search(tenant, query, limit=limit)

    async def ingest(
        self,
        tenant: str,
        path: Path,
        *,
        name: str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Ingested:
        return await self._current.ingest(tenant, path, name=name, on_progress=on_progress)

    async def stats(self, tenant: str) -> Stats:
        return await self._current.stats(tenant)


def functions(knowledge: Knowledge) -> Mapping[str, Callable[..., Awaitable[Any]]]:
    """What the owner answers."""

    async def search(tenant: str, query: str, limit: int) -> list[dict[str, Any]]:
        return [asdict(p) for p in await knowledge.search(tenant, query, limit=limit)]

    async def ingest(tenant: str, path: str, name: str) -> dict[str, Any]:
        return asdict(await knowledge.ingest(tenant, Path(path), name=name))

    async def stats(tenant: str) -> dict[str, Any]:
        return asdict(await knowledge.stats(tenant))

    return {"search": search, "ingest": ingest, "stats": stats}
