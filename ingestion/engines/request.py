"""What is asked of a Qdrant server, in its client's terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qdrant_client import models

from ingestion.index import Asked, Put, point_id
from ingestion.vectors import Profile, Sparse, Vector
from ingestion.within import Within

_FUSED = models.FusionQuery(fusion=models.Fusion.DBSF)
"""As in the embedded index; both answer alike."""

VectorModel = models.SparseVector | list[float] | list[list[float]]


def point_of(tenant: str, put: Put) -> models.PointStruct:
    vectors = {name: vector_of(vector) for name, vector in put.vectors.items()}
    return models.PointStruct(
        id=str(point_id(tenant, put.id)), vector=vectors, payload={**put.payload, "tenant": tenant}
    )


def vector_of(vector: Vector) -> VectorModel:
    if isinstance(vector, Sparse):
        return models.SparseVector(indices=list(vector.indices), values=list(vector.values))
    floats: list[float] | list[list[float]] = vector.tolist()
    return floats


def query_of(profile: Profile, mine: models.Filter, asked: Asked) -> dict[str, Any] | None:
    """Arguments of `query_points`; None where nothing can be found."""
    rarity = models.SearchParams(idf=models.IdfCorpusParams(corpus=mine))
    named = [
        (name, vector_of(vector), rarity if profile.spaces[name].idf else None)
        for name, vector in asked.vectors.items()
        if not (isinstance(vector, Sparse) and not vector.indices)
    ]
    if not named:
        return None
    common = {"limit": asked.limit}
    if len(named) == 1 and asked.rerank is None:
        ((using, query, params),) = named
        return {**common, "query": query, "using": using, "query_filter": mine, "search_params": params}
    pool = max(asked.candidates, asked.limit)
    found = [
        models.Prefetch(query=query, using=using, filter=mine, params=params, limit=pool)
        for using, query, params in named
    ]
    if asked.rerank is None:
        return {**common, "prefetch": found, "query": _FUSED}
    if len(found) > 1:
        found = [models.Prefetch(prefetch=found, query=_FUSED, limit=pool)]
    return {**common, "prefetch": found, "query": vector_of(asked.rerank), "using": profile.rerank}


def filter_of(within: Within) -> models.Filter:
    """The only place where a filter is made."""
    must: list[models.Condition] = [_has("tenant", [within.tenant])]
    must += [
        models.FieldCondition(key=key, match=models.MatchValue(value=value))
        for key, value in within.equal.items()
    ]
    must += [_has(key, values) for key, values in within.some.items()]
    must += [
        models.FieldCondition(key=key, range=models.DatetimeRange(gte=days.first, lte=days.last))
        for key, days in within.days.items()
    ]
    but: list[models.Condition] = [_has(key, values) for key, values in within.but.items() if values]
    return models.Filter(must=must, must_not=but or None)


def _has(key: str, values: Sequence[str] | Sequence[int]) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))
