"""Cutting text at sentences within a token limit."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.document import Document, Part, assemble
from ingestion.ruler import Ruler
from ingestion.split import block_ends, sentence_ends, split
from tests.documents import RULES


def pieces(text: str, limit: int, *, by_line: bool = False) -> list[str]:
    """The texts of the pieces."""
    ruler = Ruler(Document("d", text, ()))
    return [text[p.start : p.end] for p in split(ruler, 0, len(text), limit, by_line=by_line)]


def sentences(text: str) -> list[str]:
    """The text between the ends of sentences."""
    ends = [0, *sentence_ends(text), len(text)]
    return [text[a:b].strip() for a, b in pairwise(ends)]


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


@pytest.mark.parametrize(
    "said",
    [
        ["Mr. Smith met Dr. Ray at 3.5 p.m. in St. Louis.", "They agreed."],
        ["The U.S. Army and J. R. Jones Inc. France paid.", "So did I."],
        ["We ship to the U.S.", "The price is 3.", "It is fair."],
        ["Use a pilot, e.g. Team, i.e. the small one, vs. Pro.", "See fig. 3 and no. 4 there."],
        ["“Why now?” he asked.", "“Because!”", "(It was late.)", "Then they left."],
        ["Well... maybe.", "Wait… what?", "Yes!!"],
        ["他问：“多少钱？”", "（很贵。）", "好吧……", "那就试用；", "再谈。"],
        ["价格是3.5美元。", "iPhone可以！", "OK."],
        ["「どうですか。」", "はい。"],
        ["السعر مرتفع؟", "نعم."],
    ],
)
def test_sentence_ends(said: list[str]) -> None:
    """Abbreviations, initials and numbers end none; quotes and brackets stay with theirs."""
    assert sentences(" ".join(said)) == said
    assert sentences("\n".join(said)) == said


def test_lines_and_sentences() -> None:
    """A wrapped line goes on, a blank one ends; an item's number is no sentence."""
    assert sentences("One line\ngoes on. Not here\n\nnext one") == [
        "One line\ngoes on.",
        "Not here",
        "next one",
    ]
    assert sentences("1. Ask.\n2. Listen.") == ["1. Ask.", "2. Listen."]


def test_an_end_at_the_end_of_the_slice_counts() -> None:
    """Or a cut there would be made within the sentence before it."""
    assert list(sentence_ends("One. Two. Three.", 0, 9)) == [4, 9]
    assert list(sentence_ends("One. Two. Three.", 4, 8)) == []


def test_a_heading_has_one_end() -> None:
    """`Why now? A guide.` is no two sentences."""
    document = assemble("d", [Part("heading", "Why now? A guide.", 1), Part("paragraph", "Why now? Ask.")])
    heading, paragraph = document.blocks
    assert list(block_ends(heading)) == [heading.end]
    assert list(block_ends(paragraph)) == [paragraph.start + 8, paragraph.end]


def test_a_short_sentence_is_not_cut_off_alone() -> None:
    """A piece is at least a quarter full before a sentence may end it: `Stop.` alone says nothing."""
    long = "One two three four five six seven eight nine ten eleven twelve"
    assert pieces(f"Stop. {long}", 12)[0].startswith("Stop. One two three")


def test_chinese_needs_no_spaces() -> None:
    """Sentences follow each other at once."""
    said = ["他说：“价格太高了。”", "我们问他和什么比？", "他说和预算比！", "那就试用；", "再谈折扣。"]
    assert sentences("".join(said)) == said


def test_lists_are_cut_between_items() -> None:
    """An item with two sentences stays whole while it can."""
    text = "- One. And one more.\n- Two. And two more.\n- Three."
    assert pieces(text, 9, by_line=True) == ["- One. And one more.", "- Two. And two more.", "- Three."]


def test_clauses_then_words() -> None:
    """A sentence that is too long is cut at a comma, or else between words."""
    assert pieces("one two three, four five six seven", 5) == ["one two three,", "four five six seven"]
    assert pieces("one two three four five six", 4) == ["one two three four", "five six"]


def test_a_text_without_any_boundary_is_cut_all_the_same() -> None:
    """The limit holds for base64 and for Chinese without punctuation."""
    assert [len(piece) for piece in pieces("x" * 400, 5)] == [40] * 10
    assert "".join(pieces("价" * 33, 5)) == "价" * 33


@given(st.text(), st.integers(16, 40), st.booleans(), st.sampled_from(sorted(RULES)))
def test_nothing_is_lost_and_the_limit_holds(text: str, limit: int, by_line: bool, name: str) -> None:
    """Pieces are in order, within the limit, and leave only white space out."""
    rule, at = RULES[name], 0
    for piece in split(Ruler(Document("d", text, ()), rule), 0, len(text), limit, by_line=by_line):
        assert not text[at : piece.start].strip()
        assert 0 < piece.tokens == rule(text[piece.start : piece.end]) <= limit
        at = piece.end
    assert not text[at:].strip()
