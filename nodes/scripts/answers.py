"""Scripts for questions: grade by covered terms, answer by the sentences that fit best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nodes.bilingual import terms
from nodes.evidence import ANSWERABLE_AT, NEAR_AT, coverage, ranked, readable
from runtime.scripted import Line, Scene

MAX_SENTENCES: Final = 3
_SAME: Final = 0.7
"""Shared terms, of the shorter sentence's, from which a second one adds nothing."""
_NEAR_BEST: Final = 0.85
"""Share of the best sentence's score from which another one joins it."""

Passage = Mapping[str, Any]


def grade(scene: Scene) -> Line:
    """Answerable when one place of a passage covers enough of what the question is about."""
    facts = _facts(scene)
    passages: Sequence[Passage] = facts["passages"]
    found = coverage(facts["question"], passages)
    covered = {p["number"]: part for p, part in zip(passages, found, strict=True)}
    order = sorted(covered, key=lambda n: (-round(covered[n], 2), n))
    best = covered[order[0]] if order else 0.0
    relevant = [n for n in order if covered[n] >= max(ANSWERABLE_AT, best * 0.8)]
    nearest = order[0] if best >= NEAR_AT else 0
    return Line(structured={"answerable": bool(relevant), "relevant": relevant or [], "nearest": nearest})


def answer(scene: Scene) -> Line:
    """The sentences and table rows that say most about the question, each with its marker."""
    facts = _facts(scene)
    return Line(extract(facts["question"], facts["passages"]))


def extract(question: str, passages: Sequence[Passage]) -> str:
    """At most three sentences of the passages, best first, each with `[n]`; "" when none fits."""
    found = ranked(question, passages)
    floor = found[0][0] * _NEAR_BEST if found else 0.0
    said: dict[str, int] = {}
    for score, index, span in found:
        text = readable(passages[index]["text"], span, question)
        if score < floor or len(said) == MAX_SENTENCES:
            break
        if not any(_same(text, other) for other in said):
            said[text] = passages[index]["number"]
    return " ".join(f"{text} [{number}]" for text, number in said.items())


def _same(text: str, other: str) -> bool:
    """Whether two sentences of different documents say the same."""
    a, b = terms(text), terms(other)
    return len(a & b) > _SAME * min(len(a), len(b))


def _facts(scene: Scene) -> Mapping[str, Any]:
    return scene.brief.facts if scene.brief else {}
