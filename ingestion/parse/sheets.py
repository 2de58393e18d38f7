"""XLSX, read by openpyxl row by row: tables with their ranges, and what is drawn on the sheets.

docling-slim takes 3 GB for a sheet of 100,000 rows, and visits each empty cell between two far apart.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from zipfile import ZipFile

from ingestion.document import Part
from ingestion.options import ReadOptions
from ingestion.parse.drawings import drawn
from ingestion.parse.grid import span, table
from ingestion.parse.package import checked
from ingestion.parse.regions import Area, Gaps, Region, area_of, regions
from ingestion.parse.sheet_cells import Cells, read_cells
from ingestion.parse.workbook import Sheet, Workbook, open_workbook
from ingestion.parsed import Parsed, Route
from ingestion.table import Cell
from runtime.errors import DocumentCorrupt, DocumentTooLarge

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_COMMENTS = re.compile(r"xl/(?:.*/)?comments?\d*\.xml", re.IGNORECASE)
"""One part for each sheet; replies in a thread lie elsewhere, its first remark here too."""
_PROSE_CHARS = 40
"""A single column of texts this long, in the mean, is no table but lines of remarks."""


def parse(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """Each sheet a heading, each region of touching cells a table with its range, `Plans!A2:F9`.

    Formulas count by the value that the file stores. Hidden sheets, rows and columns and white text come
    as hidden parts. Raises DocumentTooLarge, DocumentEncrypted, DocumentCorrupt.
    """
    package = checked(data, name, options.limits)
    with warnings.catch_warnings():
        # openpyxl warns of styles and dates that it leaves out.
        warnings.simplefilter("ignore")
        with open_workbook(package) as book:
            return _parsed(book, name, options.limits.pages)


def _parsed(book: Workbook, name: str, limit: int) -> Parsed:
    if not book.sheets:
        raise DocumentCorrupt(f"{name!r} holds no sheet", document=name)
    if len(book.sheets) > limit:
        message = f"{name!r} has {len(book.sheets)} sheets; the limit is {limit}"
        raise DocumentTooLarge(message, document=name, limit=limit)
    parts: list[Part] = []
    formulas = 0
    for sheet in book.sheets:
        cells = read_cells(book, sheet)
        formulas += cells.formulas
        parts.extend(_parts(book, sheet, cells))
    hidden = sum(bool(part.hidden) for part in parts)
    notes = [f"left out: {formulas} formulas without a stored value"] * bool(formulas)
    comments = _comments(book.archive)
    notes += [f"left out: the comments on {comments} cells"] * bool(comments)
    notes += [f"kept apart: {hidden} hidden sheets, rows, columns and texts"] * bool(hidden)
    route = Route("xlsx", "HIGH", "openpyxl", (f"sheets: {len(book.sheets)}",))
    return Parsed(tuple(parts), route, notes=tuple(notes))


def _comments(archive: ZipFile) -> int:
    """Cells with one. What is damaged counts as far as it can be read: it is left out anyway."""
    from lxml import etree  # type: ignore[import-untyped]  # ships no types

    count = 0
    for path in filter(_COMMENTS.fullmatch, archive.NameToInfo):
        with archive.open(path) as source:
            tag = f"{_NS}comment"
            for _, comment in etree.iterparse(source, tag=tag, resolve_entities=False, recover=True):
                count += 1
                comment.clear()
    return count


def _parts(book: Workbook, sheet: Sheet, cells: Cells) -> Iterator[Part]:
    gaps = Gaps(frozenset(cells.thin_rows), frozenset(cells.thin_columns))
    found = regions(cells.texts, cells.spans.values(), gaps)
    placed = [(region[0][0], part) for region in found for part in _of_region(sheet.name, region, cells)]
    placed.extend(drawn(book.archive, sheet.path, sheet.name))
    placed.sort(key=lambda at: at[0])
    unseen = "hidden sheet" if sheet.hidden else ""
    for part in (Part("heading", sheet.name, level=1), *(part for _, part in placed)) if placed else ():
        yield replace(part, hidden=unseen or part.hidden)


def _of_region(title: str, region: Region, cells: Cells) -> Iterator[Part]:
    """What is seen of it, and for each reason what is not."""
    by_reason: dict[str, Region] = {}
    for at in region:
        by_reason.setdefault(cells.unseen.get(at, ""), []).append(at)
    for why, shown in by_reason.items():
        yield replace(_part(title, region, shown, cells), hidden=why)


def _part(title: str, region: Region, shown: Region, cells: Cells) -> Part:
    """The cells `shown` as a table in the rectangle of `region`; a lone text, or remarks, as a paragraph."""
    area = area_of(region)
    section = f"{title}!{span(*area)}"
    texts = [cells.texts[row][column] for row, column in shown]
    if len(region) == 1 or (area.left == area.right and sum(map(len, texts)) > _PROSE_CHARS * len(texts)):
        return Part("paragraph", "\n".join(texts), section=section)
    headers = _header_rows(area, region, cells)
    placed = []
    for (row, column), text in zip(shown, texts, strict=True):
        to = cells.spans.get((row, column), Area(row, column, row, column))
        # A merged range may reach past what the region fills.
        height, width = min(to.bottom, area.bottom) - row + 1, min(to.right, area.right) - column + 1
        placed.append(Cell(row - area.top, column - area.left, text, height, width, row - area.top < headers))
    return table(placed, section)


def _header_rows(area: Area, region: Region, cells: Cells) -> int:
    """As many rows as the first one's cells are high, and one more where they span columns."""
    first = [cells.spans[at] for at in region if at[0] == area.top and at in cells.spans]
    height = max((to.bottom - area.top + 1 for to in first), default=1)
    if height == 1 and any(to.right > to.left for to in first):
        height = 2
    return min(height, max(area.bottom - area.top, 1))
