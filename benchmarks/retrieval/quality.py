"""How well texts are found: BM25, a dense model, both together; each way to fuse them; and the anchors."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.checkpoints.figures import Spread, spread
from benchmarks.checkpoints.goals import Goal
from benchmarks.ingest.report import Findings, Table
from benchmarks.retrieval import anchors, fusions
from benchmarks.retrieval.anchors import Anchor
from benchmarks.retrieval.disk import megabytes
from benchmarks.retrieval.filling import FIELDS, TENANT, TIMEOUT_S, Entry, asked, fill
from benchmarks.retrieval.given import Given
from benchmarks.retrieval.minilm import minilm
from benchmarks.retrieval.plain_bm25 import PlainBm25
from benchmarks.retrieval.ranks import halves, ndcg, recall
from benchmarks.retrieval.sets import Set, sets_in
from ingestion.embed import Embedder
from ingestion.embedders.bm25 import Bm25Embedder
from ingestion.embedders.cache import Cached
from ingestion.embedders.together import Together
from ingestion.engines.edge import open_edge
from ingestion.index import Asked
from ingestion.within import Within

_PLAIN, _OURS, _DENSE, _BOTH = "BM25 as the anchors", "BM25", "MiniLM", "both"
_DEPTH = 10
_CACHE_BYTES = 2**30
_COLUMNS = ("set", "found by", "nDCG@10", "halves", "recall@10", "halves", "p50 ms", "p99 ms", "MB")


class Found(NamedTuple):
    """Of one set, one way to find."""

    ndcg: Mapping[str, float]
    """By query."""
    recall: Mapping[str, float]
    search: Spread
    """The search alone, without making the query's vectors."""
    mb: float


async def measure(given: Given) -> Findings:
    if given.sets is None:
        return Findings(remarks=["Left out: needs a folder of sets (`--sets`)."])
    rows, goals, swept = list[Sequence[str]](), list[Goal](), list[Table]()
    with TemporaryDirectory() as name:
        model = minilm()
        dense = Cached(model, given.vectors or Path(name) / "vectors.db", _CACHE_BYTES) if model else None
        for each in sets_in(given.sets):
            found = await _ways(each, dense, Path(name) / each.name)
            rows += [_row(each, what, one) for what, one in found.items()] + _anchor_rows(each)
            goals += _goals(each, found)
            if dense and _DENSE in found:
                both = Together(Bm25Embedder(), dense)
                swept.append(await fusions.sweep(each, both, Path(name) / each.name / _BOTH))
    remarks = [] if dense else ["MiniLM is not installed: BM25 alone (`make bench-retrieval` installs it)."]
    return Findings([Table("Found among the texts of a set", _COLUMNS, rows), *swept], goals, remarks)


async def _ways(each: Set, dense: Embedder | None, folder: Path) -> dict[str, Found]:
    """Each way in a folder of its own, which bears its name. The dense model alone only where it speaks."""
    embedders: dict[str, Embedder] = {_PLAIN: PlainBm25(), _OURS: Bm25Embedder()}
    if dense and dense.profile.spaces["dense"].speaks(each.language):
        embedders[_DENSE] = dense
    if dense:
        embedders[_BOTH] = Together(Bm25Embedder(), dense)
    return {what: await _found(each, embedder, folder / what) for what, embedder in embedders.items()}


async def _found(each: Set, embedder: Embedder, folder: Path) -> Found:
    async with open_edge(folder, embedder.profile, FIELDS, TIMEOUT_S) as index:
        await fill(index, embedder, [Entry(text.id, text.whole, text.parent_id) for text in each.corpus])
    ndcgs, recalls, times = dict[str, float](), dict[str, float](), list[float]()
    async with open_edge(folder, embedder.profile, FIELDS, TIMEOUT_S) as index:
        for id, query in each.queries.items():
            vectors = await asked(embedder, query, each.language)
            began = time.perf_counter()
            hits = await index.search(Within(TENANT), Asked(vectors, _DEPTH))
            times.append((time.perf_counter() - began) * 1e3)
            ranked = [hit.payload["id"] for hit in hits]
            ndcgs[id], recalls[id] = ndcg(ranked, each.right[id]), recall(ranked, each.right[id])
    return Found(ndcgs, recalls, spread(times), megabytes(folder))


def _goals(each: Set, found: Mapping[str, Found]) -> Iterator[Goal]:
    if anchor := anchors.BM25.get(each.name):
        yield from _at_least(f"{each.name}: BM25 / the anchor", found[_OURS], anchor)
    again = f"{each.name}: BM25 / the anchor's settings on these queries"
    yield from _at_least(again, found[_OURS], _means(found[_PLAIN]))
    if _BOTH in found:
        parts = [_means(found[what]) for what in (_OURS, _DENSE) if what in found]
        better = Anchor(max(part.ndcg for part in parts), max(part.recall for part in parts))
        yield from _at_least(f"{each.name}: both / the better part", found[_BOTH], better)


def _at_least(text: str, found: Found, wanted: Anchor) -> Iterator[Goal]:
    yield Goal(f"{text}, nDCG@10", _mean(found.ndcg), wanted.ndcg, at_least=True)
    yield Goal(f"{text}, recall@10", _mean(found.recall), wanted.recall, at_least=True)


def _means(found: Found) -> Anchor:
    return Anchor(_mean(found.ndcg), _mean(found.recall))


def _mean(values: Mapping[str, float]) -> float:
    return fmean(values.values())


def _row(each: Set, what: str, found: Found) -> Sequence[str]:
    return (
        each.name,
        what,
        f"{_mean(found.ndcg):.3f}",
        halves(each, found.ndcg),
        f"{_mean(found.recall):.3f}",
        halves(each, found.recall),
        f"{found.search.p50:.1f}",
        f"{found.search.p99:.1f}",
        f"{found.mb:.0f}",
    )


def _anchor_rows(each: Set) -> list[Sequence[str]]:
    known = {"BM25": anchors.BM25, "MiniLM": anchors.DENSE, "both": anchors.FUSED}
    return [
        (each.name, f"anchor, all queries: {what}", f"{a.ndcg:.3f}", "–", f"{a.recall:.3f}", *"––––")
        for what, of in known.items()
        if (a := of.get(each.name))
    ]
