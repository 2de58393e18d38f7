"""Script for `rate`: each dimension of the rubric from what the tracker saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from nodes.bilingual import sentences, words
from runtime.scripted import Line, Scene

_MAX_QUOTE: Final = 160
_ROOM: Final = 0.6
"""Share of the words above which the rep leaves the buyer too little room."""

Facts = Mapping[str, Any]
Seen = Mapping[str, Any]


class Verdict(NamedTuple):
    score: int
    reason: str
    quotes: Sequence[tuple[int, str]]
    """(turn, words)."""
    observed: bool = True


def rate(scene: Scene) -> Line:
    facts = scene.brief.facts if scene.brief else {}
    verdict = _RATERS[facts["scale"]["dimension"]](facts)
    return Line(
        structured={
            "observed": verdict.observed,
            "score": max(1, min(5, verdict.score)),
            "reason": verdict.reason,
            "quotes": [{"turn": turn, "text": text} for turn, text in verdict.quotes],
        }
    )


def _opening(facts: Facts) -> Verdict:
    first = facts["observations"][:3]
    shown = [act for act in ("greeting", "introduction", "agenda") if any(act in s["acts"] for s in first)]
    consent = any("agenda" in s["acts"] and s["questions"] for s in first)
    reason = (
        f"shown in the first turns: {', '.join(shown) or 'nothing'}{'; asks for consent' if consent else ''}"
    )
    return Verdict(
        1 + len(shown) + (len(shown) == 3 and consent), reason, _opening_quotes(facts, first, shown)
    )


def _opening_quotes(facts: Facts, first: Sequence[Seen], shown: list[str]) -> list[tuple[int, str]]:
    turns = [s["turn"] for s in first if set(shown) & set(s["acts"])] or [first[0]["turn"]]
    return [_sentence(facts, turn) for turn in turns[:2]]


def _discovery(facts: Facts) -> Verdict:
    asked = {q["spin"]: (s["turn"], q["quote"]) for s in facts["observations"] for q in s["questions"]}
    depth = [spin for spin in ("situation", "problem", "implication", "need_payoff") if spin in asked]
    if not depth:
        return Verdict(1, "asks nothing about the buyer's situation or problems", [_first(facts)])
    deep = {"situation": 2, "problem": 3, "implication": 4, "need_payoff": 4}
    score = max(deep[spin] for spin in depth) + ({"problem", "implication", "need_payoff"} <= set(depth))
    return Verdict(score, f"asks {', '.join(depth)} questions", [asked[spin] for spin in reversed(depth)])


def _listening(facts: Facts) -> Verdict:
    acts = {act: s["turn"] for s in facts["observations"] for act in s["acts"]}
    links = [s["turn"] for s in facts["observations"] if s["links_value"]]
    back = [acts["summarise"]] if "summarise" in acts else []
    heard = [acts["acknowledge"]] if "acknowledge" in acts else []
    share = _share(facts)
    score = 2 + bool(heard) + bool(back or links) + bool((back or len(links) > 1) and share <= _ROOM)
    score -= share > _ROOM
    turns = [*back, *heard, *links][:3]
    reason = (
        f"acknowledges {len(heard)}×, plays back {len(back)}×, builds on the buyer's words {len(links)}×, "
    )
    return Verdict(
        score, reason + f"{share:.0%} of the words", [_sentence(facts, t) for t in turns] or [_first(facts)]
    )


def _qualification(facts: Facts) -> Verdict:
    topics = ("budget", "decision_maker", "timeline", "criteria", "competition")
    answered = [topic for topic in topics if topic in facts["answered"]]
    quotes = [
        (s["turn"], q["quote"])
        for s in facts["observations"]
        for q in s["questions"]
        if q["topic"] in answered
    ]
    return Verdict(1 + len(answered), f"answered: {', '.join(answered) or 'none'}", quotes or [_last(facts)])


def _value(facts: Facts) -> Verdict:
    claims = [s for s in facts["observations"] if "value_claim" in s["acts"]]
    linked = [s["turn"] for s in claims if s["links_value"]]
    proof = [s["turn"] for s in facts["observations"] if "proof" in s["acts"]]
    if not claims:
        missed = len(facts["observations"]) >= 8
        return Verdict(1, "no claim about the product's value", [_last(facts)], observed=missed)
    score = 2 if not linked else 3 if len(linked) * 2 < len(claims) else 5 if proof else 4
    turns = [*linked[:2], *proof[:1]] if linked else [claims[0]["turn"]]
    reason = f"{len(linked)} of {len(claims)} claims tied to a need, {len(proof)} proven"
    return Verdict(score, reason, [_sentence(facts, turn) for turn in dict.fromkeys(turns)])


def _objections(facts: Facts) -> Verdict:
    raised = facts["objections"]
    turns = [s["turn"] for s in facts["observations"]]
    faced = [entry for entry in raised if any(turn > entry["turn"] for turn in turns)]
    if not faced:
        return Verdict(1, "no objection the rep could have answered", [], observed=False)
    points = [max(1 + len(e["steps"]), 4 if e["resolved"] is not None else 0) for e in faced]
    points = [p - (p == 5 and e["resolved"] is None) for p, e in zip(points, faced, strict=True)]
    quotes = []
    for entry in faced[:2]:
        answer = next(turn for turn in turns if turn > entry["turn"])
        quotes.append(_sentence(facts, answer))
    resolved = sum(entry["resolved"] is not None for entry in faced)
    return Verdict(
        round(sum(points) / len(points)), f"{resolved} of {len(faced)} objections resolved", quotes
    )


def _next_step(facts: Facts) -> Verdict:
    proposed = [s for s in facts["observations"] if s["next_step_what"]]
    if not proposed:
        return Verdict(1, "no next step proposed", [_last(facts)])
    last = proposed[-1]
    quote = [(last["turn"], last["next_step_what"])]
    if facts["agreed"]:
        return Verdict(5 if facts["agreed"]["when"] else 4, "agreed on a next step", quote)
    return Verdict(3 if last["next_step_when"] else 2, "proposed, and not agreed", quote)


def _share(facts: Facts) -> float:
    said = {"rep": 0, "buyer": 0}
    for turn in facts["transcript"]:
        said[turn["speaker"]] += len(words(turn["text"]))
    return said["rep"] / max(1, sum(said.values()))


def _first(facts: Facts) -> tuple[int, str]:
    return _sentence(facts, facts["observations"][0]["turn"])


def _last(facts: Facts) -> tuple[int, str]:
    return _sentence(facts, facts["observations"][-1]["turn"])


def _sentence(facts: Facts, turn: int) -> tuple[int, str]:
    """The turn itself when it is short, else its first sentence."""
    text = facts["transcript"][turn]["text"]
    return turn, text if len(text) <= _MAX_QUOTE else sentences(text)[0].text


_RATERS: Final[dict[str, Callable[[Facts], Verdict]]] = {
    "opening": _opening,
    "discovery": _discovery,
    "listening": _listening,
    "qualification": _qualification,
    "value": _value,
    "objections": _objections,
    "next_step": _next_step,
}
