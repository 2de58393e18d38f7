"""One size of the index, in a process of its own: what it costs, and our call beside the engine's.

    python -m benchmarks.retrieval.one_size 10000

Prints a line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import anyio
import qdrant_edge as edge
from anyio import to_thread

from benchmarks.checkpoints.figures import spread
from benchmarks.ingest.resident import at_rest
from benchmarks.retrieval import points, raw
from benchmarks.retrieval.disk import megabytes
from benchmarks.retrieval.ticker import ticking
from ingestion.collection import Collection, collection_name
from ingestion.embedders.configured import Embedders
from ingestion.engines.edge import EdgeIndex, open_edge
from ingestion.engines.journal_file import JournalFile
from ingestion.index import Asked
from ingestion.knowledge import Knowledge
from ingestion.shown import Shown
from ingestion.vectors import Vectors
from ingestion.versions import Versions
from ingestion.within import Within

Call = Callable[[Vectors], Coroutine[Any, Any, object]]
_LIMIT, _CANDIDATES, _TIMEOUT_S = 10, 100, 60.0
_SECONDS, _LEAST, _MOST = 30.0, 60, 400
"""Of the timed queries: as many as fit, of each kind."""
_WARM_UP = 10
_AT_ONCE, _ROUNDS, _AT_LEAST_S = 16, 3, 4.0


def main() -> int:
    with TemporaryDirectory() as folder:
        print(json.dumps(anyio.run(_measured, Path(folder) / "shard", int(sys.argv[1]))))
    return 0


async def _measured(folder: Path, count: int) -> dict[str, Any]:
    before = at_rest()
    began = time.perf_counter()
    async with open_edge(folder, points.PROFILE, points.FIELDS, _TIMEOUT_S) as index:
        for tenant, batch in points.batches(count):
            await index.put(tenant, batch)
    filled = time.perf_counter() - began
    shard = edge.EdgeShard.load(str(folder))
    try:
        index = EdgeIndex(shard, points.PROFILE, _TIMEOUT_S)
        ours, whole = partial(_ours, index), partial(_whole, _knowledge(index, folder))
        threaded, direct = partial(_threaded, shard), partial(_direct, shard)
        asked = points.queries(_MOST)
        figures = {
            "points": count,
            "inserted_per_s": count / filled,
            **await _times([whole, ours, threaded, direct], asked),
            **await _at_once(whole, asked),
            "own_mb": at_rest() - before,
            "disk_mb": megabytes(folder),
        }
    finally:
        shard.close()
    return figures


class _Given:
    """An `Embedder` whose queries have their vectors: `one_size` measures the search, not a model."""

    profile = points.PROFILE

    def __init__(self) -> None:
        self.vectors: Vectors = {}

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        raise NotImplementedError

    async def query(self, text: str) -> Vectors:
        return self.vectors


class _One:
    """`Collections` of one."""

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    async def current(self, *, fresh: bool = False) -> Collection:
        return self._collection


def _knowledge(index: EdgeIndex, folder: Path) -> tuple[Knowledge, _Given]:
    journal = JournalFile(folder / "journal.json")
    name, given = collection_name("given", points.PROFILE), _Given()
    one: Any = _One(Collection(name, index, Versions(index, journal), Shown(index, journal)))
    nothing: Any = None  # No backups here.
    return Knowledge(one, Embedders({"given": given}, "given"), nothing), given


async def _whole(knowledge: tuple[Knowledge, _Given], vectors: Vectors) -> object:
    """As a graph searches: the journal, a hundred children, their parents as passages."""
    search, given = knowledge
    given.vectors = vectors
    return await search.search(points.TENANT, "a question", limit=_LIMIT)


async def _ours(index: EdgeIndex, vectors: Vectors) -> object:
    return await index.search(Within(points.TENANT), Asked(vectors, _LIMIT, candidates=_CANDIDATES))


async def _threaded(shard: edge.EdgeShard, vectors: Vectors) -> object:
    return await to_thread.run_sync(_raw, shard, raw.plain(vectors))


async def _direct(shard: edge.EdgeShard, vectors: Vectors) -> object:
    return _raw(shard, raw.plain(vectors))


def _raw(shard: edge.EdgeShard, vectors: raw.Plain) -> object:
    fusion = raw.dbsf()
    return shard.query(raw.hybrid(points.TENANT, vectors, _LIMIT, fusion=fusion, candidates=_CANDIDATES))


async def _times(calls: Sequence[Call], asked: Sequence[Vectors]) -> dict[str, Any]:
    """Ours, the engine's in a thread and the engine's alone, in turn, each first as often as the others."""
    for vectors in asked[:_WARM_UP]:
        for call in calls:
            await call(vectors)
    times: list[list[float]] = [[] for _ in calls]
    ends = time.perf_counter() + _SECONDS
    for number, vectors in enumerate(asked):
        if number >= _LEAST and time.perf_counter() > ends:
            break
        for turn in range(len(calls)):
            which = (number + turn) % len(calls)
            began = time.perf_counter()
            await calls[which](vectors)
            times[which].append((time.perf_counter() - began) * 1e3)
    whole, ours, threaded, direct = times
    return {
        "queries": len(ours),
        "whole": spread(whole),
        "whole_to_direct": median(a / b for a, b in zip(whole, direct, strict=True)),
        "ours": spread(ours),
        "threaded": spread(threaded),
        "direct": spread(direct),
        "to_threaded": median(a / b for a, b in zip(ours, threaded, strict=True)),
        "to_direct": median(a / b for a, b in zip(ours, direct, strict=True)),
    }


async def _at_once(call: Call, asked: Sequence[Vectors]) -> dict[str, Any]:
    """How late the beat comes, beside nothing and beside 16 queries at once, round after round."""
    async with ticking() as idle:
        await anyio.sleep(1)
    began, rounds = time.perf_counter(), 0
    async with ticking() as busy:
        while rounds < _ROUNDS or time.perf_counter() < began + _AT_LEAST_S:
            async with anyio.create_task_group() as tasks:
                for vectors in asked[rounds % (_MOST - _AT_ONCE) :][:_AT_ONCE]:
                    tasks.start_soon(call, vectors)
            rounds += 1
    took = time.perf_counter() - began
    return {
        "idle_late": [spread(idle).p99, max(idle)],
        "busy_late": [spread(busy).p99, max(busy)],
        "queries_per_s": rounds * _AT_ONCE / took,
    }


if __name__ == "__main__":
    sys.exit(main())
