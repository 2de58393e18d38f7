"""Documents in a test's index, by the real steps in this process."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path
from typing import Any

from compose_knowledge import open_index
from ingestion.chunk import digest
from ingestion.chunking import strategy_of
from ingestion.collection import collection_name
from ingestion.document import Document, Part, assemble
from ingestion.embed import Embedder
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.embedders.configured import Embedders
from ingestion.index import Put
from ingestion.knowledge import Knowledge
from ingestion.opening_knowledge import open_knowledge
from ingestion.record import document_id_of, records
from runtime.settings import Settings
from tests.samples import SAMPLES, sample

EMBEDDER = Bm25Embedder()
HERE = collection_name("bm25", EMBEDDER.profile)
"""The collection that a test's index has at first."""
_TIMES = count(1_000)
"""Each document is a little later than the one before."""


def open_bm25(folder: Path, timeout_s: float = 10) -> AbstractAsyncContextManager[Knowledge]:
    """An index below `folder`, with BM25 alone."""
    return open_knowledge(folder, Embedders({"bm25": EMBEDDER}, "bm25"), timeout_s)


async def points_of(
    document: Document,
    version: str,
    place: str = "",
    *,
    embedder: Embedder = EMBEDDER,
    at: str = "",
    **labels: Any,
) -> list[Put]:
    """What the steps make of a parsed document that comes from `place`; by default its name is its place."""
    document_id = document_id_of(place or document.name)
    families = strategy_of({})(document, document_id)
    more = {"source": place or document.name, "ingested_at": at or str(next(_TIMES))}
    made = records(document, families, document_id, version, labels, more)
    around = [record.payload["parent_text"] for record in made]
    vectors = await embedder.documents([record.text for record in made], around)
    return [Put(r.id, of_it, r.payload) for r, of_it in zip(made, vectors, strict=True)]


async def put(
    knowledge: Knowledge,
    tenant: str,
    document: Document,
    *,
    keep: bool = False,
    place: str = "",
    at: str = "",
    **labels: Any,
) -> str:
    """Writes a document, in the place of an earlier one from its place; its version."""
    document_id = document_id_of(place or document.name)
    version, here = digest(document_id, document.text), await knowledge.collection()
    embedder = knowledge.embedders.of(here)
    points = await points_of(document, version, place, embedder=embedder, at=at, **labels)
    await knowledge.stage(tenant, version, points, writer="test", collection=here)
    await knowledge.publish(tenant, document_id, version, points=len(points), keep=keep, collection=here)
    return version


def written(name: str, *paragraphs: str) -> Document:
    """A document of paragraphs; one that begins with `# ` is a heading."""
    parts = (
        Part("heading", text[2:], level=1) if text.startswith("# ") else Part("paragraph", text)
        for text in paragraphs
    )
    return assemble(name, parts)


async def ingest_samples(settings: Settings, *names: str) -> None:
    """The samples of Markdown, or the named ones, for the local tenant."""
    async with open_index(settings) as knowledge:
        for path in sorted(SAMPLES.iterdir()):
            if path.suffix == ".md" and (not names or path.name in names):
                await put(knowledge, "local", sample(path.name))
