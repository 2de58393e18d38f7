"""The scripted buyer's lines."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from nodes.scripts.buyer import reply
from nodes.scripts.buyer_lines import LINES
from runtime.brief import Brief
from runtime.scripted import Scene

CUE: dict[str, Any] = {
    "tell": [],
    "told_before": [],
    "withhold": [],
    "unknown": [],
    "objection": None,
    "answer_to": None,
    "about": None,
    "next_step": None,
    "leave": False,
}
FACT = {"id": "f", "topic": "pain", "text": "A fact.", "say": ["Mondays are bad."]}
OBJECTION: dict[str, Any] = {
    "kind": "price",
    "text": "Too dear.",
    "say": ["First.", "Second."],
    "resolved_say": ["Fine then."],
}


def say(
    cue: dict[str, Any], *acts: str, language: str = "en", mood: float = 0.0, said: str = "", **did: Any
) -> str:
    facts = {
        "language": language,
        "stage": "value",
        "feelings": {"trust": 0.5 + mood, "interest": 0.5, "resistance": 0.5 - mood},
        "persona": {"name": "Dana"},
        "voice": {},
        "turn": 4,
        "cue": {**CUE, **cue},
        "rep_did": {"acts": list(acts), "links_value": False, "when": "", **did},
    }
    messages = [AIMessage(said)] if said else []
    return reply(Scene(Brief("buyer", facts), messages)).text


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("occasion", ["withhold", "unknown", "ask_when", "hesitate", "refuse", "leave"])
def test_the_cue_is_followed_in_both_languages(language: str, occasion: str) -> None:
    """What the rules decided is what the buyer does."""
    cues: dict[str, dict[str, Any]] = {
        "withhold": {"withhold": ["budget"]},
        "unknown": {"unknown": ["timeline"]},
        "leave": {"leave": True},
    }
    cue: dict[str, Any] = cues.get(occasion, {"next_step": occasion})
    assert any(line in say(cue, "question", language=language) for line in LINES[language][occasion])


def test_an_earned_fact_is_told_and_an_objection_raised() -> None:
    """Both in one breath, the objection last."""
    assert say({"tell": [FACT], "objection": OBJECTION}, "question") == "Mondays are bad. First."


def test_an_objection_grows_and_is_let_go() -> None:
    """The second wording comes when the first was ignored."""
    ignored = {"answer_to": "ignored", "about": OBJECTION}
    assert say(ignored, said="First.").endswith("Second.")
    partly = {"answer_to": "partly", "about": {**OBJECTION, "explain": ["Because."]}}
    assert say(partly, "clarify", "question") == "Because."
    assert say(partly, "acknowledge") in LINES["en"]["steps_missing"]
    assert say({"answer_to": "resolved", "about": OBJECTION}, "respond").startswith("Fine then.")


def test_mood_colours_the_reaction() -> None:
    """The same claim lands differently."""
    warm, cool = (say({}, "value_claim", mood=mood, links_value=mood > 0) for mood in (0.3, -0.3))
    assert any(line in warm for line in LINES["en"]["value_warm"])
    assert any(line in cool for line in LINES["en"]["pitch_cool"])


def test_a_line_is_not_said_twice_in_a_row() -> None:
    """While there are others."""
    first = say({"withhold": ["budget"]}, "question")
    assert say({"withhold": ["budget"]}, "question", said=first) != first


def test_an_agreement_repeats_the_date() -> None:
    """So that the rep hears what was agreed."""
    assert "Thursday at ten" in say({"next_step": "accept"}, "next_step", when="on Thursday at ten")
    assert "下周三" in say({"next_step": "accept"}, "next_step", language="zh", when="下周三")
