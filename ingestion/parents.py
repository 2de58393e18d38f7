"""Small children are found and large parents returned, each once."""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.index import Hit

CHILDREN = 100
"""Hits to ask the index for, whatever the number of parents wanted: a parent has about four children."""
_DECAY = 0.1
"""What each further child of a parent counts of the one before it. Chosen by one half of the queries of
`make bench-retrieval` and checked by the other: from 0 to 0.2 little changes, 0.5 ranks worse."""


def parents(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """At most `limit` hits, best first, one for each `parent_id` of the payloads: its best child.

    Takes hits of one search, best first. The score is the sum of the parent's children's among them, by
    falling score s: s0 + d * s1 + d^2 * s2 + …, so that a parent that answers in several places comes before
    one that does in a single one. Equal scores keep the order of their best children.
    """
    found: dict[str, list[Hit]] = {}
    for hit in hits:
        found.setdefault(hit.payload["parent_id"], []).append(hit)
    scored = [(_score(children), children[0]) for children in found.values()]
    scored.sort(key=lambda pair: -pair[0])
    return [best._replace(score=score) for score, best in scored[:limit]]


def _score(children: Sequence[Hit]) -> float:
    score, share = children[0].score, 1.0
    for hit in children[1:]:
        share *= _DECAY
        # A reranker's scores may be negative: more of them must not count against a parent.
        score += max(hit.score, 0.0) * share
    return score
