"""Pages by docling's PDF models, where the `docling` extra and its models are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.util import find_spec
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ingestion.document import Box, Kind, Part
from ingestion.parse.lines import item
from ingestion.parse.pdf_outline import Piece
from ingestion.table import Cell

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument

_PACKAGES = ("docling", "docling_ibm_models", "docling_parse", "torch")
"""What docling's PDF pipeline needs beyond docling-slim with the office formats."""
_KINDS: dict[str, Kind] = {
    "title": "heading",
    "section_header": "heading",
    "list_item": "list",
    "caption": "figure",
}
_LARGEST = 7.0
"""Levels stand for font sizes, so that the outline ranks them with headings of other readers."""


class Docling(NamedTuple):
    """Whether docling reads PDFs here."""

    models: Path | None
    """Folder of its models; None where it cannot read."""
    reason: str


def docling_here(artifacts: Path | None) -> Docling:
    """`artifacts`: see `ReadOptions.docling_artifacts`. Nothing is downloaded."""
    missing = [package for package in _PACKAGES if find_spec(package) is None]
    if missing:
        return Docling(None, f"docling cannot read PDFs here: no {', '.join(missing)}")
    models = artifacts or _own_folder()
    if not models.is_dir():
        return Docling(None, f"docling cannot read PDFs here: no models in {str(models)!r}")
    return Docling(models, "docling and its models are here")


def read_pages(data: bytes, name: str, numbers: Sequence[int], models: Path) -> dict[int, list[Piece]]:
    """Pieces by page number; `numbers` ascend."""
    converter = _converter(models)
    read: dict[int, list[Piece]] = {number: [] for number in numbers}
    for first, last in _ranges(numbers):
        from docling.datamodel.base_models import DocumentStream

        source = DocumentStream(name=name, stream=BytesIO(data))
        for piece in pieces_of(converter.convert(source, page_range=(first, last)).document):
            if piece.part.page in read:
                read[piece.part.page].append(piece)
    return read


def pieces_of(document: DoclingDocument) -> Iterator[Piece]:
    """In docling's reading order, without its page headers and footers."""
    from docling_core.types.doc import PictureItem, TableItem, TextItem

    for found, _ in document.iterate_items():
        page, box = _place(document, found)
        if isinstance(found, TableItem):
            yield Piece(Part("table", "", page=page, box=box, cells=_cells(found)), known=True)
        elif isinstance(found, PictureItem):
            yield Piece(Part("figure", found.caption_text(document), page=page, box=box), known=True)
        elif isinstance(found, TextItem) and found.label.value != "caption":
            kind = _KINDS.get(found.label.value, "paragraph")
            text = item(found.text) if kind == "list" else found.text
            size = _LARGEST - getattr(found, "level", 0) if kind == "heading" else 1.0
            yield Piece(Part(kind, text, page=page, box=box), size, known=True)


def _own_folder() -> Path:
    from docling.datamodel.settings import settings

    return Path(settings.artifacts_path or settings.cache_dir / "models")


@lru_cache(maxsize=1)
def _converter(models: Path) -> Any:
    # Its models take seconds to load, and a document comes in batches of pages.
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.pipeline_options import PdfPipelineOptions
    from docling.document_converter import DocumentConverter, PdfFormatOption

    options = PdfPipelineOptions(artifacts_path=models, do_ocr=False, enable_remote_services=False)
    return DocumentConverter(
        allowed_formats=[InputFormat.PDF],
        format_options={InputFormat.PDF: PdfFormatOption(pipeline_options=options)},
    )


def _ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        members = [number for _, number in run]
        yield members[0], members[-1]


def _place(document: DoclingDocument, found: Any) -> tuple[int | None, Box | None]:
    if not getattr(found, "prov", None):
        return None, None
    where = found.prov[0]
    size = document.pages[where.page_no].size
    box = where.bbox.to_top_left_origin(size.height)
    return where.page_no, Box(box.l, box.t, box.r, box.b)


def _cells(table: Any) -> tuple[Cell, ...]:
    return tuple(
        Cell(
            cell.start_row_offset_idx,
            cell.start_col_offset_idx,
            cell.text,
            cell.row_span,
            cell.col_span,
            header=cell.column_header,
        )
        for cell in table.data.table_cells
        if cell.text.strip()
    )
