"""Score: each dimension by the model, each number only with a quote that stands; facts and caps by code."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Literal

import anyio
from langchain_core.language_models import BaseChatModel
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field

from nodes.ask import ask
from nodes.call import CallState, live, pack_of
from nodes.compliance import Compliance, check
from nodes.metrics import metrics
from nodes.packs import Pack
from nodes.quotes import locate
from nodes.rubric import PASS_MARK, RUBRIC, Dimension, Score, scale_facts, tier, total
from runtime.brief import write_brief
from runtime.context import Context

MAX_QUOTES: Final = 3
_AT_ONCE: Final = 4
"""Dimensions rated at the same time: an endpoint's rate limit is shared with the other reps."""

_INSTRUCTIONS = """
Rate the rep on one dimension of a sales call. `scale` says what it asks for and what earns each score. Set
`observed` to false when the call gave no occasion for it. Prove the score with one to three quotes from the
transcript, word for word, each with the number of its turn; for a low score quote the place where the rep
should have done better. A score whose quotes do not stand there does not count. `reason` is one sentence.
"""

Element = Literal["metrics", "economic_buyer", "decision_criteria", "identify_pain", "competition"]
_ELEMENTS: Final[dict[Element, str]] = {
    "metrics": "impact",
    "economic_buyer": "decision_maker",
    "decision_criteria": "criteria",
    "identify_pain": "pain",
    "competition": "competition",
}
"""MEDDPICC elements that the tracker can see, by their topic; the other three are reported as unavailable."""
_UNSEEN: Final = ("decision_process", "paper_process", "champion")


class _Quoted(BaseModel):
    model_config = ConfigDict(extra="forbid")
    turn: int
    text: str = Field(description="Word for word.")


class Rating(BaseModel):
    """One dimension, rated."""

    model_config = ConfigDict(extra="forbid")
    observed: bool
    score: int = Field(description="1 to 5 by the anchors; 1 when not observed.", ge=1, le=5)
    reason: str
    quotes: list[_Quoted]


async def score(state: CallState, runtime: Runtime[Context]) -> dict[str, Any]:
    """The scorecard, as state and as a custom event `scorecard`."""
    pack = await pack_of(state, runtime.context.packs_dir)
    facts = _facts(state)
    compliance = await check(state["turns"], state["observations"], pack.language, runtime.context.search)
    scores = await _rate_all(runtime.context.model(), facts, state)
    card = scorecard(state, pack, scores, compliance)
    runtime.stream_writer({"name": "scorecard", **card})
    return {"scorecard": card}


async def _rate_all(model: BaseChatModel, facts: Mapping[str, Any], state: CallState) -> list[Score]:
    rated: dict[Dimension, Score] = {}
    limit = anyio.CapacityLimiter(_AT_ONCE)

    async def rate(dimension: Dimension) -> None:
        async with limit:
            brief = write_brief("rate", _INSTRUCTIONS, scale=scale_facts(dimension), **facts)
            rated[dimension] = checked(dimension, await ask(model, Rating, [brief]), state)

    async with anyio.create_task_group() as group:
        for dimension in RUBRIC:
            group.start_soon(partial(rate, dimension))
    return [rated[dimension] for dimension in RUBRIC]


def checked(dimension: Dimension, rating: Rating, state: CallState) -> Score:
    """The score, if one of its quotes stands where it says."""
    found = [locate(state["turns"], q.turn, q.text) for q in rating.quotes[:MAX_QUOTES]]
    quotes = [quote for quote in found if quote]
    if not rating.observed:
        status: Literal["scored", "unsupported", "not_observed"] = "not_observed"
    else:
        status = "scored" if quotes else "unsupported"
    points = rating.score if status == "scored" else None
    return {
        "dimension": dimension,
        "status": status,
        "score": points,
        "anchor": RUBRIC[dimension].anchors[points - 1] if points else "",
        "reason": rating.reason,
        "quotes": quotes,
    }


def scorecard(state: CallState, pack: Pack, scores: list[Score], compliance: Compliance) -> dict[str, Any]:
    """Everything the debrief knows, as plain values. Call quality and forward motion stand apart. Pure."""
    call = live(state)
    points = total(scores, compliance["caps"])
    return {
        "total": points,
        "pass_mark": PASS_MARK,
        "passed": None if points is None else points >= PASS_MARK,
        "tier": tier(points),
        "dimensions": scores,
        "compliance": compliance,
        "forward_motion": {
            "outcome": call["outcome"],
            "ended_by": call["ended_by"],
            "stage": state["stage_changes"][-1]["origin"],
            "stage_changes": state["stage_changes"],
            "next_step": state["next_step"],
        },
        "qualification": _elements(state),
        "metrics": metrics(state["turns"], state["observations"]),
        "disclosure": _disclosure(state, pack),
        "objections": state["objections"],
        "hints": [
            {key: hint[key] for key in ("hint_id", "kind", "turn", "outcome")} for hint in state["hints"]
        ],
    }


def _facts(state: CallState) -> dict[str, Any]:
    return {
        "transcript": [
            {"turn": n, "speaker": turn["speaker"], "text": turn["text"]}
            for n, turn in enumerate(state["turns"])
        ],
        "observations": state["observations"],
        "objections": state["objections"],
        "answered": state["slots"],
        "agreed": state["next_step"],
    }


def _elements(state: CallState) -> list[dict[str, Any]]:
    """0 not asked, 1 asked, 2 answered; None where the tracker cannot tell."""
    asked = {q["topic"] for seen in state["observations"] for q in seen["questions"]}
    seen = [
        {"element": element, "points": 2 if topic in state["slots"] else int(topic in asked)}
        for element, topic in _ELEMENTS.items()
    ]
    return [*seen, *({"element": element, "points": None} for element in _UNSEEN)]


def _disclosure(state: CallState, pack: Pack) -> dict[str, Any]:
    """The hidden facts the rep earned and missed; after the call they are no secret any more."""
    earned = {entry["fact"] for entry in state["disclosures"]}
    asked: dict[str, list[int]] = {}
    for seen in state["observations"]:
        for question in seen["questions"]:
            asked.setdefault(question["topic"], []).append(seen["turn"])
    missed = [
        {
            "fact": fact.id,
            "topic": fact.topic,
            "text": fact.text,
            "released_by": fact.released_by,
            "asked_at": asked.get(fact.topic, []),
        }
        for fact in pack.persona.hidden_facts
        if fact.id not in earned
    ]
    return {"earned": state["disclosures"], "missed": missed}
