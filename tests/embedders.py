"""Embedders that need no model."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.embedders.configured import Embedders
from ingestion.embedders.together import Together
from ingestion.vectors import Floats, Profile, Space, Vectors
from runtime.errors import KnowledgeUnavailable

_SIZE = 16


class Hashed:
    """An `Embedder` of the vector `dense`: equal texts are equal, all others are strangers."""

    def __init__(self, name: str = "hashed", languages: tuple[str, ...] = ()) -> None:
        self.profile = Profile(name, {"dense": Space("dense", _SIZE, languages=languages)})
        self.embedded: list[str] = []
        """Texts of documents so far."""
        self.fails_after: int | None = None
        """Texts; then every call fails."""

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        if self.fails_after is not None and len(self.embedded) + len(texts) > self.fails_after:
            raise KnowledgeUnavailable("the embedder is down")
        self.embedded += texts
        return [{"dense": _row(text)} for text in texts]

    async def query(self, text: str) -> Vectors:
        return {"dense": _row(text)}


def two_embedders(hashed: Hashed, default: str = "bm25") -> Embedders:
    """`bm25`, and `both`: words and `hashed`."""
    return Embedders({"bm25": Bm25Embedder(), "both": Together(Bm25Embedder(), hashed)}, default)


def _row(text: str) -> Floats:
    seed = int.from_bytes(sha256(text.encode()).digest()[:8], "little")
    row = np.random.default_rng(seed).normal(size=_SIZE).astype(np.float32)
    return row / np.linalg.norm(row)
