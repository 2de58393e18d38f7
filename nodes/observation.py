"""What the tracker sees in one turn of the rep: the form in which any model reports it."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Act = Literal[
    "greeting",
    "introduction",
    "agenda",
    "small_talk",
    "question",
    "value_claim",
    "proof",
    "price",
    "competitor",
    "acknowledge",
    "clarify",
    "respond",
    "confirm",
    "summarise",
    "next_step",
    "commitment_request",
    "promise",
    "pressure",
    "dismissal",
    "thanks",
    "goodbye",
]
"""`acknowledge`, `clarify`, `respond` and `confirm` are the four steps of handling an objection."""

Topic = Literal[
    "situation",
    "pain",
    "impact",
    "outcome",
    "budget",
    "decision_maker",
    "timeline",
    "criteria",
    "competition",
    "other",
]
Spin = Literal["situation", "problem", "implication", "need_payoff", "none"]
Form = Literal["open", "closed"]

TOPICS: tuple[str, ...] = get_args(Topic)
ACTS: tuple[str, ...] = get_args(Act)


class _Strict(BaseModel):
    # Every field is required and no other is allowed: OpenAI's strict schemas know no defaults.
    model_config = ConfigDict(extra="forbid")


class Question(_Strict):
    """One question of the rep."""

    quote: str = Field(description="The question, word for word.")
    form: Form = Field(description="open invites a story; closed wants yes, no or a fact.")
    spin: Spin = Field(description="Kind of the question in SPIN selling; none for the other topics.")
    topic: Topic


class Observation(_Strict):
    """What the rep did in one turn."""

    acts: list[Act]
    questions: list[Question]
    links_value: bool = Field(
        description="True when a claim about our product is tied to something this buyer has said."
    )
    next_step_when: str = Field(description="Day or time the rep proposes, word for word; empty if none.")
    next_step_what: str = Field(description="What the rep proposes to do next, word for word; empty if none.")
