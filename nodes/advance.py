"""The rules of the call: from what the rep did to the next state and the buyer's cue. Pure."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

from nodes import disclosure, feelings, objections, stages
from nodes.bilingual import words
from nodes.call import CallState, Feelings, Raised
from nodes.disclosure import Answers
from nodes.hints import settle_last
from nodes.objections import Handling
from nodes.observation import Observation
from nodes.packs import Acceptance, Objection, Pack

LEAVES_AT: Final = 0.9
"""Resistance from which the buyer ends the call."""

NextStep = Literal["accept", "ask_when", "hesitate", "refuse"]


class _Dispute(NamedTuple):
    """The objection in play."""

    handled: Handling | None
    new: Objection | None
    raised: list[Raised]

    @property
    def open_id(self) -> str | None:
        if self.new:
            return self.new.id
        return self.handled.entry["id"] if self.handled and self.handled.is_open else None


def advance(state: CallState, pack: Pack, seen: Observation) -> dict[str, Any]:
    """The update of the state that the rep's last turn makes."""
    turn, persona = len(state["turns"]) - 1, pack.persona
    dispute = _dispute(state, pack, seen, turn)
    told = disclosure.answers(seen, persona, state["told"], state["feelings"]["trust"], turn)
    because = _because(state, seen, dispute.handled, told)
    move = feelings.moved(state["feelings"], because, persona.dispositions, turn)
    felt: Feelings = {"trust": move["trust"], "interest": move["interest"], "resistance": move["resistance"]}
    answer = _next_step(state, pack.scenario.accepts_next_step, seen, felt, dispute.open_id)
    agreed = {"what": seen.next_step_what, "when": seen.next_step_when} if answer == "accept" else None
    slots = dict(state["slots"])
    for slot in stages.covered(seen, told.answered, next_step_agreed=bool(agreed)):
        slots.setdefault(slot, turn)
    place = stages.move(state["stage"], state["stage_before"], slots, dispute.open_id, turn)
    return {
        "observations": [*state["observations"], {"turn": turn, **seen.model_dump(mode="json")}],
        "feelings": felt,
        "moves": [*state["moves"], move],
        "told": [*state["told"], *told.tell],
        "disclosures": [*state["disclosures"], *told.earned],
        "objections": dispute.raised,
        "slots": slots,
        "stage": place.stage,
        "stage_before": place.before,
        "stage_changes": [*state["stage_changes"], *place.changes],
        "next_step": agreed,
        "hints": settle_last(state["hints"], seen, state["turns"][-1]["text"]),
        "cue": {
            "tell": told.tell,
            "told_before": told.told_before,
            "withhold": told.withhold,
            "unknown": told.unknown,
            "objection": dispute.new.id if dispute.new else None,
            "answer_to": dispute.handled.answer if dispute.handled else None,
            "about": dispute.handled.entry["id"] if dispute.handled else None,
            "next_step": answer,
            "leave": felt["resistance"] >= LEAVES_AT,
        },
    }


def _dispute(state: CallState, pack: Pack, seen: Observation, turn: int) -> _Dispute:
    raised = list(state["objections"])
    if waiting := objections.open_one(raised, turn):
        handled = objections.handle(waiting, seen, pack.persona, turn)
        return _Dispute(handled, None, [*raised[:-1], handled.entry])
    new = objections.triggered(pack.persona, raised, seen)
    if new:
        raised.append({"id": new.id, "kind": new.kind, "turn": turn, "steps": [], "resolved": None})
    return _Dispute(None, new, raised)


def _because(state: CallState, seen: Observation, handled: Handling | None, told: Answers) -> list[str]:
    because = feelings.reasons(seen, words=len(words(state["turns"][-1]["text"])))
    if told.told_before:
        because.append("asks again")
    if handled and handled.answer != "partly":
        because.append(f"objection {handled.answer}")
    if seen.next_step_what and _too_early(state):
        because.append("next step too early")
    return because


def _too_early(state: CallState) -> bool:
    """True until half of discovery is covered; a closing question needs something to close on."""
    return stages.share("discovery", state["slots"]) < 0.5


def _next_step(
    state: CallState, wanted: Acceptance, seen: Observation, felt: Feelings, open_objection: str | None
) -> NextStep | None:
    if not seen.next_step_what:
        return None
    if _too_early(state):
        return "refuse"
    if open_objection or not feelings.is_ready(felt, wanted):
        return "hesitate"
    return "accept" if seen.next_step_when else "ask_when"
