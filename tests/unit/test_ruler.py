"""Measuring slices of a document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.document import Document, Part, assemble
from ingestion.ruler import Ruler
from ingestion.tokens import count
from tests.documents import RULES


def ruler(text: str, rule: str = "rule") -> Ruler:
    """Of a text without blocks."""
    return Ruler(Document("d", text, ()), RULES[rule])


@given(st.text(), st.integers(1, 30))
def test_looking_up_is_counting(text: str, limit: int) -> None:
    """Our own rule counts by places; it must say what counting the slice says."""
    measure = ruler(text)
    start, end = measure.trim(0, len(text))
    while start < end:
        stop = measure.reach(start, end, limit)
        assert measure.tokens(start, stop) == count(text[start:stop]) <= limit
        assert measure.tokens(start, stop, "a | b") == count(f"a | b\n{text[start:stop]}")
        start = measure.trim(stop, end)[0]


@pytest.mark.parametrize("rule", RULES)
def test_a_reach_is_as_far_as_it_goes(rule: str) -> None:
    """A limit that is not made use of makes twice as many chunks."""
    text = "The price of a seat is 69 dollars a month, and nobody pays more. " * 40
    measure = ruler(text, rule)
    stop = measure.reach(0, len(text), 200)
    assert 190 <= RULES[rule](text[:stop]) <= 200


def test_a_reach_is_at_least_one_character() -> None:
    """A limit below the price of one sign must not hang."""
    measure = ruler("价格 x", "octets")
    assert measure.reach(0, 4, 1) == 1


@pytest.mark.parametrize("glyph", ["e\u0301\u0323", "👨\u200d👩\u200d👧", "👍🏽", "🇩🇪", "❤\ufe0f"])
def test_glyphs_stay_whole(glyph: str) -> None:
    """Half a flag is a letter."""
    text = glyph * 30
    stop = ruler(text).reach(0, len(text), 10)
    assert 0 < stop < len(text) and stop % len(glyph) == 0


def test_blocks() -> None:
    """A slice knows the blocks that it touches."""
    document = assemble("d", [Part("paragraph", "One."), Part("paragraph", "Two."), Part("list", "- Three")])
    measure = Ruler(document)
    assert [block.text for block in measure.blocks(2, 10)] == ["One.", "Two."]
    assert measure.block(measure.piece(8, 9)).text == "Two."
