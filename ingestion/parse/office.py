"""DOCX, XLSX and HTML, read by docling-slim: headings, lists, tables with spans, sheets with cell ranges."""

from __future__ import annotations

import logging
from io import BytesIO
from typing import Any

from ingestion.document import Document, assemble
from ingestion.encoding import decode
from ingestion.parse.tree import Tree
from runtime.errors import DocumentCorrupt, DocumentTooLarge

# It warns of each picture it cannot draw, which matters to nobody who wants the text.
logging.getLogger("docling").setLevel(logging.ERROR)

_MAX_UNPACKED_BYTES = 512 * 1024 * 1024


def parse_docx(data: bytes, name: str) -> Document:
    """Body text without headers, footers and comments. Raises DocumentTooLarge."""
    from docling.backend.msword_backend import MsWordDocumentBackend
    from docling.datamodel.backend_options import MsWordBackendOptions
    from docling.datamodel.base_models import InputFormat

    options = MsWordBackendOptions(max_total_bytes=_MAX_UNPACKED_BYTES)
    return _parse(data, name, InputFormat.DOCX, MsWordDocumentBackend, options)


def parse_xlsx(data: bytes, name: str) -> Document:
    """Each sheet a heading, each region of cells a table with its range; hidden sheets are left out.

    Formulas count by the value that the file stores. Raises DocumentTooLarge.
    """
    from docling.backend.msexcel_backend import MsExcelDocumentBackend
    from docling.datamodel.backend_options import MsExcelBackendOptions
    from docling.datamodel.base_models import InputFormat

    options = MsExcelBackendOptions(treat_singleton_as_text=True, max_total_bytes=_MAX_UNPACKED_BYTES)
    return _parse(data, name, InputFormat.XLSX, MsExcelDocumentBackend, options)


def parse_html(data: bytes, name: str) -> Document:
    """Headings, text, lists and tables; nothing the page refers to is fetched. Raises DocumentCorrupt."""
    from docling.backend.html_backend import HTMLDocumentBackend
    from docling.datamodel.backend_options import HTMLBackendOptions
    from docling.datamodel.base_models import InputFormat

    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    options = HTMLBackendOptions(fetch_images=False, enable_local_fetch=False, enable_remote_fetch=False)
    # With a byte order mark the page's own `charset`, which held for the original bytes, is not believed.
    return _parse(text.encode("utf-8-sig"), name, InputFormat.HTML, HTMLDocumentBackend, options)


def _parse(data: bytes, name: str, format_: Any, backend: type[Any], options: Any) -> Document:
    from docling.backend.noop_backend import NoOpBackend
    from docling.backend.utils.archive_limits import ArchiveLimitError
    from docling.datamodel.document import InputDocument

    try:
        # The backends directly: `DocumentConverter` imports all forty formats, which costs 2 s more.
        described = InputDocument(BytesIO(data), format_, NoOpBackend, filename=name)
        converted = backend(described, BytesIO(data), options).convert()
    except ArchiveLimitError as exc:
        raise DocumentTooLarge(
            f"{name!r} unpacks to more than {_MAX_UNPACKED_BYTES} bytes",
            document=name,
            limit=_MAX_UNPACKED_BYTES,
        ) from exc
    return assemble(name, Tree(converted).parts())
