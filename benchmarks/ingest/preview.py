"""Previews of a parsed document of 20 pages, and the statistics of an index of 1,000 documents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

from anyio import to_thread

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest import documents
from benchmarks.ingest.reading import open_files, read
from benchmarks.ingest.report import Findings, Table
from ingestion.chunk import digest
from ingestion.chunking import strategy_of
from ingestion.collection import collection_name
from ingestion.document import Document, Part, assemble
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.embedders.configured import Embedders
from ingestion.index import Put
from ingestion.opening_knowledge import open_knowledge
from ingestion.preview import PreviewCache, preview
from ingestion.record import Record, document_id_of, records
from ingestion.strategy import STRATEGIES

_PAGES, _DOCUMENTS = 20, 1_000
_ROUNDS = 15
_PREVIEW_MS, _CACHED, _STATISTICS_MS = 500, 10, 100


class Times(NamedTuple):
    """Milliseconds, medians."""

    name: str
    made: float
    kept: float
    """Taken from a cache that has it."""
    chunks: int


async def measure(corpus: Path | None) -> Findings:
    """Needs no corpus."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        document = await _parsed(folder)
        times = [await to_thread.run_sync(_times, document, strategy) for strategy in STRATEGIES]
        statistics_ms, documents_ = await _statistics(folder)
    rows = [
        (t.name, str(t.chunks), f"{t.made:.1f}", f"{t.kept:.2f}", f"{t.made / t.kept:.0f}") for t in times
    ]
    columns = ("strategy", "chunks", "made, ms", "cached, ms", "faster")
    table = Table(f"Preview of {_PAGES} pages, {len(document.text):,} characters", columns, rows)
    goals = [
        *(Goal(f"preview by {t.name}, median ms", t.made, _PREVIEW_MS) for t in times),
        Goal(
            "cached preview: how many times faster, least", min(t.made / t.kept for t in times), _CACHED, True
        ),
        Goal(f"statistics over {documents_:,} documents, median ms", statistics_ms, _STATISTICS_MS),
    ]
    return Findings([table], goals)


async def _parsed(folder: Path) -> Document:
    path = folder / "pages.pdf"
    path.write_bytes(documents.prose_pdf(2, _PAGES))
    async with open_files() as reader:
        document = (await read(reader, path)).document
    assert document is not None and document.pages == _PAGES
    return document


def _times(document: Document, name: str) -> Times:
    strategy = strategy_of({"name": name})
    cache = PreviewCache()
    (first,) = cache.get(document, [strategy])
    made = _median_ms(lambda: preview(document, strategy))
    return Times(name, made, _median_ms(lambda: cache.get(document, [strategy])), len(first.chunks))


def _median_ms(function: Callable[[], object]) -> float:
    times = []
    for _ in range(_ROUNDS):
        began = perf_counter()
        function()
        times.append((perf_counter() - began) * 1e3)
    return median(times)


async def _statistics(folder: Path) -> tuple[float, int]:
    """Median milliseconds, and the documents they are over."""
    embedder = Bm25Embedder()
    collection = collection_name("bm25", embedder.profile)
    async with open_knowledge(folder, Embedders({"bm25": embedder}, "bm25"), 10) as knowledge:
        for number in range(_DOCUMENTS):
            name, version = f"{number}.md", digest(str(number))
            made = await to_thread.run_sync(_records, name, number, version)
            vectors = await embedder.documents([record.text for record in made])
            points = [Put(r.id, of_it, r.payload) for r, of_it in zip(made, vectors, strict=True)]
            await knowledge.stage("acme", version, points, writer="bench", collection=collection)
            await knowledge.publish(
                "acme", document_id_of(name), version, points=len(points), collection=collection
            )
        times = []
        for _ in range(_ROUNDS):
            began = perf_counter()
            stats = await knowledge.stats("acme")
            times.append((perf_counter() - began) * 1e3)
    return median(times), stats.documents


def _records(name: str, number: int, version: str) -> Sequence[Record]:
    text = documents.markdown(number, 3).decode()
    parts = [
        Part("heading", part.removeprefix("## "), 2) if part.startswith("## ") else Part("paragraph", part)
        for part in text.split("\n\n")
    ]
    document = assemble(name, parts)
    document_id = document_id_of(name)
    return records(document, strategy_of({})(document, document_id), document_id, version, {}, {})
