"""Children searched and their parents returned, beside flat chunks of either size, in long documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.report import Findings, Table
from benchmarks.retrieval.filling import FIELDS, TENANT, TIMEOUT_S, Entry, asked, put
from benchmarks.retrieval.given import Given
from benchmarks.retrieval.long_documents import Long, Span, joined
from benchmarks.retrieval.returned import BUDGETS, Passage, Score, score
from benchmarks.retrieval.sets import Set, sets_in
from ingestion.chunk import Chunk
from ingestion.chunking import strategy_of
from ingestion.document import clean
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.engines.edge import open_edge
from ingestion.index import Asked, Hit
from ingestion.parents import CHILDREN, parents
from ingestion.vectors import Vectors
from ingestion.within import Within

_LENGTHS = (1, 8)
"""Paragraphs of a document."""
_FLAT = ("fixed", "recursive", "sentence")
_SIZES = (128, 512)
_MEASURES = (
    "document nDCG@10",
    "document recall@10",
    "passage nDCG@10",
    *(f"text in {budget:,} tokens" for budget in BUDGETS),
)
_BATCH = 512


class Way(NamedTuple):
    """How chunks are cut, what is in their vectors, and whether their parents are returned."""

    name: str
    strategy: str
    parameters: Mapping[str, int]
    summed: bool = False
    """Whether a child's words are summed with its parent's."""
    plain: bool = False
    """Whether a parent scores as its best child alone."""


_WAYS = (
    Way("children → parents", "parent_child", {}, summed=True),
    Way("the same, best child alone", "parent_child", {}, summed=True, plain=True),
    Way("the same, its words alone", "parent_child", {}),
    Way("best child, its words alone", "parent_child", {}, plain=True),
    *(Way(f"{name} {size}", name, {"tokens": size}) for name in _FLAT for size in _SIZES),
)


async def measure(given: Given) -> Findings:
    if given.sets is None:
        return Findings(remarks=["Left out: needs a folder of sets (`--sets`)."])
    tables, goals = list[Table](), list[Goal]()
    for each in sets_in(given.sets):
        for length in _LENGTHS:
            documents = joined(each, length)
            title = f"{each.name}: {len(documents)} documents, {length} paragraphs each"
            found = {way.name: await _scores(each, documents, way) for way in _WAYS}
            rows = [(name, *_cells(each, scores)) for name, scores in found.items()]
            tables.append(Table(f"{title}; halves of the queries", ("chunks", *_MEASURES), rows))
            goals += _goals(f"{each.name}, {length} a document", found)
    return Findings(tables, goals)


async def _scores(each: Set, documents: Sequence[Long], way: Way) -> dict[str, Score]:
    """By query."""
    spans = {id: span for document in documents for id, span in document.spans.items()}
    embedder = Bm25Embedder()
    with TemporaryDirectory() as folder:
        async with open_edge(Path(folder) / "shard", embedder.profile, FIELDS, TIMEOUT_S) as index:
            passages = dict[str, Passage]()
            for batch in _batches(documents, way):
                vectors = await _vectors(embedder, batch, way)
                entries = [Entry(child.id, child.full_text, parent.id) for _, parent, child in batch]
                await put(index, entries, vectors)
                passages |= {parent.id: _passage(id, parent) for id, parent, _ in batch}
            scores = {}
            for id, query in each.queries.items():
                wanted = Asked(await asked(embedder, query, each.language), CHILDREN)
                hits = await index.search(Within(TENANT), wanted)
                found = [passages[hit.payload["parent_id"]] for hit in _returned(hits, way)]
                scores[id] = score(found, [spans[right] for right in each.right[id]])
    return scores


def _batches(documents: Sequence[Long], way: Way) -> Iterator[list[tuple[str, Chunk, Chunk]]]:
    """Document id, parent and child; a family never in two."""
    cut = strategy_of({"name": way.strategy, "parameters": way.parameters})
    batch: list[tuple[str, Chunk, Chunk]] = []
    for long in documents:
        for family in cut(long.document, long.id):
            batch += [(long.id, family.parent, child) for child in family.children]
            if len(batch) >= _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


async def _vectors(
    embedder: Bm25Embedder, batch: Sequence[tuple[str, Chunk, Chunk]], way: Way
) -> list[Vectors]:
    around = [parent.full_text for _, parent, _ in batch] if way.summed else []
    return await embedder.documents([_searched(child) for _, _, child in batch], around)


def _searched(chunk: Chunk) -> str:
    """As `ingestion.record` has it."""
    return clean("\n".join(text for text in (chunk.section, chunk.prefix, chunk.text) if text))


def _passage(document: str, parent: Chunk) -> Passage:
    return Passage(Span(document, parent.start, parent.end), parent.tokens)


def _returned(hits: Sequence[Hit], way: Way) -> Sequence[Hit]:
    if not way.plain:
        return parents(hits, len(hits))
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.payload["parent_id"], hit)
    return [*best.values()]


def _values(scores: Sequence[Score]) -> list[float]:
    """Means, in the order of `_MEASURES`."""
    rows = [(s.document_ndcg, s.document_recall, s.passage_ndcg, *s.texts) for s in scores]
    return [fmean(column) for column in zip(*rows, strict=True)]


def _cells(each: Set, scores: Mapping[str, Score]) -> list[str]:
    first, second = (_values([scores[id] for id in each.half(which)]) for which in (0, 1))
    return [f"{one:.3f} / {two:.3f}" for one, two in zip(first, second, strict=True)]


def _goals(where: str, found: Mapping[str, Mapping[str, Score]]) -> Iterator[Goal]:
    """Beside the best of the flat chunks of a size, whichever way they are cut."""
    means = {name: _values([*scores.values()]) for name, scores in found.items()}
    ours = means[_WAYS[0].name]
    for size in _SIZES:
        for measure, mine, *others in zip(
            _MEASURES, ours, *(means[f"{name} {size}"] for name in _FLAT), strict=True
        ):
            yield Goal(f"{where}: {measure} / flat {size}", mine, max(others), at_least=True)
