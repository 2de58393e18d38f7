"""The index: Qdrant's engine inside this process, one shard, every operation bound to one tenant."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from qdrant_edge import (
    CountRequest,
    EdgeConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    FieldCondition,
    Filter,
    IdfParams,
    KeywordIndexParams,
    MatchAny,
    MatchValue,
    Modifier,
    PayloadSchemaType,
    Point,
    Query,
    QueryRequest,
    ScrollRequest,
    SearchParams,
    SparseVector,
    UpdateOperation,
)

from ingestion.chunk import digest
from runtime.errors import KnowledgeUnavailable

VECTOR = "sparse"
_PAGE = 1_000


class Fields(NamedTuple):
    """Fields of the payload, beside the tenant, that the shard finds points by."""

    keywords: tuple[str, ...]
    integers: tuple[str, ...] = ()


DOCUMENTS = Fields(keywords=("document", "document_id", "version", "superseded"), integers=("ordinal",))

Values = Mapping[str, str | int]
"""Of the payload, by field."""
Lists = Mapping[str, Sequence[str]]


class Put(NamedTuple):
    """A point to write: a child of a document, or an item of the store."""

    id: str
    vector: SparseVector
    payload: dict[str, Any]


class Hit(NamedTuple):
    """A point that matched."""

    score: float
    payload: dict[str, Any]


class Index:
    """One shard for all tenants, since a shard of its own for each would cost each a set of open files.

    Isolation: every filter is made by `_within` and every id by `_id`, which need a tenant, and the IDF is
    computed over the points searched alone, so neither hits nor scores tell one tenant anything of another.
    All methods block; they may be called from several threads.
    """

    def __init__(self, shard: EdgeShard) -> None:
        self._shard = shard

    @classmethod
    def open(cls, folder: Path, fields: Fields = DOCUMENTS) -> Index:
        """Opens the shard in `folder`, or creates it whole. Raises KnowledgeUnavailable if damaged."""
        try:
            if not folder.exists():
                _create(folder, fields)
            return cls(EdgeShard.load(str(folder)))
        except Exception as exc:  # The engine raises nothing narrower.
            raise KnowledgeUnavailable(
                f"the index in {str(folder)!r} cannot be opened ({exc}); move it away and fill it again"
            ) from exc

    def close(self) -> None:
        """Writes everything to disk and lets go of the files."""
        self._shard.flush()
        self._shard.close()

    def put(self, tenant: str, points: Sequence[Put]) -> None:
        """Writes all in one operation: after a crash all of them are there or none."""
        made = [
            Point(_id(tenant, put.id), {VECTOR: put.vector}, {**put.payload, "tenant": tenant})
            for put in points
        ]
        self._shard.update(UpdateOperation.upsert_points(made))
        self._shard.flush()

    def drop(self, tenant: str, **equal: str | int) -> None:
        """Deletes the points whose payload has the given values."""
        self._shard.update(UpdateOperation.delete_points_by_filter(_within(tenant, equal)))
        self._shard.flush()

    def mark(self, tenant: str, payload: Mapping[str, Any], **equal: str | int) -> None:
        """Adds to the payload of the points whose payload has the given values."""
        self._shard.update(UpdateOperation.set_payload_by_filter(_within(tenant, equal), dict(payload)))
        self._shard.flush()

    def delete(self, tenant: str, ids: Sequence[str]) -> None:
        """Deletes points by the ids they were put under; after a crash of the machine they may be back."""
        self._shard.update(UpdateOperation.delete_points([_id(tenant, id) for id in ids]))

    def values(self, tenant: str, ids: Sequence[str], field: str) -> dict[str, Any]:
        """`field` of those of the points that are there, by the id that each was put under."""
        names = {_id(tenant, id): id for id in ids}
        records = self._shard.retrieve(list(names), with_payload=[field], with_vector=False)
        return {names[UUID(str(record.id))]: (record.payload or {}).get(field) for record in records}

    def count(self, tenant: str, **equal: str | int) -> int:
        """How many points have the given values."""
        return self._shard.count(CountRequest(filter=_within(tenant, equal)))

    def search(
        self, tenant: str, vector: SparseVector, limit: int, *, but: Lists | None = None, **equal: str | int
    ) -> list[Hit]:
        """At most `limit` points whose payload has the given values, alone or in a list, best first.

        `but`: values that exclude a point. Equal scores are in the order of their ids; which of those at the
        limit come is the engine's choice.
        """
        if not vector.indices:
            return []
        mine = _within(tenant, equal, but)
        request = QueryRequest(
            limit=limit,
            query=Query.Nearest(vector, using=VECTOR),
            filter=mine,
            with_payload=True,
            params=SearchParams(idf=IdfParams(mine)),
        )
        found = sorted(self._shard.query(request), key=lambda point: (-point.score, str(point.id)))
        return [Hit(point.score, point.payload or {}) for point in found]

    def read(
        self, tenant: str, fields: list[str], *, but: Lists | None = None, **equal: str | int
    ) -> list[dict[str, Any]]:
        """`fields` of every point of the tenant whose payload equals the given values, by id."""
        rows: list[dict[str, Any]] = []
        mine = _within(tenant, equal, but)
        at = None
        while True:
            request = ScrollRequest(
                offset=at,
                limit=_PAGE,
                filter=mine,
                with_payload=fields,
                with_vector=False,
            )
            records, at = self._shard.scroll(request)
            rows += [record.payload or {} for record in records]
            if at is None:
                return rows


def _create(folder: Path, fields: Fields) -> None:
    """Beside its place first, so that a crash never leaves half a shard in it."""
    raw = folder.with_name(folder.name + ".new")
    shutil.rmtree(raw, ignore_errors=True)
    raw.parent.mkdir(parents=True, exist_ok=True)
    sparse = {VECTOR: EdgeSparseVectorParams(modifier=Modifier.Idf)}
    shard = EdgeShard.create(str(raw), EdgeConfig(sparse_vectors=sparse))
    shard.update(UpdateOperation.create_field_index("tenant", KeywordIndexParams(is_tenant=True)))
    for key in fields.keywords:
        shard.update(UpdateOperation.create_field_index(key, PayloadSchemaType.Keyword))
    for key in fields.integers:
        shard.update(UpdateOperation.create_field_index(key, PayloadSchemaType.Integer))
    shard.flush()
    shard.close()
    raw.rename(folder)


def _id(tenant: str, id: str) -> UUID:
    """The only place where a point's id is made."""
    return UUID(digest(tenant, id))


def _within(tenant: str, equal: Values | None = None, but: Lists | None = None) -> Filter:
    """The only place where a filter is made."""
    must = [_equals("tenant", tenant), *(_equals(key, value) for key, value in (equal or {}).items())]
    excluded = [
        FieldCondition(key, match=MatchAny(list(values))) for key, values in (but or {}).items() if values
    ]
    return Filter(must=list(must), must_not=list(excluded) or None)


def _equals(key: str, value: str | int) -> FieldCondition:
    return FieldCondition(key, match=MatchValue(value))
