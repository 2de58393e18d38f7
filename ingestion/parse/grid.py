"""Plain grids of values, of a CSV file or a sheet, as tables."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingestion.document import Part
from ingestion.table import Cell, render, render_cells

MAX_CELLS = 200_000
"""A larger table has its text only: a cell takes 200 bytes, and nobody looks at so many one by one."""
_NUMBER = re.compile(r"[-+(]?\W?\d[\d.,' \u00a0]*\W{0,2}")


def table(cells: Sequence[Cell], section: str) -> Part:
    """The cells as a table part; past MAX_CELLS it has its text instead of cells."""
    if len(cells) <= MAX_CELLS:
        return Part("table", "", section=section, cells=tuple(cells))
    return Part("table", render_cells(cells), section=section)


def rows_as_table(rows: Sequence[Sequence[str]], section: str) -> Part:
    """As `table`, of rows without spans: the first is a header unless it holds a number."""
    if sum(len(row) for row in rows) > MAX_CELLS:
        return Part("table", render(rows), section=section)
    header = bool(rows) and not any(is_number(text) for text in rows[0])
    cells = (
        Cell(y, x, text, header=header and y == 0)
        for y, row in enumerate(rows)
        for x, text in enumerate(row)
        if text.strip()
    )
    return Part("table", "", section=section, cells=tuple(cells))


def is_number(text: str) -> bool:
    """`1,234.50`, `-3`, `5 %`, `€ 12`; not `2nd` or `Q1`."""
    return bool(_NUMBER.fullmatch(text.strip()))


def address(row: int, column: int) -> str:
    """`A1` for row 0 and column 0."""
    return f"{letters(column)}{row + 1}"


def span(top: int, left: int, bottom: int, right: int) -> str:
    """`A1:F20`, a single cell as `A1`; all four are inside, from 0."""
    first, last = address(top, left), address(bottom, right)
    return first if first == last else f"{first}:{last}"


def letters(column: int) -> str:
    """0 is A, 25 is Z, 26 is AA."""
    return (letters(column // 26 - 1) if column >= 26 else "") + chr(ord("A") + column % 26)
