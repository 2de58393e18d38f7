"""Where on a sheet the tables are: cells that touch, directly or by a merged range."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

_MAX_MERGED_ROWS = 200_000
"""Merged ranges touch by their first cell alone, once they cover more rows than this together."""
_ROUNDS = 5


class Area(NamedTuple):
    """Cells from 0, all four edges inside."""

    top: int
    left: int
    bottom: int
    right: int


class Gaps(NamedTuple):
    """Empty rows and columns so thin that they only set apart what belongs together."""

    rows: frozenset[int]
    columns: frozenset[int]


Region = list[tuple[int, int]]
"""The filled cells as (row, column), row by row."""


class _Run(NamedTuple):
    """Neighbouring cells of a row, in places that leave the gaps out."""

    row: int
    left: int
    right: int
    cells: tuple[tuple[int, int], ...]
    """Where they really are."""


def regions(rows: Mapping[int, Iterable[int]], merged: Iterable[Area], gaps: Gaps) -> list[Region]:
    """Groups of the filled cells (columns by row), from the top; a group holds all cells in its rectangle."""
    runs = list(_runs(rows, merged, gaps))
    roots = list(range(len(runs)))
    _join_touching(runs, roots)
    for _ in range(_ROUNDS):
        if not _join_overlapping(runs, roots):
            break
    grouped: dict[int, Region] = {}
    for index, run in enumerate(runs):
        grouped.setdefault(_root(roots, index), []).extend(run.cells)
    return sorted(sorted(region) for region in grouped.values() if region)


def area_of(region: Region) -> Area:
    """The rectangle around the cells."""
    columns = [column for _, column in region]
    return Area(region[0][0], min(columns), region[-1][0], max(columns))


def _runs(rows: Mapping[int, Iterable[int]], merged: Iterable[Area], gaps: Gaps) -> Iterator[_Run]:
    filled = {column for columns in rows.values() for column in columns}
    row_place, column_place = _places(gaps.rows - rows.keys()), _places(gaps.columns - filled)
    spans: dict[int, list[tuple[int, int, tuple[tuple[int, int], ...]]]] = {}
    for row, columns in rows.items():
        places = ((column_place(column), column) for column in columns)
        spans[row_place(row)] = [(place, place, ((row, column),)) for place, column in places]
    left_over, last = _MAX_MERGED_ROWS, max(rows, default=-1)
    for area in merged:
        bottom = min(area.bottom, last)
        left_over -= max(bottom - area.top + 1, 0)
        edges = column_place(area.left), column_place(area.right), ()
        for row in range(area.top, (bottom if left_over > 0 else min(area.top, last)) + 1):
            spans.setdefault(row_place(row), []).append(edges)
    for row in sorted(spans):
        yield from _joined(row, sorted(spans[row]))


def _joined(row: int, spans: Sequence[tuple[int, int, tuple[tuple[int, int], ...]]]) -> Iterator[_Run]:
    if not spans:
        return
    left, right, _ = spans[0]
    cells: list[tuple[int, int]] = []
    for next_left, next_right, next_cells in spans:
        if next_left > right + 1:
            yield _Run(row, left, right, tuple(cells))
            left, right, cells = next_left, next_right, []
        right = max(right, next_right)
        cells.extend(next_cells)
    yield _Run(row, left, right, tuple(cells))


def _places(gaps: Iterable[int]) -> Callable[[int], int]:
    """A number less the gaps before it."""
    ordered = sorted(gaps)
    return lambda number: number - bisect_left(ordered, number)


def _join_touching(runs: Sequence[_Run], roots: list[int]) -> None:
    """Runs of neighbouring rows that share a column; both rows come sorted from the left."""
    above = here = 0
    for index, run in enumerate(runs):
        if index and run.row != runs[index - 1].row:
            above, here = (here, index) if run.row == runs[index - 1].row + 1 else (index, index)
        while above < here and runs[above].right < run.left:
            above += 1
        other = above
        while other < here and runs[other].left <= run.right:
            _join(roots, other, index)
            other += 1


def _join_overlapping(runs: Sequence[_Run], roots: list[int]) -> bool:
    """Joins groups whose rectangles meet; tells whether any were."""
    boxes: dict[int, Area] = {}
    for index, run in enumerate(runs):
        root = _root(roots, index)
        box = boxes.get(root, Area(run.row, run.left, run.row, run.right))
        boxes[root] = Area(box.top, min(box.left, run.left), run.row, max(box.right, run.right))
    joined = False
    open_: list[tuple[int, Area]] = []
    for root, box in sorted(boxes.items(), key=lambda item: item[1]):
        open_ = [(other, area) for other, area in open_ if area.bottom >= box.top]
        for other, area in open_:
            if area.left <= box.right and box.left <= area.right:
                _join(roots, other, root)
                joined = True
        open_.append((root, box))
    return joined


def _root(roots: list[int], index: int) -> int:
    while roots[index] != index:
        roots[index] = roots[roots[index]]
        index = roots[index]
    return index


def _join(roots: list[int], one: int, other: int) -> None:
    roots[_root(roots, other)] = _root(roots, one)
