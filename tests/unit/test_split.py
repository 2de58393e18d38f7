"""Cutting text at sentences within a token limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingestion.split import split
from ingestion.tokens import count


def pieces(text: str, limit: int, *, by_line: bool = False) -> list[str]:
    """The texts of the spans."""
    return [text[s.start : s.end] for s in split(text, 0, len(text), limit, by_line=by_line)]


def test_english_sentences() -> None:
    """A cut falls behind a full stop, not behind the stop in a number."""
    text = "It costs 99.5 dollars. Nobody pays more than that. Ask for it."
    assert pieces(text, 14) == ["It costs 99.5 dollars. Nobody pays more than that.", "Ask for it."]


def test_chinese_sentences() -> None:
    """Chinese has no spaces: a cut falls behind 。！？ and the closing quote."""
    text = "他说：“价格太高了。”我们问他和什么比。他说和预算比！那就先找小一档的版本，再谈折扣。"
    assert pieces(text, 22) == [
        "他说：“价格太高了。”我们问他和什么比。",
        "他说和预算比！",
        "那就先找小一档的版本，再谈折扣。",
    ]


def test_lists_are_cut_between_items() -> None:
    """An item with two sentences stays whole while it can."""
    text = "- One. And one more.\n- Two. And two more.\n- Three."
    assert pieces(text, 9, by_line=True) == ["- One. And one more.", "- Two. And two more.", "- Three."]


def test_a_text_without_any_boundary_is_cut_all_the_same() -> None:
    """The limit holds for base64 and for Chinese without punctuation."""
    assert all(count(piece) <= 5 for piece in pieces("x" * 400, 5))
    assert "".join(pieces("价" * 33, 5)) == "价" * 33


@given(st.text(), st.integers(1, 40), st.booleans())
def test_nothing_is_lost_and_the_limit_holds(text: str, limit: int, by_line: bool) -> None:
    """Pieces are in order, within the limit, and leave only white space out."""
    spans = split(text, 0, len(text), limit, by_line=by_line)
    at = 0
    for span in spans:
        assert not text[at : span.start].strip()
        assert 0 < span.tokens == count(text[span.start : span.end]) <= limit
        at = span.end
    assert not text[at:].strip()
