"""Recognised lines as the parts of a page in reading order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingestion.document import Part
from ingestion.ocr.columns import columns_of, groups_of
from ingestion.ocr.grid import Grid, tables_among
from ingestion.ocr.paragraphs import Size, body_size, parts_of_column
from ingestion.ocr.segment import Line, Segment, box_of, confidence_of, straighten


def parts_of(lines: Iterable[Line]) -> list[Part]:
    """Headings by their size, paragraphs, lists and tables, with boxes in the image's pixels."""
    segments = straighten(lines)
    if not segments:
        return []
    body = body_size(segments)
    return [part for group in groups_of(segments) for part in _read(group, body)]


def _read(group: Sequence[Segment], body: Size) -> Iterator[Part]:
    for column in columns_of(group):
        for found in tables_among(column):
            if isinstance(found, Grid):
                yield _table(found)
            else:
                yield from parts_of_column(found, body)


def _table(grid: Grid) -> Part:
    box, confidence = box_of(grid.segments), confidence_of(grid.segments)
    return Part("table", "", cells=grid.cells, box=box, confidence=confidence)
