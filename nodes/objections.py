"""Objections: what triggers them, and what counts as having dealt with one. Pure."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from nodes.call import Raised
from nodes.observation import Observation
from nodes.packs import Objection, Persona, Trigger

DROPPED_AFTER: Final = 6
"""Turns of the transcript (three of the rep) after which a buyer stops waiting for an answer."""
_STEPS: Final = ("acknowledge", "clarify", "respond", "confirm")


class Handling(NamedTuple):
    """State of the open objection after a turn of the rep."""

    entry: Raised
    answer: Literal["resolved", "partly", "ignored"]
    is_open: bool


def open_one(raised: list[Raised], turn: int) -> Raised | None:
    """The objection that waits for the rep, if one does; at most one is open at a time."""
    last = raised[-1] if raised else None
    if last is None or last["resolved"] is not None or turn > last["turn"] + DROPPED_AFTER:
        return None
    return last


def handle(entry: Raised, seen: Observation, persona: Persona, turn: int) -> Handling:
    """Adds the steps that the turn took; resolved when all the steps the pack asks for were taken."""
    taken = [step for step in _STEPS if step in seen.acts]
    steps: list[str] = [step for step in _STEPS if step in {*entry["steps"], *taken}]
    wanted = find(persona, entry["id"]).resolved_by
    done = all(step in steps for step in wanted)
    after: Raised = {**entry, "steps": steps, "resolved": turn if done else None}
    is_open = not done and turn < entry["turn"] + DROPPED_AFTER
    return Handling(after, "resolved" if done else "partly" if taken else "ignored", is_open)


def triggered(persona: Persona, raised: list[Raised], seen: Observation) -> Objection | None:
    """The first objection of the pack that the turn provokes and that has not come up before."""
    pulled = triggers(seen)
    had = {entry["id"] for entry in raised}
    return next((o for o in persona.objections if o.id not in had and pulled & set(o.triggers)), None)


def triggers(seen: Observation) -> set[Trigger]:
    """The triggers that a turn pulls."""
    topics = {q.topic for q in seen.questions}
    pulled: dict[Trigger, bool] = {
        "price_named": "price" in seen.acts,
        "value_unlinked": "value_claim" in seen.acts and not seen.links_value,
        "value_linked": seen.links_value,
        "competitor_named": "competitor" in seen.acts,
        "next_step_proposed": bool(seen.next_step_what) or "commitment_request" in seen.acts,
        "budget_asked": "budget" in topics,
        "decision_maker_asked": "decision_maker" in topics,
        "timeline_asked": "timeline" in topics,
    }
    return {trigger for trigger, is_pulled in pulled.items() if is_pulled}


def find(persona: Persona, objection_id: str) -> Objection:
    """The pack's objection with this id."""
    return next(o for o in persona.objections if o.id == objection_id)
