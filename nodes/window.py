"""The model's window: which passages fit it, by tokens. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil
from typing import Final

from nodes.bilingual import sentences
from nodes.citations import Source

_CJK: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_CHARS_PER_TOKEN: Final = 4


def fit(sources: Sequence[Source], budget: int) -> list[Source]:
    """Of `sources`, best first, those whose tokens are at most `budget` together, and one at least.

    One that is too long for what is left is passed over, so that a shorter one behind it may come. The first
    is never: where it alone is longer than the budget, it is cut at ends of sentences, around its quote.
    """
    kept: list[Source] = []
    left = budget
    for one in sources:
        if not kept and tokens_of(one) > budget:
            return [cut(one, budget)]
        if tokens_of(one) <= left:
            kept.append(one)
            left -= tokens_of(one)
    return kept


def tokens_of(one: Source) -> int:
    """The index's count, or an estimate where it gave none."""
    return one["tokens"] or estimate(one["text"])


def estimate(text: str) -> int:
    """A token for each CJK character, and for every four others."""
    cjk = len(_CJK.findall(text))
    return cjk + ceil((len(text) - cjk) / _CHARS_PER_TOKEN)


def cut(one: Source, budget: int) -> Source:
    """The sentences before and after the quote's, as many as fit; the first of them alone may be too long."""
    rate = tokens_of(one) / max(1, estimate(one["text"]))
    spans = sentences(one["text"])
    at = one["start"] - one["shift"]
    first = next((i for i, span in enumerate(spans) if span.end > at), 0)
    last = first
    while True:
        # What follows is read more often than what went before.
        wider = [(first, last + 1)] * (last + 1 < len(spans)) + [(first - 1, last)] * (first > 0)
        fitting = [
            (a, b) for a, b in wider if estimate(one["text"][spans[a].start : spans[b].end]) * rate <= budget
        ]
        if not fitting:
            break
        first, last = fitting[0]
    start, end = spans[first].start, spans[last].end
    text = one["text"][start:end]
    quote = one["quote"] if one["quote"] in text else spans[first].text
    return {
        **one,
        "text": text,
        "shift": one["shift"] + start,
        "quote": quote,
        "start": one["shift"] + start + text.find(quote),
        "tokens": min(budget, ceil(estimate(text) * rate)),
    }
