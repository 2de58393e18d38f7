"""The lines of a column as paragraphs, lists and headings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from ingestion.document import Box, Kind, Part
from ingestion.ocr.segment import Segment, bounds, box_of, confidence_of, rows_of
from ingestion.parse.lines import join

_ITEM = re.compile(r"^([•‣▪●○■·]|[-–—*]\s|[(（]?\d{1,2}[.)）、](?!\d))\s*\S")
_WORD = re.compile(r"^[^\s\u2e80-\U0003ffff]*")
_APART = 1.3
"""Distance of two lines, in the column's usual one, from which a paragraph ends."""
_INDENT = 1.2
"""Of a paragraph's first line, in its height."""
_SHORT = 0.1
"""Of a block's width: what a line must end early by to be the last of its paragraph."""
_TALLER, _WIDER = 1.12, 1.2
"""A heading's height and width of characters, in the body's. Recognised boxes differ by a tenth in height
among lines of one size; the width of a character is steadier, but capitals are a fifth wider."""
_FIRST_LEVEL = 1.6
_MAX_HEADING_EMS = 60.0
_SURE = 0.9
"""Confidence below which letters are guessed, handwriting for one, and their size says nothing."""


class Size(NamedTuple):
    """Of the letters, in pixels."""

    height: float
    width: float
    """Of one em, as `Segment.ems` counts them."""


class _Row(NamedTuple):
    segments: list[Segment]
    text: str
    box: Box

    @property
    def middle(self) -> float:
        return (self.box.y0 + self.box.y1) / 2

    @property
    def height(self) -> float:
        return self.box.y1 - self.box.y0


def body_size(segments: Sequence[Segment]) -> Size:
    """That of most of the text."""
    return Size(_weighted(segments, lambda each: each.height), _weighted(segments, _em))


def parts_of_column(segments: Sequence[Segment], body: Size) -> Iterator[Part]:
    """From top to bottom; items of a list that follow each other are one part, a line each."""
    items: list[list[_Row]] = []
    for rows in _paragraphs([_row(row) for row in rows_of(segments)], body):
        if _ITEM.match(rows[0].text):
            items.append(rows)
            continue
        if items:
            yield _list(items)
            items = []
        level = _level(rows, body)
        yield _part("heading" if level else "paragraph", _text(rows), rows, level)
    if items:
        yield _list(items)


def _paragraphs(rows: Sequence[_Row], body: Size) -> Iterator[list[_Row]]:
    for block in _blocks(rows, body):
        paragraph = [block[0]]
        for above, row in pairwise(block):
            if _starts(above, row, paragraph, bounds(each.box for each in block), body):
                yield paragraph
                paragraph = []
            paragraph.append(row)
        yield paragraph


def _blocks(rows: Sequence[_Row], body: Size) -> Iterator[list[_Row]]:
    """Rows without more than the usual space between them."""
    steps = [row.middle - above.middle for above, row in pairwise(rows)]
    usual = median([step for step in steps if step < 2.5 * body.height] or [1.5 * body.height])
    block = list(rows[:1])
    for step, row in zip(steps, rows[1:], strict=True):
        if step > _APART * usual:
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _starts(above: _Row, row: _Row, paragraph: Sequence[_Row], block: Box, body: Size) -> bool:
    """Whether `row` begins a paragraph, by its look or since `above` ends early."""
    if _ITEM.match(row.text) or _level([row], body) != _level(paragraph, body):
        return True
    left = min(each.box.x0 for each in paragraph)
    if row.box.x0 - left > _INDENT * row.height and not _ITEM.match(paragraph[0].text):
        return True
    right = max(each.box.x1 for each in paragraph) if len(paragraph) > 1 else block.x1
    return right - above.box.x1 > max(_first_word(row), _SHORT * (block.x1 - block.x0))


def _first_word(row: _Row) -> float:
    """Its width with a space, in pixels: had it fitted on the line above, that line was ended on purpose."""
    ems = sum(segment.ems for segment in row.segments)
    word = _WORD.match(row.text)
    # A Chinese line may end two signs early, since some may not begin the next one.
    return (row.box.x1 - row.box.x0) / ems * (1 + (word.end() / 2 if word and word.end() else 3))


def _level(rows: Sequence[_Row], body: Size) -> int:
    """1 or 2 for the lines of a heading, else 0: by size alone, since OCR sees no weight."""
    segments = [segment for row in rows for segment in row.segments]
    if sum(segment.ems for segment in segments) > _MAX_HEADING_EMS or rows[0].text[0].islower():
        return 0
    if confidence_of(segments) < _SURE:
        return 0
    taller = median(segment.height for segment in segments) / body.height
    wider = median(_em(segment) for segment in segments) / body.width
    if taller < _TALLER or wider < _WIDER or not any(char.isalpha() for row in rows for char in row.text):
        return 0
    return 1 if (taller * wider) ** 0.5 >= _FIRST_LEVEL else 2


def _row(segments: list[Segment]) -> _Row:
    text = ""
    for before, segment in zip([None, *segments], segments, strict=False):
        is_apart = before is not None and segment.box.x0 - before.box.x1 > segment.height
        piece = segment.line.text.strip()
        text = f"{text} {piece}" if is_apart else join(text, piece)
    return _Row(segments, text, bounds(segment.box for segment in segments))


def _text(rows: Sequence[_Row]) -> str:
    text = ""
    for row in rows:
        text = join(text, row.text)
    return text


def _list(items: Sequence[Sequence[_Row]]) -> Part:
    rows = [row for item in items for row in item]
    return _part("list", "\n".join(_text(item) for item in items), rows, 0)


def _part(kind: Kind, text: str, rows: Sequence[_Row], level: int) -> Part:
    segments = [segment for row in rows for segment in row.segments]
    return Part(kind, text, level=level, box=box_of(segments), confidence=confidence_of(segments))


def _em(segment: Segment) -> float:
    return (segment.box.x1 - segment.box.x0) / segment.ems


def _weighted(segments: Sequence[Segment], size: Callable[[Segment], float]) -> float:
    """The median of `size`, each segment counted by its length."""
    sized = sorted((size(segment), segment.ems) for segment in segments)
    half = sum(ems for _, ems in sized) / 2
    seen = 0.0
    for value, ems in sized:
        seen += ems
        if seen >= half:
            return value
    raise ValueError("no segments")
