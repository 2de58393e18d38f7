"""Words, sentences and search terms of English and Chinese text."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Literal, NamedTuple

Language = Literal["en", "zh"]

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_]+(?:['’][^\W_]+)?")
_HAN_RUN = re.compile(r"[\u3400-\u9fff]+")
_LATIN = re.compile(r"[a-z0-9]+(?:[.,]\d+)*")
# A full stop between two digits, or after a single letter ("e.g."), ends nothing.
_SENTENCE = re.compile(r"(?:[^.!?。！？；\n]|(?<=[\w])\.(?=\w))+(?:[.!?。！？；]+[\"'”’）)]*|\n|$)")

_STOP = frozenset(
    """a an and any anything are as at be been by can could did do does for from get give had has have he her
    him his how i if in is it its let like may me much many my no not of off on or our out please s say says
    she should so some t tell than that the their them then there these they this those to up us was we were
    what when where which who whom whose why will with would you your about across after all also am because
    before but each every into just know more most need only other over such under very want""".split()
)
_ZH_STOP = frozenset(
    "的了吗呢吧啊么什是有在我你您他她它们这那个和与或就都也还不要会能可以请问怎多少几哪为何给对到把被让从"
)
_ZH_STOP_WORDS = re.compile(
    "需要|可以|什么|怎么办|怎么|多少|请问|我们|你们|他们|公司|应该|有没有|是不是|能不能|如何|为什么"
)
_SUFFIXES = ("ingly", "edly", "ings", "ing", "ied", "ies", "ed", "es", "s", "ly", "e")


class Span(NamedTuple):
    """A piece of a longer text: `whole[start:end] == text`."""

    text: str
    start: int
    end: int


def language_of(text: str) -> Language:
    """`zh` when a fifth of the words or more are Chinese characters, else `en`."""
    words = _WORD.findall(text)
    han = sum(1 for word in words if _HAN.match(word))
    return "zh" if han and han * 5 >= len(words) else "en"


def words(text: str) -> list[str]:
    """Words of Latin script and single Chinese characters, in order."""
    return _WORD.findall(text)


def sentences(text: str) -> list[Span]:
    """The sentences and lines of `text`, stripped, with their offsets."""
    found = []
    for match in _SENTENCE.finditer(text):
        piece = match.group()
        start = match.start() + len(piece) - len(piece.lstrip())
        if stripped := piece.strip():
            found.append(Span(stripped, start, start + len(stripped)))
    return found


def fold(text: str) -> str:
    """Full-width to half-width (NFKC), lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def terms(text: str) -> set[str]:
    """What a text is about: stemmed words without stop words, and pairs of Chinese characters."""
    folded = fold(text)
    found = {stem(word) for word in _LATIN.findall(folded) if word not in _STOP}
    for run in _HAN_RUN.findall(_ZH_STOP_WORDS.sub(" ", folded)):
        kept = [c if c not in _ZH_STOP else " " for c in run]
        found |= {a + b for a, b in pairwise(kept) if " " not in (a, b)}
    return found


def stem(word: str) -> str:
    """A crude English stem: enough to match `prices` with `pricing`."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)]
    return word
