"""An XLSX opened: its sheets in order, the shared texts, and how its cells look; no sheet is read yet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from typing import Any, NamedTuple
from zipfile import ZipFile

from ingestion.parse.sheet_looks import Look, looks_of

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""How Excel writes characters that XML does not allow; `_x005F_` is the underscore itself."""


class Sheet(NamedTuple):
    name: str
    path: str
    """In the package."""
    hidden: bool


class Workbook(NamedTuple):
    archive: ZipFile
    sheets: list[Sheet]
    strings: list[str]
    """Cells refer to them by number."""
    looks: list[Look]
    """By style id."""
    epoch: datetime
    date_formats: set[int]
    """Style ids."""
    timedelta_formats: set[int]


@contextmanager
def open_workbook(data: bytes) -> Iterator[Workbook]:
    """Step by step as openpyxl's `load_workbook` does, without the steps that nobody needs here.

    Those read the properties and the theme, on which some other makers' files fail, and search each sheet
    for its size, which takes as long as reading it.
    """
    from openpyxl.reader.excel import ExcelReader  # type: ignore[import-untyped]  # ships no types
    from openpyxl.styles.stylesheet import apply_stylesheet  # type: ignore[import-untyped]  # ships no types

    reader = ExcelReader(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    with reader.archive as archive:
        reader.read_manifest()
        reader.read_workbook()
        apply_stylesheet(archive, reader.wb)
        book = reader.wb
        sheets = [
            Sheet(sheet.name, relation.target, sheet.state != "visible")
            for sheet, relation in reader.parser.find_sheets()
            if relation.target in archive.NameToInfo
        ]
        yield Workbook(
            archive=archive,
            sheets=sheets,
            strings=_strings(archive, reader.package),
            looks=looks_of(book),
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )


def _strings(archive: ZipFile, manifest: Any) -> list[str]:
    """The texts without their phonetic readings; openpyxl's own reader takes ten times as long."""
    from lxml import etree  # type: ignore[import-untyped]  # ships no types
    from openpyxl.xml.constants import SHARED_STRINGS  # type: ignore[import-untyped]  # ships no types

    part = manifest.find(SHARED_STRINGS)
    if part is None:
        return []
    strings = []
    with archive.open(part.PartName.lstrip("/")) as source:
        for _, item in etree.iterparse(source, tag=f"{_NS}si", resolve_entities=False, no_network=True):
            pieces = (*item.findall(f"{_NS}t"), *item.findall(f"{_NS}r/{_NS}t"))
            text = "".join(piece.text or "" for piece in pieces)
            strings.append(_ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text)
            item.clear()
            while item.getprevious() is not None:
                del item.getparent()[0]
    return strings
