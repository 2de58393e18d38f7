"""The cells of one HTML table, as PyMuPDF writes it: rows of `td` and `th` with spans."""

from __future__ import annotations

from html.parser import HTMLParser

from ingestion.table import Cell

_MAX_SPAN = 1_000
"""A span is what a document's rules seem to say; more would fill memory."""


def cells_of_html(html: str) -> tuple[Cell, ...]:
    """In reading order, empty ones too; places that a span covers are left out."""
    table = _Table()
    table.feed(html)
    table.close()
    return tuple(cell._replace(text=" ".join(cell.text.split())) for cell in table.cells)


class _Table(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.cells: list[Cell] = []
        self._row = -1
        self._column = 0
        self._covered: set[tuple[int, int]] = set()
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self._row += 1
            self._column = 0
        elif tag in ("td", "th"):
            self._start(tag == "th", dict(attrs))
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            last = self.cells[-1]
            self.cells[-1] = last._replace(text=last.text + data)

    def _start(self, header: bool, attributes: dict[str, str | None]) -> None:
        row = max(self._row, 0)
        while (row, self._column) in self._covered:
            self._column += 1
        down, across = _span(attributes.get("rowspan")), _span(attributes.get("colspan"))
        self._covered.update(
            (y, x) for y in range(row, row + down) for x in range(self._column, self._column + across)
        )
        self.cells.append(Cell(row, self._column, "", down, across, header))
        self._column += across
        self._open = True


def _span(stated: str | None) -> int:
    return min(int(stated), _MAX_SPAN) if stated and stated.isdecimal() and int(stated) else 1
