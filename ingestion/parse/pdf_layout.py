"""Pages by PyMuPDF's layout model: what a place is and in which order; its text is the page's own lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ingestion.document import Box, Part
from ingestion.parse.lines import BULLET, item, joined
from ingestion.parse.pdf_grid import grid_of, table_in
from ingestion.parse.pdf_line import Line
from ingestion.parse.pdf_outline import Piece
from ingestion.parse.pdf_page import PdfPage
from ingestion.parse.pdf_places import Place, by_block, filled, holds, places_of
from ingestion.parse.pdf_ruled import ruled_tables
from ingestion.parse.pdf_text import around, piece_of
from ingestion.parse.table_html import cells_of_html
from ingestion.table import Cell, cells_of

_RULE = 3.0
_MIN_RULE_HEIGHT = 8.0
"""Points."""
_MIN_RULES = 2
_MIN_UNSEEN_CHARS = 4
"""A shorter hidden text may as well stand in a cell by itself."""
_HEADINGS = ("title", "section-header")
_HEADS = ("page-header", "page-footer")


def read_pages(pdf: Any, pages: Sequence[PdfPage], *, tables: bool) -> dict[int, list[Piece]]:
    """Pieces by page number. With `tables` every table is found by its rules too; without, pages are read in
    three quarters of the time, and only those where the model shows a ruled table once more.

    `pdf` is PyMuPDF's; its structure tree is taken from it.
    """
    read = places_of(pdf, pages, tables)
    if not tables:
        read |= places_of(pdf, [page for page in pages if _is_open(page, read[page.number])], True)
    return {page.number: list(_pieces(page, read[page.number])) for page in pages}


def _is_open(page: PdfPage, places: Sequence[Place]) -> bool:
    """Whether the model sees a ruled table that its rules alone do not explain."""
    ruled = [place for place in places if _is_ruled(place, page)]
    known = ruled_tables(page) if ruled else []
    settled = [place for place in ruled if any(_same(place.box, table.box) for table in known)]
    return len(settled) < len(ruled)


def _same(one: Box, other: Box) -> bool:
    """Whether the middle of one lies in the other."""
    return holds(one, other) or holds(other, one)


def _is_ruled(place: Place, page: PdfPage) -> bool:
    """Whether its columns are drawn: by vertical rules, or by frames around its cells."""
    if place.kind != "table":
        return False
    rules = 0
    for shape in page.shapes:
        x0, y0, x1, y1 = shape.box
        if y1 - y0 < _MIN_RULE_HEIGHT or not holds(place.box, shape.box):
            continue
        rules += 1 if x1 - x0 <= _RULE else 2 * shape.stroked
        if rules > _MIN_RULES:
            return True
    return False


def _pieces(page: PdfPage, places: Sequence[Place]) -> Iterator[Piece]:
    """In the model's reading order; lines that it has no place for stand after what is above them."""
    hidden = [line for line in page.lines if line.hidden and line.text.strip()]
    ordered = filled(page, places)
    captioned = _captioned(ordered)
    for index, place in enumerate(ordered):
        if place.kind == "table":
            yield from _tables(place, page, hidden)
        elif place.kind == "picture":
            yield from _figure(place, [other for other in ordered if captioned.get(id(other)) == index], page)
        elif id(place) in captioned:
            continue
        elif place.kind == "text" and (cells := table_in(place.lines)):
            yield Piece(Part("table", "", page=page.number, box=place.box, cells=cells))
        elif place.lines:
            yield from _text(place, page)
    for line in hidden:
        yield piece_of([line], page)


def _text(place: Place, page: PdfPage) -> Iterator[Piece]:
    size = max(line.size for line in place.lines)
    text = joined([line.text for line in place.lines])
    head = place.kind in _HEADS
    if place.kind in _HEADINGS:
        yield Piece(Part("heading", text, page=page.number, box=place.box), size, known=True)
    elif place.kind == "list-item":
        for lines in _items(place.lines):
            text = item(joined([line.text for line in lines]))
            part = Part("list", text, page=page.number, box=around(lines))
            yield Piece(part, size, known=True)
    else:
        part = Part("paragraph", text, page=page.number, box=place.box)
        yield Piece(part, place.lines[0].size, marginal=head, known=True)


def _items(lines: Sequence[Line]) -> Iterator[list[Line]]:
    run: list[Line] = []
    for line in lines:
        if run and BULLET.match(line.text.strip()):
            yield run
            run = []
        run.append(line)
    yield run


def _captioned(ordered: Sequence[Place]) -> dict[int, int]:
    """By a caption's `id`, the index of the picture just before it, else of the one just after."""
    found = {}
    for index, place in enumerate(ordered):
        beside = [at for at in (index - 1, index + 1) if 0 <= at < len(ordered)]
        pictures = [at for at in beside if ordered[at].kind == "picture"]
        if place.kind == "caption" and pictures:
            found[id(place)] = pictures[0]
    return found


def _figure(place: Place, captions: Sequence[Place], page: PdfPage) -> Iterator[Piece]:
    """A picture with its caption and what is written in it."""
    groups = [caption.lines for caption in captions] + by_block(place.lines)
    written = [joined([line.text for line in lines]) for lines in groups if lines]
    if written:
        yield Piece(Part("figure", "\n".join(written), page=page.number, box=place.box))


def _tables(place: Place, page: PdfPage, hidden: Sequence[Line]) -> Iterator[Piece]:
    for cells in _cells(place, page, hidden):
        kept = tuple(cell for cell in cells if cell.text)
        if kept:
            yield Piece(Part("table", "", page=page.number, box=place.box, cells=kept))


def _cells(place: Place, page: PdfPage, hidden: Sequence[Line]) -> list[tuple[Cell, ...]]:
    """Where columns are not drawn, the gaps between the lines say more than the model's guess."""
    if place.cells:
        return [place.cells]
    if not _is_ruled(place, page) and (cells := grid_of(place.lines)):
        return [cells]
    table = place.table or {}
    if table.get("html_tables"):
        tables = [cells_of_html(found["html"]) for found in table["html_tables"]]
    elif table.get("extract"):
        tables = [cells_of(table["extract"])]
    else:
        return [cells_of([[line.text] for line in place.lines], header_rows=0)]
    unseen = [joined([line.text]) for line in hidden if holds(place.box, line.box)]
    return [tuple(cell._replace(text=_without(cell.text, unseen)) for cell in cells) for cells in tables]


def _without(text: str, unseen: Sequence[str]) -> str:
    """PyMuPDF's tables hold hidden text as well."""
    for words in unseen:
        if len(words) >= _MIN_UNSEEN_CHARS:
            text = text.replace(words, " ")
    return " ".join(text.split())
