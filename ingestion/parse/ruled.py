"""Ruled tables of a PDF page: PyMuPDF finds the cells, the words are put into them here."""

from __future__ import annotations

from typing import Any, NamedTuple

from ingestion.parse.lines import TEXT_FLAGS, join
from ingestion.table import render

_MIN_RULES = 3
_MIN_RULE_WIDTH, _MIN_RULE_HEIGHT = 20, 8
"""Points; shorter strokes are underlinings and bullets."""
_MAX_PATHS = 5_000
"""Past this many drawn paths a page is a drawing, and `find_tables` would take minutes."""


class Ruled(NamedTuple):
    """A table's place on the page, in points, and its Markdown rows."""

    x0: float
    y0: float
    x1: float
    y1: float
    text: str

    def holds(self, box: tuple[float, float, float, float]) -> bool:
        """Whether the middle of `box` lies in the table."""
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return self.x0 <= x <= self.x1 and self.y0 <= y <= self.y1


def ruled_tables(page: Any) -> list[Ruled]:
    """Tables of at least two rows and two columns; [] where the page shows no rules.

    The lines alone propose, in 10 to 400 ms, and also take a framed text for a table. So PyMuPDF's layout
    model, 150 to 700 ms more, has the word on pages with a proposal.
    """
    if not _is_ruled(page) or not page.find_tables(use_layout=False).tables:
        return []
    tables = [table for table in page.find_tables().tables if table.row_count > 1 and table.col_count > 1]
    words = page.get_text("words", flags=TEXT_FLAGS) if tables else []
    found = [_ruled(table.bbox, render(_rows(table, words))) for table in tables]
    return [table for table in found if table.text]


def _ruled(box: tuple[float, float, float, float], text: str) -> Ruled:
    x0, y0, x1, y1 = box
    return Ruled(x0, y0, x1, y1, text)


def _is_ruled(page: Any) -> bool:
    """Whether strokes run both along and across; found in 1 to 30 ms."""
    paths = [box for kind, box in page.get_bboxlog() if kind in ("stroke-path", "fill-path")]
    along = sum(x1 - x0 >= _MIN_RULE_WIDTH for x0, _, x1, _ in paths)
    across = sum(y1 - y0 >= _MIN_RULE_HEIGHT for _, y0, _, y1 in paths)
    return along >= _MIN_RULES and across >= _MIN_RULES and len(paths) <= _MAX_PATHS


def _rows(table: Any, words: list[Any]) -> list[list[str]]:
    """The words of each cell in the page's order.

    PyMuPDF's own `extract()` loses the spaces between words set without space glyphs, and moves commas. A
    header that it finds above the table's box is the text before the table as often as not: it stays there.
    """
    cells = [[None if cell is None else _ruled(cell, "") for cell in row.cells] for row in table.rows]
    texts: dict[Ruled, str] = {}
    for word in words:
        place = next((cell for row in cells for cell in row if cell and cell.holds(word[:4])), None)
        if place:
            text = texts.get(place, "")
            # A narrow cell breaks compounds, it does not hyphenate words.
            texts[place] = text + word[4] if text.endswith("-") else join(text, word[4])
    return [["" if cell is None else texts.get(cell, "") for cell in row] for row in cells]
