"""The rubric: what each dimension asks for, an anchor for each score, and how the total is made. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, TypedDict

from nodes.quotes import Quote

Dimension = Literal["opening", "discovery", "listening", "qualification", "value", "objections", "next_step"]
PASS_MARK: Final = 70
TIERS: Final = (90, 75, 50)
MIN_SCORED: Final = 4
"""Dimensions that need a number before there is a total; fewer would stand for the whole call."""


class Scale(NamedTuple):
    asks: str
    anchors: tuple[str, str, str, str, str]
    """What earns 1, 2, 3, 4 and 5."""
    weight: float
    name_zh: str


RUBRIC: Final[dict[Dimension, Scale]] = {
    "opening": Scale(
        "Opening and agenda: who calls, why, and an agenda the buyer agrees to.",
        (
            "starts without a greeting, a name or a reason",
            "one of greeting, name and reason",
            "two of them",
            "greeting, name and reason",
            "greeting, name, a reason, and the buyer's consent asked for",
        ),
        1.0,
        "开场与议程",
    ),
    "discovery": Scale(
        "Discovery depth: from the situation through problem and implication to need-payoff (SPIN).",
        (
            "no question about the buyer's situation or problems",
            "situation questions only",
            "asks about problems",
            "asks what a problem leads to",
            "goes from problems through their consequences to what a solution would be worth",
        ),
        1.5,
        "需求挖掘",
    ),
    "listening": Scale(
        "Active listening: acknowledges, plays back, builds on what was said, leaves room.",
        (
            "talks past the buyer or asks again what was said",
            "shows little sign of having heard",
            "acknowledges once",
            "acknowledges and plays back or builds on the buyer's words",
            "plays back and builds on the buyer's words, and leaves the buyer most of the room",
        ),
        1.0,
        "积极倾听",
    ),
    "qualification": Scale(
        "Qualification: budget, who decides, timeline, criteria, competition.",
        ("none answered", "one answered", "two answered", "three answered", "four or more answered"),
        1.25,
        "资格确认",
    ),
    "value": Scale(
        "Value linking: feature, advantage and benefit tied to a need of this buyer.",
        (
            "lists features, or says nothing of value after the stage for it began",
            "claims benefits no buyer's need was named for",
            "ties a claim to a need once, among others that are not",
            "ties claims to needs",
            "ties claims to needs and proves them",
        ),
        1.25,
        "价值关联",
    ),
    "objections": Scale(
        "Objection handling: acknowledge, clarify, respond, confirm.",
        (
            "ignores or disputes the objection",
            "takes one of the four steps",
            "takes two",
            "takes three, or resolves it",
            "takes all four and resolves it",
        ),
        1.25,
        "异议处理",
    ),
    "next_step": Scale(
        "Next step: what, when and who.",
        (
            "ends without one",
            "proposes something without a date",
            "proposes it with a date and does not get a yes",
            "agrees on it, with the date left vague",
            "agrees on what and when",
        ),
        1.0,
        "下一步",
    ),
}


class Score(TypedDict):
    """A dimension's score with what proves it."""

    dimension: Dimension
    status: Literal["scored", "unsupported", "not_observed"]
    """`unsupported`: no quote stands where it was said to; `not_observed`: the call gave no occasion."""
    score: int | None
    """1 to 5 when `scored`, else None."""
    anchor: str
    reason: str
    quotes: list[Quote]


class Cap(TypedDict):
    limit: int
    because: str


def total(scores: Sequence[Score], caps: Sequence[Cap]) -> int | None:
    """Weighted mean of the scores on 0 to 100 (1 is 0, 3 is 50, 5 is 100), capped; None with too few."""
    scored = [(RUBRIC[s["dimension"]].weight, s["score"]) for s in scores if s["score"] is not None]
    if len(scored) < MIN_SCORED:
        return None
    mean = sum(weight * (score - 1) / 4 for weight, score in scored) / sum(weight for weight, _ in scored)
    return min([round(100 * mean), *(cap["limit"] for cap in caps)])


def tier(points: int | None) -> int | None:
    """The highest of 90, 75 and 50 that is reached, 0 below; None without a total."""
    return None if points is None else next((mark for mark in TIERS if points >= mark), 0)


def scale_facts(dimension: Dimension) -> dict[str, Any]:
    """The dimension as a prompt shows it."""
    scale = RUBRIC[dimension]
    return {
        "dimension": dimension,
        "asks": scale.asks,
        "anchors": {str(n): text for n, text in enumerate(scale.anchors, 1)},
    }
