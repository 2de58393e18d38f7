"""The rules of the call."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nodes.acts import observe
from nodes.advance import LEAVES_AT, advance
from nodes.call import CallState, fresh
from nodes.packs import Pack, parse_pack
from tests.fakes import PACKS

pytestmark = pytest.mark.anyio

FILE = PACKS / "meridian-coo.yaml"
PACK: Pack = parse_pack(FILE.read_text("utf-8"), FILE.name)


def after(*lines: str, state: dict[str, Any] | None = None) -> dict[str, Any]:
    """The state after these turns of the rep, with a word of the buyer between them."""
    now: dict[str, Any] = dict(state or fresh(PACK))
    for line in lines:
        between = [{"speaker": "buyer", "name": "Dana", "text": "Mm-hm."}] if now["turns"] else []
        now["turns"] = [*now["turns"], *between, {"speaker": "rep", "name": "", "text": line}]
        needs = [f.text for f in (*PACK.persona.facts, *PACK.persona.hidden_facts) if f.id in now["told"]]
        seen = observe(line, open_objection=bool(waiting(now)), needs=needs, competitors=["Harborline"])
        given: CallState = now  # type: ignore[assignment]  # a dict that is built up key by key
        before = copy.deepcopy(now)
        update = advance(given, PACK, seen)
        assert now == before, "state was changed in place"
        now = {**now, **update}
    return now


def waiting(state: dict[str, Any]) -> bool:
    return bool(state["objections"] and state["objections"][-1]["resolved"] is None)


def test_a_hidden_fact_needs_the_right_kind_of_question() -> None:
    """A situation question about the same matter does not open it, an implication question does."""
    closed = after("Does it cost you anything?", "Tell me about your team.")
    assert [d["fact"] for d in closed["disclosures"]] == ["goodwill_refunds"]
    assert closed["disclosures"][0]["released_by"] == "implication question"
    early = after("What budget do you have?")
    assert early["disclosures"] == [] and early["cue"]["withhold"] == ["budget"]
    assert "budget" not in early["slots"]


def test_trust_opens_what_a_stranger_is_not_told() -> None:
    """The same question fails at first and works after the rep has listened."""
    warm = after(
        "Hello, this is Sam from Brightloom. I'd like to understand how you work.",
        "What problems does the shared mailbox cause?",
        "I understand, that must be hard. What does it cost you?",
        "What budget do you have?",
    )
    assert "budget_limit" in [d["fact"] for d in warm["disclosures"]]
    assert warm["slots"]["budget"] == 6


def test_asking_again_is_noticed() -> None:
    """The buyer says so, and likes it less."""
    state = after("What matters most to you in the choice?", "What matters most to you in the choice?")
    assert state["cue"]["told_before"] == ["criteria"] and "asks again" in state["moves"][-1]["because"]


def test_stages_are_left_by_covered_slots_with_a_reason() -> None:
    """Not by counting turns."""
    state = after("Hello.", "Hello again.", "Hello.")
    assert state["stage"] == "opening" and not state["stage_changes"]
    state = after("Hello, this is Sam from Brightloom.")
    assert state["stage_changes"] == [
        {
            "turn": 0,
            "origin": "opening",
            "to": "discovery",
            "reason": "67% of opening covered: greeting, introduction",
        }
    ]
    skipped = after("How does your team work today?")
    assert skipped["stage"] == "discovery" and "begun" in skipped["stage_changes"][0]["reason"]


def test_an_objection_is_a_stage_that_returns() -> None:
    """It opens on its trigger, waits for its steps, and gives the stage back."""
    state = after("How does your team work today?", "The Business plan is $69 per seat.")
    assert state["stage"] == "objection" and state["stage_before"] == "discovery"
    assert state["cue"]["objection"] == "too_expensive"
    partly = after("Compared with what?", state=state)
    assert partly["cue"]["answer_to"] == "partly" and partly["stage"] == "objection"
    done = after("Their onboarding costs more, so the first year is about the same for you.", state=partly)
    assert done["cue"]["answer_to"] == "resolved" and done["stage"] == "discovery"
    assert done["objections"][0]["steps"] == ["clarify", "respond"]
    assert done["feelings"]["resistance"] < partly["feelings"]["resistance"]


def test_an_ignored_objection_costs_and_is_dropped_in_the_end() -> None:
    """It does not come up a second time."""
    state = after("The Business plan is $69 per seat.", "Well.", "So.", "Right.", "It is $69 per seat.")
    assert [m["because"] for m in state["moves"]].count(["nothing new", "objection ignored"]) == 3
    assert len(state["objections"]) == 1 and state["objections"][0]["resolved"] is None
    assert state["stage"] != "objection"


def test_a_next_step_comes_after_discovery() -> None:
    """Too early is refused, an unready buyer hesitates, a ready one agrees or asks for a date."""
    assert after("Shall we book a demo on Friday?")["cue"]["next_step"] == "refuse"
    known = after("How does your team work today?", "What problems do you have?", "What does it cost you?")
    cold = {**known, "feelings": {"trust": 0.3, "interest": 0.3, "resistance": 0.6}}
    assert after("Shall we book a demo on Friday?", state=cold)["cue"]["next_step"] == "hesitate"
    warm = {**known, "feelings": {"trust": 0.7, "interest": 0.7, "resistance": 0.2}}
    assert after("Shall we book a demo?", state=warm)["cue"]["next_step"] == "ask_when"
    agreed = after("Shall we book a demo on Friday?", state=warm)
    assert agreed["cue"]["next_step"] == "accept" and agreed["next_step"]["when"] == "on Friday"


def test_feelings_stay_in_their_bounds_and_the_buyer_leaves() -> None:
    """However much is thrown at them."""
    state = after(*["You must decide today, last chance! Don't worry about that."] * 12)
    assert all(0 <= m[k] <= 1 for m in state["moves"] for k in ("trust", "interest", "resistance"))
    assert state["feelings"]["resistance"] >= LEAVES_AT and state["cue"]["leave"]
