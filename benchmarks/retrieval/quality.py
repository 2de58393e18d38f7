"""How well texts are found: BM25, a dense model, both together; each way to fuse them; and the anchors."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
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
        dense = minilm()
        kept = Cached(dense, given.vectors or Path(name) / "vectors.db", _CACHE_BYTES) if dense else None
        for each in sets_in(given.sets):
            folder = Path(name) / each.name
            found = {"BM25, the anchors' settings": await _found(each, PlainBm25(), folder / "plain")}
            ours = found["BM25, ours"] = await _found(each, Bm25Embedder(), folder / "words")
            goals += _anchored(each, "BM25", ours, anchors.BM25)
            goals += _not_below(each, ours, found["BM25, the anchors' settings"])
            if kept:
                if kept.profile.spaces["dense"].speaks(each.language):
                    found["MiniLM"] = await _found(each, kept, folder / "dense")
                both = Together(Bm25Embedder(), kept)
                hybrid = found["both"] = await _found(each, both, folder / "both")
                goals += _hybrid(each, hybrid, [ours, *(found[k] for k in found if k == "MiniLM")])
                if "MiniLM" in found:
                    swept.append(await fusions.sweep(each, both, folder / "both"))
            rows += [_row(each, what, one) for what, one in found.items()]
            rows += _anchor_rows(each)
    remarks = [] if kept else ["MiniLM is not installed: BM25 alone (`make bench-retrieval` installs it)."]
    return Findings([Table("Found among the texts of a set", _COLUMNS, rows), *swept], goals, remarks)


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


def _anchored(each: Set, what: str, found: Found, wanted: Mapping[str, Anchor]) -> list[Goal]:
    if (anchor := wanted.get(each.name)) is None:
        return []
    return [
        Goal(f"{each.name}: {what}, nDCG@10 / the anchor", _mean(found.ndcg), anchor.ndcg, True),
        Goal(f"{each.name}: {what}, recall@10 / the anchor", _mean(found.recall), anchor.recall, True),
    ]


def _not_below(each: Set, ours: Found, plain: Found) -> list[Goal]:
    return [
        Goal(
            f"{each.name}: BM25, nDCG@10, the anchor on these queries",
            _mean(ours.ndcg),
            _mean(plain.ndcg),
            True,
        ),
        Goal(
            f"{each.name}: BM25, recall@10, the anchor on these queries",
            _mean(ours.recall),
            _mean(plain.recall),
            True,
        ),
    ]


def _hybrid(each: Set, hybrid: Found, parts: Sequence[Found]) -> list[Goal]:
    best, most = max(_mean(part.ndcg) for part in parts), max(_mean(part.recall) for part in parts)
    return [
        Goal(f"{each.name}: both, nDCG@10 / the better part", _mean(hybrid.ndcg), best, True),
        Goal(f"{each.name}: both, recall@10 / the better part", _mean(hybrid.recall), most, True),
    ]


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
