"""Ruled tables of a PDF page, from the rules that are drawn: cells are what the rules enclose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from ingestion.document import Box
from ingestion.parse.grid import is_number
from ingestion.parse.lines import in_cell
from ingestion.parse.pdf_line import Line
from ingestion.parse.pdf_page import PdfPage
from ingestion.table import Cell

_THIN = 3.0
_NEAR = 3.0
"""Points within which rules meet, or are one."""
_MIN_LENGTH = 5.0
_MAX_RULES = 4_000
"""A page with more is a drawing."""
_MIN_CELLS = 3
_MIN_FILLED = 0.25
"""Share of the cells with text; the grid of a chart has nearly none."""
_OPEN = 10.0
"""Points by which rules must reach over the outermost crossing one for a column or row to be open there."""


class Rule(NamedTuple):
    """A straight line, along x (`at` is its y) or along y (`at` is its x)."""

    at: float
    start: float
    end: float


class Ruled(NamedTuple):
    """A table in its place."""

    box: Box
    cells: tuple[Cell, ...]

    def holds(self, box: Box) -> bool:
        """Whether the middle of `box` lies in the table."""
        return _contains(self.box, (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)


def ruled_tables(page: PdfPage) -> list[Ruled]:
    """Of at least two rows and columns, whose rules enclose rectangles, and whose text keeps to them."""
    across, down = _rules(page)
    if len(across) < 2 or len(down) < 2 or len(across) + len(down) > _MAX_RULES:
        return []
    shown = [line for line in page.lines if not line.hidden and line.text.strip()]
    found = [_table(*group, shown) for group in _groups(_merged(across), _merged(down))]
    return [table for table in found if table]


def _rules(page: PdfPage) -> tuple[list[Rule], list[Rule]]:
    across: list[Rule] = []
    down: list[Rule] = []
    for shape in page.shapes:
        x0, y0, x1, y1 = shape.box
        if y1 - y0 <= _THIN:
            across.append(Rule((y0 + y1) / 2, x0, x1))
        elif x1 - x0 <= _THIN:
            down.append(Rule((x0 + x1) / 2, y0, y1))
        elif shape.stroked and shape.rect:
            across += [Rule(y0, x0, x1), Rule(y1, x0, x1)]
            down += [Rule(x0, y0, y1), Rule(x1, y0, y1)]
    return across, down


def _merged(rules: Iterable[Rule]) -> list[Rule]:
    """Pieces of one rule, and rules drawn twice, made one."""
    merged: list[Rule] = []
    for row in _near(sorted(rules)):
        at = sum(rule.at for rule in row) / len(row)
        first = len(merged)
        for rule in sorted(row, key=lambda rule: rule.start):
            if len(merged) > first and rule.start <= merged[-1].end + _NEAR:
                merged[-1] = merged[-1]._replace(end=max(merged[-1].end, rule.end))
            else:
                merged.append(Rule(at, rule.start, rule.end))
    return [rule for rule in merged if rule.end - rule.start >= _MIN_LENGTH]


def _near(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Runs of rules at nearly one place."""
    run: list[Rule] = []
    for rule in rules:
        if run and rule.at - run[0].at > _NEAR:
            yield run
            run = []
        run.append(rule)
    if run:
        yield run


def _groups(across: list[Rule], down: list[Rule]) -> Iterator[tuple[list[Rule], list[Rule]]]:
    """Rules that cross or touch, directly or by others."""
    left_across, left_down = set(across), set(down)
    while left_across:
        first = left_across.pop()
        group_across: list[Rule] = [first]
        group_down: list[Rule] = []
        todo = [(first, True)]
        while todo:
            rule, along = todo.pop()
            left, group = (left_down, group_down) if along else (left_across, group_across)
            met = [other for other in left if _meet(rule, other)]
            left.difference_update(met)
            group += met
            todo += [(other, not along) for other in met]
        yield group_across, group_down


def _meet(one: Rule, other: Rule) -> bool:
    return _reaches(one, other.at) and _reaches(other, one.at)


def _reaches(rule: Rule, at: float) -> bool:
    return rule.start - _NEAR <= at <= rule.end + _NEAR


