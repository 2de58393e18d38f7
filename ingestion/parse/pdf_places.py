"""Where PyMuPDF's layout model sees what on a page, and which lines stand there."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from ingestion.document import Box
from ingestion.parse.pdf_line import Line
from ingestion.parse.pdf_page import PdfPage
from ingestion.parse.pdf_ruled import ruled_tables
from ingestion.parse.pdf_text import around
from ingestion.table import Cell

_BESIDE = 2.0
"""Points by which a line may reach over the edge of its place."""


@dataclass
class Place:
    """A box of the layout model, with the lines that stand in it."""

    kind: str
    """The model's class: `text`, `title`, `table`, `picture`, …"""
    box: Box
    table: dict[str, Any] | None = None
    """As the model has it."""
    cells: tuple[Cell, ...] = ()
    """Of a table whose rules say all."""
    lines: list[Line] = field(default_factory=list)


def places_of(pdf: Any, pages: Sequence[PdfPage], tables: bool) -> dict[int, list[Place]]:
    """By page number, in the model's reading order, without lines yet; `tables` finds tables by rules too.

    `pdf` is PyMuPDF's; its structure tree is taken from it.
    """
    if not pages:
        return {}
    import pymupdf4llm

    numbers = [page.number - 1 for page in pages]
    kwargs = {"table_output": "html"} if tables else {}
    # Its notes on single pages would go to the standard output, which belongs to whoever called.
    with redirect_stdout(io.StringIO()):
        found = json.loads(pymupdf4llm.to_json(pdf, pages=numbers, use_ocr=False, **kwargs))
    read = {}
    for page in found["pages"]:
        read[page["page_number"]] = [
            Place(box["boxclass"], Box(box["x0"], box["y0"], box["x1"], box["y1"]), box["table"])
            for box in page["boxes"]
        ]
    return read


def filled(page: PdfPage, places: Sequence[Place]) -> list[Place]:
    """The places with the lines that can be seen, and further ones for lines that the model left out."""
    ordered = _with_ruled(page, places)
    smallest = sorted(ordered, key=lambda place: _area(place.box))
    strays: list[Line] = []
    for line in page.lines:
        if line.hidden or not line.text.strip():
            continue
        place = next((place for place in smallest if holds(place.box, line.box)), None)
        (place.lines if place else strays).append(line)
    for stray in by_block(strays):
        place = Place("text", around(stray), lines=stray)
        ordered.insert(_after_what_is_above(ordered, place.box), place)
    for place in ordered:
        place.lines = _in_rows(place.lines)
    return ordered


def _with_ruled(page: PdfPage, places: Sequence[Place]) -> list[Place]:
    """Tables by their rules take the place of what the model sees there."""
    ordered = list(places)
    for table in ruled_tables(page):
        inside = [index for index, place in enumerate(ordered) if table.holds(place.box)]
        around_it = [index for index, place in enumerate(ordered) if holds(place.box, table.box)]
        at = (inside or around_it or [_after_what_is_above(ordered, table.box)])[0]
        kept = [place for index, place in enumerate(ordered) if index not in inside]
        before = sum(index < at for index in range(len(ordered)) if index not in inside)
        kept.insert(before, Place("table", table.box, cells=table.cells))
        ordered = kept
    return ordered


def _area(box: Box) -> float:
    return (box.x1 - box.x0) * (box.y1 - box.y0)


def by_block(lines: Iterable[Line]) -> list[list[Line]]:
    """The lines of each of MuPDF's paragraphs."""
    blocks: dict[int, list[Line]] = {}
    for line in lines:
        blocks.setdefault(line.block, []).append(line)
    return list(blocks.values())


def _after_what_is_above(ordered: Sequence[Place], box: Box) -> int:
    above = [
        index
        for index, place in enumerate(ordered)
        if place.box.y1 <= box.y0 + _BESIDE and place.box.x0 < box.x1 and place.box.x1 > box.x0
    ]
    return max(above, default=-1) + 1


def _in_rows(lines: list[Line]) -> list[Line]:
    """From top to bottom and left to right, where the file drew them in another order."""
    if not all(line.level for line in lines):
        return lines
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.box.y0 + line.box.y1):
        last = rows[-1][0].box if rows else None
        if last and (line.box.y0 + line.box.y1) / 2 < last.y1 - (last.y1 - last.y0) * 0.25:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.box.x0)]


def holds(outer: Box, inner: Box) -> bool:
    """Whether the middle of `inner` lies in `outer`."""
    x, y = (inner.x0 + inner.x1) / 2, (inner.y0 + inner.y1) / 2
    return outer.x0 - _BESIDE <= x <= outer.x1 + _BESIDE and outer.y0 - _BESIDE <= y <= outer.y1 + _BESIDE
