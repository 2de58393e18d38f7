"""The knowledge of a process that does not own the embedded index: every call is answered by the owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Protocol

from ingestion.index import Put
from ingestion.knowledge import Knowledge
from ingestion.points import Row, as_put, as_row
from ingestion.record import stored
from ingestion.report import Stats, StoredDocument
from runtime.errors import KnowledgeUnavailable
from runtime.passage import Passage

_TRIES = 6
"""Of a call of ingestion, each as long as a search may take. All of them bear to be made twice."""


class Call(Protocol):
    """Calls a function of the owner, with JSON values in and out; raises KnowledgeUnavailable without one."""

    async def __call__(self, function: str, timeout_s: float, **arguments: Any) -> Any: ...


class RemoteKnowledge:
    """The part of `Knowledge` that other processes use."""

    def __init__(self, call: Call, timeout_s: float) -> None:
        self._call = call
        self._timeout_s = timeout_s

    async def search(self, tenant: str, query: str, *, limit: int = 5) -> list[Passage]:
        rows = await self._ask("search", tenant=tenant, query=query, limit=limit)
        return [Passage(**row) for row in rows]

    async def stats(self, tenant: str) -> Stats:
        return Stats(**await self._ask("stats", tenant=tenant))

    async def documents(self, tenant: str) -> list[StoredDocument]:
        return [stored(row) for row in await self._insist("documents", tenant=tenant)]

    async def shown(self, tenant: str, document_id: str) -> StoredDocument | None:
        row = await self._insist("shown", tenant=tenant, document_id=document_id)
        return stored(row) if row else None

    async def named(self, tenant: str, name: str) -> list[StoredDocument]:
        return [stored(row) for row in await self._insist("named", tenant=tenant, name=name)]

    async def versions(self, tenant: str, document_id: str) -> list[StoredDocument]:
        return [stored(row) for row in await self._insist("versions", tenant=tenant, document_id=document_id)]

    async def stage(self, tenant: str, version: str, points: Sequence[Put], *, writer: str) -> None:
        rows = [as_row(point) for point in points]
        await self._insist("stage", tenant=tenant, version=version, points=rows, writer=writer)

    async def count(self, tenant: str, version: str) -> int:
        return int(await self._insist("count", tenant=tenant, version=version))

    async def publish(
        self,
        tenant: str,
        document_id: str,
        version: str,
        *,
        points: int,
        keep: bool = False,
        moved_from: str = "",
    ) -> None:
        place = {"tenant": tenant, "document_id": document_id, "version": version}
        await self._insist("publish", **place, points=points, keep=keep, moved_from=moved_from)

    async def restore(self, tenant: str, document_id: str, version: str) -> None:
        await self._insist("restore", tenant=tenant, document_id=document_id, version=version)

    async def rename(self, tenant: str, document_id: str, name: str) -> None:
        await self._insist("rename", tenant=tenant, document_id=document_id, name=name)

    async def discard(self, tenant: str, version: str, *, writer: str) -> None:
        await self._insist("discard", tenant=tenant, version=version, writer=writer)

    async def remove(self, tenant: str, document_id: str) -> bool:
        return bool(await self._insist("remove", tenant=tenant, document_id=document_id))

    async def _ask(self, function: str, **arguments: Any) -> Any:
        return await self._call(function, self._timeout_s, **arguments)

    async def _insist(self, function: str, **arguments: Any) -> Any:
        """For what nobody sits and waits for: an owner that was killed may only be starting again."""
        for _ in range(_TRIES - 1):
            with suppress(KnowledgeUnavailable):
                return await self._ask(function, **arguments)
        return await self._ask(function, **arguments)


class SharedKnowledge:
    """The index itself while this process owns it, the way to its owner otherwise."""

    def __init__(self, remote: RemoteKnowledge) -> None:
        self._remote = remote
        self.owned: Knowledge | None = None
        """Set by the composition root when this process becomes the owner."""

    @property
    def current(self) -> Knowledge | RemoteKnowledge:
        """What answers now; not to be kept, since the owner may change."""
        return self.owned or self._remote


def functions(knowledge: Knowledge) -> Mapping[str, Callable[..., Awaitable[Any]]]:
    """What the owner answers."""

    async def search(tenant: str, query: str, limit: int) -> list[dict[str, Any]]:
        return [asdict(p) for p in await knowledge.search(tenant, query, limit=limit)]

    async def stats(tenant: str) -> dict[str, Any]:
        return asdict(await knowledge.stats(tenant))

    async def documents(tenant: str) -> list[dict[str, Any]]:
        return [asdict(document) for document in await knowledge.documents(tenant)]

    async def shown(tenant: str, document_id: str) -> dict[str, Any] | None:
        found = await knowledge.shown(tenant, document_id)
        return asdict(found) if found else None

    async def named(tenant: str, name: str) -> list[dict[str, Any]]:
        return [asdict(document) for document in await knowledge.named(tenant, name)]

    async def versions(tenant: str, document_id: str) -> list[dict[str, Any]]:
        return [asdict(version) for version in await knowledge.versions(tenant, document_id)]

    async def stage(tenant: str, version: str, points: list[Row], writer: str) -> None:
        await knowledge.stage(tenant, version, [as_put(row) for row in points], writer=writer)

    own = (search, stats, documents, shown, named, versions, stage)
    same = (
        knowledge.count,
        knowledge.publish,
        knowledge.restore,
        knowledge.rename,
        knowledge.discard,
        knowledge.remove,
    )
    return {function.__name__: function for function in (*own, *same)}