def _table(across: Sequence[Rule], down: Sequence[Rule], lines: Sequence[Line]) -> Ruled | None:
    if len(across) < 2 or len(down) < 2:
        return None
    xs, ys = _edges(down, across), _edges(across, down)
    if len(xs) < 3 or len(ys) < 3:
        return None
    box = Box(xs[0], ys[0], xs[-1], ys[-1])
    areas = _areas(xs, ys, across, down)
    if areas is None:
        return None
    inside = [line for line in lines if _contains(box, *_middle(line))]
    texts: dict[Cell, list[Line]] = {area: [] for area in areas}
    for line in inside:
        area = next((area for area in areas if _contains(_box(area, xs, ys), *_middle(line))), None)
        if area is None or _crosses(line.box, _box(area, xs, ys)):
            return None
        texts[area].append(line)
    filled = [area for area in areas if texts[area]]
    if len(filled) < max(_MIN_CELLS, len(areas) * _MIN_FILLED) or len({area.row for area in filled}) < 2:
        return None
    cells = [area._replace(text=_text(texts[area])) for area in filled]
    header = not any(is_number(cell.text) for cell in cells if cell.row == 0)
    return Ruled(box, tuple(cell._replace(header=header and cell.row == 0) for cell in cells))


def _edges(rules: Sequence[Rule], crossing: Sequence[Rule]) -> list[float]:
    """Where rows or columns end; also where the crossing rules do, if they reach over the outermost rule."""
    places = [run[0].at for run in _near(sorted(rules))]
    first, last = min(rule.start for rule in crossing), max(rule.end for rule in crossing)
    if places and first < places[0] - _OPEN:
        places.insert(0, first)
    if places and last > places[-1] + _OPEN:
        places.append(last)
    return places


def _areas(
    xs: Sequence[float], ys: Sequence[float], across: Sequence[Rule], down: Sequence[Rule]
) -> list[Cell] | None:
    """Cells without text, by row and column; None where rules enclose something that is no rectangle."""
    taken: set[tuple[int, int]] = set()
    areas = []
    for row, (top, bottom) in enumerate(pairwise(ys)):
        for column, (left, right) in enumerate(pairwise(xs)):
            if (row, column) in taken:
                continue
            wide, high = 1, 1
            while column + wide < len(xs) - 1 and not _drawn(down, xs[column + wide], top, bottom):
                wide += 1
            while row + high < len(ys) - 1 and not _drawn(across, ys[row + high], left, right):
                high += 1
            slots = {(y, x) for y in range(row, row + high) for x in range(column, column + wide)}
            if slots & taken or not _is_whole(row, column, high, wide, xs, ys, across, down):
                return None
            taken |= slots
            areas.append(Cell(row, column, "", high, wide))
    return areas


def _is_whole(
    row: int,
    column: int,
    high: int,
    wide: int,
    xs: Sequence[float],
    ys: Sequence[float],
    across: Sequence[Rule],
    down: Sequence[Rule],
) -> bool:
    """Whether no rule runs through the area."""
    return not any(
        _drawn(down, xs[x], ys[y], ys[y + 1])
        for x in range(column + 1, column + wide)
        for y in range(row, row + high)
    ) and not any(
        _drawn(across, ys[y], xs[x], xs[x + 1])
        for y in range(row + 1, row + high)
        for x in range(column, column + wide)
    )


def _drawn(rules: Sequence[Rule], at: float, start: float, end: float) -> bool:
    """Whether a rule stands at `at` along the middle of the way from `start` to `end`."""
    middle = (start + end) / 2
    return any(abs(rule.at - at) <= _NEAR and rule.start <= middle <= rule.end for rule in rules)


def _box(area: Cell, xs: Sequence[float], ys: Sequence[float]) -> Box:
    return Box(
        xs[area.column], ys[area.row], xs[area.column + area.column_span], ys[area.row + area.row_span]
    )


def _middle(line: Line) -> tuple[float, float]:
    return (line.box.x0 + line.box.x1) / 2, (line.box.y0 + line.box.y1) / 2


def _contains(box: Box, x: float, y: float) -> bool:
    return box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1


def _crosses(line: Box, cell: Box) -> bool:
    return line.x0 < cell.x0 - _NEAR or line.x1 > cell.x1 + _NEAR


def _text(lines: Sequence[Line]) -> str:
    ordered = sorted(lines, key=lambda line: (round(line.box.y0 / _NEAR), line.box.x0))
    return in_cell([line.text for line in ordered])
