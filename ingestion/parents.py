"""Small children are found and large parents returned: how a parent helps its children, and they it."""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.index import Hit
from ingestion.vectors import Profile, Sparse, Vector, Vectors

CHILDREN = 100
"""Hits to ask the index for, whatever the number of parents wanted: a parent has about four children."""
_DECAY = 0.1
"""What each further child of a parent counts of the one before it. Chosen by one half of the queries of
`make bench-retrieval` and checked by the other: from 0 to 0.2 little changes, 0.5 ranks worse."""


def with_parent(profile: Profile, child: Vectors, parent: Vectors) -> Vectors:
    """The vectors of a child to keep: those weighed by rarity are the sum of the child's and its parent's.

    A child then scores as itself and its surroundings together, one half each. Alone, its few words miss what
    the passage around says once, and flat chunks of a parent's size rank better. Other vectors stay the
    child's. A chunk that is its own parent counts twice as much, so that both kinds compare.
    """
    return {
        name: _sum(vector, parent[name]) if profile.spaces[name].idf else vector
        for name, vector in child.items()
    }


def parents(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """At most `limit` hits, best first, one for each `parent_id` of the payloads: its best child.

    Takes hits of one search, best first. The score is the sum of the parent's children's among them, by
    falling score s: s0 + d * s1 + d^2 * s2 + …, so that a parent that answers in several places comes before
    one that does in a single one. Equal scores keep the order of their best children.
    """
    found: dict[str, list[Hit]] = {}
    for hit in hits:
        found.setdefault(hit.payload["parent_id"], []).append(hit)
    scored = [Hit(_score(children), children[0].payload) for children in found.values()]
    return sorted(scored, key=lambda hit: -hit.score)[:limit]


def _sum(child: Vector, parent: Vector) -> Sparse:
    assert isinstance(child, Sparse) and isinstance(parent, Sparse)  # as the profile says
    weights = dict(zip(parent.indices, parent.values, strict=True))
    for index, weight in zip(child.indices, child.values, strict=True):
        weights[index] = weights.get(index, 0.0) + weight
    return Sparse(list(weights), list(weights.values()))


def _score(children: Sequence[Hit]) -> float:
    return sum(hit.score * _DECAY**place for place, hit in enumerate(children))
