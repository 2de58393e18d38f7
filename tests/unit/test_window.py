"""What fits the model's window."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodes.citations import Source, source
from nodes.window import cut, estimate, fit
from runtime.passage import Passage

TEXT = "First things first. The price is 40 dollars. It holds for a year. Nothing else matters here at all."
QUOTE = "The price is 40 dollars."
SHIFT = 1_000


def made(text: str = TEXT, quote: str = QUOTE, tokens: int = 0) -> Source:
    start = SHIFT + text.index(quote)
    return source(
        Passage("a.md", "a", text, quote, start, start + len(quote), 1.0, parent_id=text, tokens=tokens)
    )


def test_the_best_come_first_and_a_shorter_one_takes_what_is_left() -> None:
    """By the index's own count, where it gives one."""
    sources = [made(tokens=t) for t in (60, 50, 30)]
    assert [s["tokens"] for s in fit(sources, 100)] == [60, 30]
    assert [s["tokens"] for s in fit(sources, 140)] == [60, 50, 30]
    assert fit([], 100) == []


@pytest.mark.parametrize("budget", [6, 12, 18, 24])
def test_one_that_is_too_long_is_cut_at_ends_of_sentences(budget: int) -> None:
    """Its offsets go on holding, and what the search found stays in it."""
    (one,) = fit([made()], budget)
    start = one["shift"] - SHIFT
    assert TEXT[start : start + len(one["text"])] == one["text"]
    assert QUOTE in one["text"] and one["text"].endswith(".")
    assert one["start"] == SHIFT + TEXT.index(QUOTE)
    assert estimate(one["text"]) <= max(budget, estimate(QUOTE))


def test_a_quote_that_is_cut_too_keeps_its_beginning() -> None:
    """A child may be longer than the budget itself."""
    one = cut(made(quote=TEXT), 6)
    assert one["text"] == "First things first." == one["quote"] and one["start"] == SHIFT


def test_the_index_and_the_estimate_may_count_differently() -> None:
    """The cut keeps the index's measure."""
    long = made(tokens=10 * estimate(TEXT))
    assert len(cut(long, 120)["text"]) < len(cut({**long, "tokens": 0}, 120)["text"])


def test_cjk_characters_are_tokens() -> None:
    """Four letters are about one."""
    assert (estimate("价格不变"), estimate("price"), estimate("")) == (4, 2, 0)


def test_old_passages_hold() -> None:
    """Made without parent, version and tokens, they are told apart by their text."""
    old = Passage("a.md", "a", "One.", "One.", 0, 4, 1.0)
    assert source(old)["key"] != source(replace(old, text="One. Two."))["key"]
    assert (old.parent_id, old.version, old.tokens) == ("", "", 0)
