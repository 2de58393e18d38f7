"""Quotes that prove a score."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.call import Turn
from nodes.quotes import locate, stands

TURNS: list[Turn] = [
    {"speaker": "rep", "name": "", "text": "Hello Dana,  what goes wrong on Mondays?"},
    {"speaker": "buyer", "name": "Dana", "text": "价格是ＡＢＣ １００ 元，太贵了。"},
    {"speaker": "rep", "name": "", "text": "Hello again."},
]


@pytest.mark.parametrize(
    ("turn", "words", "found"),
    [
        (0, "what goes wrong on Mondays?", "what goes wrong on Mondays?"),
        (0, "Hello Dana, what goes\nwrong", "Hello Dana,  what goes wrong"),
        (1, "ABC 100元，太贵了", "ＡＢＣ １００ 元，太贵了"),
        (2, "Hello again.", "Hello again."),
    ],
)
def test_a_quote_is_found_where_it_stands(turn: int, words: str, found: str) -> None:
    """Spaces and width may differ; what is kept is what the transcript holds."""
    quote = locate(TURNS, turn, words)
    assert quote and quote["text"] == found and stands(TURNS, quote)


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (0, "what goes wrong on Tuesdays?"),
        (2, "what goes wrong on Mondays?"),
        (0, "hello dana"),
        (1, "太便宜了"),
        (7, "Hello"),
        (-1, "Hello again."),
        (0, ""),
        (0, "   "),
    ],
)
def test_what_does_not_stand_there_is_no_quote(turn: int, words: str) -> None:
    """Another word, turn or case is another quote."""
    assert locate(TURNS, turn, words) is None


@given(st.integers(0, 2), st.data())
def test_a_changed_quote_is_never_accepted(turn: int, data: st.DataObject) -> None:
    """One letter put in anywhere, and the quote is gone."""
    text = TURNS[turn]["text"]
    place = data.draw(st.integers(0, len(text)))
    assert locate(TURNS, turn, f"{text[:place]}§{text[place:]}") is None


@given(st.integers(0, 2), st.integers(-5, 60), st.integers(-5, 60))
def test_offsets_that_do_not_hold_are_seen(turn: int, start: int, end: int) -> None:
    """`stands` trusts nobody's offsets."""
    quote = locate(TURNS, 0, "Mondays")
    assert quote
    moved = {**quote, "turn": turn, "start": start, "end": end}
    same = (turn, start, end) == (quote["turn"], quote["start"], quote["end"])
    assert stands(TURNS, moved) == same  # type: ignore[arg-type]  # a Quote with other values
