"""How good a list of returned passages is, whatever their size: by documents, by rank, by text."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import NamedTuple

from benchmarks.retrieval.long_documents import Span
from benchmarks.retrieval.ranks import ndcg, recall

BUDGETS = (500, 1_000, 2_000)
"""Tokens that the model is given."""
_DEPTH = 10


class Passage(NamedTuple):
    """What would be given to the model."""

    span: Span
    tokens: int


class Score(NamedTuple):
    """Each in [0, 1]."""

    document_ndcg: float
    """Of the first ten different documents: where those with a right text stand."""
    document_recall: float
    passage_ndcg: float
    """Of the first ten passages: where those stand that have most of a right text, or are most of it."""
    texts: tuple[float, ...]
    """The share of the right texts' characters in the first tokens, for each of `BUDGETS`."""


def score(passages: Sequence[Passage], right: Sequence[Span]) -> Score:
    """Of one query; passages best first."""
    documents, wanted = [each.span.document for each in passages], {each.document for each in right}
    return Score(
        ndcg(documents, wanted, _DEPTH),
        recall(documents, wanted, _DEPTH),
        _passage_ndcg(passages[:_DEPTH], right),
        tuple(_share(_first(passages, budget), right) for budget in BUDGETS),
    )


def _passage_ndcg(passages: Sequence[Passage], right: Sequence[Span]) -> float:
    """A right text counts once, where it comes first; two in one passage count as one there."""
    left, gained = list(right), 0.0
    for rank, each in enumerate(passages):
        found = [span for span in left if _most(each.span, span)]
        left = [span for span in left if span not in found]
        gained += bool(found) / log2(rank + 2)
    return min(1.0, gained / sum(1 / log2(rank + 2) for rank in range(min(len(right), _DEPTH))))


def _most(one: Span, other: Span) -> bool:
    shorter = min(one.end - one.start, other.end - other.start)
    return 2 * _common(one, other) >= shorter


def _common(one: Span, other: Span) -> int:
    if one.document != other.document:
        return 0
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def _first(passages: Sequence[Passage], tokens: int) -> list[Span]:
    """What fits: the last one cut, as if its tokens were of equal length."""
    taken = []
    for (document, start, end), size in passages:
        if tokens <= 0:
            break
        taken.append(Span(document, start, start + (end - start) * min(size, tokens) // size))
        tokens -= size
    return taken


def _share(spans: Sequence[Span], right: Sequence[Span]) -> float:
    return sum(_covered(each, spans) for each in right) / sum(each.end - each.start for each in right)


def _covered(right: Span, spans: Sequence[Span]) -> int:
    """Characters of the right text that any of the spans holds; those in two of them once."""
    inside = sorted((span.start, span.end) for span in spans if _common(right, span))
    at, covered = right.start, 0
    for start, end in inside:
        until = min(end, right.end)
        covered += max(0, until - max(start, at))
        at = max(at, until)
    return covered
