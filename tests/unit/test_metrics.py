"""Conversation metrics against values counted by hand."""

from __future__ import annotations

from typing import Any

from nodes.acts import observe
from nodes.call import Turn
from nodes.metrics import metrics

TURNS: list[Turn] = [
    {"speaker": "rep", "name": "", "text": "Hello Dana, um, how does your team work today?"},
    {"speaker": "buyer", "name": "Dana", "text": "We are twelve people."},
    {"speaker": "rep", "name": "", "text": "Do you use mail?"},
    {"speaker": "buyer", "name": "Dana", "text": "是的，我们用。"},
]


def measured(turns: list[Turn]) -> dict[str, Any]:
    seen = [
        {"turn": n, **observe(t["text"]).model_dump()} for n, t in enumerate(turns) if t["speaker"] == "rep"
    ]
    return {m["name"]: (m["value"], m["label"]) for m in metrics(turns, seen)}


def test_values_match_a_count_by_hand() -> None:
    """9 + 4 words of the rep, 4 + 5 of the buyer: Chinese characters count one each."""
    assert measured(TURNS) == {
        "talk_share": (0.591, "estimated"),
        "questions": (2, "measured"),
        "open_share": (0.5, "measured"),
        "longest_turn": (9, "measured"),
        "fillers": (7.692, "measured"),
        "interactivity": (3, "measured"),
        "longest_monologue": (None, "unavailable"),
        "pace": (None, "unavailable"),
        "patience": (None, "unavailable"),
    }


def test_nothing_is_made_up_for_an_empty_call() -> None:
    """A share of nothing is unavailable, not zero."""
    found = measured([])
    assert found["talk_share"] == (None, "unavailable") and found["open_share"] == (None, "unavailable")
