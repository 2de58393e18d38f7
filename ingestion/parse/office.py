"""DOCX, XLSX and HTML, read by docling-slim: headings, lists, tables with spans, sheets with cell ranges."""

from __future__ import annotations

import logging
import re
from io import BytesIO
from typing import Any

from ingestion.document import Document, assemble
from ingestion.encoding import decode
from ingestion.parse.tree import Tree
from runtime.errors import DocumentCorrupt, DocumentTooLarge

# It warns of each picture it cannot draw, which matters to nobody who wants the text.
logging.getLogger("docling").setLevel(logging.ERROR)

MAX_NESTING = 300
"""The HTML backend recurses: 300 levels take it 0.4 s; at 500 it fails, at 5,000 after 22 s."""
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)[^<>]*>", re.IGNORECASE)
_NEVER_CLOSED = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_RAW = frozenset({"script", "style"})
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
    """Headings, text, lists and tables; nothing the page refers to is fetched.

    Raises DocumentCorrupt, DocumentTooLarge (tags nested more than MAX_NESTING deep).
    """
    from docling.backend.html_backend import HTMLDocumentBackend
    from docling.datamodel.backend_options import HTMLBackendOptions
    from docling.datamodel.base_models import InputFormat

    text = decode(data)
    if text is None:
        raise DocumentCorrupt(f"{name!r} is not text", document=name)
    if _nests_deeper(text, MAX_NESTING):
        raise DocumentTooLarge(
            f"{name!r} nests its tags more than {MAX_NESTING} deep", document=name, limit=MAX_NESTING
        )
    options = HTMLBackendOptions(fetch_images=False, enable_local_fetch=False, enable_remote_fetch=False)
    # With a byte order mark the page's own `charset`, which held for the original bytes, is not believed.
    return _parse(text.encode("utf-8-sig"), name, InputFormat.HTML, HTMLDocumentBackend, options)


def _nests_deeper(page: str, limit: int) -> bool:
    """Counts as BeautifulSoup nests: an unclosed tag holds what follows, an end tag closes all inside."""
    open_tags: list[str] = []
    for closing, tag in _TAG.findall(page):
        name = tag.lower()
        if open_tags and open_tags[-1] in _RAW and not (closing and name == open_tags[-1]):
            continue
        if not closing and name not in _NEVER_CLOSED:
            open_tags.append(name)
        elif closing and name in open_tags:
            while open_tags.pop() != name:
                pass
        if len(open_tags) > limit:
            return True
    return False


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
