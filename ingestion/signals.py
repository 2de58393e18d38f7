"""What a PDF page's lines, shapes and pictures say about how hard it is to read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from statistics import median_low
from typing import NamedTuple

from ingestion.document import Box
from ingestion.parse.pdf_line import Line
from ingestion.parse.pdf_page import PdfPage, Picture
from ingestion.parse.pdf_text import around

_BAD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\ue000-\uf8ff]")
_WIDE_SPACE = re.compile(r"\S {3,}(?=\S)")
_GRID = 32
"""Cells along each side of the page, to add up pictures that overlap."""
_LARGE = 0.8
"""Share of the page from which on a picture counts as a background or a scan."""
_RULE = 3.0
_MIN_RULE_HEIGHT = 8.0
"""Points."""
_MIN_RULE_WIDTH = 0.05
"""Of the page's width."""
_WIDE_GAP = 1.2
"""Of a line's height; between the segments of a tabular row."""
_ROW = 0.6
"""Of a line's height, within which lines stand in one row."""
_MIN_ROW = 4.0
_NARROW = 0.55
"""Of the page's width; a block that is wider is not a column."""
_MIN_COLUMN_HEIGHT = 1.5
"""Of a line's height."""
_block = attrgetter("block")


class Signals(NamedTuple):
    """Of one page; shares are in [0, 1]."""

    words: int
    chars: int
    """Without white space."""
    bad_share: float
    """Of characters without meaning."""
    image_share: float
    """Of the page covered by pictures."""
    largest_image: float
    """Share of the page that the largest picture covers."""
    under_share: float
    """Of the characters invisible, or drawn before a picture of nearly the whole page."""
    paths: int
    horizontal: int
    vertical: int
    """Rules that are drawn; a stroked rectangle counts as two of each."""
    rows: int
    """Of text."""
    tabular: float
    """Share of the rows with three segments or more."""
    paired: float
    """Share of the rows with two segments or more."""
    columns: float
    """Height of the blocks that stand side by side, against the page's height; 1 at most."""


def signals_of(page: PdfPage) -> Signals:
    """Costs less than a tenth of looking at the page."""
    text = " ".join([line.text for line in page.lines])
    spaces = text.count(" ")
    chars = len(text) - spaces
    level = [line for line in page.lines if line.level]
    boxes = [line.box for line in level]
    height = median_low([y1 - y0 for _, y0, _, y1 in boxes]) if boxes else 10.0
    rows = _rows(level, height)
    tabular, paired = _gaps(rows, height) if len(rows) < len(level) or "   " in text else (0, 0)
    horizontal, vertical = _rules(page)
    image_share, largest = _pictures(page) if page.pictures else (0.0, 0.0)
    return Signals(
        words=spaces + 1 if chars else 0,
        chars=chars,
        bad_share=_bad(text) / chars if chars else 0.0,
        image_share=image_share,
        largest_image=largest,
        under_share=_under_share(page, chars),
        paths=len(page.shapes),
        horizontal=horizontal,
        vertical=vertical,
        rows=len(rows),
        tabular=tabular / (len(rows) or 1),
        paired=paired / (len(rows) or 1),
        columns=_columns(level, page, height),
    )


def _bad(text: str) -> int:
    if text.isprintable() and (text.isascii() or "\ufffd" not in text):
        return 0
    # A page has few different characters.
    return sum([text.count(char) for char in _BAD.findall("".join(set(text)))])


def _rows(lines: Sequence[Line], height: float) -> list[list[Line]]:
    """Lines that stand level, in no order."""
    step = 2 * max(_MIN_ROW, height * _ROW)
    rows: dict[int, list[Line]] = {}
    for line in lines:
        _, y0, _, y1 = line.box
        place = int((y0 + y1) / step)
        if place in rows:
            rows[place].append(line)
        else:
            rows[place] = [line]
    return list(rows.values())


def _gaps(rows: Sequence[list[Line]], height: float) -> tuple[int, int]:
    """How many rows have three segments, and how many two."""
    counts = [_segments(row, height * _WIDE_GAP) for row in rows]
    return sum([count >= 3 for count in counts]), sum([count >= 2 for count in counts])


def _segments(row: list[Line], gap: float) -> int:
    # Tables of typewriters and terminals are aligned with spaces, within one line.
    count = 1 + sum(len(_WIDE_SPACE.findall(line.text)) for line in row if "   " in line.text)
    if len(row) == 1:
        return count
    row.sort(key=lambda line: line.box.x0)
    end = row[0].box.x1
    for line in row[1:]:
        count += line.box.x0 - end > gap
        end = max(end, line.box.x1)
    return count


def _rules(page: PdfPage) -> tuple[int, int]:
    horizontal = vertical = 0
    wide = page.width * _MIN_RULE_WIDTH
    for shape in page.shapes:
        x0, y0, x1, y1 = shape.box
        if y1 - y0 <= _RULE:
            horizontal += x1 - x0 >= wide
        elif x1 - x0 <= _RULE:
            vertical += y1 - y0 >= _MIN_RULE_HEIGHT
        elif shape.stroked and x1 - x0 >= wide and y1 - y0 >= _MIN_RULE_HEIGHT:
            horizontal += 2
            vertical += 2
    return horizontal, vertical


def _pictures(page: PdfPage) -> tuple[float, float]:
    """Shares of the page: under any picture, and under the largest."""
    covered = [0] * _GRID  # rows of bits
    largest = 0.0
    for picture in page.pictures:
        x0, y0, x1, y1 = _in_page(picture.box, page)
        if x1 <= x0 or y1 <= y0:
            continue
        largest = max(largest, (x1 - x0) * (y1 - y0))
        across = (1 << min(_GRID, int(x1 * _GRID + 0.999))) - (1 << int(x0 * _GRID))
        for y in range(int(y0 * _GRID), min(_GRID, int(y1 * _GRID + 0.999))):
            covered[y] |= across
    return sum([row.bit_count() for row in covered]) / _GRID**2, largest


def _in_page(box: Box, page: PdfPage) -> Box:
    """In shares of the page."""
    return Box(
        max(0.0, box.x0 / page.width),
        max(0.0, box.y0 / page.height),
        min(1.0, box.x1 / page.width),
        min(1.0, box.y1 / page.height),
    )


def _under_share(page: PdfPage, chars: int) -> float:
    large = [picture for picture in page.pictures if _share(picture, page) >= _LARGE]
    if not large or not chars:
        return 0.0
    before = max(picture.chars_before for picture in large)
    unseen = sum(len(line.text.replace(" ", "")) for line in page.lines if line.unseen)
    return min(1.0, max(before, unseen) / chars)


def _share(picture: Picture, page: PdfPage) -> float:
    x0, y0, x1, y1 = _in_page(picture.box, page)
    return max(0.0, x1 - x0) * max(0.0, y1 - y0)


def _columns(lines: Sequence[Line], page: PdfPage, height: float) -> float:
    left: list[tuple[float, float]] = []
    right: list[tuple[float, float]] = []
    # No narrow block has its middle in the right half where no line begins as far in as that.
    if not any([line.box.x0 > page.width * (0.5 - _NARROW / 2) for line in lines]):
        return 0.0
    for _, block in groupby(lines, key=_block):
        x0, y0, x1, y1 = around(list(block))
        if x1 - x0 < page.width * _NARROW and y1 - y0 >= height * _MIN_COLUMN_HEIGHT:
            (left if x0 + x1 < page.width else right).append((y0, y1))
    beside = sum(max(0.0, min(a[1], b[1]) - max(a[0], b[0])) for a in left for b in right)
    return min(1.0, beside / page.height)
