"""The engine's BM25 with all defaults but the tokenizer, as the anchors were measured."""

from __future__ import annotations

from collections.abc import Sequence

from qdrant_edge import Bm25, Bm25Config, TokenizerType

from ingestion.vectors import Profile, Space, Sparse, Vectors


class PlainBm25:
    """An `Embedder`; on the event loop, where a benchmark has nothing else."""

    profile = Profile("plain-bm25", {"words": Space("sparse", idf=True)})

    def __init__(self) -> None:
        self._model = Bm25(Bm25Config(tokenizer=TokenizerType.Multilingual))

    async def documents(self, texts: Sequence[str], around: Sequence[str] = ()) -> list[Vectors]:
        made = [self._model.embed_document(text) for text in texts]
        return [{"words": Sparse(vector.indices, vector.values)} for vector in made]

    async def query(self, text: str) -> Vectors:
        vector = self._model.embed_query(text)
        return {"words": Sparse(vector.indices, vector.values)}
