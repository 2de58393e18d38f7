"""What a question is about, as concepts that a text may hold in other words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from nodes import wording
from nodes.bilingual import fold, stem, terms
from nodes.glossary import TERMS

_LATIN: Final = re.compile(r"[a-z0-9]+(?:[.,]\d+)*")
_HAN: Final = re.compile(r"[\u3400-\u9fff]+")
_WHOM: Final = re.compile(r"([a-z]{4,})ee[sd]?$")
_STEM_CHARS: Final = 6
"""`encrypted` and `encryption`, `migrate` and `migration` share them; `contract` and `control` do not."""
_ZH_NAME_CHARS: Final = 4
"""A Chinese word of the texts of this length is a name more often than not."""

_ONE_OF_SEVERAL: Final = 0.97
"""`USD` alone stands in the row of every fee; `price` and `USD` in that of the price."""

Role = Literal["focus", "entity", "other", "light"]
"""`focus`: what the question wants to know of; `entity`: a name; without these no place answers it. `light`:
a word that says little."""
_FACTORS: Final[Mapping[Role, float]] = {"focus": 1.7, "entity": 1.3, "other": 1.0, "light": 0.2}


class Concept(NamedTuple):
    """Words of which any one stands for the same thing."""

    latin: frozenset[str]
    """Keys as `Said.latin` has them."""
    chinese: frozenset[str]
    role: Role

    @property
    def factor(self) -> float:
        """How much more than another it matters to the question."""
        return _FACTORS[self.role]


class Said(NamedTuple):
    """A text made ready to be searched for concepts."""

    latin: frozenset[str]
    """Shortened stems; and each word as it is, behind `=`."""
    chinese: str
    pairs: frozenset[str]
    """Of Chinese characters."""

    def holds(self, concept: Concept) -> float:
        """In [0, 1]: 1 for two of its words, a little less for one of several, less for a part of a long
        Chinese one."""
        words = len(concept.latin & self.latin) + sum(word in self.chinese for word in concept.chinese)
        if words:
            return 1.0 if words > 1 or len(concept.latin) + len(concept.chinese) == 1 else _ONE_OF_SEVERAL
        return max((self._part(word) for word in concept.chinese if len(word) > 2), default=0.0)

    def _part(self, word: str) -> float:
        pairs = [a + b for a, b in pairwise(word)]
        part = sum(pair in self.pairs for pair in pairs) / len(pairs)
        return part if part >= 0.5 else 0.0


def said(text: str) -> Said:
    folded = fold(text)
    runs, latin = _HAN.findall(folded), _LATIN.findall(folded)
    pairs = frozenset(a + b for run in runs for a, b in pairwise(run))
    return Said(frozenset(map(_key, latin)) | {f"={word}" for word in latin}, " ".join(runs), pairs)


def concepts(question: str, known: str) -> list[Concept]:
    """What the question is about. `known`: the texts at hand, by whose words its Chinese is cut.

    Figures are no concepts, years apart: an answer often holds for a range.
    """
    folded, focus, names = fold(question), _focus(question), _names(question)
    asked = {_key(word) for word in _LATIN.findall(folded) if terms(word)}
    found: list[Concept] = []
    known_terms, folded = _terms_of_glossary(folded)
    for chinese, latin in _GLOSSARY:
        there = chinese & known_terms
        if there or latin & asked:
            found.append(Concept(latin, chinese, _term_role(there, latin & asked, focus)))
    covered = _FUNCTION.union(*(concept.latin for concept in found))
    for word in sorted(asked - covered):
        role = _role(word, focus, names)
        found.append(Concept(names[word] if role == "entity" else frozenset({word}), frozenset(), role))
    for piece in sorted(set(_pieces(folded, fold(known)))):
        found.append(Concept(frozenset(), frozenset({piece}), _zh_role(piece, focus, fold(known))))
    return [concept for concept in found if not _is_number(concept)]


def in_both_languages(question: str) -> str:
    """The question with the other language's words for its terms, for an engine that matches words."""
    folded, stems = fold(question), terms(question)
    more: list[str] = []
    for chinese, english in TERMS:
        if any(name in folded for name in chinese.split("|")):
            more.append(english)
        elif stems & {stem(word) for word in english.split()}:
            more += chinese.split("|")
    return " ".join([question, *more])


