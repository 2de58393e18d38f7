"""The sentences of an answer, and whether the passages they cite bear them out. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from nodes.bilingual import Span, fold, language_of, sentences, terms
from nodes.figures import NUMBER, counted, figures, spelled
from nodes.places import cells, places

SUPPORTED_AT: Final = 0.5
"""Share of a sentence's terms that its passage must hold, where both are of one language."""

_MARKERS: Final = re.compile(r"(?:\s*\[\d{1,3}\])+")
_NUMBERS: Final = re.compile(r"\[(\d{1,3})\]")
_NAME: Final = re.compile(r"(?<=[a-z,] )[A-Z][\w&-]*[A-Za-z0-9]\b|\b\w*[a-z][A-Z]\w*\b")
"""Capitals behind a small word: those that begin a sentence, a quotation or a cell tell nothing."""
_LATIN_NAME: Final = re.compile(r"[A-Za-z][\w&-]*[A-Za-z0-9]")


class Claim(NamedTuple):
    """A sentence of an answer, and the markers that it rests on."""

    text: str
    """Without markers."""
    markers: tuple[int, ...]
    start: int
    end: int
    """Where it stands in the answer, its markers included."""


def claims(answer: str) -> list[Claim]:
    """The sentences of `answer`. Markers count for the sentences before them, back to the markers before.

    So a sentence behind the last marker of its line has none.
    """
    found: list[Claim] = []
    for line in re.finditer(r"[^\n]+", answer):
        at = line.start()
        for group in _MARKERS.finditer(answer, line.start(), line.end()):
            numbers = tuple(int(n) for n in _NUMBERS.findall(group.group()))
            found += _cut(answer, at, group.start(), group.end(), numbers)
            at = group.end()
        found += _cut(answer, at, line.end(), line.end(), ())
    return found


def supports(passage: str, sentence: str) -> bool:
    """Whether the passage holds the sentence's figures, names and, in the same language, most of its terms.

    Across languages only figures, and names in Latin script, can be compared.
    """
    if not figures(sentence) | counted(sentence) <= figures(passage) | spelled(passage):
        return False
    if _under_another_column(passage, sentence):
        return False
    if language_of(sentence) != language_of(passage):
        return True
    if not _names(sentence) <= set(_words(passage)):
        return False
    wanted = terms(sentence)
    return not wanted or len(wanted & terms(passage)) / len(wanted) >= SUPPORTED_AT


def claims_something(sentence: str) -> bool:
    """Whether the sentence says enough to need a proof; a question does not."""
    bare = sentence.rstrip("\"'”’」) ")
    return not bare.endswith(("?", "？")) and (len(terms(sentence)) >= 2 or bool(figures(sentence)))


def unsupported(answer: str, texts: Sequence[str]) -> list[Claim]:
    """The sentences that claim something and that no passage they cite bears out; `texts[0]` is [1]."""
    return [claim for claim in claims(answer) if claims_something(claim.text) and not proofs(claim, texts)]


def proofs(claim: Claim, texts: Sequence[str]) -> list[int]:
    """Those of the sentence's markers whose passage bears it out; a marker that points to nothing is none."""
    return [n for n in claim.markers if 1 <= n <= len(texts) and supports(texts[n - 1], claim.text)]


def _cut(answer: str, start: int, end: int, markers_end: int, markers: tuple[int, ...]) -> list[Claim]:
    found = []
    spans = [span for span in sentences(answer[start:end]) if re.search(r"\w", span.text)]
    for i, span in enumerate(spans):
        last = i == len(spans) - 1
        until = markers_end if last else start + span.end
        found.append(Claim(_bare(span), markers, start + span.start, until))
    return found


def _bare(span: Span) -> str:
    return span.text.strip(" \n-*•.。")


def _under_another_column(passage: str, sentence: str) -> bool:
    """Whether the sentence names columns of a matrix, and takes a figure of one of its rows from another.

    "Team costs 69" has both its words and its figure in the row of prices, and is wrong.
    """
    said, mine = figures(sentence), _words(sentence)
    for place in places(passage):
        names = cells(place.header) if place.kind == "row" else [""]
        named = [i for i, name in enumerate(names) if name and set(_words(name)) <= set(mine)]
        values = [figures(cell) for cell in cells(place.span.text)]
        if (
            names[0]
            or not named
            or len(values) != len(names)
            or not terms(cells(place.span.text)[0]) & terms(sentence)
        ):
            continue
        there, elsewhere = set().union(*(values[i] for i in named)), set().union(*values[1:])
        label = figures(cells(place.span.text)[0])
        if (said - label) & elsewhere and not (said - label) & there:
            return not _elsewhere(passage, place.span, said - label)
    return False


def _elsewhere(passage: str, row: Span, said: set[Decimal]) -> bool:
    """Whether the rest of the passage has the figures too, so that the row proves nothing against them."""
    return said <= figures(passage[: row.start] + " " + passage[row.end :])


def _names(sentence: str) -> set[str]:
    """Words that are names by their look, where the sentence does not begin with them."""
    pattern = _LATIN_NAME if language_of(sentence) == "zh" else _NAME
    return {word for name in pattern.findall(sentence) for word in _words(name)}


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", NUMBER.sub(" ", fold(text)))
