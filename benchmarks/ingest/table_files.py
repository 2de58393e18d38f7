"""A made table as PDF, DOCX and XLSX, between a heading and two paragraphs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import pairwise, product
from typing import Any, NamedTuple

import docx
import pymupdf
from openpyxl import Workbook  # type: ignore[import-untyped]  # ships no types
from openpyxl.styles import Border, Font, Side  # type: ignore[import-untyped]  # ships no types

from benchmarks.ingest.table_truth import Made
from ingestion.table import Cell

_WIDTH, _LEFT, _TOP = 595, 60, 130
_WIDE = 110
"""Points of the widest column; longer texts are wrapped."""
_LEADING = 1.25
_APART = 6
"""Points more between columns that no line parts."""
_TEXTS = {
    False: (
        "Price list",
        "All prices are net and hold until the end of the quarter.",
        "Ask for terms above these amounts.",
    ),
    True: ("价格表", "以下价格均为净价，有效期至本季度末。", "超出上述数量请另行询价。"),
}


class _Look(NamedTuple):
    """How a table is set; lengths in points."""

    size: float
    pad: float
    numbers: str
    """Where they stand in their column: `left`, `middle`, `right`."""
    striped: bool
    framed: bool
    """Of ruled tables: a frame around each cell, or else lines from cell to cell."""


def as_pdf(made: Made) -> bytes:
    """One page with an embedded font; borderless tables have a line below the header at most."""
    chance = random.Random(f"pdf {made.kind} {made.number}")
    look = _Look(
        size=chance.choice((8, 9, 10, 11)),
        pad=chance.choice((3, 4, 6)),
        numbers=chance.choice(("left", "middle", "right", "right")),
        striped=chance.random() < 0.25,
        framed=chance.random() < 0.5,
    )
    font = pymupdf.Font("china-s" if made.chinese else "helv")
    with pymupdf.open() as pdf:
        page = pdf.new_page(width=_WIDTH, height=842)
        heading, before, after = _TEXTS[made.chinese]
        page.insert_font("F0", fontbuffer=font.buffer)
        page.insert_text((_LEFT, 70), heading, fontname="F0", fontsize=18)
        page.insert_text((_LEFT, 105), before, fontname="F0", fontsize=11)
        end = _draw(page, made, font, look)
        page.insert_text((_LEFT, end + 30), after, fontname="F0", fontsize=11)
        pdf.subset_fonts()
        return bytes(pdf.tobytes(garbage=3, deflate=True))


def _draw(page: Any, made: Made, font: Any, look: _Look) -> float:
    """The lower edge of the table."""
    lines = {cell: _wrapped(cell.text, font, look.size, made.chinese) for cell in made.cells}
    xs = _edges([_column_width(made, lines, font, look, c) for c in range(made.wide)], _LEFT)
    ys = _edges([_row_height(made.cells, lines, look, row) for row in range(made.rows)], _TOP)
    if look.striped:
        for top, bottom in list(pairwise(ys))[1::2]:
            page.draw_rect((xs[0], top, xs[-1], bottom), color=None, fill=(0.92, 0.94, 0.97))
    for cell, texts in lines.items():
        left, right = xs[cell.column] + look.pad, xs[cell.column + cell.column_span] - look.pad
        for at, text in enumerate(texts):
            free = right - left - font.text_length(text, look.size)
            number = cell.text[-1] in "0123456789%"
            x = left + free * {"left": 0, "middle": 0.5, "right": 1}[look.numbers] * number
            y = ys[cell.row] + look.pad + look.size + at * look.size * _LEADING
            page.insert_text((x, y), text, fontname="F0", fontsize=look.size)
    if made.ruled:
        _rule(page, made, xs, ys, look)
    elif made.number % 3 == 0:
        page.draw_line((xs[0], ys[1]), (xs[-1], ys[1]), width=0.8)
    return ys[-1]


def _rule(page: Any, made: Made, xs: Sequence[float], ys: Sequence[float], look: _Look) -> None:
    """A frame around each cell, empty ones too; or lines, as long as no spanning cell is in their way."""
    wide = made.wide
    owners = {(y, x): (y, x, 1, 1) for y in range(made.rows) for x in range(wide)}
    for cell in made.cells:
        bottom, right = cell.row + cell.row_span, cell.column + cell.column_span
        for y, x in product(range(cell.row, bottom), range(cell.column, right)):
            owners[y, x] = (cell.row, cell.column, cell.row_span, cell.column_span)
    if look.framed:
        for y, x, high, broad in set(owners.values()):
            page.draw_rect((xs[x], ys[y], xs[x + broad], ys[y + high]), width=0.6)
        return
    page.draw_rect((xs[0], ys[0], xs[-1], ys[-1]), width=0.6)
    for y, x in owners:
        if y and owners[y, x] != owners[y - 1, x]:
            page.draw_line((xs[x], ys[y]), (xs[x + 1], ys[y]), width=0.6)
        if x and owners[y, x] != owners[y, x - 1]:
            page.draw_line((xs[x], ys[y]), (xs[x], ys[y + 1]), width=0.6)


def _column_width(
    made: Made, lines: Mapping[Cell, Sequence[str]], font: Any, look: _Look, column: int
) -> float:
    size = look.size
    inside = [lines[cell] for cell in made.cells if cell.column == column and cell.column_span == 1]
    widest = max((font.text_length(line, size) for texts in inside for line in texts), default=40)
    # A spanning header must fit over the columns below it.
    over = [c for c in made.cells if c.column <= column < c.column + c.column_span and c.column_span > 1]
    share = max((font.text_length(t, size) / c.column_span for c in over for t in lines[c]), default=0)
    return float(max(widest, share)) + 2 * look.pad + (0 if made.ruled else _APART)


def _row_height(cells: Sequence[Cell], lines: Mapping[Cell, Sequence[str]], look: _Look, row: int) -> float:
    most = max((len(lines[cell]) for cell in cells if cell.row == row and cell.row_span == 1), default=1)
    return look.size * (1 + (most - 1) * _LEADING) + 2 * look.pad


def _wrapped(text: str, font: Any, size: float, chinese: bool) -> list[str]:
    words = list(text) if chinese else text.split(" ")
    lines = [words[0]]
    for word in words[1:]:
        longer = lines[-1] + ("" if chinese else " ") + word
        if font.text_length(longer, size) > _WIDE:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _edges(sizes: Sequence[float], start: float) -> list[float]:
    edges = [start]
    for size in sizes:
        edges.append(edges[-1] + size)
    return edges


def as_docx(made: Made) -> bytes:
    document = docx.Document()
    heading, before, after = _TEXTS[made.chinese]
    document.add_heading(heading, 1)
    document.add_paragraph(before)
    grid = document.add_table(made.rows, made.wide, style="Table Grid" if made.ruled else None)
    for cell in made.cells:
        place = grid.cell(cell.row, cell.column)
        if (cell.row_span, cell.column_span) != (1, 1):
            place = place.merge(grid.cell(cell.row + cell.row_span - 1, cell.column + cell.column_span - 1))
        place.text = cell.text
    document.add_paragraph(after)
    return _saved(document)


def as_xlsx(made: Made) -> bytes:
    """Somewhere below a title; whole numbers as numbers."""
    chance = random.Random(f"xlsx {made.kind} {made.number}")
    top, left = chance.randint(3, 6), chance.randint(1, 4)
    book = Workbook()
    sheet = book.active
    heading, _, after = _TEXTS[made.chinese]
    sheet.cell(1, 1, heading).font = Font(bold=True)
    line = Side(style="thin") if made.ruled else Side()
    for y in range(made.rows):
        for x in range(made.wide):
            sheet.cell(top + y, left + x).border = Border(line, line, line, line)
    for cell in made.cells:
        row, column = top + cell.row, left + cell.column
        sheet.cell(row, column, int(cell.text) if cell.text.isdigit() else cell.text)
        if (cell.row_span, cell.column_span) != (1, 1):
            sheet.merge_cells(
                start_row=row,
                start_column=column,
                end_row=row + cell.row_span - 1,
                end_column=column + cell.column_span - 1,
            )
    sheet.cell(top + made.rows + 2, left, after)
    return _saved(book)


def _saved(document: Any) -> bytes:
    stream = BytesIO()
    document.save(stream)
    return stream.getvalue()


FORMATS: Mapping[str, Callable[[Made], bytes]] = {"pdf": as_pdf, "docx": as_docx, "xlsx": as_xlsx}
