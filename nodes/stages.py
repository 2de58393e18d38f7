"""Stages of a call: which slots each asks for, and when it is left. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from nodes.call import Stage, StageChange
from nodes.observation import Observation

SLOTS: Final[dict[Stage, tuple[str, ...]]] = {
    "opening": ("greeting", "introduction", "agenda"),
    "discovery": ("situation", "pain", "impact", "outcome"),
    "qualification": ("budget", "decision_maker", "timeline", "criteria", "competition"),
    "value": ("value_link", "proof", "price"),
    "closing": ("next_step",),
}
"""What a stage is for."""
LEFT_AT: Final[dict[Stage, float]] = {
    "opening": 0.6,
    "discovery": 0.75,
    "qualification": 0.6,
    "value": 0.6,
    "closing": 0.8,
}
"""Share of its slots at which a stage is left."""
_ORDER: Final[tuple[Stage, ...]] = ("opening", "discovery", "qualification", "value", "closing")
_OF_ACT: Final = {"greeting", "introduction", "agenda", "proof", "price"}


class Position(NamedTuple):
    stage: Stage
    before: Stage
    """Where an objection returns to."""
    changes: list[StageChange]


def covered(seen: Observation, answered: set[str], *, next_step_agreed: bool) -> set[str]:
    """The slots that one turn covers; a topic counts when the buyer answers it, not when it is asked."""
    slots = {act for act in seen.acts if act in _OF_ACT} | answered
    if seen.links_value:
        slots.add("value_link")
    if next_step_agreed:
        slots.add("next_step")
    return slots


def share(stage: Stage, slots: Mapping[str, int]) -> float:
    """Covered share of the stage's slots, in [0, 1]."""
    wanted = SLOTS[stage]
    return sum(slot in slots for slot in wanted) / len(wanted)


def missing(stage: Stage, slots: Mapping[str, int]) -> list[str]:
    """The stage's slots that are not covered yet, in order."""
    return [slot for slot in SLOTS.get(stage, ()) if slot not in slots]


def move(
    stage: Stage, before: Stage, slots: Mapping[str, int], open_objection: str | None, turn: int
) -> Position:
    """Where the call stands after `turn`, with a reason for every change on the way."""
    changes: list[StageChange] = []

    def go(to: Stage, reason: str) -> None:
        nonlocal stage
        changes.append({"turn": turn, "origin": stage, "to": to, "reason": reason})
        stage = to

    if stage == "objection":
        if open_objection:
            return Position(stage, before, changes)
        go(before, "the objection is dealt with or dropped")
    while stage != "closing" and (reason := _left(stage, slots)):
        go(_ORDER[_ORDER.index(stage) + 1], reason)
    if open_objection:
        before = stage
        go("objection", f"the buyer objects: {open_objection}")
    return Position(stage, before, changes)


def _left(stage: Stage, slots: Mapping[str, int]) -> str:
    """Why the stage is over, or an empty string."""
    if (part := share(stage, slots)) >= LEFT_AT[stage]:
        names = ", ".join(slot for slot in SLOTS[stage] if slot in slots)
        return f"{part:.0%} of {stage} covered: {names}"
    # A rep who skips the pleasantries and earns answers is not held back by them.
    if stage == "opening" and any(slot in slots for slot in SLOTS["discovery"]):
        return "discovery has begun without the rest of the opening"
    return ""
