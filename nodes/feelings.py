"""How a turn of the rep moves the buyer's trust, interest and resistance. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from nodes.call import Feelings, Move
from nodes.observation import Observation
from nodes.packs import Acceptance, Dispositions


class _Push(NamedTuple):
    trust: float
    interest: float
    resistance: float


PUSHES: Final[dict[str, _Push]] = {
    "greeting": _Push(0.02, 0.0, -0.01),
    "agenda": _Push(0.04, 0.02, -0.02),
    "open question": _Push(0.03, 0.02, -0.02),
    "problem question": _Push(0.03, 0.04, -0.02),
    "implication question": _Push(0.03, 0.06, -0.02),
    "need-payoff question": _Push(0.03, 0.08, -0.04),
    "interrogation": _Push(-0.04, -0.03, 0.07),
    "acknowledges": _Push(0.05, 0.01, -0.04),
    "summarises": _Push(0.06, 0.03, -0.03),
    "value tied to a need": _Push(0.03, 0.09, -0.03),
    "pitch without a need": _Push(-0.03, -0.03, 0.06),
    "proof": _Push(0.05, 0.03, -0.02),
    "thanks": _Push(0.01, 0.0, -0.01),
    "promise": _Push(-0.05, 0.0, 0.04),
    "pressure": _Push(-0.10, -0.05, 0.14),
    "dismissal": _Push(-0.10, -0.05, 0.12),
    "monologue": _Push(-0.01, -0.05, 0.03),
    "nothing new": _Push(-0.01, -0.03, 0.02),
    "asks again": _Push(-0.04, -0.02, 0.04),
    "next step too early": _Push(-0.03, 0.0, 0.06),
    "objection resolved": _Push(0.07, 0.05, -0.14),
    "objection ignored": _Push(-0.05, -0.02, 0.09),
}
"""By reason. The figures are a design choice: about ten good turns carry a neutral buyer to a yes, three or
four bad ones to the door."""

_OF_ACT: Final = {
    "greeting": "greeting",
    "agenda": "agenda",
    "acknowledge": "acknowledges",
    "summarise": "summarises",
    "proof": "proof",
    "thanks": "thanks",
    "promise": "promise",
    "pressure": "pressure",
    "dismissal": "dismissal",
}
_OF_SPIN: Final = {
    "problem": "problem question",
    "implication": "implication question",
    "need_payoff": "need-payoff question",
}
MONOLOGUE_WORDS: Final = 90
INTERROGATION: Final = 3
"""Questions in one turn from which they feel like a form to fill in."""
SURE: Final = 0.15
"""How far above agreeing to a next step a buyer must feel to buy on the spot."""


def reasons(seen: Observation, *, words: int) -> list[str]:
    """What in the turn itself moves the buyer."""
    found = [_OF_ACT[act] for act in seen.acts if act in _OF_ACT]
    found += sorted({_OF_SPIN[q.spin] for q in seen.questions if q.spin in _OF_SPIN})
    if any(q.form == "open" and q.spin not in _OF_SPIN and q.topic != "other" for q in seen.questions):
        found.append("open question")
    if len(seen.questions) >= INTERROGATION:
        found.append("interrogation")
    if "value_claim" in seen.acts:
        found.append("value tied to a need" if seen.links_value else "pitch without a need")
    if words > MONOLOGUE_WORDS:
        found.append("monologue")
    return found or ([] if seen.acts else ["nothing new"])


def moved(feelings: Feelings, because: list[str], dispositions: Dispositions, turn: int) -> Move:
    """The persona's state after the turn, each value kept in [0, 1]."""
    pushes = [PUSHES[reason] for reason in because]
    return {
        "turn": turn,
        "because": because,
        "trust": _bounded(feelings["trust"], sum(p.trust for p in pushes), dispositions.trust.sensitivity),
        "interest": _bounded(
            feelings["interest"], sum(p.interest for p in pushes), dispositions.interest.sensitivity
        ),
        "resistance": _bounded(
            feelings["resistance"], sum(p.resistance for p in pushes), dispositions.resistance.sensitivity
        ),
    }


def is_ready(felt: Feelings, wanted: Acceptance, *, margin: float = 0.0) -> bool:
    """Whether the buyer feels well enough, by `margin` more than needed, to agree to a next step."""
    return (
        felt["trust"] >= wanted.trust + margin
        and felt["interest"] >= wanted.interest + margin
        and felt["resistance"] <= wanted.resistance - margin
    )


def _bounded(value: float, push: float, sensitivity: float) -> float:
    # Past the middle a feeling grows the slower, the nearer it is to its end: nobody is won or lost at once.
    room = 1 - value if push > 0 else value
    return round(min(1.0, max(0.0, value + push * sensitivity * min(1.0, 2 * room))), 3)
