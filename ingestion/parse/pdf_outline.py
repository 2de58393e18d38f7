"""The pieces of all pages as parts: running heads dropped, headings ranked by size, items made lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from ingestion.document import Box, Part
from ingestion.parse.lines import join

_HEADING_RATIO = 1.12
"""Smallest ratio of a heading's font size to the body's: 12 pt over 10.5 is one, 10.5 over 10 is not."""
_MAX_HEADING_CHARS = 200
_MAX_SHORT_CHARS = 80
"""A longer text is a heading by its size only."""
_MIN_GAPS = 3
"""Between words: so many, and a full stop, make a sentence."""
_MAX_LEVELS = 6
_MIN_REPEATS = 3
_MIN_KNOWN_REPEATS = 2
_DIGITS = re.compile(r"\d+")
_LETTER = re.compile(r"[^\W\d_]")
_PAGE_NUMBER = re.compile(
    r"[\W_]*(page|seite|p\.|第)?\s*[\divxlc]{1,5}\s*(页|(/|of|von|-)\s*\d{1,5})?[\W_]*", re.IGNORECASE
)
_SENTENCE_END = ".,;。，；"


class Piece(NamedTuple):
    """A part, and what is needed to rank it once all pages are read."""

    part: Part
    size: float = 0.0
    """Of its font, in points; 0 for tables and figures."""
    bold: bool = False
    marginal: bool = False
    """It stands where running heads and page numbers do."""
    known: bool = False
    """A layout model said what it is: a heading or none, a running head or none."""


def outlined(pieces: Sequence[Piece], pages: int) -> Iterator[Part]:
    """Parts in the order of `pieces`; `pages` is the document's count."""
    kept = _with_whole_headings(_without_running_heads(pieces, pages))
    body = _body_size(kept)
    headings = [_is_heading(piece, body) for piece in kept]
    sizes = sorted({piece.size for piece, is_one in zip(kept, headings, strict=True) if is_one}, reverse=True)
    parts = [
        _heading(piece, sizes) if is_one else piece.part for piece, is_one in zip(kept, headings, strict=True)
    ]
    for (kind, page, hidden), group in groupby(parts, key=lambda part: (part.kind, part.page, part.hidden)):
        if kind == "list":
            items = list(group)
            yield Part(
                "list", "\n".join(part.text for part in items), page=page, box=_around(items), hidden=hidden
            )
        else:
            yield from group


def _without_running_heads(pieces: Sequence[Piece], pages: int) -> list[Piece]:
    """Drops page numbers, and what stands, but for its digits, in the margin of half of the pages."""
    shapes = [_DIGITS.sub("0", piece.part.text) if piece.marginal else "" for piece in pieces]
    placed = {(shape, piece.part.page) for shape, piece in zip(shapes, pieces, strict=True)}
    seen = Counter(shape for shape, _ in placed)
    often = max(_MIN_REPEATS, pages / 2)

    def runs(piece: Piece, count: int) -> bool:
        if not piece.marginal or piece.part.hidden:
            return False
        if piece.known:
            return count >= _MIN_KNOWN_REPEATS or bool(_PAGE_NUMBER.fullmatch(piece.part.text))
        return count >= often

    return [piece for piece, shape in zip(pieces, shapes, strict=True) if not runs(piece, seen[shape])]


def _with_whole_headings(pieces: Sequence[Piece]) -> list[Piece]:
    """A heading of several lines comes as several pieces, one close below the other in one large font."""
    body = _body_size(pieces)
    large = body * _HEADING_RATIO
    whole: list[Piece] = []
    for piece in pieces:
        last = whole[-1] if whole and piece.size >= large else None
        if last and _goes_on(last, piece, body):
            text = join(last.part.text, piece.part.text)
            whole[-1] = last._replace(
                part=replace(last.part, text=text, box=_around([last.part, piece.part]))
            )
        else:
            whole.append(piece)
    return whole


def _goes_on(last: Piece, piece: Piece, body: float) -> bool:
    above, below = last.part.box, piece.part.box
    if last.known or piece.known or not above or not below or last.part.page != piece.part.page:
        return False
    if (last.size, last.bold, last.part.kind) != (piece.size, piece.bold, piece.part.kind):
        return False
    close = -piece.size / 2 <= below.y0 - above.y1 <= piece.size / 2
    return close and _is_heading(last, body) and _is_heading(piece, body)


def _body_size(pieces: Sequence[Piece]) -> float:
    sizes: Counter[float] = Counter()
    for piece in pieces:
        if piece.size and not piece.part.hidden:
            sizes[piece.size] += len(piece.part.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _is_heading(piece: Piece, body: float) -> bool:
    """By the layout model's word, else by its size, or bold and short."""
    part, text = piece.part, piece.part.text
    if piece.known:
        return part.kind == "heading"
    large = piece.size >= body * _HEADING_RATIO
    if part.hidden or not piece.size or not (large or (piece.bold and piece.size >= body)):
        return False
    if len(text) > (_MAX_HEADING_CHARS if large else _MAX_SHORT_CHARS):
        return False
    if not _LETTER.search(text) or text.startswith("- "):
        return False
    wordy = len(text) > _MAX_SHORT_CHARS or text.count(" ") >= _MIN_GAPS
    return not (wordy and text[-1] in _SENTENCE_END)


def _heading(piece: Piece, sizes: Sequence[float]) -> Part:
    part = piece.part
    level = min(sizes.index(piece.size) + 1, _MAX_LEVELS)
    return Part("heading", part.text, level=level, page=part.page, box=part.box, hidden=part.hidden)


def _around(parts: Sequence[Part]) -> Box | None:
    boxes = [part.box for part in parts if part.box]
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))
