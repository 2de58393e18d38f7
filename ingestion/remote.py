"""The knowledge of a process that does not own the embedded index: every call is answered by the owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Protocol

from anyio import to_thread
from pydantic import TypeAdapter

from ingestion.backup import Backup
from ingestion.explanation import Explained
from ingestion.index import Put
from ingestion.knowledge import Knowledge
from ingestion.points import Row, as_put, as_row
from ingestion.record import stored
from ingestion.remote_moving import RemoteMoving, moving_functions
from ingestion.report import Labels, Stats, StoredDocument
from runtime.errors import KnowledgeUnavailable
from runtime.narrowing import ANYTHING, Filters
from runtime.passage import Passage

_EXPLAINED, _STATS, _LABELS = TypeAdapter(Explained), TypeAdapter(Stats), TypeAdapter(Labels)

_MOVE_S = 300.0
"""For a step of a move: the owner may first have to load a model, or to compare all tenants' documents."""
_COPY_S = 3_600.0
"""For a backup of the whole index, or its way back."""
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

    @property
    def moving(self) -> RemoteMoving:
        """For a move to another collection."""

        async def ask(function: str, **arguments: Any) -> Any:
            return await self._call(function, _MOVE_S, **arguments)

        return RemoteMoving(ask)

    async def use(self, collection: str) -> None:
        """See `Knowledge.use`."""
        await self._insist("use", collection=collection)

    async def drop(self, collection: str) -> None:
        """See `Collections.drop`."""
        await self._insist("drop", collection=collection)

    async def backup(self, folder: str) -> Backup:
        return Backup.model_validate(await self._call("backup", _COPY_S, folder=folder))

    async def recover(self, folder: str) -> Backup:
        return Backup.model_validate(await self._call("recover", _COPY_S, folder=folder))

    async def search(
        self, tenant: str, query: str, *, limit: int = 5, filters: Filters = ANYTHING
    ) -> list[Passage]:
        asked = {"tenant": tenant, "query": query, "limit": limit, "filters": filters.model_dump()}
        return [Passage(**row) for row in await self._ask("search", **asked)]

    async def explain(
        self, tenant: str, query: str, *, limit: int = 5, filters: Filters = ANYTHING
    ) -> Explained:
        asked = {"tenant": tenant, "query": query, "limit": limit, "filters": filters.model_dump()}
        return _EXPLAINED.validate_python(await self._ask("explain", **asked))

    async def revision(self, tenant: str) -> str:
        return str(await self._ask("revision", tenant=tenant))

    async def collection(self) -> str:
        return str(await self._insist("collection"))

    async def stats(self, tenant: str) -> Stats:
        return _STATS.validate_python(await self._ask("stats", tenant=tenant))

    async def documents(self, tenant: str) -> list[StoredDocument]:
        return [stored(row) for row in await self._insist("documents", tenant=tenant)]

    async def shown(self, tenant: str, document_id: str) -> StoredDocument | None:
        row = await self._insist("shown", tenant=tenant, document_id=document_id)
        return stored(row) if row else None

    async def named(self, tenant: str, name: str) -> list[StoredDocument]:
        return [stored(row) for row in await self._insist("named", tenant=tenant, name=name)]

    async def versions(self, tenant: str, document_id: str) -> list[StoredDocument]:
        return [stored(row) for row in await self._insist("versions", tenant=tenant, document_id=document_id)]

    async def stage(
        self, tenant: str, version: str, points: Sequence[Put], *, writer: str, collection: str
    ) -> None:
        rows = await to_thread.run_sync(lambda: [as_row(point) for point in points])
        where = {"tenant": tenant, "version": version, "collection": collection}
        await self._insist("stage", **where, points=rows, writer=writer)

    async def count(self, tenant: str, version: str) -> int:
        return int(await self._insist("count", tenant=tenant, version=version))

    async def publish(
        self,
        tenant: str,
        document_id: str,
        version: str,
        *,
        points: int,
        collection: str,
        keep: bool = False,
        moved_from: str = "",
    ) -> None:
        where = {"tenant": tenant, "document_id": document_id, "version": version, "collection": collection}
        await self._insist("publish", **where, points=points, keep=keep, moved_from=moved_from)

    async def restore(self, tenant: str, document_id: str, version: str) -> None:
        await self._insist("restore", tenant=tenant, document_id=document_id, version=version)

    async def relabel(self, tenant: str, document_id: str, labels: Labels) -> None:
        await self._insist("relabel", tenant=tenant, document_id=document_id, labels=asdict(labels))

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
    """The index itself where this process reaches it, the way to its owner otherwise."""

    def __init__(self, remote: RemoteKnowledge) -> None:
        self._remote = remote
        self.owned: Knowledge | None = None
        """Set by the composition root: always with a Qdrant server, else when this process is the owner."""

    @property
    def current(self) -> Knowledge | RemoteKnowledge:
        """What answers now; not to be kept, since the owner may change."""
        return self.owned or self._remote


def functions(knowledge: Knowledge) -> Mapping[str, Callable[..., Awaitable[Any]]]:
    """What the owner answers."""

    async def search(tenant: str, query: str, limit: int, filters: dict[str, Any]) -> list[dict[str, Any]]:
        found = await knowledge.search(tenant, query, limit=limit, filters=Filters(**filters))
        return [asdict(passage) for passage in found]

    async def explain(tenant: str, query: str, limit: int, filters: dict[str, Any]) -> dict[str, Any]:
        return asdict(await knowledge.explain(tenant, query, limit=limit, filters=Filters(**filters)))

    async def backup(folder: str) -> dict[str, Any]:
        return (await knowledge.backup(folder)).model_dump(mode="json")

    async def recover(folder: str) -> dict[str, Any]:
        return (await knowledge.recover(folder)).model_dump(mode="json")

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

    async def stage(tenant: str, version: str, points: list[Row], writer: str, collection: str) -> None:
        puts = await to_thread.run_sync(lambda: [as_put(row) for row in points])
        await knowledge.stage(tenant, version, puts, writer=writer, collection=collection)

    async def relabel(tenant: str, document_id: str, labels: dict[str, Any]) -> None:
        await knowledge.relabel(tenant, document_id, _LABELS.validate_python(labels))

    own = (search, explain, backup, recover, stats, documents, shown, named, versions, stage, relabel)
    same = (
        knowledge.drop,
        knowledge.use,
        knowledge.revision,
        knowledge.collection,
        knowledge.count,
        knowledge.publish,
        knowledge.restore,
        knowledge.discard,
        knowledge.remove,
    )
    answered: dict[str, Callable[..., Awaitable[Any]]] = {each.__name__: each for each in (*own, *same)}
    return {**answered, **moving_functions(knowledge.moving)}
