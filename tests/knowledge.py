"""Documents in a test's index, by the real steps in this process."""

from __future__ import annotations

from itertools import count

from compose import open_index
from ingestion.chunk import digest
from ingestion.chunking import strategy_of
from ingestion.document import Document, Part, assemble
from ingestion.embed import bm25
from ingestion.index import Put
from ingestion.knowledge import Knowledge
from ingestion.record import document_id_of, records
from runtime.settings import Settings
from tests.samples import SAMPLES, sample

_TIMES = count(1_000)
"""Each document is a little later than the one before."""


def points_of(document: Document, version: str, place: str = "") -> list[Put]:
    """What the steps make of a parsed document that comes from `place`; by default its name is its place."""
    document_id = document_id_of(place or document.name)
    families = strategy_of({})(document, document_id)
    more = {"source": place or document.name, "ingested_at": str(next(_TIMES))}
    model = bm25()
    made = records(document, families, document_id, version, more)
    return [Put(r.id, model.embed_document(r.text), r.payload) for r in made]


async def put(
    knowledge: Knowledge, tenant: str, document: Document, *, keep: bool = False, place: str = ""
) -> str:
    """Writes a document, in the place of an earlier one from its place; its version."""
    document_id = document_id_of(place or document.name)
    version = digest(document_id, document.text)
    points = points_of(document, version, place)
    await knowledge.stage(tenant, version, points, writer="test")
    await knowledge.publish(tenant, document_id, version, points=len(points), keep=keep)
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
