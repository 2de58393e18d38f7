"""The embedded index: Qdrant's engine inside this process, one shard in a folder, called in threads."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, TypeVar, TypeVarTuple, Unpack, cast

import anyio
import qdrant_edge as edge
from anyio import CapacityLimiter, to_thread

from ingestion.engines.profile_file import read_profile, write_profile
from ingestion.index import Asked, Choice, Fields, Hit, Put, point_id
from ingestion.vectors import Profile, Space, Sparse, Vector
from ingestion.within import Days, Within
from runtime.errors import KnowledgeUnavailable, ProfileMismatch

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PAGE = 1_000
_MOST_TENANTS = 1_000_000
_STILL_RUNNING = 8
"""Calls at most in the engine, those among them that nobody waits for any more."""
_FUSED = cast(edge.Fusion, edge.Fusion.Dbsf())  # The stubs do not derive it.
"""By score: each vector's hits between their mean less and plus three deviations. On both halves of SciFact's
queries it ranks better than fusing by rank with any k (`make bench-retrieval`)."""


class EdgeIndex:
    """An `Index` that one process has open. Opened by `open_edge`."""

    def __init__(self, shard: edge.EdgeShard, profile: Profile, timeout_s: float) -> None:
        self._shard = shard
        self._profile = profile
        self._timeout_s = timeout_s
        # Apart, so that a search never waits for a write or a list; each one after the other. The engine
        # holds Python's lock as long as a call runs, so that more at once are no faster, and the event loop
        # would wait for all of them before it gets its turn (4 searches at once: four times as long).
        self._search_thread = CapacityLimiter(1)
        self._read_thread = CapacityLimiter(1)
        self._write_thread = CapacityLimiter(1)
        self._running = BoundedSemaphore(_STILL_RUNNING)

    @property
    def profile(self) -> Profile:
        return self._profile

    async def put(self, tenant: str, points: Sequence[Put]) -> None:
        """In one operation: after a crash all of them are there or none."""
        for put in points:
            self._profile.check(put.vectors)
        await self._write(lambda: edge.UpdateOperation.upsert_points([_point(tenant, put) for put in points]))

    async def drop(self, within: Within) -> None:
        await self._write(lambda: edge.UpdateOperation.delete_points_by_filter(_filter(within)))

    async def mark(self, within: Within, payload: dict[str, Any]) -> None:
        await self._write(lambda: edge.UpdateOperation.set_payload_by_filter(_filter(within), payload))

    async def delete(self, tenant: str, ids: Sequence[str]) -> None:
        doomed = [point_id(tenant, id) for id in ids]
        await self._write(lambda: edge.UpdateOperation.delete_points(list(doomed)), flush=False)

    async def values(self, tenant: str, ids: Sequence[str], field: str) -> dict[str, Any]:
        names = {str(point_id(tenant, id)): id for id in ids}
        records = await self._query(
            self._read_thread, lambda: self._shard.retrieve(list(names), [field], False)
        )
        return {names[str(record.id)]: (record.payload or {}).get(field) for record in records}

    async def count(self, within: Within) -> int:
        request = edge.CountRequest(filter=_filter(within))
        return await self._query(self._read_thread, self._shard.count, request)

    async def search(self, within: Within, asked: Asked, choice: Choice | None = None) -> list[Hit]:
        request = _request(self._profile, within, asked, [choice.field] if choice else True)
        if request is None:
            return []
        return await self._query(self._search_thread, self._searched, request, choice)

    def _searched(self, request: edge.QueryRequest, choice: Choice | None) -> list[Hit]:
        hits = [Hit(point.score, point.payload or {}, point.id) for point in self._shard.query(request)]
        hits.sort(key=lambda hit: (-hit.score, hit.id))
        if choice is None:
            return hits
        chosen = choice.choose(hits)
        records = self._shard.retrieve([hit.id for hit in chosen], True, False)
        payloads = {record.id: record.payload or {} for record in records}
        return [hit._replace(payload=payloads[hit.id]) for hit in chosen if hit.id in payloads]

    async def read(self, within: Within, fields: Sequence[str]) -> list[dict[str, Any]]:
        return await self._query(self._read_thread, self._read, _filter(within), list(fields) or True)

    async def tenants(self) -> list[str]:
        every = edge.FacetRequest("tenant", limit=_MOST_TENANTS, exact=True)
        response = await self._query(self._read_thread, self._shard.facet, every)
        return sorted(str(hit.value) for hit in response.hits)

    def _read(self, mine: edge.Filter, fields: list[str] | bool) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        at = None
        while True:
            page = edge.ScrollRequest(
                offset=at, limit=_PAGE, filter=mine, with_payload=fields, with_vector=False
            )
            records, at = self._shard.scroll(page)
            rows += [record.payload or {} for record in records]
            if at is None:
                return rows

    async def _write(self, operation: Callable[[], edge.UpdateOperation], *, flush: bool = True) -> None:
        """To its end, whoever is cancelled meanwhile: nothing is left half done."""

        def write() -> None:
            self._shard.update(operation())
            if flush:
                self._shard.flush()

        with _in_time(self._timeout_s):
            await to_thread.run_sync(_answered, write, (), limiter=self._write_thread)

    async def _query(self, thread: CapacityLimiter, function: Callable[[Unpack[Ts]], T], *args: *Ts) -> T:
        """Ends in time even where the engine does not: its thread then goes on for nobody."""
        with _in_time(self._timeout_s):
            return await to_thread.run_sync(
                self._counted, function, args, limiter=thread, abandon_on_cancel=True
            )

    def _counted(self, function: Callable[[Unpack[Ts]], T], args: tuple[*Ts]) -> T:
        if not self._running.acquire(blocking=False):
            raise KnowledgeUnavailable(f"the index is stuck in {_STILL_RUNNING} calls that took too long")
        try:
            return _answered(function, args)
        finally:
            self._running.release()


@contextmanager
def _in_time(timeout_s: float) -> Iterator[None]:
    try:
        with anyio.fail_after(timeout_s):
            yield
    except TimeoutError as exc:
        raise KnowledgeUnavailable(f"the index was busy for {timeout_s:g} s", limit_s=timeout_s) from exc


@asynccontextmanager
async def open_edge(
    folder: Path, profile: Profile, fields: Fields, timeout_s: float
) -> AsyncIterator[EdgeIndex]:
    """The shard in `folder`, created whole where there is none, closed when the block ends.

    For the one process that owns the folder. Raises KnowledgeUnavailable if it is damaged, ProfileMismatch
    if it holds vectors of another profile.
    """
    shard = await to_thread.run_sync(_load, folder, profile, fields)
    try:
        yield EdgeIndex(shard, profile, timeout_s)
    finally:
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(_close, shard)


def _answered(function: Callable[[Unpack[Ts]], T], args: tuple[*Ts]) -> T:
    try:
        return function(*args)
    except Exception as exc:  # The engine raises nothing narrower.
        raise KnowledgeUnavailable(f"the index failed ({exc})") from exc


def _load(folder: Path, profile: Profile, fields: Fields) -> edge.EdgeShard:
    if not folder.exists():
        _create(folder, profile, fields)
    held = read_profile(folder)
    if held != profile:
        raise ProfileMismatch(
            f"the index in {str(folder)!r} holds vectors of {held.name!r}, and the embedder makes those of"
            f" {profile.name!r}; `cornerman index migrate` makes the one of the other"
        )
    try:
        return edge.EdgeShard.load(str(folder))
    except Exception as exc:  # The engine raises nothing narrower.
        raise KnowledgeUnavailable(
            f"the index in {str(folder)!r} cannot be opened ({exc}); move it away and fill it again"
        ) from exc


def _create(folder: Path, profile: Profile, fields: Fields) -> None:
    """Beside its place first, so that a crash never leaves half a shard in it."""
    raw = folder.with_name(folder.name + ".new")
    shutil.rmtree(raw, ignore_errors=True)
    raw.parent.mkdir(parents=True, exist_ok=True)
    shard = edge.EdgeShard.create(str(raw), _config(profile))
    keys: dict[str, edge.KeywordIndexParams | edge.PayloadSchemaType] = {
        "tenant": edge.KeywordIndexParams(is_tenant=True),
        **dict.fromkeys(fields.keywords, edge.PayloadSchemaType.Keyword),
        **dict.fromkeys(fields.integers, edge.PayloadSchemaType.Integer),
        **dict.fromkeys(fields.days, edge.PayloadSchemaType.Datetime),
    }
    for key, schema in keys.items():
        shard.update(edge.UpdateOperation.create_field_index(key, schema))
    _close(shard)
    write_profile(raw, profile)
    raw.rename(folder)


def _close(shard: edge.EdgeShard) -> None:
    shard.flush()
    shard.close()


def _config(profile: Profile) -> edge.EdgeConfig:
    spaces = profile.spaces.items()
    return edge.EdgeConfig(
        vectors={name: _dense(space) for name, space in spaces if space.kind != "sparse"},
        sparse_vectors={
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if space.idf else None)
            for name, space in spaces
            if space.kind == "sparse"
        },
    )


def _dense(space: Space) -> edge.EdgeVectorParams:
    if space.kind == "dense":
        return edge.EdgeVectorParams(space.size, edge.Distance.Dot)
    # It ranks anew what others found, so a graph over it would only cost: of 0 edges it is none.
    plain = edge.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=0)
    multi = edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim)
    return edge.EdgeVectorParams(space.size, edge.Distance.Dot, multivector_config=multi, hnsw_config=plain)


def _point(tenant: str, put: Put) -> edge.Point:
    vectors = {name: _vector(vector) for name, vector in put.vectors.items()}
    return edge.Point(point_id(tenant, put.id), vectors, {**put.payload, "tenant": tenant})


def _vector(vector: Vector) -> edge.SparseVector | list[float] | list[list[float]]:
    if isinstance(vector, Sparse):
        return edge.SparseVector(list(vector.indices), list(vector.values))
    floats: list[float] | list[list[float]] = vector.tolist()
    return floats


def _request(
    profile: Profile, within: Within, asked: Asked, payload: list[str] | bool
) -> edge.QueryRequest | None:
    """None where nothing can be found."""
    mine = _filter(within)
    rarity = edge.SearchParams(idf=edge.IdfParams(mine))
    found = [
        (edge.Query.Nearest(_vector(vector), using=name), rarity if profile.spaces[name].idf else None)
        for name, vector in asked.vectors.items()
        if not (isinstance(vector, Sparse) and not vector.indices)
    ]
    if not found:
        return None
    if len(found) == 1 and asked.rerank is None:
        query, params = found[0]
        return edge.QueryRequest(
            limit=asked.limit, query=query, filter=mine, params=params, with_payload=payload
        )
    pool = max(asked.candidates, asked.limit)
    prefetch = [edge.Prefetch(limit=pool, query=q, filter=mine, params=params) for q, params in found]
    if asked.rerank is None:
        return edge.QueryRequest(limit=asked.limit, prefetches=prefetch, query=_FUSED, with_payload=payload)
    if len(prefetch) > 1:
        prefetch = [edge.Prefetch(limit=pool, prefetches=prefetch, query=_FUSED)]
    again = edge.Query.Nearest(_vector(asked.rerank), using=profile.rerank)
    return edge.QueryRequest(limit=asked.limit, prefetches=prefetch, query=again, with_payload=payload)


def _filter(within: Within) -> edge.Filter:
    """The only place where a filter is made."""
    # By one value: as one of a list, a search of 50,000 points takes a third longer.
    must = [edge.FieldCondition("tenant", match=edge.MatchValue(within.tenant))]
    must += [edge.FieldCondition(key, match=edge.MatchValue(value)) for key, value in within.equal.items()]
    must += [_has(key, values) for key, values in within.some.items()]
    must += [edge.FieldCondition(key, range=_range(days)) for key, days in within.days.items()]
    but = [_has(key, values) for key, values in within.but.items() if values]
    return edge.Filter(must=list(must), must_not=list(but) or None)


def _has(key: str, values: Sequence[str] | Sequence[int]) -> edge.FieldCondition:
    # A list of one kind is a list of either, which the checker does not see.
    return edge.FieldCondition(key, match=edge.MatchAny(cast(list[str], list(values))))


def _range(days: Days) -> edge.RangeDateTime:
    return edge.RangeDateTime(gte=days.first, lte=days.last)
