"""How well one place answers a question, beside the words that they share: as factors of its score. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from nodes.bilingual import Language, language_of, terms
from nodes.figures import figures
from nodes.kinds import Kind, holds, kind_of
from nodes.places import Place

# Set by trial on questions over the samples and other documents; what matters is on which side of 1 they are.
WRONG_KIND: Final = 0.55
"""What remains of a place without the kind of answer that is asked for."""
_SAYS_NOTHING: Final = 0.4
_ONLY_HEADING: Final = 0.8
_SAME_FIGURE: Final = 1.4
_IN_RANGE: Final = 1.25
_DEFINES: Final = 1.5
_SAME_LANGUAGE: Final = 1.15
_LONGEST: Final = 600
"""Characters from which a place is no longer worse for being long; then it is by a tenth."""

_IS: Final = re.compile(r"\b(?:is|are|was|were|means|has|stands for)\b|是|指|：")
_SUBJECT_CHARS: Final = 80
_SUBJECT_TERMS: Final = 4
_RANGE: Final = re.compile(r"(\d[\d,]*)\s*(?:to|-|–|—|~|到|至)\s*(\d[\d,]*)")
_FROM: Final = re.compile(r"(\d[\d,]*)\s*(?:and more|or more|\+|以上|席起)")


class Asked(NamedTuple):
    """What of a question the factors look at."""

    terms: set[str]
    figures: set[Decimal]
    kind: Kind
    language: Language


def asked(question: str) -> Asked:
    return Asked(terms(question), figures(question), kind_of(question), language_of(question))


def fitness(question: Asked, place: Place, language: str) -> float:
    """The factor of a place in a passage of that language."""
    text = place.span.text
    factor = 1.0 if holds(question.kind, text) else WRONG_KIND
    factor *= _SAYS_NOTHING if _is_question(text) or _repeats(question, text) else 1.0
    factor *= _ONLY_HEADING if place.kind == "heading" else 1.0
    factor *= _DEFINES if question.kind == "definition" and _defines(question, text) else 1.0
    factor *= _SAME_LANGUAGE if language == question.language else 1.0
    # Between equals the shorter one says it more plainly.
    return factor * _figures_fit(question.figures, text) * (1 - min(len(text), _LONGEST) / (10 * _LONGEST))


def _is_question(text: str) -> bool:
    return text.rstrip("\"'”’」*） )").endswith(("?", "？"))


def _repeats(question: Asked, text: str) -> bool:
    """Whether the text has only words of the question, and not even a figure that was asked for."""
    counts = question.kind not in ("any", "definition") and holds(question.kind, text)
    return not counts and terms(text) <= question.terms


def _defines(question: Asked, text: str) -> bool:
    """Whether it begins as "X is" does, where X was asked about."""
    begins = text.lstrip('#*- "“')[:_SUBJECT_CHARS]
    verb = _IS.search(begins)
    subject = terms(begins[: verb.start()]) if verb else set()
    return len(subject) <= _SUBJECT_TERMS and bool(subject & question.terms)


def _figures_fit(wanted: set[Decimal], text: str) -> float:
    """Factor for a place that holds a figure of the question, or a range around it."""
    if wanted & figures(text):
        return _SAME_FIGURE
    ranges = [(_decimal(low), _decimal(high)) for low, high in _RANGE.findall(text)]
    ranges += [(_decimal(low), Decimal("Infinity")) for low in _FROM.findall(text)]
    return _IN_RANGE if any(low <= n <= high for n in wanted for low, high in ranges) else 1.0


def _decimal(number: str) -> Decimal:
    return Decimal(number.replace(",", ""))
