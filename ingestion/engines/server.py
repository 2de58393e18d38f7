"""The index on a Qdrant server, by its client: one collection, its connections shared by all callers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from typing import Any

from qdrant_client import AsyncQdrantClient, models

from ingestion.engines.calls import Calls
from ingestion.engines.request import filter_of, point_of, query_of
from ingestion.index import Asked, Choice, Hit, Put, point_id
from ingestion.vectors import Profile
from ingestion.within import Within

_PAGE = 1_000
_MOST_TENANTS = 1_000_000
_BATCH = 64
"""Points in one request: of 1024 floats and as many again of JSON they are about a megabyte."""
_CONNECTIONS = 32


@asynccontextmanager
async def open_client(url: str, api_key: str | None, timeout_s: float) -> AsyncIterator[AsyncQdrantClient]:
    """Connects when it is first used."""
    client = AsyncQdrantClient(
        url=url,
        api_key=api_key,
        timeout=max(1, round(timeout_s)),
        pool_size=_CONNECTIONS,
        # A request at construction, which would keep a process from starting without its server.
        check_compatibility=False,
    )
    try:
        yield client
    finally:
        await client.close()


class ServerIndex:
    """An `Index` that all processes share. Opened by `ingestion.engines.collection.open_collection`."""

    def __init__(self, client: AsyncQdrantClient, collection: str, profile: Profile, calls: Calls) -> None:
        """`collection`: its name, or an alias of it."""
        self._client = client
        self._collection = collection
        self._profile = profile
        self._calls = calls

    @property
    def profile(self) -> Profile:
        return self._profile

    async def put(self, tenant: str, points: Sequence[Put]) -> None:
        """Batch after batch: whoever writes faster than the server waits."""
        for put in points:
            self._profile.check(put.vectors)
        rest = iter(points)
        while batch := list(islice(rest, _BATCH)):
            made = [point_of(tenant, put) for put in batch]
            await self._calls(partial(self._client.upsert, self._collection, made, wait=True))

    async def drop(self, within: Within) -> None:
        doomed = models.FilterSelector(filter=filter_of(within))
        await self._calls(lambda: self._client.delete(self._collection, doomed, wait=True))

    async def mark(self, within: Within, payload: dict[str, Any]) -> None:
        marked = models.FilterSelector(filter=filter_of(within))
        await self._calls(lambda: self._client.set_payload(self._collection, payload, marked, wait=True))

    async def delete(self, tenant: str, ids: Sequence[str]) -> None:
        doomed = models.PointIdsList(points=[point_id(tenant, id) for id in ids])
        await self._calls(lambda: self._client.delete(self._collection, doomed, wait=True))

    async def values(self, tenant: str, ids: Sequence[str], field: str) -> dict[str, Any]:
        names = {str(point_id(tenant, id)): id for id in ids}
        records = await self._calls(lambda: self._client.retrieve(self._collection, list(names), [field]))
        return {names[str(record.id)]: (record.payload or {}).get(field) for record in records}

    async def count(self, within: Within) -> int:
        mine = filter_of(within)
        counted = await self._calls(lambda: self._client.count(self._collection, mine, exact=True))
        return counted.count

    async def search(self, within: Within, asked: Asked, choice: Choice | None = None) -> list[Hit]:
        query = query_of(self._profile, filter_of(within), asked)
        if query is None:
            return []
        query["with_payload"] = [choice.field] if choice else True
        response = await self._calls(lambda: self._client.query_points(self._collection, **query))
        hits = [Hit(point.score, point.payload or {}, str(point.id)) for point in response.points]
        hits.sort(key=lambda hit: (-hit.score, hit.id))
        return await self._filled(choice.choose(hits)) if choice else hits

    async def _filled(self, hits: Sequence[Hit]) -> list[Hit]:
        ids = [str(hit.id) for hit in hits]
        records = await self._calls(lambda: self._client.retrieve(self._collection, ids))
        payloads = {str(record.id): record.payload or {} for record in records}
        return [hit._replace(payload=payloads[str(hit.id)]) for hit in hits if str(hit.id) in payloads]

    async def read(self, within: Within, fields: Sequence[str]) -> list[dict[str, Any]]:
        mine, rows = filter_of(within), list[dict[str, Any]]()
        at: Any = None
        while True:
            page = partial(self._client.scroll, self._collection, mine, limit=_PAGE, offset=at)
            records, at = await self._calls(
                partial(page, with_payload=list(fields) or True, with_vectors=False)
            )
            rows += [record.payload or {} for record in records]
            if at is None:
                return rows

    async def tenants(self) -> list[str]:
        every = partial(self._client.facet, self._collection, "tenant", limit=_MOST_TENANTS, exact=True)
        response = await self._calls(every)
        return sorted(str(hit.value) for hit in response.hits)
