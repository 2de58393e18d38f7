"""From the model to what is found: its three vectors in both kinds of index."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from ingestion.embed import Embedder
from ingestion.embedders.bge_m3 import BgeM3
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.embedders.cache import Cached
from ingestion.embedders.together import Together
from ingestion.engines.calls import Calls
from ingestion.engines.collection import open_collection
from ingestion.engines.edge import open_edge
from ingestion.index import Asked, Fields, Index, Put
from ingestion.vectors import Sparse, Vectors
from ingestion.within import Within
from tests.bge.tiny_model import CHILDREN

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]

FIELDS = Fields(("document",))


@pytest.fixture
def everything(embedder: BgeM3, tmp_path: Path) -> Embedder:
    """The model, what it made kept on disk, beside BM25."""
    return Together(Cached(embedder, tmp_path / "vectors.sqlite", 10_000_000), Bm25Embedder())


@pytest.fixture(params=["edge", "memory"])
async def index(request: pytest.FixtureRequest, everything: Embedder, tmp_path: Path) -> AsyncIterator[Index]:
    """An empty index for all four vectors."""
    if request.param == "edge":
        async with open_edge(tmp_path / "shard", everything.profile, FIELDS, 10) as opened:
            yield opened
        return
    client = AsyncQdrantClient(":memory:")
    yield await open_collection(client, "test", everything.profile, FIELDS, Calls(10))
    await client.close()


async def fill(index: Index, embedder: Embedder, tenant: str) -> None:
    made = await embedder.documents(CHILDREN)
    await index.put(
        tenant, [Put(text, vectors, {"text": text}) for text, vectors in zip(CHILDREN, made, strict=True)]
    )


def asked(index: Index, vectors: Vectors, *, rerank: bool) -> Asked:
    again = vectors[index.profile.rerank]
    assert not isinstance(again, Sparse)
    searched = {name: vectors[name] for name in index.profile.searched}
    return Asked(searched, len(CHILDREN), rerank=again if rerank else None)


@pytest.mark.parametrize("rerank", [False, True], ids=["fused", "reranked"])
async def test_each_text_is_found_first_by_itself(index: Index, everything: Embedder, rerank: bool) -> None:
    """Dense, lexical and BM25 fused, then ranked anew by ColBERT; in English and Chinese, of one tenant."""
    await fill(index, everything, "acme")
    await fill(index, everything, "other")
    for text in CHILDREN:
        wanted = asked(index, await everything.query(text), rerank=rerank)
        hits = await index.search(Within("acme"), wanted)
        assert hits[0].payload["text"] == text
        assert {hit.payload["tenant"] for hit in hits} == {"acme"} and len(hits) == len(CHILDREN)
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_vectors_from_the_file_are_those_of_the_model(everything: Embedder) -> None:
    """What is put again after a restart is what was put before, bit for bit."""
    first, again = await everything.documents(CHILDREN), await everything.documents(CHILDREN)
    for one, other in zip(first, again, strict=True):
        everything.profile.check(other)
        for name, vector in one.items():
            same = (
                other[name] == vector if isinstance(vector, Sparse) else np.array_equal(other[name], vector)
            )
            assert same, name
