"""Tables: cells with spans; as text, Markdown rows, so that a row is kept whole and a header repeated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

_RULE_SIGNS = frozenset(" \t|:-")


class Cell(NamedTuple):
    """A cell at its upper left place; rows and columns count from 0."""

    row: int
    column: int
    text: str
    row_span: int = 1
    column_span: int = 1
    header: bool = False


def cells_of(rows: Sequence[Sequence[str | None]], *, header_rows: int = 1) -> tuple[Cell, ...]:
    """Rows without spans as cells; empty ones are left out."""
    return tuple(
        Cell(y, x, text, header=y < header_rows)
        for y, row in enumerate(rows)
        for x, text in enumerate(row)
        if text and text.strip()
    )


def render_cells(cells: Iterable[Cell]) -> str:
    """As `render`; a spanning cell's text stands in every column and row that it covers, but once if that is
    a whole row."""
    cells = list(cells)
    width = max((cell.column + cell.column_span for cell in cells), default=0)
    height = max((cell.row + cell.row_span for cell in cells), default=0)
    rows = [[""] * width for _ in range(height)]
    for cell in cells:
        columns = 1 if cell.column_span == width else cell.column_span
        for y in range(cell.row, cell.row + cell.row_span):
            rows[y][cell.column : cell.column + columns] = [cell.text] * columns
    return render(rows)


def render(rows: Sequence[Sequence[str | None]]) -> str:
    """The first row as header, a rule, the other rows; "" without a single filled cell.

    Empty rows and empty columns are left out; a pipe in a cell is escaped.
    """
    cells = [[" ".join((cell or "").split()).replace("|", "\\|") for cell in row] for row in rows]
    width = max((len(row) for row in cells), default=0)
    kept = [i for i in range(width) if any(i < len(row) and row[i] for row in cells)]
    lines = [[row[i] if i < len(row) else "" for i in kept] for row in cells if any(row)]
    if not lines:
        return ""
    lines.insert(1, ["---"] * len(kept))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def header_of(text: str) -> str:
    """The two lines of a rendered table that are repeated when it is cut; "" without a rule or rows."""
    first = text.find("\n")
    second = text.find("\n", first + 1)
    if first < 0 or second < 0:
        return ""
    rule = text[first + 1 : second]
    return text[:second] if "-" in rule and set(rule) <= _RULE_SIGNS else ""
