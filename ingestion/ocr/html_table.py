"""An HTML table, as models write it, as cells: tags may be missing, doubled or cut off."""

from __future__ import annotations

from html.parser import HTMLParser

from ingestion.table import Cell

_MAX_COLUMNS = 200
"""Of a table, spans included: a span is a number that the model invents, and each costs memory."""


def cells_of_html(html: str) -> tuple[Cell, ...]:
    """Row by row, empty ones left out; the first row is the header where no cell says `<th>`."""
    parser = _TableParser()
    parser.feed(html)
    parser.close()
    rows = [row for row in parser.rows if row]
    has_headers = any(cell.header for row in rows for cell in row)
    placed = _placed(rows)
    return tuple(cell if has_headers else cell._replace(header=cell.row == 0) for cell in placed if cell.text)


def _placed(rows: list[list[Cell]]) -> list[Cell]:
    """Each cell moved past those that reach down into its row, its spans held within the table."""
    placed: list[Cell] = []
    taken: set[tuple[int, int]] = set()
    for y, row in enumerate(rows):
        x = 0
        for cell in row:
            while (y, x) in taken:
                x += 1
            if x >= _MAX_COLUMNS:
                break
            columns = min(cell.column_span, _MAX_COLUMNS - x)
            height = min(cell.row_span, len(rows) - y)
            taken |= {(y + down, x + right) for down in range(height) for right in range(columns)}
            text = " ".join(cell.text.split())
            placed.append(cell._replace(row=y, column=x, text=text, row_span=height, column_span=columns))
            x += columns
    return placed


class _TableParser(HTMLParser):
    """Rows of cells, whose `row` and `column` are not yet set."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[Cell]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr" or (tag in ("td", "th") and not self.rows):
            self.rows.append([])
        if tag in ("td", "th"):
            said = dict(attrs)
            rows, columns = _span(said.get("rowspan")), _span(said.get("colspan"))
            self.rows[-1].append(Cell(0, 0, "", rows, columns, header=tag == "th"))
        elif tag in ("br", "p", "li"):
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            row = self.rows[-1]
            row[-1] = row[-1]._replace(text=row[-1].text + data)


def _span(said: str | None) -> int:
    return max(int(said), 1) if said and said.isdecimal() and len(said) < 6 else 1
