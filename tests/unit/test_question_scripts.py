"""How the scripted model makes a message ready to be looked up."""

from __future__ import annotations

import pytest

from nodes.scripts.follow_ups import goes_on, standing_alone
from nodes.scripts.questions import chat, plan, reword, split
from runtime.brief import Brief
from runtime.scripted import Scene


def planned(message: str, last: str = "", *said: str) -> dict[str, object]:
    lines = [{"role": "rep", "text": text} for text in said]
    facts = {"message": message, "last_question": last, "conversation": lines}
    line = plan(Scene(Brief("plan", facts), []))
    assert line.structured is not None
    return dict(line.structured)


@pytest.mark.parametrize(
    ("message", "searches"),
    [
        ("Hello", False),
        ("Thank you so much!", False),
        ("你好", False),
        ("谢谢", False),
        ("Hi, what does Team cost?", True),
        ("Great, 40 seats then", True),
        ("Higher prices need a reason", True),
    ],
)
def test_only_small_talk_is_not_looked_up(message: str, searches: bool) -> None:
    """A figure or a question makes it a matter of fact."""
    assert planned(message)["search"] is searches


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("What is A, and how long is B?", ["What is A", "how long is B?"]),
        ("What is A? And how long is B?", ["What is A?", "how long is B?"]),
        ("What do Team and Business cost?", ["What do Team and Business cost?"]),
        ("团队版多少钱？试用多少天？", ["团队版多少钱？", "试用多少天？"]),
        ("团队版多少钱，试用多少天？", ["团队版多少钱", "试用多少天？"]),
        ("按年签约，团队版多少钱？", ["按年签约，团队版多少钱？"]),
    ],
)
def test_a_message_is_split_where_another_question_begins(message: str, parts: list[str]) -> None:
    """Not at every comma, nor at every `and`."""
    assert split(message) == parts


@pytest.mark.parametrize(
    ("question", "before", "whole"),
    [
        ("And for 50 seats?", "What is the discount for 30 seats?", "What is the discount for 50 seats?"),
        (
            "What about a timing objection?",
            "How do I answer a price objection?",
            "How do I answer a timing objection?",
        ),
        ("And the Business plan?", "What does the Team plan cost?", "What does the Business plan cost?"),
        ("What about Enterprise?", "How long until Business is live?", "How long until Enterprise is live?"),
        ("那商务版呢？", "团队版每个席位多少钱？", "商务版每个席位多少钱？"),
        ("And monthly?", "What does the Team plan cost?", "What does the Team plan cost monthly?"),
        ("How long does it last?", "What does the pilot cost?", "How long does it last (pilot)?"),
    ],
)
def test_a_follow_up_is_completed_from_the_question_before(question: str, before: str, whole: str) -> None:
    """So that a search finds it without the conversation."""
    assert goes_on(question) and standing_alone(question, before) == whole


@pytest.mark.parametrize(
    "question", ["What does the Team plan cost?", "And what is the price of Voice?", "试用多少天？"]
)
def test_a_whole_question_stays_as_it_is(question: str) -> None:
    """Whatever was asked before it."""
    assert planned(question, "How long are backups kept?")["questions"] == [split(question)[0]]


def test_without_an_earlier_question_the_conversation_gives_it() -> None:
    """The last thing the rep asked, not the last thing said."""
    made = planned("And for 50 seats?", "", "What is the discount for 30 seats?", "Thanks.")
    assert made["questions"] == ["What is the discount for 50 seats?"]


def test_other_words_are_those_of_the_other_language() -> None:
    """And small talk is answered in its own."""
    line = reword(Scene(Brief("reword", {"questions": ["备份？"]}), []))
    assert line.structured and "backup" in line.structured["queries"][0]
    assert "您好" in chat(Scene(Brief("chat", {"language": "zh"}), [])).text
