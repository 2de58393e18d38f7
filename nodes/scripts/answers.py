"""Scripts for questions: grade by what is spoken of at one place, answer by the places that say most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nodes.bilingual import terms
from nodes.evidence import ANSWERABLE_AT, NEAR_AT, coverage, weigh
from nodes.places import readable
from runtime.scripted import Line, Scene

MAX_SENTENCES: Final = 3
_SAME: Final = 0.7
"""Shared terms, of the shorter sentence's, from which a second one adds nothing."""
_NEAR_BEST: Final = 0.78
"""Share of the best sentence's score from which another one joins it."""

Passage = Mapping[str, Any]


def grade(scene: Scene) -> Line:
    """Answerable when one place of a passage, with what stands around it, covers enough of the question."""
    facts = _facts(scene)
    parts = [_graded(n, question, facts["passages"]) for n, question in enumerate(facts["questions"], 1)]
    return Line(structured={"parts": parts})


def answer(scene: Scene) -> Line:
    """The sentences and table rows that say most about each question, each with its marker."""
    facts = _facts(scene)
    questions: Sequence[str] = facts["questions"]
    most = MAX_SENTENCES if len(questions) == 1 else 1
    return Line(" ".join(dict.fromkeys(extract(question, facts["passages"], most) for question in questions)))


def extract(question: str, passages: Sequence[Passage], most: int = MAX_SENTENCES) -> str:
    """At most so many sentences of the passages, best first, each with `[n]`; "" when none fits."""
    found = weigh(question, passages)
    floor = found[0].score * _NEAR_BEST if found else 0.0
    said: dict[str, int] = {}
    for one in found:
        text = readable(passages[one.passage]["text"], one.place.span, question)
        if one.score <= 0 or one.score < floor or len(said) == most:
            break
        if not any(_same(text, other) for other in said):
            said[text] = passages[one.passage]["number"]
    return " ".join(f"{text} [{number}]" for text, number in said.items())


def _graded(number: int, question: str, passages: Sequence[Passage]) -> dict[str, Any]:
    covered = {p["number"]: part for p, part in zip(passages, coverage(question, passages), strict=True)}
    order = sorted(covered, key=lambda n: (-round(covered[n], 2), n))
    best = covered[order[0]] if order else 0.0
    relevant = [n for n in order if covered[n] >= max(ANSWERABLE_AT, best * 0.8)]
    nearest = order[0] if best >= NEAR_AT else 0
    return {"question": number, "answerable": bool(relevant), "relevant": relevant, "nearest": nearest}


def _same(text: str, other: str) -> bool:
    """Whether two sentences of different documents say the same."""
    a, b = terms(text), terms(other)
    return len(a & b) > _SAME * min(len(a), len(b))


def _facts(scene: Scene) -> Mapping[str, Any]:
    return scene.brief.facts if scene.brief else {}
