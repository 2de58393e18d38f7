"""From a query to the children that match it: which vectors take part, and how many children are fetched."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from ingestion.embed import Embedder
from ingestion.index import Asked, Choice, Hit, Index
from ingestion.language import language_of
from ingestion.parents import CHILDREN, parents
from ingestion.rerank import Reranker
from ingestion.vectors import Floats, Profile, Vectors
from ingestion.within import Days, Lists, Within
from runtime.errors import KnowledgeUnavailable
from runtime.narrowing import Filters

log = structlog.get_logger()

_HITS_PER_PASSAGE = 8
"""Children fetched for each passage asked for: a parent has about four, and counts once."""
_MAX_HITS = 2_000
_RERANKED = 40
"""Children that a cross-encoder reads with the query: some 20 ms each on a CPU."""


@dataclass(frozen=True)
class Sought:
    """A query, as an index is asked for it."""

    text: str
    vectors: Vectors
    """Those to find by: of the profile's, those that speak the query's language."""
    late: Floats | None
    """ColBERT's, by which what was found is ranked anew."""

    def asked(self, limit: int) -> Asked:
        return Asked(self.vectors, limit, self.late)


async def sought(embedder: Embedder, text: str) -> Sought:
    """`text` is clean. Raises KnowledgeUnavailable."""
    vectors, profile = await embedder.query(text), embedder.profile
    finding = {name: vectors[name] for name in speaking(profile, text) if name in vectors}
    late = vectors.get(profile.rerank)
    assert late is None or not isinstance(late, tuple)  # A multi vector is rows of floats.
    return Sought(text, finding, late)


def speaking(profile: Profile, text: str) -> list[str]:
    """Names of the vectors that may be compared in the text's language."""
    language = language_of(text)
    return [name for name in profile.searched if profile.spaces[name].speaks(language)]


def within(tenant: str, filters: Filters, but: Lists) -> Within:
    """The tenant's points that meet the filters, without those that are out of sight."""
    given = {
        "document": filters.documents,
        "kind": filters.kinds,
        "language": filters.languages,
        "tags": filters.tags,
    }
    days = {"date": Days(filters.since, filters.until)} if filters.since or filters.until else {}
    return Within(tenant, some={key: some for key, some in given.items() if some}, but=but, days=days)


@dataclass(frozen=True)
class Found:
    """What a search comes to."""

    children: list[Hit]
    """Best first; of their payload `parent_id` is there."""
    best: list[Hit]
    """For each parent its best child, scored as `parents` does, with all of its payload."""


async def find(index: Index, mine: Within, query: Sought, limit: int, reranker: Reranker | None) -> Found:
    """At most `limit` parents, and as many where there are as many that match."""
    wanted = max(CHILDREN, limit * _HITS_PER_PASSAGE)
    if reranker is not None:
        children = await _ranked_anew(reranker, query, await index.search(mine, query.asked(wanted)))
        return Found(children, parents(children, limit))
    while True:
        found = await _found(index, mine, query.asked(wanted), limit)
        if len(found.children) < wanted or wanted >= _MAX_HITS or len(found.best) == limit:
            return found
        wanted = min(wanted * 4, _MAX_HITS)


async def _found(index: Index, mine: Within, asked: Asked, limit: int) -> Found:
    children: list[Hit] = []

    def choose(hits: list[Hit]) -> list[Hit]:
        children.extend(hits)
        return parents(hits, limit)

    best = await index.search(mine, asked, Choice("parent_id", choose))
    return Found(children, best)


async def _ranked_anew(reranker: Reranker, query: Sought, hits: list[Hit]) -> list[Hit]:
    """The first of the hits by the cross-encoder's scores, then the others as they were.

    All as they were where it fails: an answer without it is better than none.
    """
    first, rest = hits[:_RERANKED], hits[_RERANKED:]
    if not first:
        return []
    try:
        scores = await reranker.scores(query.text, [str(hit.payload["text"]) for hit in first])
    except KnowledgeUnavailable as exc:
        log.warning("reranker.left_out", reason=str(exc))
        return hits
    again = [hit._replace(score=score) for score, hit in zip(scores, first, strict=True)]
    again.sort(key=lambda hit: -hit.score)
    lowest = again[-1].score
    # Scores stay in order: what was not read is behind all that was.
    return [*again, *(hit._replace(score=lowest - rank) for rank, hit in enumerate(rest, 1))]
