"""Tables without rules: lines that stand in at least three aligned columns over at least three rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from ingestion.ocr.segment import Segment, rows_of
from ingestion.parse.lines import join
from ingestion.table import Cell

_LEAST_ROWS = 3
_LEAST_COLUMNS = 3
_CELL_EMS = 12.0
"""Median length of the cells of a table: three columns of a newspaper hold more in a line."""
_OVERLAP = 0.3
"""Of a line's height, by which boxes of neighbouring columns may overlap: they are wider than the ink."""
_CLOSE = 1.8
"""Distance of the lines within a cell, in their heights."""
_APART = 2.2
"""Distance of two rows, in the usual one, from which they belong to different tables."""
_TALLER = 1.12
"""A title's height in that of the rows."""

Row = list[Segment]
Span = tuple[float, float]


class Grid(NamedTuple):
    """A table among the lines of a column."""

    segments: list[Segment]
    cells: tuple[Cell, ...]


def tables_among(column: Sequence[Segment]) -> Iterator[Grid | list[Segment]]:
    """The column from top to bottom: its tables, and the lines above, between and below them."""
    rows = rows_of(column)
    if sum(len(row) >= _LEAST_COLUMNS for row in rows) < _LEAST_ROWS:
        yield list(column)
        return
    other: list[Row] = []
    for section in _sections(rows):
        columns = _columns(section)
        if not columns:
            other += section
            continue
        first, end = _extent(section, columns)
        yield _flat([*other, *section[:first]])
        yield _grid(section[first:end], columns)
        other = section[end:]
    yield _flat(other)


def _sections(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Cut where rows stand further apart than usual, and above a row that is one line in larger letters."""
    usual = median(_step(above, row) for above, row in pairwise(rows))
    height = median(each.height for row in rows for each in row)
    section = [rows[0]]
    for above, row in pairwise(rows):
        is_title = len(row) == 1 and row[0].height > _TALLER * height
        if is_title or _step(above, row) > _APART * usual:
            yield section
            section = []
        section.append(row)
    yield section


def _step(above: Row, row: Row) -> float:
    return median(each.middle for each in row) - median(each.middle for each in above)


def _columns(rows: Sequence[Row]) -> list[Span]:
    """The places of the columns from left to right; none where the rows are no table."""
    counts = Counter(len(row) for row in rows if len(row) >= _LEAST_COLUMNS)
    cells = [each.ems for row in rows if len(row) > 1 for each in row]
    if counts.total() < _LEAST_ROWS or median(cells) > _CELL_EMS:
        return []
    # Of the fullest rows, if they are three; else of the most usual ones: others have gaps or spans.
    often = [size for size, number in counts.items() if number >= _LEAST_ROWS]
    most = max(often) if often else max(counts, key=lambda size: (counts[size], size))
    full = _flat([row for row in rows if len(row) == most])
    margin = _OVERLAP * median(each.height for each in full)
    places: list[Span] = []
    for x0, x1 in sorted((each.box.x0, each.box.x1) for each in full):
        if places and x0 < places[-1][1] - margin:
            places[-1] = (places[-1][0], max(places[-1][1], x1))
        else:
            places.append((x0, x1))
    return places if len(places) >= _LEAST_COLUMNS else []


def _extent(rows: Sequence[Row], columns: Sequence[Span]) -> tuple[int, int]:
    """First row and end of the table: single lines before and after it are none of it, unless they continue
    its last row."""
    wide = [i for i, row in enumerate(rows) if len(row) > 1]
    end = wide[-1] + 1
    while end < len(rows) and _continues(rows[end - 1], rows[end], columns):
        end += 1
    return wide[0], end


def _grid(rows: Sequence[Row], columns: Sequence[Span]) -> Grid:
    return Grid(_flat(rows), tuple(_cells(_with_continuations(rows, columns), columns)))


def _with_continuations(rows: Sequence[Row], columns: Sequence[Span]) -> list[list[Row]]:
    """Rows of the table as the rows of lines they consist of: a cell may run over several."""
    lines: list[list[Row]] = []
    for row in rows:
        if lines and _continues(lines[-1][-1], row, columns):
            lines[-1].append(row)
        else:
            lines.append([row])
    return lines


def _continues(above: Row, row: Row, columns: Sequence[Span]) -> bool:
    """Whether `row` goes on with cells of the one above. Figures do not: they are never cut in two."""
    first = min(_place(segment, columns)[0] for segment in row)
    if any(char.isdigit() for segment in row for char in segment.line.text):
        return False
    is_close = _step(above, row) < _CLOSE * median(each.height for each in row)
    return first > 0 and 2 * len(row) <= len(columns) and is_close


def _place(segment: Segment, columns: Sequence[Span]) -> tuple[int, int]:
    """First and last column that the segment covers to a third; the nearest where it is none."""
    x0, x1 = segment.box.x0, segment.box.x1
    covered = [
        i
        for i, (start, end) in enumerate(columns)
        if min(x1, end) - max(x0, start) > min(end - start, x1 - x0) / 3
    ]
    if covered:
        return covered[0], covered[-1]
    middle = (x0 + x1) / 2
    nearest = min(range(len(columns)), key=lambda i: abs(sum(columns[i]) / 2 - middle))
    return nearest, nearest


def _cells(lines: Sequence[Sequence[Row]], columns: Sequence[Span]) -> list[Cell]:
    cells: dict[tuple[int, int], Cell] = {}
    for y, rows in enumerate(lines):
        for segment in _flat(rows):
            first, last = _place(segment, columns)
            known = cells.get((y, first), Cell(y, first, "", header=y == 0))
            cells[y, first] = known._replace(
                text=join(known.text, segment.line.text.strip()),
                column_span=max(known.column_span, last - first + 1),
            )
    return [cells[place] for place in sorted(cells)]


def _flat(rows: Sequence[Row]) -> list[Segment]:
    return [segment for row in rows for segment in row]
