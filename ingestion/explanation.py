"""What a search found, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from ingestion.embed import Embedder
from ingestion.finding import find, sought
from ingestion.index import Asked, Hit, Index
from ingestion.record import passage
from ingestion.rerank import Reranker
from ingestion.within import Within
from runtime.passage import Passage

_DEPTH = 100
"""Ranks that are told for each vector: as many as take part in the fusion."""


@dataclass(frozen=True)
class Ranked:
    """Where a child stands in one ranking."""

    rank: int
    """From 1."""
    score: float


@dataclass(frozen=True)
class Reason:
    """Why a passage was found."""

    passage: Passage
    chunk_id: str
    """Of the child that was found in it, which is the passage's quote."""
    by: Mapping[str, Ranked]
    """Its ranks by each vector that found it, among the first 100."""
    fused: Ranked | None
    """Of those together, by their scores; None beyond the first 100."""
    again: Ranked | None = None
    """By the reranker, where there is one."""
    children: int = 1
    """How many of the parent's children were found."""


@dataclass(frozen=True)
class Explained:
    """A search with its reasons, best first."""

    profile: str
    """Of the embedder."""
    vectors: Sequence[str]
    """Those that took part; others of the collection do not speak the query's language, or failed."""
    reranker: str
    """`colbert`, `cross-encoder` or ""."""
    reasons: Sequence[Reason]
    ms: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by step: `embed`, each vector alone, `search` for what `search` itself does after it."""


async def explain(
    index: Index, mine: Within, embedder: Embedder, text: str, limit: int, reranker: Reranker | None
) -> Explained:
    """`text` is clean; at most `limit` reasons. Does what `find` does, and each of its parts alone."""
    clock = _Clock()
    query = await sought(embedder, text)
    clock.note("embed")
    by: dict[str, dict[object, Ranked]] = {}
    for name, vector in query.vectors.items():
        by[name] = _ranks(await index.search(mine, Asked({name: vector}, _DEPTH)))
        clock.note(name)
    fused = _ranks(await index.search(mine, Asked(query.vectors, _DEPTH)))
    clock.skip()
    found = await find(index, mine, query, limit, reranker)
    clock.note("search")
    way = "cross-encoder" if reranker else "colbert" if query.late is not None else ""
    again = _ranks(found.children) if way else {}
    reasons = [
        Reason(
            passage(hit),
            str(hit.payload["chunk_id"]),
            {name: ranks[hit.id] for name, ranks in by.items() if hit.id in ranks},
            fused.get(hit.id),
            again.get(hit.id),
            sum(other.payload["parent_id"] == hit.payload["parent_id"] for other in found.children),
        )
        for hit in found.best
    ]
    return Explained(embedder.profile.name, list(query.vectors), way, reasons, clock.ms)


class _Clock:
    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last = perf_counter()

    def note(self, step: str) -> None:
        """The time since the last note is the step's."""
        before = self._last
        self.skip()
        self.ms[step] = (self._last - before) * 1_000

    def skip(self) -> None:
        self._last = perf_counter()


def _ranks(hits: Sequence[Hit]) -> dict[object, Ranked]:
    return {hit.id: Ranked(rank, hit.score) for rank, hit in enumerate(hits, 1)}
