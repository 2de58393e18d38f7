"""Where a text may be cut: at line, sentence and clause ends, English and Chinese, within a token limit."""

from __future__ import annotations

import re
from typing import NamedTuple

from ingestion.tokens import TOKEN, count

_LIST_LINE, _SENTENCE, _CLAUSE, _SPACE, _INSIDE = 4, 3, 2, 1, 0
_CHINESE_STOP = re.compile(r"[。！？…][”’」』）】]*$")
_LATIN_STOP = re.compile(r"[.!?][\"'”’)\]]*$")
_COMMA = re.compile(r"[,;:，；：、][”’」』）】]*$")
_MIN_FILL = 4
"""A piece holds a quarter of the limit or more before it may end: short sentences stay together."""


class Span(NamedTuple):
    """Offsets into a document's text, and the tokens between them."""

    start: int
    end: int
    tokens: int


def split(text: str, start: int, end: int, limit: int, *, by_line: bool = False) -> list[Span]:
    """Pieces of `text[start:end]` of at most `limit` tokens; only white space lies between them.

    A cut is made at the latest of the best places: line ends first when `by_line` (lists, rows), then
    sentence ends, clause ends, white space, and inside a word only when nothing else is left.
    """
    tokens = [match.span() for match in TOKEN.finditer(text, start, end)]
    pieces = []
    first = 0
    while first < len(tokens):
        last = min(first + limit, len(tokens))
        if last < len(tokens):
            earliest = first + max(limit // _MIN_FILL, 1)
            last = max(
                range(earliest, last + 1), key=lambda i: (_rank(text, tokens[i - 1], tokens[i], by_line), i)
            )
        pieces.append(Span(tokens[first][0], tokens[last - 1][1], last - first))
        first = last
    return pieces


def _rank(text: str, before: tuple[int, int], after: tuple[int, int], by_line: bool) -> int:
    """How good it is to cut between two neighbouring tokens."""
    gap = text[before[1] : after[0]]
    tail = text[max(0, before[1] - 4) : before[1]]
    if "\n" in gap and by_line:
        return _LIST_LINE
    if _CHINESE_STOP.search(tail) or (gap and _LATIN_STOP.search(tail)):
        # A closing quote belongs to its sentence.
        return _INSIDE if text[after[0]] in "”’」』）】" else _SENTENCE
    if _COMMA.search(tail) or "\n" in gap:
        return _CLAUSE
    return _SPACE if gap else _INSIDE


def lines(text: str, start: int, end: int) -> list[Span]:
    """The lines of `text[start:end]` that hold anything."""
    spans = []
    at = start
    for line in text[start:end].split("\n"):
        if line.strip():
            spans.append(Span(at, at + len(line), count(line)))
        at += len(line) + 1
    return spans
