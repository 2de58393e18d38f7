"""How good a ranking is: nDCG and recall, by right or wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import log2
from statistics import fmean

from benchmarks.retrieval.sets import Set


def ndcg(ranked: Sequence[str], right: Collection[str], depth: int = 10) -> float:
    """In [0, 1]: gain 1 for a right one, discounted by log2(rank + 1), of the best that can be (Järvelin and
    Kekäläinen 2002). One that comes twice counts once, where it comes first."""
    unique = list(dict.fromkeys(ranked))[:depth]
    gained = sum(1 / log2(rank + 2) for rank, id in enumerate(unique) if id in right)
    return gained / sum(1 / log2(rank + 2) for rank in range(min(len(right), depth)))


def recall(ranked: Sequence[str], right: Collection[str], depth: int = 10) -> float:
    """In [0, 1]: the share of the right ones among the first `depth` different ones."""
    return len(set(list(dict.fromkeys(ranked))[:depth]) & set(right)) / len(right)


def halves(each: Set, values: Mapping[str, float]) -> str:
    """The means of the two halves of the queries, as they stand in a table."""
    return " / ".join(f"{fmean(values[id] for id in each.half(which)):.3f}" for which in (0, 1))