def _terms_of_glossary(question: str) -> tuple[frozenset[str], str]:
    """The glossary's Chinese terms in the question, the longest first, and what is left of it."""
    found: set[str] = set()
    for term in _CHINESE_TERMS:
        if term in question:
            found.add(term)
            question = question.replace(term, " ")
    return frozenset(found), question


def _term_role(chinese: Iterable[str], latin: frozenset[str], focus: str) -> Role:
    if any(name in focus for name in chinese) or latin & _keys(focus):
        return "light" if latin and latin <= _LIGHT else "focus"
    return "light" if latin and latin <= _LIGHT else "other"


def _role(word: str, focus: str, names: Mapping[str, frozenset[str]]) -> Role:
    if word in names:
        return "entity"
    if word in _LIGHT:
        return "light"
    return "focus" if word in _keys(focus) else "other"


def _zh_role(piece: str, focus: str, known: str) -> Role:
    if piece in wording.ZH_LIGHT:
        return "light"
    if piece in focus:
        return "focus"
    return "entity" if len(piece) >= _ZH_NAME_CHARS and piece in known else "other"


def _focus(question: str) -> str:
    """What the question wants to know of; "" where that is not plain."""
    found = next((match for pattern in wording.FOCUS if (match := pattern.search(question))), None)
    return fold(found.group(1)).rpartition("的")[2] if found else ""


def _names(question: str) -> dict[str, frozenset[str]]:
    """The names in the question and its years, by their key; they stand for nothing but themselves."""
    pattern = wording.ZH_ENTITY if _HAN.search(question) else wording.ENTITY
    words = [word for name in pattern.findall(question) for word in _LATIN.findall(fold(name)) if terms(word)]
    return {_key(word): frozenset({f"={word}"}) for word in [*words, *wording.YEAR.findall(question)]}


def _pieces(question: str, known: str) -> Iterator[str]:
    """The Chinese of the question, cut into the longest words that the texts know, and what lies between."""
    for run in _HAN.findall(wording.ZH_ASKING.sub(" ", question)):
        for part in wording.ZH_SPLIT.split(run):
            yield from _cut(part, known)


def _cut(part: str, known: str) -> Iterator[str]:
    at = unknown = 0
    while at < len(part):
        end = next((e for e in range(len(part), at + 1, -1) if part[at:e] in known), at)
        if end == at:
            at += 1
            continue
        if at - unknown > 1:
            yield part[unknown:at]
        yield part[at:end]
        at = unknown = end
    if at - unknown > 1:
        yield part[unknown:at]


def _is_number(concept: Concept) -> bool:
    return bool(concept.latin) and all(word[0].isdigit() for word in concept.latin)


def _keys(text: str) -> frozenset[str]:
    return frozenset(_key(word) for word in _LATIN.findall(text))


@lru_cache(maxsize=16_384)  # A third of the time that it takes to weigh passages, without it.
def _key(word: str) -> str:
    if word[0].isdigit():
        return word
    # Its stem is that of another verb's past.
    if word == "founded":
        return "founder"
    # An employee is no employer.
    if whom := _WHOM.match(word):
        return whom.group(1)[:_STEM_CHARS] + "ee"
    return stem(word)[:_STEM_CHARS]


_LIGHT: Final = frozenset(map(_key, wording.LIGHT))
_FUNCTION: Final = frozenset(map(_key, wording.FUNCTION))
_GLOSSARY: Final = tuple(
    (frozenset(chinese.split("|")), frozenset(map(_key, english.split()))) for chinese, english in TERMS
)
_CHINESE_TERMS: Final = sorted({term for chinese, _ in _GLOSSARY for term in chinese}, key=len, reverse=True)
