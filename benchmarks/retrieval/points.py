"""Made-up points and queries like those of documents by BGE-M3: the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ingestion.index import Fields, Put
from ingestion.vectors import Profile, Space, Sparse, Vectors

PROFILE = Profile("made-up", {"words": Space("sparse", idf=True), "dense": Space("dense", 1024)})
FIELDS = Fields(("document", "version", "superseded", "kind", "language"), ("ordinal",))
TENANT, OTHER = "acme", "other"
_OTHERS_EVERY = 5
"""Every fifth batch is another tenant's: the filter has something to keep out."""
_CLUSTERS = 64
"""Of the dense vectors, so that near ones exist as among real texts."""
_WORDS = 30_000
_CHILD_WORDS, _QUERY_WORDS = 70, 8
_CHILD_CHARS, _PARENT_CHARS = 500, 2_000


def batches(count: int, size: int = 1_000) -> Iterator[tuple[str, list[Put]]]:
    """`count` points in all, with the tenant of each batch."""
    chance = np.random.default_rng(1)
    centres = _centres()
    for number, first in enumerate(range(0, count, size)):
        tenant = OTHER if number % _OTHERS_EVERY == _OTHERS_EVERY - 1 else TENANT
        ids = range(first, min(first + size, count))
        yield tenant, [Put(str(id), _vectors(chance, centres, _CHILD_WORDS), _payload(id)) for id in ids]


def queries(count: int) -> list[Vectors]:
    chance = np.random.default_rng(2)
    centres = _centres()
    return [_vectors(chance, centres, _QUERY_WORDS) for _ in range(count)]


def _centres() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.random.default_rng(0).standard_normal((_CLUSTERS, 1024))


def _vectors(
    chance: np.random.Generator, centres: np.ndarray[Any, np.dtype[np.float64]], words: int
) -> Vectors:
    row = centres[chance.integers(_CLUSTERS)] + chance.standard_normal(1024)
    dense = (row / np.linalg.norm(row)).astype(np.float32)
    # Few words are everywhere and most are rare, as in texts (Zipf).
    found = np.unique(np.minimum(chance.zipf(1.2, words), _WORDS))
    return {"words": Sparse(found.tolist(), chance.uniform(0.5, 2, len(found)).tolist()), "dense": dense}


def _payload(id: int) -> dict[str, Any]:
    parent = id // 4
    words = f"{parent} of the price list, as it stands in the playbook; "
    return {
        "document": f"document {id // 100}",
        "document_id": f"{id // 100:032x}",
        "version": f"{id // 100:032x}",
        "chunk_id": f"{id:032x}",
        "parent_id": f"{parent:032x}",
        "text": (words * 20)[:_CHILD_CHARS],
        "parent_text": (words * 50)[:_PARENT_CHARS],
        "parent_tokens": 500,
        "start": id * 500,
        "end": id * 500 + _CHILD_CHARS,
        "page": None,
        "section": "Prices",
        "kind": "paragraph",
        "language": "en",
        "ordinal": id,
    }
