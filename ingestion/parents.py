"""From the children that were found to their parents, each once."""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.index import Hit


def parents(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """At most `limit` hits, best first: of each parent its best child."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.payload["parent_id"], hit)
    return list(best.values())[:limit]
