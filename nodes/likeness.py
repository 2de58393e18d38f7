"""Whether two questions ask the same, so that one answer does for both. Pure.

What is compared by their words' vectors knows neither order nor small words: "from Team to Business" is "from
Business to Team" to it, and "can I" is "can I not". Here is what must be equal besides. It errs towards no.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from nodes.bilingual import Language, fold, language_of, words
from nodes.figures import NUMBER, spelled

_SYMBOLS: Final = re.compile(r"[%‰$€£¥₹<>≤≥=+]")
_APOSTROPHE: Final = re.compile("[’ʼ`´]")
_NOT: Final = {
    re.compile(pattern): full
    for pattern, full in {
        r"\b(?:cannot|can't)\b": "can not",
        r"\bwon't\b": "will not",
        r"n't\b": " not",
    }.items()
}
_EMPTY: Final = frozenset(
    """a about again am an and any are be been being do does for get give got has have having hello hey hi
    i is it its just kindly know let like look me need of ok okay our please s say says so tell thank
    thanks that the there these this those us want we what would you your""".split()
)
"""English words without which a question asks the same."""
_ZH_EMPTY: Final = re.compile("请问|麻烦|告诉我|帮我查|查一下|一下|请|呢|吗|啊|吧|呀|的")
_SMALL: Final = frozenset(
    """above after against all already although always as at because before below between both but by can
    cheaper could did down during each either even every except few fewer first from had he her his how
    if in into last least less long longer many may might more most much must my neither never next no
    nobody none nor not nothing off often on once one only or other out over own same shall she should
    since still than their they through to twice under unless until up upon versus vs was were when
    where whether which while who whom whose why will with within without yet""".split()
)
"""English words that turn a question: who, how, when, whose, and what stands to what."""
_RELATES: Final = frozenset(
    """after against as before between by cheaper from into less more over than through to under versus vs
    with""".split()
)
"""With one of these, the order of all words tells who does what."""
_LATIN: Final = re.compile(r"(?<![\w'’])([A-Za-z]+)(?:['’](?:s|re|m))?(?!\w)")
_CAPITAL: Final = re.compile(r"\w*[A-Z]\w*")


def bare(question: str) -> str:
    """The question without words that change nothing: what is left is compared."""
    kept = _LATIN.sub(lambda found: " " if _says_nothing(found.group(1)) else found.group(), question)
    return " ".join(_ZH_EMPTY.sub("", kept).split())


class _Frame(NamedTuple):
    language: Language
    figures: tuple[str, ...]
    spelled: frozenset[object]
    symbols: tuple[str, ...]
    order: tuple[str, ...]
    """The small words; where one of them relates, and in Chinese, all words but the empty ones."""


def same_question(one: str, other: str) -> bool:
    """Whether figures, names, negations, question words and language are the same, each in its order."""
    if _frame(one) != _frame(other):
        return False
    mine, theirs = set(words(fold(one))), set(words(fold(other)))
    return _names(one) <= theirs and _names(other) <= mine


def _frame(question: str) -> _Frame:
    folded = _APOSTROPHE.sub("'", fold(question))
    for short, full in _NOT.items():
        folded = short.sub(full, folded)
    language = language_of(question)
    return _Frame(
        language,
        tuple(NUMBER.findall(folded)),
        frozenset(spelled(folded)),
        tuple(_SYMBOLS.findall(folded)),
        _order(folded, language),
    )


def _order(folded: str, language: Language) -> tuple[str, ...]:
    if language == "zh":
        return tuple(words(_ZH_EMPTY.sub("", folded)))
    said = [word for word in words(folded) if word not in _EMPTY]
    return tuple(said if _RELATES & set(said) else (word for word in said if word in _SMALL))


def _names(question: str) -> set[str]:
    """Words with a capital, the first one included: it may be a name."""
    found = [word for word in _CAPITAL.findall(question) if not _says_nothing(word)]
    return {part for word in found for part in words(fold(word))} - _SMALL


def _says_nothing(word: str) -> bool:
    """A word in capitals is none of these: "in the US" is not "us"."""
    return word.lower() in _EMPTY and (len(word) == 1 or not word.isupper())
