"""DOCX and PPTX, read by docling-slim: headings, lists, tables with spans, slides with notes."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from ingestion.document import Part
from ingestion.options import ReadOptions
from ingestion.parse import slides, word
from ingestion.parse.package import checked
from ingestion.parse.tree import Tree
from ingestion.parsed import Level, Parsed, Route
from runtime.errors import DocumentTooLarge

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument

# It warns of each picture it cannot draw, which matters to nobody who wants the text.
logging.getLogger("docling").setLevel(logging.ERROR)

PARSER = "docling-slim"
_PICTURE = re.compile(r"(word|ppt)/media/.+\.(png|jpe?g|gif|bmp|tiff?|webp)", re.IGNORECASE)
_MANY_TABLES, _TABLE_SHARE, _MANY_SECTIONS = 2, 0.2, 3
"""From each of these on a document is HIGH; the share is of its characters."""


def parse_docx(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """The body as its reader sees it, then footnotes; no headers, footers, comments and deleted text.

    Raises DocumentTooLarge, DocumentEncrypted, DocumentCorrupt.
    """
    from docling.backend.msword_backend import MsWordDocumentBackend
    from docling.datamodel.backend_options import MsWordBackendOptions
    from docling.datamodel.base_models import InputFormat

    package = checked(data, name, options.limits)
    limit = options.limits.unpacked_bytes
    sizes = MsWordBackendOptions(max_total_bytes=limit, max_file_bytes=limit)
    backend = open_backend(package, name, InputFormat.DOCX, MsWordDocumentBackend, sizes)
    word.accept_changes(backend.docx_obj.element.body)
    hidden = word.take_hidden(backend.docx_obj)
    document = backend.convert()
    parts = [*Tree(document).parts(), *hidden]
    sections = len(backend.docx_obj.sections)
    route = office_route("docx", parts, easiest="LOW", sections=sections)
    return Parsed(tuple(parts), route, notes=(*_left_out(document), *_pictures(package)))


def parse_pptx(data: bytes, name: str, options: ReadOptions) -> Parsed:
    """Slide by slide: the title, what stands below it, the words of diagrams, the speaker's notes.

    Raises DocumentTooLarge, DocumentEncrypted, DocumentCorrupt.
    """
    from docling.backend.mspowerpoint_backend import MsPowerpointDocumentBackend
    from docling.datamodel.base_models import InputFormat

    package = checked(data, name, options.limits)
    backend = open_backend(package, name, InputFormat.PPTX, MsPowerpointDocumentBackend, None)
    shown = list(backend.pptx_obj.slides)
    if len(shown) > options.limits.pages:
        raise DocumentTooLarge(
            f"{name!r} has {len(shown)} slides; the limit is {options.limits.pages}",
            document=name,
            limit=options.limits.pages,
        )
    hidden = [part for page, slide in enumerate(shown, 1) for part in slides.take_hidden(slide, page)]
    drawn = {page: slides.diagrams(slide, page) for page, slide in enumerate(shown, 1)}
    document = backend.convert()
    parts = [*_with_diagrams(Tree(document).parts(), drawn), *hidden]
    route = Route("pptx", "HIGH", PARSER, (f"{len(shown)} slides",))
    return Parsed(tuple(parts), route, pages=len(shown), notes=_pictures(package))


def open_backend(data: bytes, name: str, format_: Any, backend: type[Any], options: Any) -> Any:
    """docling's backend itself: `DocumentConverter` imports all forty formats, which costs 2 s more."""
    from docling.backend.noop_backend import NoOpBackend
    from docling.datamodel.document import InputDocument

    described = InputDocument(BytesIO(data), format_, NoOpBackend, filename=name)
    return backend(described, BytesIO(data), options)


def _left_out(document: DoclingDocument) -> tuple[str, ...]:
    from docling_core.types.doc import ContentLayer, DocItemLabel

    margins = [t for t in document.texts if t.content_layer == ContentLayer.FURNITURE]
    margins = [text for text in margins if text.label != DocItemLabel.FOOTNOTE]
    comments = [text for text in document.texts if text.content_layer == ContentLayer.NOTES]
    notes = [f"left out: {len(margins)} lines in headers and footers"] * bool(margins)
    return (*notes, *[f"left out: {len(comments)} comments"] * bool(comments))


def _pictures(package: bytes) -> tuple[str, ...]:
    """docling knows of few of them, so they are counted in the package."""
    with ZipFile(BytesIO(package)) as archive:
        count = sum(bool(_PICTURE.fullmatch(member)) for member in archive.namelist())
    return (f"left out: what is written in {count} pictures",) * bool(count)


def office_route(format_: str, parts: Sequence[Part], *, easiest: Level, sections: int = 1) -> Route:
    """HIGH where tables matter, or sections change the page; else `easiest`.

    The thresholds were set on six DOCX and three HTML pages: all nine agree with where people put them.
    """
    seen = [part for part in parts if not part.hidden]
    tables = [part for part in seen if part.kind == "table"]
    in_tables = sum(_chars(part) for part in tables)
    share = in_tables / max(sum(_chars(part) for part in seen), 1)
    high = len(tables) >= _MANY_TABLES or share >= _TABLE_SHARE or sections >= _MANY_SECTIONS
    reasons = (f"tables: {len(tables)}, with {share:.0%} of the text", f"sections: {sections}")
    return Route(format_, "HIGH" if high else easiest, PARSER, reasons)


def _chars(part: Part) -> int:
    return len(part.text) or sum(len(cell.text) for cell in part.cells)


def _with_diagrams(parts: Iterator[Part], drawn: Mapping[int, Sequence[Part]]) -> Iterator[Part]:
    """Each slide's parts, then what stands in its diagrams."""
    rest = dict(drawn)
    for page, group in groupby(parts, key=lambda part: part.page):
        yield from group
        yield from rest.pop(page or 0, ())
    for left in rest.values():
        yield from left
