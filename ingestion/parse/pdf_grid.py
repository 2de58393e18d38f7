"""Tables without vertical rules: columns are where no text crosses, rows where text stands level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ingestion.document import Box
from ingestion.parse.grid import is_number
from ingestion.parse.lines import in_cell
from ingestion.parse.pdf_line import Line
from ingestion.table import Cell

_LEVEL = 0.5
"""Of a line's height, within which baselines stand in one row."""
_MIN_GUTTER = 0.3
"""Of a line's height; word spaces are narrower, and MuPDF keeps words in one line anyway."""
_MAX_CROSSING = 0.2
"""Share of the rows whose text may cross a gutter: titles and spanning headers."""
_TIGHT = 1.15
"""Of the smallest distance of two rows; what is set no wider may be one cell's wrapped text."""
_PARTLY = 0.75
"""Rows that go on with others' text fill fewer columns, on average by this share at most."""

_MIN_ROWS = 3
_MAX_MEAN_CHARS = 40
_MIN_FILLED = 0.7
"""What is taken for a table without anybody's word: rows, mean length of a cell, share of rows with two."""

Span = tuple[float, float]


def grid_of(lines: Sequence[Line]) -> tuple[Cell, ...]:
    """Cells of the table that `lines` make up; () for fewer than two rows or columns.

    Neighbouring columns that no row fills both of are one column, aligned left here and right there.
    """
    if not lines:
        return ()
    height = median(line.box.y1 - line.box.y0 for line in lines)
    rows = _rows(lines, height)
    columns = _columns(rows, height)
    if len(rows) < 2 or len(columns) < 2:
        return ()
    placed = _unwrapped([_placed(row, columns) for row in rows], rows)
    return tuple(_cells(placed))


def table_in(lines: Sequence[Line]) -> tuple[Cell, ...]:
    """As `grid_of`, but () where the lines may as well be running text: most rows must fill two columns."""
    cells = grid_of(lines)
    if not cells:
        return ()
    rows = Counter(cell.row for cell in cells)
    columns = 1 + max(cell.column for cell in cells)
    long = sum(len(cell.text) for cell in cells) > _MAX_MEAN_CHARS * len(cells)
    few = len(rows) < (_MIN_ROWS if columns > 2 else _MIN_ROWS + 1)
    sparse = sum(count > 1 for count in rows.values()) < _MIN_FILLED * len(rows)
    return () if long or few or sparse else cells


def _rows(lines: Sequence[Line], height: float) -> list[list[Line]]:
    rows: list[list[Line]] = []
    base = 0.0
    for line in sorted(lines, key=_base):
        if rows and line.base - base <= height * _LEVEL:
            rows[-1].append(line)
        else:
            rows.append([line])
            base = line.base
    return [sorted(row, key=lambda line: line.box.x0) for row in rows]


def _base(line: Line) -> float:
    return line.base


def _columns(rows: Sequence[Sequence[Line]], height: float) -> list[Span]:
    """From left to right, without overlap."""
    gutters = _gutters(rows, height)
    edges = [line.box for row in rows for line in row]
    bounds = [min(box.x0 for box in edges), *gutters, max(box.x1 for box in edges)]
    columns = list(pairwise(bounds))
    return _merged(columns, rows)


def _gutters(rows: Sequence[Sequence[Line]], height: float) -> list[float]:
    """The middles of the strips that, but for a few rows, no text crosses."""
    allowed = int(len(rows) * _MAX_CROSSING)
    ends: list[tuple[float, int]] = []
    for row in rows:
        for line in row:
            ends += [(line.box.x0, 1), (line.box.x1, -1)]
    ends.sort()
    gutters = []
    open_lines = 0
    start: float | None = None
    for at, change in ends:
        if change > 0 and open_lines <= allowed and start is not None:
            # The strip ends where more than the allowed rows have text again.
            if open_lines + 1 > allowed or open_lines == 0:
                if at - start >= height * _MIN_GUTTER:
                    gutters.append((start + at) / 2)
                start = None
        open_lines += change
        if change < 0 and open_lines <= allowed:
            start = at
    return gutters


def _merged(columns: list[Span], rows: Sequence[Sequence[Line]]) -> list[Span]:
    filled = [[_column_of(line, columns) for line in row] for row in rows]
    merged = columns[:1]
    members = [{0}]
    for index in range(1, len(columns)):
        both = any(index in row and members[-1] & set(row) for row in filled)
        if both:
            merged.append(columns[index])
            members.append({index})
        else:
            merged[-1] = (merged[-1][0], columns[index][1])
            members[-1].add(index)
    return merged


def _column_of(line: Line, columns: Sequence[Span]) -> int:
    """The column that holds most of the line."""
    return max(range(len(columns)), key=lambda index: _overlap(line.box, columns[index]))


def _overlap(box: Box, column: Span) -> float:
    return min(box.x1, column[1]) - max(box.x0, column[0])


def _placed(row: Sequence[Line], columns: Sequence[Span]) -> dict[Span, str]:
    """Text by first and last column, both inside."""
    found: dict[Span, list[str]] = {}
    for line in row:
        covered = [
            index for index, column in enumerate(columns) if _overlap(line.box, column) > _half(column, line)
        ] or [_column_of(line, columns)]
        found.setdefault((covered[0], covered[-1]), []).append(line.text)
    return {place: in_cell(texts) for place, texts in found.items()}


def _half(column: Span, line: Line) -> float:
    return min(column[1] - column[0], line.box.x1 - line.box.x0) / 2


def _unwrapped(placed: list[dict[Span, str]], rows: Sequence[Sequence[Line]]) -> list[dict[Span, str]]:
    """Lines of wrapped cells put together: rows set as close as lines, with more space between rows.

    Where a table is merely set apart from its header, the close rows are full ones, and stay.
    """
    bases = [median(line.base for line in row) for row in rows]
    gaps = [below - above for above, below in pairwise(bases)]
    close = [gap <= _TIGHT * min(gaps) for gap in gaps]
    firsts = [row for row, goes_on in zip(placed, [False, *close], strict=True) if not goes_on]
    others = [row for row, goes_on in zip(placed, [False, *close], strict=True) if goes_on]
    if len(firsts) < 2 or not others or _mean_cells(others) > _PARTLY * _mean_cells(firsts):
        return placed
    whole: list[dict[Span, str]] = []
    for row, goes_on in zip(placed, [False, *close], strict=True):
        if not goes_on:
            whole.append(dict(row))
            continue
        for place, text in row.items():
            whole[-1][place] = in_cell([whole[-1].get(place, ""), text])
    return whole


def _mean_cells(rows: Sequence[dict[Span, str]]) -> float:
    return sum(map(len, rows)) / len(rows)


def _cells(placed: Sequence[dict[Span, str]]) -> list[Cell]:
    header = not any(is_number(text) for text in placed[0].values())
    return [
        Cell(y, int(first), text, 1, int(last - first) + 1, header=header and y == 0)
        for y, row in enumerate(placed)
        for (first, last), text in sorted(row.items())
    ]
