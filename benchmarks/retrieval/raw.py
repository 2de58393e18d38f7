"""Requests to the engine made by hand, without our adapter."""

from __future__ import annotations

from typing import NamedTuple, cast

import qdrant_edge as edge

from ingestion.vectors import Sparse, Vectors


class Plain(NamedTuple):
    """Vectors as lists of Python, which is what the engine takes."""

    words: edge.SparseVector
    dense: list[float]


def plain(vectors: Vectors) -> Plain:
    words, dense = vectors["words"], vectors["dense"]
    assert isinstance(words, Sparse) and not isinstance(dense, Sparse)
    return Plain(edge.SparseVector(list(words.indices), list(words.values)), dense.tolist())


def hybrid(
    tenant: str, vectors: Plain, limit: int, *, fusion: edge.Fusion, candidates: int
) -> edge.QueryRequest:
    """What `EdgeIndex.search` asks for the same."""
    mine = edge.Filter(must=[edge.FieldCondition("tenant", match=edge.MatchValue(tenant))])
    rarity = edge.SearchParams(idf=edge.IdfParams(mine))
    words = edge.Prefetch(
        limit=candidates, query=edge.Query.Nearest(vectors.words, using="words"), filter=mine, params=rarity
    )
    dense = edge.Prefetch(
        limit=candidates, query=edge.Query.Nearest(vectors.dense, using="dense"), filter=mine
    )
    return edge.QueryRequest(limit=limit, prefetches=[words, dense], query=fusion, with_payload=True)


def rrf(k: int) -> edge.Fusion:
    return cast(edge.Fusion, edge.Fusion.Rrf(k=k))  # The stubs do not derive it.


def dbsf() -> edge.Fusion:
    return cast(edge.Fusion, edge.Fusion.Dbsf())
