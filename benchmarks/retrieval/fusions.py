"""Every way of the engine to fuse two vectors, on a shard that is filled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import qdrant_edge as edge

from benchmarks.ingest.report import Table
from benchmarks.retrieval import raw
from benchmarks.retrieval.filling import TENANT, asked
from benchmarks.retrieval.ranks import halves, ndcg, recall
from benchmarks.retrieval.sets import Set
from ingestion.embed import Embedder

_DEPTH = 10
_POOLS = (50, 100, 200)
"""Candidates of each vector."""
_WAYS: Mapping[str, edge.Fusion] = {
    **{f"RRF k={k}": raw.rrf(k) for k in (1, 2, 5, 10, 20, 60)},
    "DBSF": raw.dbsf(),
}


async def sweep(each: Set, embedder: Embedder, folder: Path) -> Table:
    """To choose by the first half of the queries and to check by the second."""
    vectors = {
        id: raw.plain(await asked(embedder, query, each.language)) for id, query in each.queries.items()
    }
    shard = edge.EdgeShard.load(str(folder))
    try:
        rows = [
            (name, str(pool), *_scores(each, shard, vectors, way, pool))
            for name, way in _WAYS.items()
            for pool in _POOLS
        ]
    finally:
        shard.close()
    return Table(
        f"{each.name}: fusions", ("fusion", "candidates", "nDCG@10, halves", "recall@10, halves"), rows
    )


def _scores(
    each: Set, shard: edge.EdgeShard, vectors: Mapping[str, raw.Plain], way: edge.Fusion, pool: int
) -> tuple[str, str]:
    ndcgs, recalls = dict[str, float](), dict[str, float]()
    for id, query in vectors.items():
        found = shard.query(raw.hybrid(TENANT, query, _DEPTH, fusion=way, candidates=pool))
        found.sort(key=lambda point: (-point.score, str(point.id)))
        ranked = [(point.payload or {})["id"] for point in found]
        ndcgs[id], recalls[id] = ndcg(ranked, each.right[id]), recall(ranked, each.right[id])
    return halves(each, ndcgs), halves(each, recalls)
