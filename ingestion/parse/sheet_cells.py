"""One pass over a sheet's XML: its texts, where they are, and what hides them.

openpyxl's own pass also reads filters and print settings, and fails on those of some other makers' files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingestion.parse.regions import Area
from ingestion.parse.sheet_looks import Look
from ingestion.parse.workbook import Sheet, Workbook

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _COLUMN, _MERGED, _FORMULA, _STORED = (f"{_NS}{tag}" for tag in ("row", "col", "mergeCell", "f", "v"))
_RANGE = re.compile(r"\$?([A-Z]{1,3})\$?(\d+):\$?([A-Z]{1,3})\$?(\d+)$")
_ON = ("1", "true")
_MAX_COLUMNS = 16_384
"""Of any sheet; a file may state more."""
_THIN_CHARACTERS, _THIN_POINTS = 4, 8
"""A column or row this thin, half a usual one, holds nothing but the space between its neighbours."""


@dataclass
class Cells:
    """All numbers count from 0."""

    texts: dict[int, dict[int, str]] = field(default_factory=dict)
    """By row and column."""
    unseen: dict[tuple[int, int], str] = field(default_factory=dict)
    """Why nobody sees the cell there."""
    spans: dict[tuple[int, int], Area] = field(default_factory=dict)
    """Merged ranges by their first cell."""
    thin_rows: set[int] = field(default_factory=set)
    thin_columns: set[int] = field(default_factory=set)
    formulas: int = 0
    """Those without a stored value: openpyxl and other writers calculate none."""


def read_cells(book: Workbook, sheet: Sheet) -> Cells:
    """The cells of a sheet."""
    from lxml import etree  # type: ignore[import-untyped]  # ships no types
    from openpyxl.worksheet._reader import WorkSheetParser  # type: ignore[import-untyped]  # ships no types

    cells, hidden_columns = Cells(), set[int]()
    with book.archive.open(sheet.path) as source:
        values = WorkSheetParser(
            source,
            book.strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book.date_formats,
            timedelta_formats=book.timedelta_formats,
        )
        tags = (_ROW, _COLUMN, _MERGED)
        for _, element in etree.iterparse(source, tag=tags, resolve_entities=False, no_network=True):
            if element.tag == _ROW:
                number, found = values.parse_row(element)
                _take_row(number - 1, found, element, hidden_columns, book.looks, cells)
            elif element.tag == _COLUMN:
                _take_columns(element, hidden_columns, cells)
            else:
                _take_merged(element.get("ref", ""), cells)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    return cells


def _take_row(
    row: int,
    found: Sequence[Mapping[str, Any]],
    element: Any,
    hidden_columns: set[int],
    looks: Sequence[Look],
    cells: Cells,
) -> None:
    hidden = element.get("hidden") in _ON
    if element.get("customHeight") in _ON and float(element.get("ht", "15")) <= _THIN_POINTS:
        cells.thin_rows.add(row)
    texts: dict[int, str] = {}
    for cell in found:
        column, value, style = cell["column"] - 1, cell["value"], cell["style_id"]
        if value is None:
            continue
        look = looks[style] if style < len(looks) else Look()
        text = _text(value, look)
        if not text.strip():
            continue
        texts[column] = text
        if hidden or look.hidden or column in hidden_columns:
            why = "hidden row" if hidden else look.hidden or "hidden column"
            cells.unseen[row, column] = why
    if texts:
        cells.texts.setdefault(row, {}).update(texts)
    if len(texts) < len(found):
        cells.formulas += sum(c.find(_FORMULA) is not None and not c.findtext(_STORED) for c in element)


def _take_columns(element: Any, hidden_columns: set[int], cells: Cells) -> None:
    columns = range(int(element.get("min")) - 1, min(int(element.get("max")), _MAX_COLUMNS))
    if element.get("hidden") in _ON:
        hidden_columns.update(columns)
    elif float(element.get("width") or "9") <= _THIN_CHARACTERS:
        cells.thin_columns.update(columns)


def _take_merged(reference: str, cells: Cells) -> None:
    from openpyxl.utils import column_index_from_string  # type: ignore[import-untyped]  # ships no types

    if found := _RANGE.match(reference):
        top, bottom = int(found[2]) - 1, int(found[4]) - 1
        left, right = column_index_from_string(found[1]) - 1, column_index_from_string(found[3]) - 1
        if top <= bottom and left <= right < _MAX_COLUMNS:
            cells.spans[top, left] = Area(top, left, bottom, right)


def _text(value: Any, look: Look) -> str:
    """As the sheet shows it, as far as a plain rule goes."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return str(value.date()) if value.time() == datetime.min.time() else str(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return look.shown(value)
