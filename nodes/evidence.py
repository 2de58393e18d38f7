"""Which words of which passage answer a question, and how well. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from nodes.bilingual import Span, language_of, terms
from nodes.concepts import Concept, Said, concepts, said
from nodes.figures import figures
from nodes.fitness import WRONG_KIND, asked, fitness
from nodes.kinds import Kind, holds
from nodes.places import Place, places

ANSWERABLE_AT: Final = 0.59
"""Covered share of the question's concepts, around one place, from which a passage answers it. By trial: of
three sets of questions and a fourth in Chinese, where more are answered below it and more refused above."""
NEAR_AT: Final = 0.15
"""Covered share from which a passage is near enough to be worth naming."""

_COVERS: Final = (1.0, 0.9, 0.85, 0.35, 0.0)
_COVERS_NAME: Final = (1.0, 0.95, 0.9, 0.75, 0.7)
_SAYS: Final = (1.0, 0.6, 0.35, 0.1, 0.0)
"""What a concept counts in the rings around a place: for whether the passage answers, where a name is said
once and meant by all that follows in its document, and for which place says so."""
_MISSING: Final = 0.6
"""What remains of a place where nobody speaks of what the question wants to know, or of whom."""
_HELD: Final = 0.5
"""Part of a concept from which a text speaks of it."""
_BEHIND: Final = 0.01
"""What each rank of a search costs a passage: it breaks ties."""


class Found(NamedTuple):
    """One place and what it is worth to a question."""

    covers: float
    """In [0, 1]: how much of the question is spoken of around it."""
    score: float
    """How well the place itself answers; comparable for one question only."""
    passage: int
    """Index of the passage."""
    place: Place


class _Spot(NamedTuple):
    """A place with what stands around it."""

    passage: int
    place: Place
    rings: tuple[Said, Said, Said, Said, Said]
    """The place itself, what is above it (headings, document), beside it, elsewhere in the passage, elsewhere
    in what was found of its document."""
    beside: str


class _Held(NamedTuple):
    """How much of a concept each ring of a spot holds, in [0, 1]."""

    own: float
    above: float
    beside: float
    elsewhere: float
    document: float

    @property
    def around(self) -> float:
        return max(self.own, self.above, self.beside)


def weigh(question: str, passages: Sequence[Mapping[str, Any]]) -> list[Found]:
    """All places of the passages, best first.

    Concepts that few places hold count most, and one that is missing everywhere most of all: what nobody
    speaks of is not answered. A passage is a mapping with `text`, `document`, `section` and `language`.
    """
    known = "\n".join(f"{p['document']} {p['section']} {p['text']}" for p in passages)
    wanted, wants = concepts(question, known), asked(question)
    spots = _all_spots(passages)
    held = [[_held(spot, concept) for concept in wanted] for spot in spots]
    weights = [_weight(concept, [row[i] for row in held]) for i, concept in enumerate(wanted)]
    found = []
    for spot, row in zip(spots, held, strict=True):
        covers = _covers(wanted, weights, row) * _misses(wanted, row)
        covers *= 1.0 if _fits(wants.kind, spot) else WRONG_KIND
        score = _mean(weights, [max(_times(_SAYS, one)) for one in row])
        score *= fitness(wants, spot.place, passages[spot.passage]["language"])
        found.append(Found(covers, score * (1 - _BEHIND * spot.passage), spot.passage, spot.place))
    return sorted(found, key=lambda f: -f.score)


def coverage(question: str, passages: Sequence[Mapping[str, Any]]) -> list[float]:
    """For each passage, how much of the question its best place covers, in [0, 1]."""
    best = [0.0] * len(passages)
    for found in weigh(question, passages):
        best[found.passage] = max(best[found.passage], found.covers)
    return best


def best_span(text: str, about: str) -> Span | None:
    """The span of `text` that says most about `about`; None where none says anything of it."""
    passage = {"text": text, "document": "", "section": "", "language": language_of(about)}
    found = weigh(about, [passage])
    return found[0].place.span if found and found[0].score > 0 else None


def bearing_out(text: str, sentence: str) -> Span | None:
    """The span of `text` that `sentence` was made from: it shares most figures and terms, and adds least.

    None where nothing is shared, as with another language.
    """
    wanted, numbers = terms(sentence), figures(sentence)
    best: tuple[float, Span | None] = (0.0, None)
    for place in places(text):
        own = terms(place.span.text)
        shared = len(wanted & own) + 0.5 * len(wanted & terms(place.header) - own)
        same = len(numbers & figures(place.span.text))
        score = (shared + 2 * same) / math.sqrt(4 + len(own | wanted))
        if score > best[0]:
            best = (score, place.span)
    return best[1]


def _all_spots(passages: Sequence[Mapping[str, Any]]) -> list[_Spot]:
    wholes = _by_document(passages)
    return [
        spot
        for number, passage in enumerate(passages)
        for spot in _spots(number, passage, wholes[passage["document"]])
    ]


def _by_document(passages: Sequence[Mapping[str, Any]]) -> dict[str, Said]:
    """All that was found of each document: who it is about is said once, on its first page."""
    texts: dict[str, list[str]] = {}
    for passage in passages:
        texts.setdefault(passage["document"], [passage["document"]]).append(passage["text"])
    return {document: said("\n".join(found)) for document, found in texts.items()}


def _spots(number: int, passage: Mapping[str, Any], document: Said) -> Iterator[_Spot]:
    found = places(passage["text"])
    whole = said(passage["text"])
    about = f"{passage['document']} {passage['section']}"
    for i, place in enumerate(found):
        beside = " ".join(p.span.text for p in found[max(0, i - 1) : i] + found[i + 1 : i + 2])
        own, above = f"{place.span.text} {place.header}", f"{place.heading} {about}"
        yield _Spot(number, place, (said(own), said(above), said(beside), whole, document), beside)


def _held(spot: _Spot, concept: Concept) -> _Held:
    return _Held(*(ring.holds(concept) for ring in spot.rings))


def _weight(concept: Concept, rows: Sequence[_Held]) -> float:
    seen = sum(max(row.own, row.above) >= _HELD for row in rows)
    return concept.factor * math.log(1 + len(rows) / (1 + seen))


def _covers(wanted: Sequence[Concept], weights: Sequence[float], row: Sequence[_Held]) -> float:
    factors = (_COVERS_NAME if concept.role == "entity" else _COVERS for concept in wanted)
    return _mean(weights, [max(_times(by, one)) for by, one in zip(factors, row, strict=True)])


def _mean(weights: Sequence[float], values: Sequence[float]) -> float:
    whole = sum(weights)
    return sum(w * v for w, v in zip(weights, values, strict=True)) / whole if whole else 0.0


def _times(factors: Sequence[float], held: _Held) -> list[float]:
    return [factor * part for factor, part in zip(factors, held, strict=True)]


def _misses(wanted: Sequence[Concept], row: Sequence[_Held]) -> float:
    pairs = list(zip(wanted, row, strict=True))
    focus = [one.around for concept, one in pairs if concept.role == "focus"]
    matter = [one.around for concept, one in pairs if concept.role in ("focus", "other")]
    names = [max(one) for concept, one in pairs if concept.role == "entity"]
    factor = _MISSING if any(some and max(some) < _HELD for some in (focus, matter)) else 1.0
    return factor * (_MISSING if names and min(names) < _HELD else 1.0)


def _fits(kind: Kind, spot: _Spot) -> bool:
    return holds(kind, f"{spot.place.span.text} {spot.place.heading} {spot.beside}")
